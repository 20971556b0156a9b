//! Reading stakes: from bytes to checked records.

mod amounts;
mod blocks;
mod budget;
mod check;
mod delimited;
mod format;
mod header;
mod inline;
mod input;
mod quick;
mod records;
mod splitter;
mod tally;
#[cfg(test)]
mod tests;
mod values;

use std::io;

use ownership::{Batch, Finding, Share, Unit};
use serde::{Deserialize, Serialize};

pub use self::amounts::{Amount, AmountKind, AmountOptions, read_amounts};
pub use self::check::MAX_ID_BYTES;
pub use self::format::Format;
pub use self::inline::{InlineShare, InlineStake};
pub use self::values::{CompanyValue, InlineValue, ValueColumns, ValueOptions, read_values};

use self::check::Checker;
use self::input::Input;
use crate::error::{InputError, ReadError};

/// What to do with a record that is not a stake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnBadRecord {
    /// Stop with the error.
    #[default]
    Fail,
    /// Leave it out and count it in the finding `bad_record`.
    Skip,
}

/// How to read an input.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The name of a [`Format`]; found from name and content if absent.
    pub format: Option<String>,
    /// The header's names of owner, owned and share, or their 1-based positions. Found by the usual names if absent.
    pub columns: Option<[String; 3]>,
    /// How shares are written. Default: fractions.
    pub unit: Unit,
    /// What to do with a record that is not a stake. Default: fail.
    pub on_bad_record: OnBadRecord,
    /// The name of the file, a hint at its format.
    pub name: Option<String>,
    /// The most bytes to read, counted after decompression. Default: 16 GiB.
    pub max_bytes: u64,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            columns: None,
            unit: Unit::Fraction,
            on_bad_record: OnBadRecord::Fail,
            name: None,
            max_bytes: 16 << 30,
        }
    }
}

/// One checked record: `owner` holds `share` of `owned`.
#[derive(Clone, Copy, Debug)]
pub struct Stake<'a> {
    /// The line of the file as an editor counts it, or the 1-based position of an inline stake.
    pub row: u64,
    /// Who holds: not empty, trimmed, at most [`MAX_ID_BYTES`] bytes, without control characters.
    pub owner: &'a str,
    /// What is held: the same.
    pub owned: &'a str,
    /// How much of it.
    pub share: Share,
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The name of the format found.
    pub format: String,
    /// Stakes handed on.
    pub records: u64,
    /// `bad_record` if some were skipped; `unit_doubtful` if the shares look like another unit than the one given.
    pub findings: Vec<Finding>,
}

/// Reads every stake of `input`, in file order, into `sink`.
///
/// Compression is found by magic bytes (gzip, zstd), the format by `options`, the file's name and its first bytes.
/// CSV and TSV have a header; the delimiter (`,` `;` tab `|`) is the one most frequent in it; a byte order mark, any line
/// ends and quotes are understood; columns other than the three are ignored.
///
/// Time is linear in the bytes. Memory is that of [`read_batches`], which this calls: the stakes of a batch are handed on
/// when the whole batch has been read.
///
/// # Errors
///
/// [`ReadError::Record`] for the first bad record unless they are skipped, [`ReadError::Input`] if there is no stake or
/// the input is no list of stakes, [`ReadError::Io`] if `input` fails, [`ReadError::Sink`] with what `sink` returned.
pub fn read_stakes<E>(
    input: &mut dyn io::Read,
    options: &ReadOptions,
    sink: &mut dyn FnMut(Stake<'_>) -> Result<(), E>,
) -> Result<Read, ReadError<E>> {
    read_batches(input, options, &mut |batch| {
        batch.try_for_each(|owner, owned, share, row| {
            sink(Stake {
                row,
                owner,
                owned,
                share,
            })
        })
    })
}

/// Reads every stake of `input`, in file order, as batches that [`NetworkBuilder::append`](ownership::NetworkBuilder::append)
/// takes in.
///
/// The same as [`read_stakes`], with the same errors: those of the sink for a stake come before those of a record after it.
/// Tables are split and checked by all threads of the current `rayon` pool, 2 MiB at a time. The result doesn't depend on
/// how many there are.
///
/// Memory is a block (2 MiB, and a record, which has at most 1 MiB as written), its stakes, and the decoder's window. An
/// element of JSON made of many small values takes up to 100 times its size before it is refused.
///
/// # Errors
///
/// Those of [`read_stakes`].
pub fn read_batches<E>(
    input: &mut dyn io::Read,
    options: &ReadOptions,
    sink: &mut dyn FnMut(&mut Batch) -> Result<(), E>,
) -> Result<Read, ReadError<E>> {
    let asked = options.format.as_deref().map(Format::from_name).transpose()?;
    let mut input = Input::open(input, options.max_bytes)?;
    if input.head().trim_ascii().is_empty() && input.head_is_all() {
        return Err(InputError::Empty { skipped: 0 }.into());
    }
    let format = match asked {
        Some(format) => format,
        None => Format::detect(options.name.as_deref(), input.head())?,
    };
    let checker = Checker::new(options.unit, options.on_bad_record);
    match format {
        Format::Csv | Format::Tsv => delimited::read(&mut input, format, options.columns.as_ref(), checker, sink),
        Format::Stakes => inline::read_document(&mut input, checker, sink),
    }
}
