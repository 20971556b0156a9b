//! What can be wrong with an input: a record of it, the whole of it, or the way to it.

use std::borrow::Cow;
use std::io;

/// A record that is not a stake, or not a value.
///
/// Displays as `read row 7: share "abc" is not a number; ..`, with what to do where that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {}", self.explain())]
pub struct RecordError {
    /// A stable name of the fault: `missing_id`, `share_not_a_number`, `share_negative`, `share_over_one`,
    /// `id_too_long`, `id_control_character`, `not_utf8`, `wrong_field_count` or `not_a_stake`; of JSON `not_json`,
    /// `wrong_type`, `missing_field`, `share_bounds`, `share_range_reversed` or `repeated_record`; of values
    /// `value_not_a_number` or `value_negative`; of amounts `amount_not_a_number`, `amount_negative` or `not_an_amount`.
    pub code: &'static str,
    /// The line of the file as an editor counts it (the header is row 1), or the 1-based position of a record in a format
    /// that has no lines.
    pub row: u64,
    /// The field at fault, as the file's header spells it; `record` when the whole record is.
    pub field: String,
    /// What stands there, cut to 80 characters.
    pub value: String,
    pub(crate) statement: Cow<'static, str>,
    pub(crate) remedy: &'static str,
}

impl RecordError {
    /// Row, field, value and fault without the remedy: `row 7: share "abc" is not a number`.
    pub fn describe(&self) -> String {
        format!("row {}: {} {:?} {}", self.row, self.field, self.value, self.statement)
    }

    /// The same with `lines` more before it.
    pub(crate) fn shifted(self, lines: u64) -> Self {
        let row = self.row + lines;
        Self { row, ..self }
    }

    fn explain(&self) -> String {
        let mut text = self.describe();
        if !self.remedy.is_empty() {
            text.push_str("; ");
            text.push_str(self.remedy);
        }
        text
    }
}

/// An input that cannot be read as a list of stakes at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// There is no stake in it.
    #[error("find a stake in the input: it has no records{}", skipped_note(*.skipped))]
    Empty {
        /// Records that were skipped as bad; 0 if the input was empty to begin with.
        skipped: u64,
    },
    /// There are records, but none of them is a stake.
    #[error("find a stake in the input: there is none, but {}", .left_out.join(", "))]
    NoStakes {
        /// How many were left out, and why: codes of findings.
        left_out: Vec<String>,
    },
    /// There is no value in a file of values.
    #[error("find a value in the input: it has no records{}", skipped_note(*.skipped))]
    NoValues {
        /// Records that were skipped as bad.
        skipped: u64,
    },
    /// There is no amount in a file of amounts.
    #[error("find an amount in the input: it has no records{}", skipped_note(*.skipped))]
    NoAmounts {
        /// Records that were skipped as bad.
        skipped: u64,
    },
    /// The header names two parties by words that could mean either way.
    #[error(
        "find the creditor and debtor columns: {column:?} could mean either; name the columns creditor and debtor, or \
         name the three with --columns CREDITOR,DEBTOR,AMOUNT"
    )]
    DirectionUnknown {
        /// One of the columns.
        column: String,
    },
    /// The header of a file of values lacks a company or a value.
    #[error(
        "find the columns of company and {value}: the header is {}; name them company and {value}", .header.join(", ")
    )]
    MissingValueColumn {
        /// How the second one is called.
        value: &'static str,
        /// The header's fields.
        header: Vec<String>,
    },
    /// The header has no column for one of owner, owned and share.
    #[error(
        "find the {role} column: the header is {}; name it one of {} or name the three columns with --columns OWNER,OWNED,SHARE",
        .header.join(", "), .accepted.join(", ")
    )]
    MissingColumn {
        /// `owner`, `owned` or `share`; or the name asked for that is not there.
        role: String,
        /// The header's fields.
        header: Vec<String>,
        /// Names that would have been accepted.
        accepted: Vec<String>,
    },
    /// The first line is data, not a header.
    #[error(
        "find a header: the first line is {}; add a line such as owner,owned,share above it", .first.join(", ")
    )]
    NoHeader {
        /// The fields of the first line.
        first: Vec<String>,
    },
    /// Two columns answer for the same role.
    #[error(
        "choose the {role} column: both {first} and {second} match; name the three with --columns OWNER,OWNED,SHARE"
    )]
    AmbiguousColumn {
        /// `owner`, `owned` or `share`; or the name asked for that is there twice.
        role: String,
        /// One of the two.
        first: String,
        /// The other.
        second: String,
    },
    /// The content is in no format that is read here, or the format asked for does not exist.
    #[error("recognise the format: {reason}; known formats are {}", .known.join(", "))]
    UnknownFormat {
        /// What was seen.
        reason: String,
        /// The names of all formats.
        known: Vec<&'static str>,
    },
    /// More bytes than allowed, after decompression.
    #[error("read the input: it is over the limit of {max_bytes} bytes (counted after decompression)")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// What must be held in memory while the input is read is more than may be.
    #[error(
        "read the input: more than {} MiB of it must be held in memory at once; give the job more memory, or a part of the \
         file", .max_bytes >> 20
    )]
    HoldsTooMuch {
        /// The limit.
        max_bytes: u64,
    },
    /// Columns were named for a format that has none.
    #[error("use the columns that were named: format {format} has no columns to choose from; leave them out")]
    ColumnsNotTaken {
        /// The format.
        format: &'static str,
    },
    /// The compression or the JSON is broken.
    #[error("read the input: {reason}")]
    NotReadable {
        /// What is broken, and where if that is known.
        reason: String,
    },
    /// The text is not UTF-8, so no column can be named.
    #[error("read row {row}: it is not UTF-8 text; save the file as UTF-8")]
    NotUtf8 {
        /// The line.
        row: u64,
    },
    /// A quote opens and never closes.
    #[error("read row {row}: its quote is never closed; close it, or double each quote inside a quoted field")]
    UnclosedQuote {
        /// The line where the record with that quote begins.
        row: u64,
    },
    /// A record is longer than any sensible one, as in a file without line ends.
    #[error("read row {row}: the record is over the limit of {max_bytes} bytes; a quote may be left open in it")]
    RecordTooLong {
        /// The line where it begins; in a document of stakes the 1-based position of the element.
        row: u64,
        /// The limit.
        max_bytes: usize,
    },
}

