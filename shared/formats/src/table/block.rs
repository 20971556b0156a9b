//! A block: rows of neighbouring companies, column by column.

use serde_json::Value;

use super::{BlockError, Kind, Schema, Texts};

/// Rows of some companies.
///
/// Invariants, kept by [`BlockBuilder`](super::BlockBuilder) and checked by [`Block::decode`]: companies ascend by their
/// bytes; there is a count for each; every column has as many values as the counts add up to; every index is within its
/// dictionary. A company whose rows do not fit into one block begins a block of its own and goes on in the next, as
/// its first company; all others stand in one block whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// The companies, ascending.
    pub companies: Texts,
    /// How many rows each has; 0 is allowed.
    pub counts: Vec<u32>,
    /// The schema's columns without the key, in its order.
    pub columns: Vec<Values>,
}

/// The values of one column of a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// [`Kind::Text`]: each distinct text once, in order of first use, and for every row which one it has.
    Text {
        /// The distinct texts.
        dictionary: Texts,
        /// For every row a position in the dictionary.
        index: Vec<u32>,
    },
    /// [`Kind::Number`].
    Number(Vec<f64>),
    /// [`Kind::Count`].
    Count(Vec<u64>),
}

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Of a column of [`Kind::Text`].
    Text(&'a str),
    /// Of a column of [`Kind::Number`]; NaN is an absent value.
    Number(f64),
    /// Of a column of [`Kind::Count`].
    Count(u64),
}

/// One row of a block.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The company it is about.
    pub company: &'a str,
    block: &'a Block,
    index: usize,
}

impl Values {
    pub(super) fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text {
                dictionary: Texts::default(),
                index: Vec::new(),
            },
            Kind::Number => Self::Number(Vec::new()),
            Kind::Count => Self::Count(Vec::new()),
        }
    }

    /// A column of the same kind, with room for as many rows.
    pub(super) fn empty_like(&self) -> Self {
        match self {
            Self::Text { index, .. } => Self::Text {
                dictionary: Texts::default(),
                index: Vec::with_capacity(index.len()),
            },
            Self::Number(values) => Self::Number(Vec::with_capacity(values.len())),
            Self::Count(values) => Self::Count(Vec::with_capacity(values.len())),
        }
    }

    /// What the column holds.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Text { .. } => Kind::Text,
            Self::Number(_) => Kind::Number,
            Self::Count(_) => Kind::Count,
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Text { index, .. } => index.len(),
            Self::Number(values) => values.len(),
            Self::Count(values) => values.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a row.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Text { dictionary, index } => Cell::Text(&dictionary[index[row] as usize]),
            Self::Number(values) => Cell::Number(values[row]),
            Self::Count(values) => Cell::Count(values[row]),
        }
    }
}

impl Block {
    /// How many rows all its companies have.
    pub fn len(&self) -> usize {
        self.counts.iter().map(|&count| count as usize).sum()
    }

    /// Whether it has no rows; it may have companies then.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let companies = self.companies.iter().zip(&self.counts);
        companies
            .flat_map(|(company, &count)| (0..count).map(move |_| company))
            .enumerate()
            .map(|(index, company)| Row {
                company,
                block: self,
                index,
            })
    }

    /// The rows of one company, in order; `None` if the company is not in the block. Takes logarithmic time in the
    /// companies to find it and linear time to find its first row.
    pub fn rows_of<'a>(&'a self, company: &str) -> Option<impl Iterator<Item = Row<'a>> + use<'a>> {
        let at = self.companies.search(company)?;
        let first: usize = self.counts[..at].iter().map(|&count| count as usize).sum();
        let company = &self.companies[at];
        Some((first..first + self.counts[at] as usize).map(move |index| Row {
            company,
            block: self,
            index,
        }))
    }

    /// Checks that the columns are those of the schema.
    ///
    /// # Errors
    ///
    /// [`BlockError::Corrupt`], which names the column.
    pub fn check(&self, schema: &Schema) -> Result<(), BlockError> {
        let expected = schema.values().count();
        if self.columns.len() != expected {
            let found = self.columns.len();
            return Err(BlockError::Corrupt(format!(
                "it has {found} columns where the schema has {expected}"
            )));
        }
        for (column, values) in schema.values().zip(&self.columns) {
            if column.kind != values.kind() {
                return Err(BlockError::Corrupt(format!(
                    "column {} has values of another kind",
                    column.name
                )));
            }
        }
        self.check_invariants()
    }

    pub(super) fn check_invariants(&self) -> Result<(), BlockError> {
        let corrupt = |reason: &str| Err(BlockError::Corrupt(reason.to_owned()));
        if self.companies.len() != self.counts.len() {
            return corrupt("companies and counts differ in number");
        }
        if !self.companies.iter().is_sorted_by(|a, b| a < b) {
            return corrupt("its companies are out of order");
        }
        let rows = self.len();
        for values in &self.columns {
            if values.len() != rows {
                return corrupt("a column has too few or too many values");
            }
            if let Values::Text { dictionary, index } = values
                && index.iter().any(|&at| at as usize >= dictionary.len())
            {
                return corrupt("a text is missing from its dictionary");
            }
        }
        Ok(())
    }
}

impl<'a> Row<'a> {
    /// The cell of a column; columns are counted without the key.
    ///
    /// # Panics
    ///
    /// If there is no such column.
    pub fn cell(&self, column: usize) -> Cell<'a> {
        self.block.columns[column].cell(self.index)
    }

    /// All cells without the key, in the schema's order.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'a>> + use<'a> {
        let index = self.index;
        self.block.columns.iter().map(move |values| values.cell(index))
    }

    /// The row as a JSON object by column name, the key among them. NaN becomes null.
    ///
    /// # Panics
    ///
    /// If the block is not of this schema; [`Block::check`] tells.
    pub fn to_json(&self, schema: &Schema) -> serde_json::Map<String, Value> {
        let value = |position| match schema.cell_of(position).map(|column| self.cell(column)) {
            None => Value::from(self.company),
            Some(Cell::Text(text)) => Value::from(text),
            Some(Cell::Number(number)) => Value::from(number),
            Some(Cell::Count(count)) => Value::from(count),
        };
        schema
            .columns
            .iter()
            .enumerate()
            .map(|(position, column)| (column.name.to_owned(), value(position)))
            .collect()
    }
}
