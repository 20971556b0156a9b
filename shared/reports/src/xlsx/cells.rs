//! Cells of a sheet.

use formats::{Cell, Column, Kind, Schema};
use rust_xlsxwriter::{Format, FormatBorder, Worksheet, XlsxError};

use crate::highlights::OwnedCell;
use crate::labels::{Labels, has_chains, has_ids};

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
fn width(column: &Column) -> f64 {
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

/// What a column of the sheet of results has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// The company.
    Key,
    /// A cell of the row.
    Cell(usize, &'static Column),
    /// What the company is called.
    NameOfKey,
    /// What the one is called whose id is in that cell.
    NameOf(usize),
    /// The chains in that cell, with names.
    ChainsOf(usize),
}

/// The columns of the sheet with their heads and widths: those of the result, and where there are names, a column of them
/// beside each column of ids.
pub(super) fn columns(schema: &Schema, labels: Labels<'_>) -> Vec<(Source, String, f64)> {
    let mut columns = Vec::new();
    for (position, column) in schema.columns.iter().enumerate() {
        let cell = schema.cell_of(position);
        let source = cell.map_or(Source::Key, |cell| Source::Cell(cell, column));
        columns.push((source, column.name.to_owned(), width(column)));
        if !labels.are_there() {
            continue;
        }
        if has_ids(column) {
            let source = cell.map_or(Source::NameOfKey, Source::NameOf);
            columns.push((source, format!("name of {}", column.name), 34.0));
        }
        if let Some(cell) = cell.filter(|_| has_chains(column)) {
            columns.push((Source::ChainsOf(cell), "chains by names".to_owned(), 60.0));
        }
    }
    columns
}

/// A row of the result.
pub(super) fn write_row(
    sheet: &mut Worksheet,
    formats: &Formats,
    (columns, labels): (&[Source], Labels<'_>),
    row: u32,
    company: &str,
    cells: &[Cell<'_>],
) -> Result<(), XlsxError> {
    for (at, source) in (0..).zip(columns) {
        match *source {
            Source::Key => write_text(sheet, row, at, company)?,
            Source::NameOfKey => write_text(sheet, row, at, labels.get(company).unwrap_or_default())?,
            Source::NameOf(cell) => {
                if let Cell::Text(id) = cells[cell] {
                    write_text(sheet, row, at, labels.get(id).unwrap_or_default())?;
                }
            }
            Source::ChainsOf(cell) => {
                if let Cell::Text(chains) = cells[cell] {
                    write_text(sheet, row, at, &labels.chains(chains).join("; "))?;
                }
            }
            Source::Cell(cell, column) => match cells[cell] {
                Cell::Text(text) => write_text(sheet, row, at, text)?,
                Cell::Number(share) if column.unit.starts_with("fraction") => {
                    write_share(sheet, formats, row, at, share)?;
                }
                Cell::Number(number) => write_number(sheet, row, at, number)?,
                Cell::Count(count) => write_count(sheet, formats, row, at, count)?,
            },
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
