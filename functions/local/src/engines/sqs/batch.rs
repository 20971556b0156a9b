//! What the three batch operations have in common: their limits, and an answer that sorts entries by outcome.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::error::Error;
use super::queues::is_identifier;
use super::wire::Entry;

/// Checks number and ids of a batch's entries.
///
/// # Errors
///
/// [`Error::EmptyBatch`], [`Error::TooManyEntries`] past 10, [`Error::InvalidEntryId`],
/// [`Error::EntryIdsNotDistinct`].
pub(crate) fn check<E: Entry>(entries: &[E]) -> Result<(), Error> {
    match entries.len() {
        0 => return Err(Error::EmptyBatch),
        1..=10 => {}
        more => return Err(Error::TooManyEntries(more)),
    }
    let mut seen = HashSet::new();
    for id in entries.iter().map(Entry::id) {
        if !is_identifier(id) {
            return Err(Error::InvalidEntryId(id.to_owned()));
        }
        if !seen.insert(id) {
            return Err(Error::EntryIdsNotDistinct(id.to_owned()));
        }
    }
    Ok(())
}

/// The answer to a batch: what became of each entry.
///
/// # Errors
///
/// The first error that is the engine's own: then the transaction was undone, and nothing succeeded.
pub(crate) fn answer(outcomes: Vec<(String, Result<Value, Error>)>) -> Result<Value, Error> {
    let mut successful = Vec::new();
    let mut failed = Vec::new();
    for (id, outcome) in outcomes {
        match outcome {
            Ok(value) => successful.push(value),
            Err(error) if !error.is_senders_fault() => return Err(error),
            Err(error) => failed.push(json!({
                "Id": id,
                "SenderFault": true,
                "Code": error.code(),
                "Message": error.to_string(),
            })),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}
