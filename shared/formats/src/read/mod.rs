//! Reading stakes: from bytes to checked records.

mod amounts;
mod blocks;
mod bods;
mod budget;
mod check;
mod delimited;
mod extent;
mod format;
mod ftm;
mod gleif;
mod header;
mod held;
mod inline;
mod input;
mod intake;
mod json;
mod notes;
mod parquet;
mod psc;
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
pub use self::inline::{InlineBound, InlineRange, InlineShare, InlineStake};
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
    /// How shares are written. If absent, as the format says: percents in BODS, GLEIF and FollowTheMoney, fractions
    /// elsewhere; bands of PSC have no unit.
    pub unit: Option<Unit>,
    /// What to do with a record that is not a stake. Default: fail.
    pub on_bad_record: OnBadRecord,
    /// The name of the file, a hint at its format.
    pub name: Option<String>,
    /// The most bytes to read, counted after decompression. Default: 16 GiB.
    pub max_bytes: u64,
    /// The most bytes to hold in memory for what can't be handed on at once: a Parquet file, as it is, and each page of it,
    /// unpacked; the latest statement of each record of BODS; ids and names of FollowTheMoney. Default: 1 GiB.
    pub max_held_bytes: u64,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            columns: None,
            unit: None,
            on_bad_record: OnBadRecord::Fail,
            name: None,
            max_bytes: 16 << 30,
            max_held_bytes: 1 << 30,
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
    /// How much of it; the lower end of a range.
    pub share: Share,
    /// The upper end of a range; the share itself where that is known.
    pub upper: Share,
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The name of the format found.
    pub format: String,
    /// Stakes handed on.
    pub records: u64,
    /// How many of them have only bounds of a share.
    pub ranges: u64,
    /// Control without a share, handed on beside the stakes.
    pub controls: u64,
    /// Names and kinds of companies and persons handed on.
    pub described: u64,
    /// `bad_record` if some were skipped; `unit_doubtful` if the shares look like another unit than the one given; what
    /// the format has that is no stake: `undisclosed_owner`, `share_unknown`, `ended_record`, `not_a_share` and others.
    pub findings: Vec<Finding>,
}

/// Where batches go.
type Sink<'s, E> = &'s mut dyn FnMut(&mut Batch) -> Result<(), E>;

/// The reader of one format.
trait Reader {
    /// Reads all of `input` into `sink`, batch by batch, in the order of the file; or, where a later record can undo an
    /// earlier one, at its end.
    ///
    /// # Errors
    ///
    /// Those of [`read_stakes`].
    fn read<E>(
        self,
        input: &mut Input<'_>,
        options: &ReadOptions,
        checker: Checker,
        sink: Sink<'_, E>,
    ) -> Result<Read, ReadError<E>>;
}

/// Reads every stake of `input`, in file order, into `sink`. Names, and control without a share, are left out.
///
/// Compression is found by magic bytes (gzip, zstd), the format by `options`, the file's name and its first bytes.
/// CSV and TSV have a header; the delimiter (`,` `;` tab `|`) is the one most frequent in it; a byte order mark, any line
/// ends and quotes are understood; columns other than the three are ignored. What the readers of other formats take for a
/// stake, each says where it is written: see [`Format`].
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
        batch.try_for_each_range(|owner, owned, range, row| match range {
            Some((share, upper)) => sink(Stake {
                row,
                owner,
                owned,
                share,
                upper,
            }),
            None => Ok(()),
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
/// Memory is two blocks, of which one is read ahead (2 MiB, and a record, which has at most 1 MiB as written), the stakes
/// of one, and the decoder's window. An element of JSON made of many small values takes up to 100 times its size before it
/// is refused. What formats hold beside that is bounded by [`ReadOptions::max_held_bytes`].
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
    if options.columns.is_some() && !format.has_columns() {
        return Err(InputError::ColumnsNotTaken { format: format.name() }.into());
    }
    let usual = match format {
        Format::Bods | Format::GleifCsv | Format::GleifXml | Format::Ftm => Unit::Percent,
        _ => Unit::Fraction,
    };
    let checker = Checker::new(options.unit.unwrap_or(usual), options.on_bad_record);
    let input = &mut input;
    match format {
        Format::Csv | Format::Tsv => delimited::Delimited(format).read(input, options, checker, sink),
        Format::Stakes => inline::Document.read(input, options, checker, sink),
        Format::Parquet => parquet::Parquet.read(input, options, checker, sink),
        Format::Bods => bods::Bods.read(input, options, checker, sink),
        Format::GleifCsv => gleif::GleifCsv.read(input, options, checker, sink),
        Format::GleifXml => gleif::GleifXml.read(input, options, checker, sink),
        Format::Psc => psc::Psc.read(input, options, checker, sink),
        Format::Ftm => ftm::FollowTheMoney.read(input, options, checker, sink),
    }
}
