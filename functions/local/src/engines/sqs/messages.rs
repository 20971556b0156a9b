//! The messages in the database: sending, receiving, deleting, hiding.
//!
//! A message is *visible* from the moment `visible_ms` on. A receive moves that moment into the future and counts;
//! a delete removes the row. Nothing else is kept about a message in flight, so a consumer that dies, or an answer
//! that is lost on its way, costs the wait for the visibility timeout and nothing more.
//!
//! These functions run inside a transaction of [`sqlite::Database`](crate::engines::sqlite::Database): what they
//! wrote is durable when its `run` returns.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Error;
use super::queues::{self, Queue};
use super::receipt::Receipt;

/// A message to send.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) id: String,
    pub(crate) body: String,
    /// The message attributes as JSON.
    pub(crate) attributes: String,
    /// Body and attributes, in bytes.
    pub(crate) bytes: usize,
    /// Overrides the queue's delay, in seconds.
    pub(crate) delay_s: Option<i64>,
}

/// A message as one receive sees it.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) receipt: Receipt,
    pub(crate) body: String,
    /// The message attributes as JSON.
    pub(crate) attributes: String,
    pub(crate) sent_ms: i64,
    pub(crate) first_received_ms: i64,
}

/// What a receive found.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) messages: Vec<Received>,
    /// If there are none: when the next hidden message becomes visible.
    pub(crate) next_ms: Option<i64>,
    /// Whether messages went to the dead-letter queue.
    pub(crate) buried: bool,
}

/// Messages of a queue by state.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) visible: i64,
    pub(crate) in_flight: i64,
    pub(crate) delayed: i64,
}

/// Adds a message to `queue`.
///
/// # Errors
///
/// [`Error::InvalidParameter`] if it is longer than the queue allows.
pub(crate) fn send(connection: &Connection, queue: &Queue, draft: &Draft, now_ms: i64) -> Result<(), Error> {
    if i64::try_from(draft.bytes).unwrap_or(i64::MAX) > queue.attributes.max_bytes {
        return Err(Error::InvalidParameter {
            parameter: "MessageBody",
            value: format!("of {} bytes", draft.bytes),
            reason: "longer than the queue's MaximumMessageSize",
        });
    }
    let delay_s = draft.delay_s.unwrap_or(queue.attributes.delay_s);
    connection
        .prepare_cached(
            "INSERT INTO message (queue, id, sent_ms, visible_ms, receives, body, attributes)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
        )?
        .execute(params![
            queue.id,
            draft.id,
            now_ms,
            now_ms + delay_s * 1000,
            draft.body,
            draft.attributes
        ])?;
    Ok(())
}

/// Takes up to `limit` visible messages, longest visible first, and hides them for `visibility_s` seconds (the
/// queue's timeout if `None`). Those received as often as the redrive policy allows go to the dead-letter queue
/// instead, and those older than the retention period are dropped.
pub(crate) fn receive(
    connection: &Connection,
    queue: &Queue,
    limit: usize,
    visibility_s: Option<i64>,
    now_ms: i64,
) -> Result<Delivery, Error> {
    connection
        .prepare_cached("DELETE FROM message WHERE queue = ?1 AND sent_ms <= ?2")?
        .execute(params![queue.id, now_ms - queue.attributes.retention_s * 1000])?;
    let visibility_s = visibility_s.unwrap_or(queue.attributes.visibility_s);
    let mut delivery = Delivery::default();
    while bury(connection, queue, limit, now_ms)? {
        delivery.buried = true;
    }
    for (seq, _) in candidates(connection, queue, limit, now_ms)? {
        delivery
            .messages
            .push(take(connection, queue, seq, now_ms, visibility_s)?);
    }
    if delivery.messages.is_empty() {
        delivery.next_ms = connection
            .prepare_cached("SELECT min(visible_ms) FROM message WHERE queue = ?1 AND visible_ms > ?2")?
            .query_row(params![queue.id, now_ms], |row| row.get(0))?;
    }
    Ok(delivery)
}

