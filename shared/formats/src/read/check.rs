//! One record after another: is it a stake, and if not, what becomes of it.

use std::borrow::Cow;

use ownership::{Batch, Finding, Share, ShareError, Unit};

use super::extent::Extent;
use super::notes::Notes;
use super::quick::Quick;
use super::{OnBadRecord, Read};
use crate::error::{InputError, ReadError, RecordError};

/// The longest id of a company, in bytes of UTF-8.
pub const MAX_ID_BYTES: usize = 512;

pub(super) const MAX_EXAMPLES: usize = 10;
pub(super) const MAX_VALUE_CHARS: usize = 80;
const NEEDED: &str = "every stake needs an owner and an owned company";

/// A field: its name in the file and what stands there.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a [u8],
}

/// Checks records, applies the policy for bad ones, and keeps the counts for the findings.
pub(super) struct Checker {
    unit: Unit,
    on_bad_record: OnBadRecord,
    records: u64,
    skipped: u64,
    examples: Vec<RecordError>,
    largest: f64,
    percent_signs: bool,
    /// Stakes of which only bounds are known.
    ranges: u64,
    /// Control without a share.
    pub(super) controls: u64,
    /// Names and kinds.
    pub(super) described: u64,
    pub(super) notes: Notes,
}

impl Checker {
    pub(super) fn new(unit: Unit, on_bad_record: OnBadRecord) -> Self {
        Self {
            unit,
            on_bad_record,
            records: 0,
            skipped: 0,
            examples: Vec::new(),
            largest: 0.0,
            percent_signs: false,
            ranges: 0,
            controls: 0,
            described: 0,
            notes: Notes::default(),
        }
    }

    /// One like this for a part of the input, to be appended.
    pub(super) fn part(&self) -> Self {
        Self::new(self.unit, self.on_bad_record)
    }

    /// Adds what a part counted, which has `lines` before it.
    pub(super) fn append(&mut self, part: &mut Self, lines: u64) {
        self.records += part.records;
        self.skipped += part.skipped;
        let room = MAX_EXAMPLES - self.examples.len();
        let examples = part.examples.drain(..).take(room);
        self.examples.extend(examples.map(|example| example.shifted(lines)));
        self.largest = self.largest.max(part.largest);
        self.percent_signs |= part.percent_signs;
        self.ranges += part.ranges;
    }

