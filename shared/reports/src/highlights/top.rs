//! The rows with the largest values of one column.

use formats::{Block, Cell, Row, Values};

/// Rows kept for a report.
pub const TOP_ROWS: usize = 50;

/// The largest rows so far.
#[derive(Clone, Debug)]
pub(crate) struct Top {
    cell: usize,
    /// Descending; of equals the one that came first is first.
    rows: Vec<TopRow>,
}

/// A row that outlives its block.
#[derive(Clone, Debug)]
pub(crate) struct TopRow {
    rank: f64,
    pub(crate) company: String,
    pub(crate) cells: Vec<OwnedCell>,
}

/// A cell that outlives its block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OwnedCell {
    Text(String),
    Number(f64),
    Count(u64),
}

impl Top {
    pub(crate) fn new(cell: usize) -> Self {
        Self {
            cell,
            rows: Vec::with_capacity(TOP_ROWS + 1),
        }
    }

    pub(crate) fn add(&mut self, block: &Block) {
        let bar = self.bar();
        // Most blocks have nothing to offer once the first have passed.
        let offers = match &block.columns[self.cell] {
            Values::Number(numbers) => numbers.iter().any(|&number| number > bar),
            Values::Count(counts) => counts.iter().any(|&count| count as f64 > bar),
            Values::Text { .. } => false,
        };
        if offers {
            block.rows().for_each(|row| self.offer(row));
        }
    }

    pub(crate) fn rows(&self) -> &[TopRow] {
        &self.rows
    }

    /// What a row must exceed to be kept.
    fn bar(&self) -> f64 {
        if self.rows.len() < TOP_ROWS {
            f64::NEG_INFINITY
        } else {
            self.rows[TOP_ROWS - 1].rank
        }
    }

    fn offer(&mut self, row: Row<'_>) {
        let rank = match row.cell(self.cell) {
            Cell::Number(number) => number,
            Cell::Count(count) => count as f64,
            Cell::Text(_) => return,
        };
        if rank > self.bar() {
            let position = self.rows.partition_point(|kept| kept.rank >= rank);
            let cells = row.cells().map(OwnedCell::from).collect();
            self.rows.insert(
                position,
                TopRow {
                    rank,
                    company: row.company.to_owned(),
                    cells,
                },
            );
            self.rows.truncate(TOP_ROWS);
        }
    }
}

impl From<Cell<'_>> for OwnedCell {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Text(text) => Self::Text(text.to_owned()),
            Cell::Number(number) => Self::Number(number),
            Cell::Count(count) => Self::Count(count),
        }
    }
}
