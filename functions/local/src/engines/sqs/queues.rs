//! The queues in the database.
//!
//! These functions run inside a transaction of [`sqlite::Database`](crate::engines::sqlite::Database): what they
//! wrote is durable when its `run` returns.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::attributes::Attributes;
use super::error::Error;

/// The tables. A message's `receives` grows at every receive and is what tells one receipt handle from the next.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS queue (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        attributes TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        modified_ms INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS message (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        queue INTEGER NOT NULL REFERENCES queue(id) ON DELETE CASCADE,
        id TEXT NOT NULL,
        sent_ms INTEGER NOT NULL,
        visible_ms INTEGER NOT NULL,
        receives INTEGER NOT NULL,
        first_received_ms INTEGER,
        body TEXT NOT NULL,
        attributes TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS message_visible ON message(queue, visible_ms);
    CREATE INDEX IF NOT EXISTS message_sent ON message(queue, sent_ms);
";

/// A queue as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) attributes: Attributes,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
}

impl Queue {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let attributes: String = row.get("attributes")?;
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            attributes: serde_json::from_str(&attributes)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?,
            created_ms: row.get("created_ms")?,
            modified_ms: row.get("modified_ms")?,
        })
    }
}

/// Makes the queue `name`, or finds it if it exists with the same values for what `given` names.
///
/// # Errors
///
/// [`Error::QueueNameExists`] if they differ, [`Error::InvalidParameter`] for a name that is not 1 to 80 letters,
/// digits, hyphens and underscores, and those of [`Attributes::apply`].
pub(crate) fn create(
    connection: &Connection,
    name: &str,
    given: &BTreeMap<String, String>,
    now_ms: i64,
) -> Result<(), Error> {
    if !is_identifier(name) {
        return Err(Error::InvalidParameter {
            parameter: "QueueName",
            value: name.to_owned(),
            reason: "can only include alphanumeric characters, hyphens, or underscores; 1 to 80 in length",
        });
    }
    match find(connection, name) {
        Ok(existing) => {
            let mut wanted = existing.attributes.clone();
            wanted.apply(given)?;
            if wanted == existing.attributes {
                Ok(())
            } else {
                Err(Error::QueueNameExists(name.to_owned()))
            }
        }
        Err(Error::QueueDoesNotExist(_)) => {
            let attributes = changed(connection, Attributes::default(), given)?;
            connection
                .prepare_cached(
                    "INSERT INTO queue (name, attributes, created_ms, modified_ms) VALUES (?1, ?2, ?3, ?3)",
                )?
                .execute(params![name, serde_json::to_string(&attributes)?, now_ms])?;
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The queue `name`.
///
/// # Errors
///
/// [`Error::QueueDoesNotExist`].
pub(crate) fn find(connection: &Connection, name: &str) -> Result<Queue, Error> {
    connection
        .prepare_cached("SELECT * FROM queue WHERE name = ?1")?
        .query_row([name], Queue::read)
        .optional()?
        .ok_or_else(|| Error::QueueDoesNotExist(name.to_owned()))
}

/// Names that start with `prefix` and follow `after`, sorted, at most `limit`.
pub(crate) fn list(connection: &Connection, prefix: &str, after: &str, limit: i64) -> Result<Vec<String>, Error> {
    let names = connection
        .prepare_cached(
            "SELECT name FROM queue WHERE substr(name, 1, length(?1)) = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
        )?
        .query_map(params![prefix, after, limit], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(names)
}

/// Sets what `given` names on the queue `name`.
///
/// # Errors
///
/// [`Error::QueueDoesNotExist`], and those of [`Attributes::apply`].
pub(crate) fn set(
    connection: &Connection,
    name: &str,
    given: &BTreeMap<String, String>,
    now_ms: i64,
) -> Result<(), Error> {
    let queue = find(connection, name)?;
    let attributes = changed(connection, queue.attributes, given)?;
    connection
        .prepare_cached("UPDATE queue SET attributes = ?2, modified_ms = ?3 WHERE id = ?1")?
        .execute(params![queue.id, serde_json::to_string(&attributes)?, now_ms])?;
    Ok(())
}

/// Removes the queue `name` and its messages.
///
/// # Errors
///
/// [`Error::QueueDoesNotExist`].
pub(crate) fn delete(connection: &Connection, name: &str) -> Result<(), Error> {
    let queue = find(connection, name)?;
    connection.execute("DELETE FROM queue WHERE id = ?1", [queue.id])?;
    Ok(())
}

/// `attributes` with `given` applied, whose dead-letter queue must exist.
fn changed(
    connection: &Connection,
    mut attributes: Attributes,
    given: &BTreeMap<String, String>,
) -> Result<Attributes, Error> {
    attributes.apply(given)?;
    if given.contains_key("RedrivePolicy")
        && let Some(redrive) = &attributes.redrive
        && let Err(error) = find(connection, redrive.target())
    {
        return Err(match error {
            Error::QueueDoesNotExist(_) => Error::InvalidParameter {
                parameter: "RedrivePolicy",
                value: redrive.target_arn.clone(),
                reason: "the dead-letter target does not exist",
            },
            other => other,
        });
    }
    Ok(attributes)
}

/// Whether `text` is 1 to 80 letters, digits, hyphens and underscores: the rule for queue names and batch ids.
pub(crate) fn is_identifier(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
