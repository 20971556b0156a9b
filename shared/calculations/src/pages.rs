//! What the files for people take of the rows while they stream past.

use formats::Block;
use jobs::Failure;
use reports::{Highlights, Labels, Spreadsheet, SpreadsheetError, Survey};

use crate::presentation::Presentation;
use crate::table::broken;

/// `report.html` and `report.xlsx` on their way.
pub(crate) struct Pages<'a> {
    pub(crate) highlights: Highlights,
    pub(crate) spreadsheet: Spreadsheet<'a>,
}

impl<'a> Pages<'a> {
    /// For a result with so many rows.
    pub(crate) fn new(
        presentation: &Presentation,
        survey: &Survey,
        rows: u64,
        labels: Labels<'a>,
    ) -> Result<Self, Failure> {
        let highlights = Highlights::new(presentation.schema, presentation.plot, presentation.top_by)
            .expect("a presentation names columns of its own schema");
        let asked = survey.companies.iter().flat_map(|companies| &companies.shown);
        Ok(Self {
            highlights: highlights.with_excerpts(asked.map(|company| company.name.id.clone())),
            spreadsheet: Spreadsheet::new(presentation.schema, presentation.top_by, rows, labels).map_err(unmade)?,
        })
    }

    pub(crate) fn add(&mut self, block: &Block) -> Result<(), Failure> {
        self.highlights.add(block).map_err(broken)?;
        self.spreadsheet.add(block).map_err(unmade)
    }
}

/// A temporary file that cannot be written.
pub(crate) fn unmade(error: SpreadsheetError) -> Failure {
    Failure::of_service(&error)
}
