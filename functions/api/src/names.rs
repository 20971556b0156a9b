//! What companies are called, where the input says so and has ids for names.
//!
//! They are stored beside the rows, in blocks of their own: one query answers for all ids that are in the same block.

use std::collections::{BTreeMap, BTreeSet};

use formats::{Block, Cell};
use jobs::{JobId, RowsRef, Store};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Problem;

/// Of one answer at most this many blocks of names are read; what is in others is not told.
pub(crate) const BLOCKS: usize = 64;

/// What a company or person is called, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Named {
    /// Its name; empty if only the kind is known.
    name: String,
    /// `person` or `entity`; empty if the input doesn't say.
    kind: String,
}

impl Named {
    /// What it is called; empty if only the kind is known.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// The names of `ids`, those that have one.
///
/// # Errors
///
/// If the store is not available.
pub(crate) async fn names_of<'i>(
    store: &Store,
    job: JobId,
    rows: &RowsRef,
    ids: impl Iterator<Item = &'i str>,
) -> Result<BTreeMap<String, Named>, Problem> {
    let mut found = BTreeMap::new();
    if rows.names == 0 {
        return Ok(found);
    }
    let ids: BTreeSet<&str> = ids.collect();
    let mut block: Option<Block> = None;
    let mut read = 0;
    for id in ids {
        let has_place = |block: &Block| block.companies.last().is_some_and(|last| last >= id);
        if !block.as_ref().is_some_and(has_place) {
            if read == BLOCKS {
                break;
            }
            read += 1;
            let stored = store.names_at(job, rows.epoch, id).await?;
            block = match stored {
                Some(stored) => Some(crate::companies::decode(&stored)?),
                None => continue,
            };
        }
        let named = block.as_ref().and_then(|block| block.rows_of(id)?.next());
        if let Some(row) = named {
            let text = |column| match row.cell(column) {
                Cell::Text(text) => text.to_owned(),
                Cell::Number(_) | Cell::Count(_) => String::new(),
            };
            found.insert(
                id.to_owned(),
                Named {
                    name: text(0),
                    kind: text(1),
                },
            );
        }
    }
    Ok(found)
}
