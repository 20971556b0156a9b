//! Cells of a sheet.

use formats::{Cell, Column, Kind, Schema};
use rust_xlsxwriter::{Format, FormatBorder, Worksheet, XlsxError};

use crate::highlights::OwnedCell;

/// The longest text of a cell in UTF-16 units; a spreadsheet has room for 32,767.
const MAX_UNITS: usize = 32_000;

/// How cells look.
pub(super) struct Formats {
    pub(super) head: Format,
    pub(super) title: Format,
    pub(super) percent: Format,
    pub(super) count: Format,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            head: Format::new().set_bold().set_border_bottom(FormatBorder::Thin),
            title: Format::new().set_bold().set_font_size(14.0),
            percent: Format::new().set_num_format("0.00%"),
            count: Format::new().set_num_format("#,##0"),
        }
    }
}

/// Writes the head of a sheet and sets widths, in characters.
pub(super) fn head<'h>(
    sheet: &mut Worksheet,
    formats: &Formats,
    heads: impl IntoIterator<Item = (&'h str, f64)>,
) -> Result<(), XlsxError> {
    for (column, (name, width)) in (0..).zip(heads) {
        sheet.write_string_with_format(0, column, name, &formats.head)?;
        sheet.set_column_width(column, width)?;
    }
    Ok(())
}

/// How wide a column of the result is.
pub(super) fn width(column: &Column) -> f64 {
    match (column.kind, column.name) {
        (Kind::Text, "chains") => 60.0,
        (Kind::Text, _) => 28.0,
        _ => (column.name.len() as f64 + 4.0).max(14.0),
    }
}

/// Text as text, whatever it begins with.
pub(super) fn write_text(sheet: &mut Worksheet, row: u32, column: u16, text: &str) -> Result<(), XlsxError> {
    // A character has at most as many UTF-16 units as bytes.
    if text.len() <= MAX_UNITS {
        sheet.write_string(row, column, text)?;
        return Ok(());
    }
    let mut units = 0;
    let fits = |character: &char| {
        units += character.len_utf16();
        units <= MAX_UNITS
    };
    let cut: String = text.chars().take_while(fits).chain(['…']).collect();
    sheet.write_string(row, column, cut)?;
    Ok(())
}

/// A share in percent; nothing where it is not defined.
pub(super) fn write_share(
    sheet: &mut Worksheet,
    formats: &Formats,
    row: u32,
    column: u16,
    share: f64,
) -> Result<(), XlsxError> {
    if share.is_finite() {
        sheet.write_number_with_format(row, column, share, &formats.percent)?;
    }
    Ok(())
}

/// A number as it is; nothing where it is not defined.
pub(super) fn write_number(sheet: &mut Worksheet, row: u32, column: u16, number: f64) -> Result<(), XlsxError> {
    if number.is_finite() {
        sheet.write_number(row, column, number)?;
    }
    Ok(())
}

/// A count, with its thousands grouped.
pub(super) fn write_count(
    sheet: &mut Worksheet,
    formats: &Formats,
    row: u32,
    column: u16,
    count: u64,
) -> Result<(), XlsxError> {
    sheet.write_number_with_format(row, column, count as f64, &formats.count)?;
    Ok(())
}

/// A row of the result.
pub(super) fn write_row<'c>(
    sheet: &mut Worksheet,
    formats: &Formats,
    schema: &Schema,
    row: u32,
    company: &str,
    cells: impl IntoIterator<Item = Cell<'c>>,
) -> Result<(), XlsxError> {
    let mut cells = cells.into_iter();
    for (position, (at, column)) in (0..).zip(schema.columns).enumerate() {
        if position == schema.key {
            write_text(sheet, row, at, company)?;
            continue;
        }
        match cells.next() {
            Some(Cell::Text(text)) => write_text(sheet, row, at, text)?,
            Some(Cell::Number(share)) if column.unit.starts_with("fraction") => {
                write_share(sheet, formats, row, at, share)?;
            }
            Some(Cell::Number(number)) => write_number(sheet, row, at, number)?,
            Some(Cell::Count(count)) => write_count(sheet, formats, row, at, count)?,
            None => {}
        }
    }
    Ok(())
}

impl<'c> From<&'c OwnedCell> for Cell<'c> {
    fn from(cell: &'c OwnedCell) -> Self {
        match cell {
            OwnedCell::Text(text) => Self::Text(text),
            OwnedCell::Number(number) => Self::Number(*number),
            OwnedCell::Count(count) => Self::Count(*count),
        }
    }
}