    /// Adds the record to a batch if it is a stake.
    pub(super) fn take(
        &mut self,
        row: u64,
        [owner, owned, share]: [Field<'_>; 3],
        batch: &mut Batch,
    ) -> Result<(), RecordError> {
        let stake = id(row, owner, NEEDED).and_then(|owner| {
            let owned = id(row, owned, NEEDED)?;
            let text = utf8(row, share)?;
            let amount =
                Extent::parse(text, self.unit).map_err(|error| bad_share(row, share.name, text, error, self.unit))?;
            Ok((owner, owned, amount, text.ends_with('%')))
        });
        match stake {
            Ok((owner, owned, amount, percent_sign)) => {
                self.percent_signs |= percent_sign;
                self.take_amount(row, [owner, owned], amount, batch);
                Ok(())
            }
            Err(error) => self.refuse(error),
        }
    }

    /// Adds a stake of which a minimum, a maximum or both are known, if it is one.
    pub(super) fn take_range(
        &mut self,
        row: u64,
        [owner, owned]: [Field<'_>; 2],
        [minimum, maximum]: [Option<Field<'_>>; 2],
        batch: &mut Batch,
    ) -> Result<(), RecordError> {
        let bound = |field: Option<Field<'_>>, otherwise: &str| {
            let field = field.unwrap_or(Field {
                name: "share",
                text: otherwise.as_bytes(),
            });
            let text = utf8(row, field)?;
            Share::parse(text, self.unit).map_err(|error| bad_share(row, field.name, text, error, self.unit))
        };
        let stake = id(row, owner, NEEDED).and_then(|owner| {
            let owned = id(row, owned, NEEDED)?;
            let (lower, upper) = (bound(minimum, "0")?, bound(maximum, "100%")?);
            if lower.units() <= upper.units() {
                return Ok((owner, owned, Extent { lower, upper }));
            }
            // Without a minimum it is nothing, which is over no maximum.
            let field = minimum.or(maximum).unwrap_or(Field {
                name: "share",
                text: b"",
            });
            Err(RecordError {
                code: "share_range_reversed",
                row,
                field: field.name.to_owned(),
                value: shorten(field.text),
                statement: "is over the maximum".into(),
                remedy: "a range goes from the least to the most that can be held",
            })
        });
        match stake {
            Ok((owner, owned, amount)) => {
                self.take_amount(row, [owner, owned], amount, batch);
                Ok(())
            }
            Err(error) => self.refuse(error),
        }
    }

    /// Adds a stake.
    pub(super) fn take_amount(&mut self, row: u64, [owner, owned]: [&str; 2], amount: Extent, batch: &mut Batch) {
        self.records += 1;
        self.largest = self.largest.max(amount.upper.value());
        self.ranges += u64::from(amount.is_range());
        batch.push_range(owner, owned, amount.lower, amount.upper, row);
    }

    /// Adds a record that was found to be a stake.
    #[inline]
    pub(super) fn take_quick(&mut self, row: u64, stake: &Quick, batch: &mut Batch) {
        self.records += 1;
        self.largest = self.largest.max(stake.share.value());
        batch.push_short(stake.owner, stake.owned, stake.share, row);
    }

    /// How shares are written.
    pub(super) fn unit(&self) -> Unit {
        self.unit
    }

    /// Fails with the error, or counts it and lets reading go on.
    pub(super) fn refuse(&mut self, error: RecordError) -> Result<(), RecordError> {
        if self.on_bad_record == OnBadRecord::Fail {
            return Err(error);
        }
        self.skipped += 1;
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.push(error);
        }
        Ok(())
    }

    /// Ends the reading. `share_column` is the header's name of the share, where the format has a header.
    pub(super) fn finish<E>(self, format: &str, share_column: Option<&str>) -> Result<Read, ReadError<E>> {
        if self.records == 0 && self.controls == 0 {
            let mut left_out = self.notes.counts();
            if self.described > 0 {
                left_out.push(format!("{} names of persons and companies", self.described));
            }
            return Err(if left_out.is_empty() {
                InputError::Empty { skipped: self.skipped }
            } else {
                InputError::NoStakes { left_out }
            }
            .into());
        }
        let mut findings = Vec::new();
        findings.extend(self.doubt(share_column).filter(|doubt| !self.notes.has(&doubt.code)));
        if self.skipped > 0 {
            findings.push(Finding {
                code: "bad_record".to_owned(),
                count: self.skipped,
                examples: self.examples.iter().map(RecordError::describe).collect(),
                action: "left out, as on_bad_record=skip asks".to_owned(),
            });
        }
        findings.extend(self.notes.into_findings());
        Ok(Read {
            format: format.to_owned(),
            records: self.records,
            ranges: self.ranges,
            controls: self.controls,
            described: self.described,
            findings,
        })
    }

    /// Shares that pass every check and yet look like they are written in the other unit.
    fn doubt(&self, share_column: Option<&str>) -> Option<Finding> {
        let (example, action) = match self.unit {
            Unit::Fraction => {
                let column = share_column.filter(|name| speaks_of_percent(name) && !self.percent_signs)?;
                (
                    format!("column {column:?} holds no share above 1"),
                    "read as fractions of 1; if they are percents, pass unit=percent",
                )
            }
            Unit::Percent if self.records > 0 && self.largest <= 0.01 && !self.percent_signs => (
                format!("no share is above {}", self.largest),
                "read as percents; if they are fractions of 1, pass unit=fraction",
            ),
            Unit::Percent => return None,
        };
        Some(Finding {
            code: "unit_doubtful".to_owned(),
            count: self.records,
            examples: vec![example],
            action: action.to_owned(),
        })
    }
}

/// A record that is wrong as a whole.
pub(super) fn bad_record(code: &'static str, row: u64, record: &[u8], statement: String) -> RecordError {
    let statement = Cow::Owned(statement);
    RecordError {
        code,
        row,
        field: "record".to_owned(),
        value: shorten(record),
        statement,
        remedy: "",
    }
}

fn speaks_of_percent(column: &str) -> bool {
    let column = column.to_lowercase();
    column.contains("percent") || column.contains("pct") || column.contains('%')
}

pub(super) fn id<'a>(row: u64, field: Field<'a>, needed: &'static str) -> Result<&'a str, RecordError> {
    // Printable ASCII without blanks, as most ids are, needs no other check.
    let is_plain = field.text.iter().all(u8::is_ascii_graphic) && (1..=MAX_ID_BYTES).contains(&field.text.len());
    if is_plain && let Ok(text) = std::str::from_utf8(field.text) {
        return Ok(text);
    }
    let text = utf8(row, field)?;
    let fault = |code, statement: Cow<'static, str>, remedy| {
        Err(RecordError {
            code,
            row,
            field: field.name.to_owned(),
            value: shorten(text.as_bytes()),
            statement,
            remedy,
        })
    };
    if text.is_empty() {
        return fault("missing_id", "is missing".into(), needed);
    }
    if text.len() > MAX_ID_BYTES {
        let statement = format!("is {} bytes long, over the limit of {MAX_ID_BYTES}", text.len());
        return fault("id_too_long", statement.into(), "");
    }
    if text.chars().any(char::is_control) {
        return fault(
            "id_control_character",
            "contains a control character".into(),
            "remove it",
        );
    }
    Ok(text)
}

