//! Values of companies: a second file beside the stakes.

use std::borrow::Cow;
use std::io::{self, Read as _};

use serde::{Deserialize, Serialize};

use super::check::{Field, bad_record, id, shorten, utf8};
use super::header::plain;
use super::input::Input;
use super::records::Records;
use super::tally::Tally;
use super::{OnBadRecord, Read};
use crate::error::{InputError, ReadError, RecordError};

/// The largest document of values in JSON, which is read as a whole.
const MAX_DOCUMENT_BYTES: u64 = 64 << 20;

const COMPANY: [&str; 10] = [
    "company",
    "company_id",
    "id",
    "name",
    "entity",
    "entity_id",
    "firm",
    "firm_id",
    "bank",
    "sector",
];
const VALUE: [&str; 9] = [
    "value",
    "values",
    "revenue",
    "operating_revenue",
    "turnover",
    "assets",
    "total_assets",
    "equity",
    "market_cap",
];

/// Which columns of a file of values matter, besides the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueColumns {
    /// Names of the value, the first one for messages.
    pub value: &'static [&'static str],
    /// The name of a second number that a file may have.
    pub extra: Option<&'static str>,
}

impl Default for ValueColumns {
    fn default() -> Self {
        Self {
            value: &VALUE,
            extra: None,
        }
    }
}

/// How to read values.
#[derive(Clone, Copy, Debug)]
pub struct ValueOptions {
    /// Which columns matter. Default: `value`, or one of its usual names.
    pub columns: ValueColumns,
    /// What to do with a record that is no value. Default: fail.
    pub on_bad_record: OnBadRecord,
    /// The most bytes to read, counted after decompression. Default: 16 GiB.
    pub max_bytes: u64,
}

impl Default for ValueOptions {
    fn default() -> Self {
        Self {
            columns: ValueColumns::default(),
            on_bad_record: OnBadRecord::Fail,
            max_bytes: 16 << 30,
        }
    }
}

/// One checked record: `company` is worth `value`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompanyValue<'a> {
    /// The line of the file as an editor counts it, or the 1-based position in a document.
    pub row: u64,
    /// The company: not empty, trimmed, without control characters.
    pub company: &'a str,
    /// Its value: finite and not negative, in whatever unit the file has.
    pub value: f64,
    /// The second number, where it is asked for and given.
    pub extra: Option<f64>,
}

/// A value as it stands in a request or in a document of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InlineValue {
    /// The company.
    #[serde(alias = "sector")]
    pub company: String,
    /// Its value, from 0.
    #[serde(alias = "equity", alias = "external_assets", alias = "output")]
    pub value: serde_json::Number,
    /// Its loss of equity at the start, as a fraction, where the job type takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shock: Option<serde_json::Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    values: Vec<InlineValue>,
}

/// Reads every value of `input`, in file order, into `sink`.
///
/// The file is CSV or TSV as in [`read_stakes`](super::read_stakes), with a header that names a column `company` (or
/// `company_id`, `id`, `name`, `entity`, `firm`) and one `value` (or `revenue`, `turnover`, `assets`, `equity`,
/// `market_cap` and the like), or whatever [`ValueColumns`] asks for; or a JSON document `{"values": [{"company": "A", "value": 1.5}]}` of at most 64 MiB. Both may
/// be compressed by gzip or zstd. Whether a company occurs twice is for the caller to see.
///
/// Time is linear in the bytes; memory is one record, or the document.
///
/// # Errors
///
/// [`ReadError::Record`] for the first bad record unless they are skipped: `missing_id`, `value_not_a_number`,
/// `value_negative` and the codes of any table; [`ReadError::Input`] if there is no value or the input is no table of
/// values, [`ReadError::Io`] if `input` fails, [`ReadError::Sink`] with what `sink` returned.
///
/// # Example
///
/// ```
/// use formats::{ValueOptions, read_values};
///
/// let file = "company;revenue\nFoo;12.5\nBar;3e6\n";
/// let mut sum = 0.0;
/// let read = read_values(&mut file.as_bytes(), &ValueOptions::default(), &mut |record| {
///     sum += record.value;
///     Ok::<(), std::convert::Infallible>(())
/// })?;
/// assert_eq!((read.records, sum), (2, 3_000_012.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_values<E>(
    input: &mut dyn io::Read,
    options: &ValueOptions,
    sink: &mut dyn FnMut(CompanyValue<'_>) -> Result<(), E>,
) -> Result<Read, ReadError<E>> {
    let mut input = Input::open(input, options.max_bytes)?;
    let mut reading = Reading {
        tally: Tally::new(options.on_bad_record),
        columns: options.columns,
        sink,
    };
    if input.head().trim_ascii_start().starts_with(b"{") {
        reading.document(&mut input)?;
        return reading.finish("values");
    }
    reading.table(&mut input)?;
    reading.finish("csv")
}

