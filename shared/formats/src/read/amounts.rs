//! Amounts between two parties: claims of creditors on debtors, flows from sector to sector.

use std::io;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::check::{Field, bad_record, id};
use super::header::{self, Columns, Role};
use super::input::Input;
use super::records::Records;
use super::tally::Tally;
use super::values::{Noun, decimal, whole};
use super::{Format, OnBadRecord, Read};
use crate::error::{InputError, ReadError};

const AMOUNT: Noun = Noun {
    not_a_number: "amount_not_a_number",
    negative: "amount_negative",
    missing: "every record needs an amount such as 1250000.50",
    least: "an amount is at least 0; turn the two parties round instead",
};
const NEEDED: &str = "every amount needs both of its parties";

/// What amounts are of, which says how their columns are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountKind {
    /// `creditor,debtor,amount`: what the debtor owes the creditor, who owns the claim.
    Claims,
    /// `from,to,amount`: what the first sector delivers to the second.
    Flows,
}

const CLAIMS: [Role; 3] = [
    Role {
        name: "creditor",
        names: &["creditor", "creditor_id", "lender", "lender_id"],
        general: &["owner", "owner_id"],
        labels: &[],
    },
    Role {
        name: "debtor",
        names: &["debtor", "debtor_id", "borrower", "borrower_id"],
        general: &["owned", "owned_id"],
        labels: &[],
    },
    Role {
        name: "amount",
        names: &["amount", "exposure", "claim", "liability", "debt", "loan"],
        general: &["share", "value", "weight"],
        labels: &[],
    },
];

const FLOWS: [Role; 3] = [
    Role {
        name: "from",
        names: &["from", "from_id", "from_sector", "seller", "supplier"],
        general: &["source", "source_id", "owner", "owner_id"],
        labels: &[],
    },
    Role {
        name: "to",
        names: &["to", "to_id", "to_sector", "buyer", "purchaser"],
        general: &["target", "target_id", "owned", "owned_id"],
        labels: &[],
    },
    Role {
        name: "amount",
        names: &["amount", "flow"],
        general: &["share", "value", "weight"],
        labels: &[],
    },
];

/// Names that could mean either end of a claim.
const EITHER_WAY: [&str; 4] = ["from", "to", "source", "target"];

impl AmountKind {
    fn roles(self) -> &'static [Role; 3] {
        match self {
            Self::Claims => &CLAIMS,
            Self::Flows => &FLOWS,
        }
    }
}

/// How to read amounts.
#[derive(Clone, Debug)]
pub struct AmountOptions {
    /// What they are of.
    pub kind: AmountKind,
    /// The name of a [`Format`]; found from name and content if absent.
    pub format: Option<String>,
    /// The header's names of creditor, debtor and amount (or from, to and amount), or their 1-based positions. Found by
    /// the usual names if absent.
    pub columns: Option<[String; 3]>,
    /// What to do with a record that is no amount.
    pub on_bad_record: OnBadRecord,
    /// The name of the file, a hint at its format.
    pub name: Option<String>,
    /// The most bytes to read, counted after decompression.
    pub max_bytes: u64,
}

/// One checked record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount<'a> {
    /// The line of the file as an editor counts it, or the 1-based position in a document.
    pub row: u64,
    /// The creditor, or who delivers: not empty, trimmed, without control characters.
    pub owner: &'a str,
    /// The debtor, or who takes: the same.
    pub owned: &'a str,
    /// How much: finite and not negative, in whatever unit the file has.
    pub amount: f64,
}