/// Sequence number and count of receives of the messages that are next.
fn candidates(connection: &Connection, queue: &Queue, limit: usize, now_ms: i64) -> Result<Vec<(i64, i64)>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT seq, receives FROM message WHERE queue = ?1 AND visible_ms <= ?2
             ORDER BY visible_ms, seq LIMIT ?3",
        )?
        .query_map(
            params![queue.id, now_ms, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

/// Moves those of the next `limit` messages to the dead-letter queue that were received too often; tells whether
/// there were any. Without such a queue they stay.
fn bury(connection: &Connection, queue: &Queue, limit: usize, now_ms: i64) -> Result<bool, Error> {
    let Some(redrive) = &queue.attributes.redrive else {
        return Ok(false);
    };
    let mut poisoned = candidates(connection, queue, limit, now_ms)?;
    poisoned.retain(|&(_, receives)| receives >= redrive.max_receives);
    if poisoned.is_empty() {
        return Ok(false);
    }
    let target = match queues::find(connection, redrive.target()) {
        Ok(target) if target.id != queue.id => target,
        Ok(_) | Err(Error::QueueDoesNotExist(_)) => return Ok(false),
        Err(error) => return Err(error),
    };
    for (seq, _) in poisoned {
        connection
            .prepare_cached("UPDATE message SET queue = ?2, visible_ms = ?3 WHERE seq = ?1")?
            .execute(params![seq, target.id, now_ms])?;
    }
    Ok(true)
}

fn take(connection: &Connection, queue: &Queue, seq: i64, now_ms: i64, visibility_s: i64) -> Result<Received, Error> {
    let received = connection
        .prepare_cached(
            "UPDATE message SET receives = receives + 1, visible_ms = ?3,
                 first_received_ms = coalesce(first_received_ms, ?2)
             WHERE seq = ?1 RETURNING id, receives, body, attributes, sent_ms, first_received_ms",
        )?
        .query_row(params![seq, now_ms, now_ms + visibility_s * 1000], |row| {
            Ok(Received {
                id: row.get(0)?,
                receipt: Receipt {
                    queue: queue.id,
                    seq,
                    receive: row.get(1)?,
                },
                body: row.get(2)?,
                attributes: row.get(3)?,
                sent_ms: row.get(4)?,
                first_received_ms: row.get(5)?,
            })
        })?;
    Ok(received)
}

/// Removes the message that `receipt` is for. A receipt that a later receive outdated, or whose message is gone,
/// removes nothing and is no error.
///
/// # Errors
///
/// [`Error::ReceiptHandleIsInvalid`] for a receipt of another queue.
pub(crate) fn delete(connection: &Connection, queue: &Queue, receipt: &Receipt) -> Result<(), Error> {
    receipt.check(queue)?;
    connection
        .prepare_cached("DELETE FROM message WHERE queue = ?1 AND seq = ?2 AND receives = ?3")?
        .execute(params![queue.id, receipt.seq, receipt.receive])?;
    Ok(())
}

/// Hides the message that `receipt` is for until `seconds` from now; 0 makes it visible.
///
/// # Errors
///
/// [`Error::ReceiptHandleIsInvalid`] for a receipt of another queue, [`Error::InvalidParameter`] if a later receive
/// outdated it or the message is gone, [`Error::MessageNotInflight`] if the message is visible.
pub(crate) fn hide(
    connection: &Connection,
    queue: &Queue,
    receipt: &Receipt,
    seconds: i64,
    now_ms: i64,
) -> Result<(), Error> {
    receipt.check(queue)?;
    let visible_ms: Option<i64> = connection
        .prepare_cached("SELECT visible_ms FROM message WHERE queue = ?1 AND seq = ?2 AND receives = ?3")?
        .query_row(params![queue.id, receipt.seq, receipt.receive], |row| row.get(0))
        .optional()?;
    match visible_ms {
        None => Err(Error::InvalidParameter {
            parameter: "ReceiptHandle",
            value: receipt.to_string(),
            reason: "message does not exist or is not available for visibility timeout change",
        }),
        Some(visible_ms) if visible_ms <= now_ms => Err(Error::MessageNotInflight),
        Some(_) => {
            connection
                .prepare_cached("UPDATE message SET visible_ms = ?2 WHERE seq = ?1")?
                .execute(params![receipt.seq, now_ms + seconds * 1000])?;
            Ok(())
        }
    }
}

/// Removes every message of `queue`.
pub(crate) fn purge(connection: &Connection, queue: &Queue) -> Result<(), Error> {
    connection.execute("DELETE FROM message WHERE queue = ?1", [queue.id])?;
    Ok(())
}

/// How many messages `queue` holds. Reads all of them.
pub(crate) fn count(connection: &Connection, queue: &Queue, now_ms: i64) -> Result<Counts, Error> {
    let counts = connection
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE visible_ms <= ?2),
                    count(*) FILTER (WHERE visible_ms > ?2 AND receives > 0),
                    count(*) FILTER (WHERE visible_ms > ?2 AND receives = 0)
             FROM message WHERE queue = ?1 AND sent_ms > ?3",
        )?
        .query_row(
            params![queue.id, now_ms, now_ms - queue.attributes.retention_s * 1000],
            |row| {
                Ok(Counts {
                    visible: row.get(0)?,
                    in_flight: row.get(1)?,
                    delayed: row.get(2)?,
                })
            },
        )?;
    Ok(counts)
}