/// Hands records on.
struct Reading<'s, E> {
    tally: Tally,
    columns: ValueColumns,
    sink: &'s mut dyn FnMut(CompanyValue<'_>) -> Result<(), E>,
}

impl<E> Reading<'_, E> {
    fn table(&mut self, input: &mut Input<'_>) -> Result<(), ReadError<E>> {
        let mut records = Records::open(input, None).map_err(|error| match error {
            ReadError::Input(InputError::Empty { skipped }) => InputError::NoValues { skipped }.into(),
            error => error,
        })?;
        let header: Vec<String> = (0..records.len())
            .map(|index| String::from_utf8_lossy(records.field(index)).trim().to_owned())
            .collect();
        let [company, value] = find(&header, self.columns.value)?;
        let extra = self.columns.extra.and_then(|name| one_of(&header, &[name]));
        while records.advance()? {
            let row = records.row();
            if records.len() != header.len() {
                let statement = format!("has {} fields where the header has {}", records.len(), header.len());
                self.tally
                    .refuse(bad_record("wrong_field_count", row, records.text(), statement))?;
                continue;
            }
            let field = |position: usize| Field {
                name: &header[position],
                text: records.field(position),
            };
            self.take(row, field(company), field(value), extra.map(field))?;
        }
        Ok(())
    }

    fn document(&mut self, input: &mut Input<'_>) -> Result<(), ReadError<E>> {
        let text = whole(input)?;
        let document: Document = serde_json::from_slice(&text).map_err(|error| InputError::NotReadable {
            reason: format!("as a document of values: {error}"),
        })?;
        for (row, record) in (1..).zip(&document.values) {
            let number = record.value.to_string();
            let [company, value] = [("company", &record.company), ("value", &number)].map(|(name, text)| Field {
                name,
                text: text.as_bytes(),
            });
            let shock = record.shock.as_ref().map(ToString::to_string);
            let extra = shock.as_ref().map(|text| Field {
                name: "shock",
                text: text.as_bytes(),
            });
            self.take(row, company, value, extra)?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        row: u64,
        company: Field<'_>,
        value: Field<'_>,
        extra: Option<Field<'_>>,
    ) -> Result<(), ReadError<E>> {
        let record = id(row, company, "every value needs a company").and_then(|company| {
            let value = decimal(row, value, &VALUE_NOUN)?;
            // An empty cell of the second number says nothing.
            let extra = extra.filter(|field| !field.text.trim_ascii().is_empty());
            let extra = extra.map(|field| decimal(row, field, &VALUE_NOUN)).transpose()?;
            Ok(CompanyValue {
                row,
                company,
                value,
                extra,
            })
        });
        match record {
            Ok(record) => {
                self.tally.records += 1;
                (self.sink)(record).map_err(ReadError::Sink)
            }
            Err(error) => Ok(self.tally.refuse(error)?),
        }
    }

    fn finish(self, format: &str) -> Result<Read, ReadError<E>> {
        if self.tally.records == 0 {
            let skipped = self.tally.skipped;
            return Err(InputError::NoValues { skipped }.into());
        }
        Ok(self.tally.finish(format, "bad_value_record"))
    }
}

/// All bytes of a document that is read as a whole.
pub(super) fn whole<E>(input: &mut Input<'_>) -> Result<Vec<u8>, ReadError<E>> {
    let mut text = Vec::new();
    let read = input.by_ref().take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut text);
    if let Err(error) = read {
        return Err(input.failure(&error));
    }
    if text.len() as u64 > MAX_DOCUMENT_BYTES {
        let max_bytes = MAX_DOCUMENT_BYTES;
        return Err(InputError::TooLarge { max_bytes }.into());
    }
    Ok(text)
}