/// Reads every amount of `input`, in file order, into `sink`.
///
/// The file is CSV or TSV as in [`read_stakes`](super::read_stakes), or a JSON document
/// `{"stakes": [{"creditor": "A", "debtor": "B", "amount": 1.5}]}` of at most 64 MiB, whose fields may also be named as
/// those of stakes (`owner`, `owned`, `share`); the owner of a claim is the creditor. Columns named `from` and `to` are
/// those of flows; for claims they could mean either way, and are refused.
///
/// Time is linear in the bytes; memory is one record, or the document.
///
/// # Errors
///
/// [`ReadError::Record`] for the first bad record unless they are skipped: `missing_id`, `amount_not_a_number`,
/// `amount_negative`, `not_an_amount` and the codes of any table; [`ReadError::Input`] if there is no amount or the input
/// is no table of amounts, [`ReadError::Io`] if `input` fails, [`ReadError::Sink`] with what `sink` returned.
///
/// # Example
///
/// ```
/// use formats::{AmountKind, AmountOptions, OnBadRecord, read_amounts};
///
/// let options = AmountOptions {
///     kind: AmountKind::Claims,
///     format: None,
///     columns: None,
///     on_bad_record: OnBadRecord::Fail,
///     name: None,
///     max_bytes: 1 << 20,
/// };
/// let mut claims = Vec::new();
/// read_amounts(&mut "debtor,creditor,amount\nB,A,100\n".as_bytes(), &options, &mut |claim| {
///     claims.push(format!("{} is owed {} by {}", claim.owner, claim.amount, claim.owned));
///     Ok::<(), std::convert::Infallible>(())
/// })?;
/// assert_eq!(claims, ["A is owed 100 by B"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_amounts<E>(
    input: &mut dyn io::Read,
    options: &AmountOptions,
    sink: &mut dyn FnMut(Amount<'_>) -> Result<(), E>,
) -> Result<Read, ReadError<E>> {
    let asked = options.format.as_deref().map(Format::from_name).transpose()?;
    let mut input = Input::open(input, options.max_bytes)?;
    if input.head().trim_ascii().is_empty() && input.head_is_all() {
        return Err(InputError::NoAmounts { skipped: 0 }.into());
    }
    let format = match asked {
        Some(format) => format,
        None => Format::detect(options.name.as_deref(), input.head())?,
    };
    let mut reading = Reading {
        tally: Tally::new(options.on_bad_record),
        sink,
    };
    if format == Format::Stakes {
        reading.document(&mut input, options.kind)?;
    } else if matches!(format, Format::Csv | Format::Tsv) {
        reading.table(&mut input, format, options)?;
    } else {
        return Err(InputError::UnknownFormat {
            reason: format!("{} has shares, and amounts are wanted", format.name()),
            known: [Format::Csv, Format::Tsv, Format::Stakes].map(Format::name).to_vec(),
        }
        .into());
    }
    if reading.tally.records == 0 {
        let skipped = reading.tally.skipped;
        return Err(InputError::NoAmounts { skipped }.into());
    }
    Ok(reading.tally.finish(format.name(), "bad_record"))
}

struct Reading<'s, E> {
    tally: Tally,
    sink: &'s mut dyn FnMut(Amount<'_>) -> Result<(), E>,
}

