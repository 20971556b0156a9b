//! How records lie in the table.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | job | `JOB#<id>` | `JOB` |
//! | completion event | `JOB#<id>` | `EVENT` |
//! | attempt to deliver it | `JOB#<id>` | `TRY#<n>` |
//! | block of result rows | `JOB#<id>` | `ROWS#<epoch>#<first company>` and a block number |
//! | block of names | `JOB#<id>` | `NAMES#<epoch>#<first company>` and a block number |
//! | block of keys of a search | `JOB#<id>` | `SEARCH#<epoch>#<first key>` and a block number |
//! | reports of a small job, packed | `JOB#<id>` | `REPORTS#<epoch>` |
//! | idempotency key | `KEY#<tenant>#<hash>` | `KEY` |
//!
//! Index `tenant` (`tenant`, `job`) lists jobs; index `due` (`due_shard`, `due_at`) lists what the sweeper must look at.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Job, JobId, Timestamp};

/// An item, by attribute.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) const BY_TENANT: &str = "tenant";
pub(crate) const BY_DUE: &str = "due";

/// Over how many partitions of the index the due items are spread.
pub(crate) const DUE_SHARDS: u64 = 4;

pub(crate) const JOB: &str = "JOB";
pub(crate) const EVENT: &str = "EVENT";

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn job_pk(id: JobId) -> String {
    format!("JOB#{id}")
}

pub(crate) fn key(id: JobId, sk: impl Into<String>) -> Item {
    HashMap::from([("pk".to_owned(), text(job_pk(id))), ("sk".to_owned(), text(sk))])
}

pub(crate) fn due_shard(shard: u64) -> String {
    format!("DUE#{shard}")
}

/// The attributes that put an item into the sparse index of due things, where it has a time to be looked at.
pub(crate) fn mark_due(item: &mut Item, id: JobId, due_at: Option<Timestamp>) {
    if let Some(due_at) = due_at {
        let shard = due_shard(id.spread() % DUE_SHARDS);
        item.insert("due_shard".to_owned(), text(shard));
        item.insert("due_at".to_owned(), number(due_at.ms()));
    }
}

/// What is stored beside a record to tell one write from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(crate) struct Version {
    /// Grows at every write.
    pub(crate) rev: u64,
    /// Names the write, so that a writer whose answer got lost knows its own work.
    pub(crate) write_id: String,
}

impl Version {
    pub(crate) fn first() -> Self {
        Self {
            rev: 1,
            write_id: uuid::Uuid::new_v4().to_string(),
        }
    }

    pub(crate) fn next(&self) -> Self {
        Self {
            rev: self.rev + 1,
            ..Self::first()
        }
    }
}

/// A record with its version.
#[derive(Debug, Clone)]
pub(crate) struct Versioned<T> {
    pub(crate) record: T,
    pub(crate) version: Version,
}

pub(crate) fn to_item<T: Serialize>(record: &T, what: &str) -> Result<Item, Error> {
    serde_dynamo::to_item(record).map_err(Error::corrupt(what.to_owned()))
}

pub(crate) fn from_item<T: DeserializeOwned>(item: Item, what: &str) -> Result<T, Error> {
    serde_dynamo::from_item(item).map_err(Error::corrupt(what.to_owned()))
}

pub(crate) fn versioned<T: DeserializeOwned>(item: Item, what: &str) -> Result<Versioned<T>, Error> {
    let version = from_item(item.clone(), what)?;
    let record = from_item(item, what)?;
    Ok(Versioned { record, version })
}

pub(crate) fn job_item(job: &Job, version: &Version) -> Result<Item, Error> {
    let mut item = to_item(job, "a job")?;
    item.extend(to_item(version, "a version")?);
    item.extend(key(job.id, JOB));
    item.insert("job".to_owned(), text(job.id.to_string()));
    item.insert("ttl".to_owned(), number(job.expires_at.seconds()));
    mark_due(&mut item, job.id, job.state.due_at);
    Ok(item)
}
