//! CSV and TSV.

use super::check::{Checker, Field, bad_record};
use super::header::{self, Columns};
use super::input::Input;
use super::records::Records;
use super::{Format, Read, Stake};
use crate::error::{InputError, ReadError};

pub(super) fn read<E>(
    input: &mut Input<'_>,
    format: Format,
    asked: Option<&[String; 3]>,
    mut checker: Checker,
    sink: &mut dyn FnMut(Stake<'_>) -> Result<(), E>,
) -> Result<Read, ReadError<E>> {
    let mut records = Records::open(input, (format == Format::Tsv).then_some(b'\t'))?;
    let Columns { positions, names } = columns(&records, asked)?;
    let width = records.len();
    while records.advance()? {
        let row = records.row();
        if records.len() != width {
            let statement = format!("has {} fields where the header has {width}", records.len());
            checker.refuse(bad_record("wrong_field_count", row, records.text(), statement))?;
            continue;
        }
        let field = |role: usize| Field {
            name: &names[role],
            text: records.field(positions[role]),
        };
        checker.take(row, [field(0), field(1), field(2)], sink)?;
    }
    let format = if records.delimiter() == b'\t' {
        Format::Tsv
    } else {
        format
    };
    checker.finish(format.name(), Some(&names[2]))
}

fn columns(records: &Records<'_, '_>, asked: Option<&[String; 3]>) -> Result<Columns, InputError> {
    let header: Vec<String> = (0..records.len())
        .map(|index| String::from_utf8_lossy(records.field(index)).trim().to_owned())
        .collect();
    header::find(&header, asked).map_err(|error| {
        // Columns that are ignored may be in any encoding; the three must be found.
        let unreadable = std::str::from_utf8(records.text()).is_err();
        if unreadable {
            InputError::NotUtf8 { row: records.row() }
        } else {
            error
        }
    })
}