/// The columns of company and value.
fn find(header: &[String], value: &[&'static str]) -> Result<[usize; 2], InputError> {
    match (one_of(header, &COMPANY), one_of(header, value)) {
        (Some(company), Some(value)) => Ok([company, value]),
        _ => Err(InputError::MissingValueColumn {
            value: value.first().copied().unwrap_or("value"),
            header: super::header::shown(header),
        }),
    }
}

fn one_of(header: &[String], names: &[&str]) -> Option<usize> {
    let position = |name: &&str| header.iter().position(|field| plain(field) == plain(name));
    names.iter().find_map(position)
}

/// The words for a number that a record must have.
pub(super) struct Noun {
    pub(super) not_a_number: &'static str,
    pub(super) negative: &'static str,
    /// What to do where it is missing, and where it is negative.
    pub(super) missing: &'static str,
    pub(super) least: &'static str,
}

const VALUE_NOUN: Noun = Noun {
    not_a_number: "value_not_a_number",
    negative: "value_negative",
    missing: "leave out companies without a value",
    least: "a value is at least 0",
};

/// A finite number from 0.
pub(super) fn decimal(row: u64, field: Field<'_>, noun: &Noun) -> Result<f64, RecordError> {
    let text = utf8(row, field)?;
    let fault = |code, statement: &'static str, remedy| RecordError {
        code,
        row,
        field: field.name.to_owned(),
        value: shorten(text.as_bytes()),
        statement: Cow::Borrowed(statement),
        remedy,
    };
    match text.parse::<f64>() {
        // Not -0, which would be printed as such.
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value.abs()),
        Ok(value) if value.is_finite() => Err(fault(noun.negative, "is negative", noun.least)),
        _ if text.is_empty() => Err(fault(noun.not_a_number, "is missing", noun.missing)),
        _ => Err(fault(
            noun.not_a_number,
            "is not a number",
            "write a decimal such as 1250000.50, without separators of thousands",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Values = Vec<(u64, String, f64)>;

    fn read(file: &str, on_bad_record: OnBadRecord) -> Result<(Values, Read), ReadError<std::convert::Infallible>> {
        let mut found = Vec::new();
        let options = ValueOptions {
            on_bad_record,
            ..ValueOptions::default()
        };
        let read = read_values(&mut file.as_bytes(), &options, &mut |record| {
            found.push((record.row, record.company.to_owned(), record.value));
            Ok(())
        })?;
        Ok((found, read))
    }

    #[test]
    fn tables_and_documents_say_the_same() {
        let expected = [(2, "A".to_owned(), 1.5), (3, "B, Inc".to_owned(), 0.0)];
        for file in [
            "company,value\nA,1.5\n\"B, Inc\",0\n",
            "Name\tcountry\tMarket Cap\nA\tX\t1.5\nB, Inc\tY\t0e0\n",
            "\u{feff}value;company\n 1.5 ;A\n-0;B, Inc",
        ] {
            let (found, read) = read(file, OnBadRecord::Fail).unwrap();
            assert_eq!((found.as_slice(), read.records), (&expected[..], 2), "{file:?}");
        }
        let document = r#" {"values": [{"company": "A", "value": 1.5}, {"company": "B, Inc", "value": 0}]}"#;
        let (found, _) = read(document, OnBadRecord::Fail).unwrap();
        assert_eq!(found, [(1, "A".to_owned(), 1.5), (2, "B, Inc".to_owned(), 0.0)]);
    }

    #[test]
    fn a_bad_record_is_named_by_row_and_field() {
        for (record, code, field) in [
            ("A,-1", "value_negative", "revenue"),
            ("A,", "value_not_a_number", "revenue"),
            ("A,inf", "value_not_a_number", "revenue"),
            ("A,\"1,5\"", "value_not_a_number", "revenue"),
            (" ,1", "missing_id", "company"),
            ("A,1,2", "wrong_field_count", "record"),
        ] {
            let file = format!("company,revenue\nB,1\n{record}\n");
            match read(&file, OnBadRecord::Fail) {
                Err(ReadError::Record(error)) => {
                    assert_eq!(
                        (error.code, error.row, error.field.as_str()),
                        (code, 3, field),
                        "{record}"
                    );
                }
                other => panic!("{record}: {other:?}"),
            }
            let (found, read) = read(&file, OnBadRecord::Skip).unwrap();
            assert_eq!((found.len(), read.findings[0].count), (1, 1));
            assert!(read.findings[0].examples[0].starts_with("row 3: "));
        }
    }

    #[test]
    fn what_is_no_table_of_values_is_refused() {
        for (file, code) in [
            ("", "empty_input"),
            ("company,value\n", "empty_input"),
            ("A,1\nB,2\n", "missing_column"),
            ("{\"stakes\": []}", "not_readable"),
            ("{\"values\": []}", "empty_input"),
        ] {
            let error = read(file, OnBadRecord::Fail).unwrap_err();
            assert_eq!(error.code(), Some(code), "{file:?}: {error}");
            assert_eq!(
                code == "empty_input",
                error.to_string().starts_with("find a value"),
                "{error}"
            );
        }
    }
}
