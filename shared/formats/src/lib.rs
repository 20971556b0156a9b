//! Readers of stakes and writers of results. Pure: bytes in, bytes out, nothing is opened or fetched here.
//!
//! A *stake* is one edge of an ownership network: `owner` holds `share` (a fraction, 0 to 1) of `owned`.
//! [`read_stakes`] finds the [`Format`] of a file (CSV, TSV, Parquet, or what registers publish: BODS, GLEIF, PSC,
//! FollowTheMoney; plain or compressed by gzip or zstd), checks every record and hands the stakes on one at a time, so memory
//! does not grow with the file, or no further than a setting says;
//! [`read_batches`] hands them on by the thousand. An error in
//! the data names row, field and value. [`read_amounts`] does the same for amounts of money in the place of shares, [`read_values`] for
//! a second file of companies and their values.
//!
//! A *result* is a table whose columns a [`Schema`] declares and whose rows belong to companies. It travels in
//! [`Block`]s: rows of neighbouring companies, column by column, at most 64 KiB once encoded. A [`BlockBuilder`] cuts
//! rows into blocks, [`BlockFileWriter`] and [`BlockFileReader`] keep a stream of them, [`CsvWriter`] and
//! [`ParquetWriter`] turn it into files. [`search`] says by what text a company is found.
//!
//! ```
//! use formats::{Block, BlockBuilder, Cell, Column, CsvWriter, Kind, ReadOptions, Schema, read_stakes};
//!
//! // Read.
//! let file = "shareholder_id;company_id;ownership\nA;Foo;0.33\nBar;Foo;0.34\n";
//! let mut stakes = Vec::new();
//! let read = read_stakes(&mut file.as_bytes(), &ReadOptions::default(), &mut |stake| {
//!     stakes.push((stake.owner.to_owned(), stake.owned.to_owned(), stake.share.value()));
//!     Ok::<(), std::convert::Infallible>(())
//! })?;
//! assert_eq!((read.format.as_str(), read.records), ("csv", 2));
//! assert_eq!(stakes[1], ("Bar".to_owned(), "Foo".to_owned(), 0.34));
//!
//! // Write.
//! static SCHEMA: Schema = Schema {
//!     key: 1,
//!     columns: &[
//!         Column { name: "owner", kind: Kind::Text, unit: "", description: "who holds" },
//!         Column { name: "owned", kind: Kind::Text, unit: "", description: "what is held" },
//!         Column { name: "direct", kind: Kind::Number, unit: "fraction", description: "the share held directly" },
//!     ],
//! };
//! let mut builder = BlockBuilder::new(&SCHEMA);
//! let mut csv = CsvWriter::new(Vec::new(), &SCHEMA)?;
//! let mut blocks: Vec<Block> = Vec::new();
//! blocks.extend(builder.company("Foo")?);
//! for (owner, _, share) in &stakes {
//!     blocks.extend(builder.row(&[Cell::Text(owner), Cell::Number(*share)])?);
//! }
//! blocks.extend(builder.finish());
//! for block in &blocks {
//!     csv.write(block)?;
//! }
//! assert_eq!(csv.finish()?, b"owner,owned,direct\nA,Foo,0.33\nBar,Foo,0.34\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::float_cmp,
        reason = "a test fails by panicking, and compares what must be bitwise equal"
    )
)]

pub mod chains;
mod error;
mod read;
pub mod search;
mod table;

pub use error::{InputError, ReadError, RecordError};
pub use read::{
    Amount, AmountKind, AmountOptions, CompanyValue, Format, InlineBound, InlineRange, InlineShare, InlineStake,
    InlineValue, MAX_ID_BYTES, OnBadRecord, Read, ReadOptions, Stake, ValueColumns, ValueOptions, read_amounts,
    read_batches, read_stakes, read_values,
};
pub use table::{
    Block, BlockBuilder, BlockError, BlockFileReader, BlockFileWriter, Cell, Column, CsvWriter, Kind,
    MAX_ENCODED_BYTES, MAX_ROW_BYTES, ParquetWriter, Row, Schema, Texts, Values, WriteError,
};
