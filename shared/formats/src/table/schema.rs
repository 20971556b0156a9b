//! The columns of a result.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A double; NaN is an absent value.
    Number,
    /// A whole number from 0.
    Count,
}

/// A column of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, as the header of the file has it.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The unit of its values, such as `fraction`; empty if they have none.
    pub unit: &'static str,
    /// One line for a reader of the report.
    pub description: &'static str,
}

/// The shape of a result.
///
/// Invariant: `key` is the position of a column of [`Kind::Text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The columns, in the order of the files.
    pub columns: &'static [Column],
    /// Position of the column that names the company a row is about.
    pub key: usize,
}

impl Schema {
    /// The columns without the key: those whose cells a row carries, in order.
    pub fn values(&self) -> impl Iterator<Item = &'static Column> + use<> {
        let key = self.key;
        self.columns
            .iter()
            .enumerate()
            .filter(move |(position, _)| *position != key)
            .map(|(_, column)| column)
    }

    /// The position of a column among the cells of a row; `None` for the key.
    pub fn cell_of(&self, position: usize) -> Option<usize> {
        match position.cmp(&self.key) {
            std::cmp::Ordering::Less => Some(position),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(position - 1),
        }
    }
}
