//! `report.xlsx`: the result as a spreadsheet.
//!
//! Sheets `Summary`, `Owners` (the rows of the result), `Quality`, `Rings` and, where there is a ranking, `Holders`. Text
//! is written as text whatever it begins with, numbers as numbers. Rows go to a temporary file as they come, so memory
//! does not grow with them; one result makes the same bytes each time.

mod cells;
mod kept;
mod sheets;
#[cfg(test)]
mod tests;

use formats::{Block, Cell, Column, Schema};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet, XlsxError};

use self::cells::{Formats, Source, columns, head, write_row};
use self::kept::Kept;
use crate::{Labels, Summary, Survey, UnknownColumn};

/// The most rows of the result in a spreadsheet. A sheet could have 1,048,576, which takes seconds to write, minutes to
/// open, and is better read from `result.csv` or `result.parquet`.
pub const MAX_SHEET_ROWS: u64 = 100_000;

/// Results up to here are made in memory, which is quicker.
const SMALL: u64 = 2_000;

const OWNERS: usize = 1;

/// A spreadsheet that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("write the spreadsheet")]
pub struct SpreadsheetError(#[from] XlsxError);

/// A spreadsheet that takes the rows of a result.
pub struct Spreadsheet<'a> {
    /// What stands in the columns of sheet `Owners`.
    columns: Vec<Source>,
    labels: Labels<'a>,
    top_by: &'static Column,
    workbook: Workbook,
    formats: Formats,
    /// Rows of sheet `Owners`, its head among them.
    written: u32,
    /// Rows that there are.
    rows: u64,
    /// What is kept of a result with too many rows.
    kept: Option<Kept>,
}

impl std::fmt::Debug for Spreadsheet<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Spreadsheet");
        shown
            .field("rows", &self.rows)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

impl<'a> Spreadsheet<'a> {
    /// A spreadsheet for a result of this shape with so many rows. Of more than [`MAX_SHEET_ROWS`] it has those with the
    /// largest values of `top_by`. Beside ids stand the names that `labels` have.
    ///
    /// # Errors
    ///
    /// [`SpreadsheetError`] if there is no room for temporary files.
    ///
    /// # Panics
    ///
    /// If `top_by` is no column of the result, which [`Highlights`](crate::Highlights) tell.
    pub fn new(schema: &'static Schema, top_by: &str, rows: u64, labels: Labels<'a>) -> Result<Self, SpreadsheetError> {
        Self::with_most(schema, top_by, rows, MAX_SHEET_ROWS, labels)
    }

    fn with_most(
        schema: &'static Schema,
        top_by: &str,
        rows: u64,
        most: u64,
        labels: Labels<'a>,
    ) -> Result<Self, SpreadsheetError> {
        let position = schema.columns.iter().position(|column| column.name == top_by);
        let by = position.and_then(|position| Some((&schema.columns[position], schema.cell_of(position)?)));
        let unknown = UnknownColumn {
            column: top_by.to_owned(),
            needed: "numbers",
        };
        let (top_by, cell) = by.unwrap_or_else(|| panic!("{unknown}"));
        let mut workbook = Workbook::new();
        let formats = Formats::default();
        workbook.add_worksheet().set_name("Summary")?;
        let owners = if rows > SMALL {
            workbook.add_worksheet_with_constant_memory()?
        } else {
            // A dozen short files: to look longer for what repeats in them saves next to nothing.
            workbook.set_zip_compression_level(1);
            workbook.add_worksheet()
        };
        owners.set_name("Owners")?;
        let columns = columns(schema, labels);
        let heads = columns.iter().map(|(_, name, width)| (name.as_str(), *width));
        head(owners, &formats, heads)?;
        Ok(Self {
            columns: columns.into_iter().map(|(source, ..)| source).collect(),
            labels,
            top_by,
            workbook,
            formats,
            written: 1,
            rows: 0,
            kept: (rows > most).then(|| Kept::new(cell, most)),
        })
    }

    /// Takes the rows of a block.
    ///
    /// # Errors
    ///
    /// [`SpreadsheetError`].
    pub fn add(&mut self, block: &Block) -> Result<(), SpreadsheetError> {
        self.rows += block.len() as u64;
        if let Some(kept) = &mut self.kept {
            kept.add(block);
            return Ok(());
        }
        let sheet = self.workbook.worksheet_from_index(OWNERS)?;
        for row in block.rows() {
            let cells: Vec<Cell<'_>> = row.cells().collect();
            let columns = (self.columns.as_slice(), self.labels);
            write_row(sheet, &self.formats, columns, self.written, row.company, &cells)?;
            self.written += 1;
        }
        Ok(())
    }

    /// The bytes of the file, with the other sheets. `created` is in seconds since 1970, so that the bytes follow from
    /// the job.
    ///
    /// # Errors
    ///
    /// [`SpreadsheetError`].
    pub fn finish(
        mut self,
        title: &str,
        summary: &Summary,
        survey: &Survey,
        created: i64,
    ) -> Result<Vec<u8>, SpreadsheetError> {
        let kept = self.kept.take();
        let sheet = self.workbook.worksheet_from_index(OWNERS)?;
        for (company, row) in kept.into_iter().flat_map(Kept::into_rows) {
            let cells: Vec<Cell<'_>> = row.iter().map(Into::into).collect();
            let columns = (self.columns.as_slice(), self.labels);
            write_row(sheet, &self.formats, columns, self.written, &company, &cells)?;
            self.written += 1;
        }
        finish(sheet, self.written, self.columns.len())?;
        let facts = sheets::Facts {
            title,
            rows: self.rows,
            shown: u64::from(self.written - 1),
            top_by: self.top_by.name,
        };
        sheets::summary(
            self.workbook.worksheet_from_index(0)?,
            &self.formats,
            summary,
            survey,
            &facts,
        )?;
        sheets::quality(self.workbook.add_worksheet(), &self.formats, summary)?;
        sheets::rings(self.workbook.add_worksheet(), &self.formats, summary, survey)?;
        if let Some(holders) = &survey.holders {
            sheets::holders(self.workbook.add_worksheet(), &self.formats, holders)?;
        }
        let created = ExcelDateTime::from_timestamp(created)?;
        let properties = DocProperties::new().set_title(title).set_creation_datetime(&created);
        self.workbook.set_properties(&properties);
        Ok(self.workbook.save_to_buffer()?)
    }
}

/// What every sheet with rows has: filters, a head that stays, and that prints on every page.
fn finish(sheet: &mut Worksheet, rows: u32, columns: usize) -> Result<(), XlsxError> {
    let last = u16::try_from(columns).unwrap_or(u16::MAX).saturating_sub(1);
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_landscape().set_print_fit_to_pages(1, 0);
    sheet.autofilter(0, 0, rows.saturating_sub(1), last)?;
    Ok(())
}
