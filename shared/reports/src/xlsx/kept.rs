//! The rows that a spreadsheet keeps of a result that has too many.

use formats::{Block, Cell, Values};

use crate::highlights::OwnedCell;

/// The rows with the largest values so far, and some that may have to go again.
#[derive(Debug)]
pub(super) struct Kept {
    cell: usize,
    most: usize,
    /// At most twice as many as are kept in the end.
    rows: Vec<KeptRow>,
    /// What a row must exceed.
    bar: f64,
    seen: u64,
}

#[derive(Debug)]
struct KeptRow {
    value: f64,
    /// Of equals the first ones stay.
    number: u64,
    company: String,
    cells: Vec<OwnedCell>,
}

impl Kept {
    pub(super) fn new(cell: usize, most: u64) -> Self {
        Self {
            cell,
            most: usize::try_from(most).unwrap_or(usize::MAX / 2),
            rows: Vec::new(),
            bar: f64::NEG_INFINITY,
            seen: 0,
        }
    }

    pub(super) fn add(&mut self, block: &Block) {
        let first = self.seen;
        self.seen += block.len() as u64;
        // Most blocks have nothing to offer once the first have passed.
        let offers = match &block.columns[self.cell] {
            Values::Number(numbers) => numbers.iter().any(|&number| number > self.bar),
            Values::Count(counts) => counts.iter().any(|&count| count as f64 > self.bar),
            Values::Text { .. } => false,
        };
        if !offers {
            return;
        }
        for (number, row) in (first..).zip(block.rows()) {
            let value = match row.cell(self.cell) {
                Cell::Number(number) => number,
                Cell::Count(count) => count as f64,
                Cell::Text(_) => continue,
            };
            if value > self.bar {
                self.rows.push(KeptRow {
                    value,
                    number,
                    company: row.company.to_owned(),
                    cells: row.cells().map(OwnedCell::from).collect(),
                });
            }
            if self.rows.len() == 2 * self.most {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        if self.rows.len() > self.most {
            let (_, least, _) = self.rows.select_nth_unstable_by(self.most - 1, order);
            self.bar = least.value;
            self.rows.truncate(self.most);
        }
    }

    /// The rows kept, each with its company, the largest first.
    pub(super) fn into_rows(mut self) -> impl Iterator<Item = (String, Vec<OwnedCell>)> {
        self.cut();
        self.rows.sort_unstable_by(order);
        self.rows.into_iter().map(|row| (row.company, row.cells))
    }
}

fn order(a: &KeptRow, b: &KeptRow) -> std::cmp::Ordering {
    b.value.total_cmp(&a.value).then(a.number.cmp(&b.number))
}