pub(super) fn utf8<'a>(row: u64, field: Field<'a>) -> Result<&'a str, RecordError> {
    match std::str::from_utf8(field.text) {
        Ok(text) => Ok(text.trim()),
        Err(_) => Err(not_utf8(row, field.name, field.text)),
    }
}

pub(super) fn not_utf8(row: u64, field: &str, value: &[u8]) -> RecordError {
    RecordError {
        code: "not_utf8",
        row,
        field: field.to_owned(),
        value: shorten(value),
        statement: "is not UTF-8".into(),
        remedy: "save the file as UTF-8",
    }
}

/// A field of a record, whose row is yet to be said, that is wrong.
pub(super) fn bad_field(
    code: &'static str,
    field: &str,
    value: &str,
    statement: &'static str,
    remedy: &'static str,
) -> RecordError {
    RecordError {
        code,
        row: 0,
        field: field.to_owned(),
        value: shorten(value.as_bytes()),
        statement: statement.into(),
        remedy,
    }
}

/// Why a text is no share.
pub(super) fn bad_share(row: u64, name: &str, text: &str, error: ShareError, unit: Unit) -> RecordError {
    {
        let (code, statement, remedy) = match (error, unit) {
            (ShareError::NotANumber, _) if text.is_empty() => (
                "share_not_a_number",
                "is missing",
                "every stake needs a share such as 0.25",
            ),
            (ShareError::NotANumber, _) if text.contains(',') => (
                "share_not_a_number",
                "is not a number",
                "write one decimal point or comma, and no separators of thousands",
            ),
            (ShareError::NotANumber, _) => (
                "share_not_a_number",
                "is not a number",
                "write a decimal such as 0.25, or a range such as 25-50%",
            ),
            (ShareError::Negative, _) => ("share_negative", "is negative", "a share is at least 0"),
            (ShareError::OverOne, Unit::Fraction) if !text.ends_with('%') => (
                "share_over_one",
                "is over 1",
                "if the shares are percents, pass unit=percent (on the command line --unit percent)",
            ),
            (ShareError::OverOne, _) => ("share_over_one", "is over 100 percent", "a share is at most the whole"),
        };
        let value = shorten(text.as_bytes());
        RecordError {
            code,
            row,
            field: name.to_owned(),
            value,
            statement: statement.into(),
            remedy,
        }
    }
}

/// The value as text, cut so that an error stays readable.
pub(super) fn shorten(value: &[u8]) -> String {
    // A character is at most 4 bytes, so what lies behind cannot matter.
    let text = String::from_utf8_lossy(&value[..value.len().min(4 * (MAX_VALUE_CHARS + 1))]);
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
