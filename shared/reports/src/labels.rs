//! What people call those whom ids stand for, in the rows of a result.

use std::fmt;

use formats::chains::parts;
use formats::{Column, Kind};

use crate::number::percent;
use crate::survey::Name;

/// Names by ids; none where the input has none.
#[derive(Clone, Copy, Default)]
pub struct Labels<'a>(Option<&'a dyn Lookup>);

/// Whoever knows what people call somebody.
pub trait Lookup {
    /// The name of whom `id` stands for.
    fn label(&self, id: &str) -> Option<&str>;
}

impl fmt::Debug for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Labels").field(&self.0.is_some()).finish()
    }
}

impl<'a> Labels<'a> {
    /// The names that `lookup` knows.
    #[must_use]
    pub fn of(lookup: &'a dyn Lookup) -> Self {
        Self(Some(lookup))
    }

    /// Whether the input has names.
    pub(crate) fn are_there(self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn get(self, id: &str) -> Option<&'a str> {
        self.0.and_then(|lookup| lookup.label(id))
    }

    pub(crate) fn name(self, id: &str) -> Name {
        Name {
            id: id.to_owned(),
            label: self.get(id).unwrap_or_default().to_owned(),
        }
    }

    /// A text of chains with names for ids: `Ada Lind → Norda AB 18.00%`, a line each.
    pub(crate) fn chains(self, text: &str) -> Vec<String> {
        let lines = parts(text).into_iter().map(|part| {
            let share = part.share.parse().map_or_else(|_| part.share.to_owned(), percent);
            if part.names.is_empty() {
                return format!("{} {share}", part.words);
            }
            let names = part.names.iter().map(|id| self.get(id).unwrap_or(id));
            format!("{} {share}", names.collect::<Vec<_>>().join(" → "))
        });
        lines.collect()
    }
}

/// Whether the cells of a column are ids of companies or people.
pub(crate) fn has_ids(column: &Column) -> bool {
    let names = ["owner", "owned", "company", "controller", "from", "to"];
    column.kind == Kind::Text && names.contains(&column.name)
}

/// Whether the cells of a column are chains in words.
pub(crate) fn has_chains(column: &Column) -> bool {
    column.kind == Kind::Text && column.name == "chains"
}
