//! Result tables: what they look like, how they travel, how they become files.

mod block;
mod block_file;
mod builder;
mod codec;
mod csv_writer;
mod dictionary;
mod parquet_text;
mod parquet_writer;
mod schema;
mod texts;

use std::io;

pub use self::block::{Block, Cell, Row, Values};
pub use self::block_file::{BlockFileReader, BlockFileWriter};
pub use self::builder::{BlockBuilder, MAX_ROW_BYTES};
pub use self::codec::MAX_ENCODED_BYTES;
pub use self::csv_writer::CsvWriter;
pub use self::parquet_writer::ParquetWriter;
pub use self::schema::{Column, Kind, Schema};
pub use self::texts::Texts;

/// Why a block could not be built, encoded or decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The bytes or the fields are not those of a block, or not of one of this schema.
    #[error("read a block of results: {0}")]
    Corrupt(String),
    /// One row is over [`MAX_ROW_BYTES`].
    #[error("store a row of {company:?}: its {bytes} bytes are over the limit of {MAX_ROW_BYTES}")]
    RowTooLarge {
        /// The company, cut to 80 characters.
        company: String,
        /// The size of the row or of the company's name.
        bytes: usize,
    },
    /// A block that no builder made is over [`MAX_ENCODED_BYTES`].
    #[error("store a block of results: its {bytes} bytes are over the limit of {MAX_ENCODED_BYTES}")]
    BlockTooLarge {
        /// Its encoded size.
        bytes: usize,
    },
    /// Companies must come in ascending order of their bytes, each once.
    #[error("store results in order: {company:?} came after {previous:?}")]
    OutOfOrder {
        /// The company before.
        previous: String,
        /// The company that should have come earlier.
        company: String,
    },
    /// The stream under a block file failed.
    #[error("reach the results: {0}")]
    Io(#[from] io::Error),
}

/// Why a result file could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The block does not fit the schema.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The stream under the file failed.
    #[error("write the results: {0}")]
    Io(#[from] io::Error),
    /// The Parquet encoder failed.
    #[error("write the results as Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
}

#[cfg(test)]
mod samples;