impl InputError {
    /// The same with `lines` more before it.
    pub(crate) fn shifted(mut self, lines: u64) -> Self {
        if let Self::NotUtf8 { row } | Self::UnclosedQuote { row } | Self::RecordTooLong { row, .. } = &mut self {
            *row += lines;
        }
        self
    }

    /// A stable name of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } | Self::NoStakes { .. } | Self::NoValues { .. } | Self::NoAmounts { .. } => {
                "empty_input"
            }
            Self::MissingColumn { .. }
            | Self::MissingValueColumn { .. }
            | Self::NoHeader { .. }
            | Self::DirectionUnknown { .. } => "missing_column",
            Self::AmbiguousColumn { .. } => "ambiguous_column",
            Self::UnknownFormat { .. } => "unknown_format",
            Self::TooLarge { .. } => "too_large",
            Self::HoldsTooMuch { .. } => "holds_too_much",
            Self::ColumnsNotTaken { .. } => "columns_not_taken",
            Self::NotReadable { .. } => "not_readable",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::UnclosedQuote { .. } => "unclosed_quote",
            Self::RecordTooLong { .. } => "record_too_long",
        }
    }
}

/// Why reading stopped. `E` is the error of the caller's sink.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
    /// A record is not a stake.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The input as a whole is no list of stakes.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The bytes could not be had. Says nothing against the input: trying again may help.
    #[error("read the input: {0}")]
    Io(io::Error),
    /// The sink refused a stake.
    #[error("{0}")]
    Sink(E),
}

impl<E> ReadError<E> {
    /// The stable code when the input is at fault (permanent); `None` when the way to it or the sink failed.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Record(error) => Some(error.code),
            Self::Input(error) => Some(error.code()),
            Self::Io(_) | Self::Sink(_) => None,
        }
    }
}

fn skipped_note(skipped: u64) -> String {
    if skipped == 0 {
        String::new()
    } else {
        format!(" but {skipped} that were skipped as bad")
    }
}