impl<E> Reading<'_, E> {
    fn table(&mut self, input: &mut Input<'_>, format: Format, options: &AmountOptions) -> Result<(), ReadError<E>> {
        let mut records = Records::open(input, (format == Format::Tsv).then_some(b'\t'))?;
        let header: Vec<String> = (0..records.len())
            .map(|index| String::from_utf8_lossy(records.field(index)).trim().to_owned())
            .collect();
        let Columns { positions, names } = columns(&header, options)?;
        while records.advance()? {
            let row = records.row();
            if records.len() != header.len() {
                let statement = format!("has {} fields where the header has {}", records.len(), header.len());
                self.tally
                    .refuse(bad_record("wrong_field_count", row, records.text(), statement))?;
                continue;
            }
            let field = |role: usize| Field {
                name: &names[role],
                text: records.field(positions[role]),
            };
            self.take(row, [field(0), field(1), field(2)])?;
        }
        Ok(())
    }

    fn document(&mut self, input: &mut Input<'_>, kind: AmountKind) -> Result<(), ReadError<E>> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Document {
            stakes: Vec<Value>,
        }
        let text = whole(input)?;
        let document: Document = serde_json::from_slice(&text).map_err(|error| InputError::NotReadable {
            reason: format!("as a document of amounts: {error}"),
        })?;
        for (row, element) in (1..).zip(&document.stakes) {
            match element.as_object().map(|fields| fields_of(fields, kind)) {
                Some(Ok(fields)) => {
                    let fields = [0, 1, 2].map(|role: usize| Field {
                        name: fields[role].0,
                        text: fields[role].1.as_bytes(),
                    });
                    self.take(row, fields)?;
                }
                found => {
                    let reason = match found {
                        Some(Err(reason)) => reason,
                        _ => "it is no object".to_owned(),
                    };
                    let statement = format!("is not an amount ({reason})");
                    let text = element.to_string();
                    self.tally
                        .refuse(bad_record("not_an_amount", row, text.as_bytes(), statement))?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, row: u64, [owner, owned, amount]: [Field<'_>; 3]) -> Result<(), ReadError<E>> {
        let record = id(row, owner, NEEDED).and_then(|owner| {
            Ok(Amount {
                row,
                owner,
                owned: id(row, owned, NEEDED)?,
                amount: decimal(row, amount, &AMOUNT)?,
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
}

fn columns(header: &[String], options: &AmountOptions) -> Result<Columns, InputError> {
    header::find_roles(header, options.columns.as_ref(), options.kind.roles()).map_err(|error| {
        let either = |field: &&String| EITHER_WAY.iter().any(|name| header::plain(field) == *name);
        let either = header.iter().find(either);
        match (error, either) {
            (InputError::MissingColumn { .. }, Some(column))
                if options.kind == AmountKind::Claims && options.columns.is_none() =>
            {
                InputError::DirectionUnknown { column: column.clone() }
            }
            (error, _) => error,
        }
    })
}

/// The three fields of an element, each with its name. A missing one is empty, so that it is reported like an empty cell.
fn fields_of(fields: &Map<String, Value>, kind: AmountKind) -> Result<[(&'static str, String); 3], String> {
    let roles = kind.roles();
    let role_of = |name: &str| {
        let has = |role: &Role| role.names.iter().chain(role.general).any(|known| *known == name);
        roles.iter().position(has)
    };
    let mut found = [0, 1, 2].map(|role: usize| (roles[role].name, None));
    for (name, value) in fields {
        let Some(role) = role_of(name) else {
            return Err(format!("unknown field {name:?}"));
        };
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Number(number) if role == 2 => number.to_string(),
            _ => return Err(format!("its {name} is neither a text nor an amount")),
        };
        if found[role].1.replace(text).is_some() {
            return Err(format!("its {} is given twice", roles[role].name));
        }
    }
    Ok(found.map(|(name, text)| (name, text.unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = Vec<(u64, String, String, f64)>;

    fn read(
        file: &str,
        kind: AmountKind,
        on_bad_record: OnBadRecord,
        columns: Option<&str>,
    ) -> Result<(Found, Read), ReadError<std::convert::Infallible>> {
        let mut found = Vec::new();
        let options = AmountOptions {
            kind,
            format: None,
            columns: columns.map(|names| {
                names
                    .split(',')
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
                    .try_into()
                    .unwrap()
            }),
            on_bad_record,
            name: None,
            max_bytes: 1 << 20,
        };
        let read = read_amounts(&mut file.as_bytes(), &options, &mut |record| {
            found.push((
                record.row,
                record.owner.to_owned(),
                record.owned.to_owned(),
                record.amount,
            ));
            Ok(())
        })?;
        Ok((found, read))
    }

    #[test]
    fn headers_say_which_way_a_claim_goes() {
        let expected = [(2, "A".to_owned(), "B, Inc".to_owned(), 1_250_000.5)];
        for file in [
            "creditor,debtor,exposure\nA,\"B, Inc\",1250000.5\n",
            "Debtor\tCreditor\tAmount\nB, Inc\tA\t1.2500005e6\n",
            "lender;note;loan;borrower\nA;x;1250000.50;B, Inc\n",
            "owner,owned,share\nA,\"B, Inc\",1250000.5\n",
        ] {
            let (found, read) = read(file, AmountKind::Claims, OnBadRecord::Fail, None).unwrap();
            assert_eq!((found.as_slice(), read.records), (&expected[..], 1), "{file:?}");
        }
        let document = r#"{"stakes": [{"debtor": "B, Inc", "creditor": "A", "amount": 1250000.5}]}"#;
        let (found, read) = self::read(document, AmountKind::Claims, OnBadRecord::Fail, None).unwrap();
        assert_eq!(
            (found[0].1.as_str(), found[0].3, read.format.as_str()),
            ("A", 1_250_000.5, "stakes")
        );
        let file = "from,to,amount\n1,2,500\n";
        let error = self::read(file, AmountKind::Claims, OnBadRecord::Fail, None).unwrap_err();
        assert_eq!(error.code(), Some("missing_column"));
        assert!(error.to_string().contains("creditor"), "{error}");
        let (found, _) = self::read(file, AmountKind::Claims, OnBadRecord::Fail, Some("to,from,amount")).unwrap();
        assert_eq!(found[0], (2, "2".to_owned(), "1".to_owned(), 500.0));
        let (found, _) = self::read(file, AmountKind::Flows, OnBadRecord::Fail, None).unwrap();
        assert_eq!(found[0], (2, "1".to_owned(), "2".to_owned(), 500.0));
    }

    #[test]
    fn a_bad_record_is_named_by_row_and_field() {
        for (record, code, field) in [
            ("A,C,-1", "amount_negative", "exposure"),
            ("A,C,", "amount_not_a_number", "exposure"),
            ("A,C,nan", "amount_not_a_number", "exposure"),
            ("A,C,inf", "amount_not_a_number", "exposure"),
            ("A,C,50%", "amount_not_a_number", "exposure"),
            (" ,C,1", "missing_id", "creditor"),
            ("A,,1", "missing_id", "debtor"),
            ("A,C,1,2", "wrong_field_count", "record"),
        ] {
            let file = format!("creditor,debtor,exposure\nB,C,1\n{record}\n");
            match read(&file, AmountKind::Claims, OnBadRecord::Fail, None) {
                Err(ReadError::Record(error)) => {
                    let place = (error.code, error.row, error.field.as_str());
                    assert_eq!(place, (code, 3, field), "{record}");
                }
                other => panic!("{record}: {other:?}"),
            }
            let (found, read) = read(&file, AmountKind::Claims, OnBadRecord::Skip, None).unwrap();
            assert_eq!((found.len(), read.findings[0].count), (1, 1));
        }
        for element in [
            r#"{"creditor": "A", "debtor": "B", "amount": true}"#,
            r#"{"creditor": "A", "lender": "A", "debtor": "B", "amount": 1}"#,
            r#"{"creditor": "A", "debtor": "B", "amount": 1, "colour": "red"}"#,
            "7",
        ] {
            let document = format!("{{\"stakes\": [{element}]}}");
            let error = read(&document, AmountKind::Claims, OnBadRecord::Fail, None).unwrap_err();
            assert_eq!(error.code(), Some("not_an_amount"), "{element}: {error}");
        }
    }

    #[test]
    fn what_is_no_table_of_amounts_is_refused() {
        for (file, code) in [
            ("", "empty_input"),
            ("creditor,debtor,amount\n", "empty_input"),
            ("creditor,debtor\nA,B\n", "missing_column"),
            ("creditor,debtor,amount,exposure\nA,B,1,2\n", "ambiguous_column"),
            ("A,B,7\n", "missing_column"),
            ("{\"stakes\": []}", "empty_input"),
            ("{\"stakes\": 7}", "not_readable"),
        ] {
            let error = read(file, AmountKind::Claims, OnBadRecord::Fail, None).unwrap_err();
            assert_eq!(error.code(), Some(code), "{file:?}: {error}");
        }
        let error = read("", AmountKind::Claims, OnBadRecord::Fail, None).unwrap_err();
        assert!(error.to_string().starts_with("find an amount"), "{error}");
    }
}
