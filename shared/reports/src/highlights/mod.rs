//! What a report shows of a result: gathered block by block, in memory that does not grow with the result.

mod excerpts;
mod histogram;
mod top;
mod values;

use std::borrow::Cow;

use formats::{Block, BlockError, Column, Kind, Schema, Values};

use self::excerpts::Excerpts;
use self::histogram::Histogram;
use self::top::Top;
use self::values::ByValue;
use crate::plot::Bar;

pub(crate) use self::excerpts::Excerpt;
pub use self::top::TOP_ROWS;
pub(crate) use self::top::{OwnedCell, TopRow};

/// What the plot of a report shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plot {
    /// How many rows have a value of which size, for a column of numbers or counts: classes from 1 to 2 to 5 to 10 in
    /// every power of ten, which exclude their lower end and include their upper end.
    Histogram {
        /// The column.
        column: &'static str,
        /// The title of the plot.
        title: &'static str,
    },
    /// How many rows have which value, for a column of text: the twelve most frequent ones, the others together.
    Counts {
        /// The column.
        column: &'static str,
        /// The title of the plot.
        title: &'static str,
    },
}

/// A column asked for that is not in the schema or does not hold what is needed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("show column {column:?} in the report: the result has no such column of {needed}")]
pub struct UnknownColumn {
    /// The column.
    pub column: String,
    /// What it should hold.
    pub needed: &'static str,
}

/// Keeps what a report shows: the largest rows by one column, and one distribution.
///
/// Takes constant memory (under 1 MiB for ids of usual length) and a few nanoseconds a row.
#[derive(Clone, Debug)]
pub struct Highlights {
    schema: &'static Schema,
    plot: Plot,
    plotted: &'static Column,
    cell: usize,
    tally: Tally,
    top: Top,
    top_by: &'static Column,
    excerpts: Excerpts,
    rows: u64,
}

#[derive(Clone, Debug)]
enum Tally {
    Sizes(Box<Histogram>),
    Values(ByValue),
}

impl Highlights {
    /// Highlights of results of this shape: the plot, and the [`TOP_ROWS`] rows with the largest values of `top_by`.
    ///
    /// # Errors
    ///
    /// [`UnknownColumn`] if the plot's column or `top_by` is missing, is the key, or holds something else.
    pub fn new(schema: &'static Schema, plot: Plot, top_by: &str) -> Result<Self, UnknownColumn> {
        let numeric = [Kind::Number, Kind::Count];
        let (plotted, cell, tally) = match plot {
            Plot::Histogram { column, .. } => {
                let (found, cell) = find(schema, column, &numeric, "numbers")?;
                (found, cell, Tally::Sizes(Box::default()))
            }
            Plot::Counts { column, .. } => {
                let (found, cell) = find(schema, column, &[Kind::Text], "text")?;
                (found, cell, Tally::Values(ByValue::default()))
            }
        };
        let (top_by, top_cell) = find(schema, top_by, &numeric, "numbers")?;
        Ok(Self {
            schema,
            plot,
            plotted,
            cell,
            tally,
            top: Top::new(top_cell),
            top_by,
            excerpts: Excerpts::default(),
            rows: 0,
        })
    }

    /// The same, which also keeps the first rows about each of these companies.
    #[must_use]
    pub fn with_excerpts(self, companies: impl IntoIterator<Item = String>) -> Self {
        Self {
            excerpts: Excerpts::of(companies),
            ..self
        }
    }

    /// Takes in the rows of a block.
    ///
    /// # Errors
    ///
    /// [`BlockError::Corrupt`] if the block is not of the schema.
    pub fn add(&mut self, block: &Block) -> Result<(), BlockError> {
        block.check(self.schema)?;
        match (&mut self.tally, &block.columns[self.cell]) {
            (Tally::Sizes(sizes), Values::Number(numbers)) => numbers.iter().for_each(|&number| sizes.add(number)),
            (Tally::Sizes(sizes), Values::Count(counts)) => counts.iter().for_each(|&count| sizes.add(count as f64)),
            (Tally::Values(values), Values::Text { dictionary, index }) => values.add(dictionary, index),
            // The block is of the schema, and the tally was chosen by it.
            _ => {}
        }
        self.top.add(block);
        self.excerpts.add(block);
        self.rows += block.len() as u64;
        Ok(())
    }

    /// Rows taken in so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn excerpt(&self, company: &str) -> Option<&Excerpt> {
        self.excerpts.get(company)
    }

    pub(crate) fn title(&self) -> &'static str {
        match self.plot {
            Plot::Histogram { title, .. } | Plot::Counts { title, .. } => title,
        }
    }

    pub(crate) fn plotted(&self) -> &'static Column {
        self.plotted
    }

    pub(crate) fn top_by(&self) -> &'static Column {
        self.top_by
    }

    pub(crate) fn top(&self) -> &[TopRow] {
        self.top.rows()
    }

    /// The bars of the plot, and what is to be said about them.
    pub(crate) fn bars(&self) -> (Vec<Bar>, Cow<'static, str>) {
        match &self.tally {
            Tally::Sizes(sizes) => sizes.bars(),
            Tally::Values(values) => values.bars(),
        }
    }
}

fn find(
    schema: &'static Schema,
    name: &str,
    kinds: &[Kind],
    needed: &'static str,
) -> Result<(&'static Column, usize), UnknownColumn> {
    let position = schema
        .columns
        .iter()
        .position(|column| column.name == name && kinds.contains(&column.kind));
    position
        .and_then(|position| Some((&schema.columns[position], schema.cell_of(position)?)))
        .ok_or_else(|| UnknownColumn {
            column: name.to_owned(),
            needed,
        })
}

#[cfg(test)]
mod tests;
