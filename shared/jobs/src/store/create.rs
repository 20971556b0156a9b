//! Accepting a job.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Store, Write};
use crate::item::{Item, Version, from_item, job_item, number, text, to_item};
use crate::{Error, Job, JobId, Timestamp};

/// How long an idempotency key is remembered.
const REMEMBER_MS: i64 = 24 * 3_600_000;

/// A caller's promise that two requests are one.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The caller's key.
    pub key: String,
    /// A digest of the request, in hex.
    pub request: String,
}

/// What became of a request to accept a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// The job is new.
    New,
    /// The same request was accepted before, as this job.
    Before(JobId),
}

#[derive(Debug, Serialize, Deserialize)]
struct KeyRecord {
    job: JobId,
    request: String,
    forget_at: Timestamp,
}

impl Store {
    /// The job as which this request was accepted under this key within the last 24 hours, if it was.
    ///
    /// # Errors
    ///
    /// [`Error::KeyReused`] when the key came with another request, or [`Error::Unavailable`].
    pub async fn accepted_before(&self, tenant: &str, idempotency: &Idempotency) -> Result<Option<JobId>, Error> {
        let Some(item) = self.read_item(key_of(tenant, &idempotency.key)).await? else {
            return Ok(None);
        };
        let before: KeyRecord = from_item(item, "an idempotency key")?;
        // The store forgets some time after that moment, not at it.
        if before.forget_at <= self.clock.now() {
            return Ok(None);
        }
        before.same_as(idempotency).map(Some)
    }

    /// Accepts `job`. When this returns, it is durable, and so is the idempotency key, in one transaction.
    ///
    /// # Errors
    ///
    /// [`Error::KeyReused`] when the key came with another request, [`Error::KeyInFlight`] when the first request is
    /// being answered at this moment, or [`Error::Unavailable`].
    pub async fn create(&self, job: &Job, idempotency: Option<&Idempotency>) -> Result<Created, Error> {
        let version = Version::first();
        let put = self
            .put(job_item(job, &version)?)
            .condition_expression("attribute_not_exists(pk)");
        let Some(idempotency) = idempotency else {
            return match self.transact([put.build()], &version.write_id).await? {
                Write::Done => Ok(Created::New),
                Write::Lost(_) => Err(Error::KeyInFlight),
            };
        };
        let now = self.clock.now();
        let key_put = self
            .put(key_item(job, idempotency, now)?)
            .condition_expression("attribute_not_exists(pk) OR forget_at <= :now")
            .expression_attribute_values(":now", number(now.ms()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let written = self.transact([key_put.build(), put.build()], &version.write_id).await;
        match written {
            Ok(Write::Done) => Ok(Created::New),
            Ok(Write::Lost(Some(found))) => {
                let before: KeyRecord = from_item(found, "an idempotency key")?;
                before.same_as(idempotency).map(Created::Before)
            }
            Ok(Write::Lost(None)) => Err(Error::KeyInFlight),
            Err(error) => Err(error),
        }
    }
}

impl KeyRecord {
    fn same_as(self, idempotency: &Idempotency) -> Result<JobId, Error> {
        if self.request == idempotency.request {
            Ok(self.job)
        } else {
            Err(Error::KeyReused)
        }
    }
}

/// Keys are as long as callers like, and their own.
fn key_of(tenant: &str, key: &str) -> Item {
    let digest = hex::encode(Sha256::digest(key.as_bytes()));
    Item::from([
        ("pk".to_owned(), text(format!("KEY#{tenant}#{digest}"))),
        ("sk".to_owned(), text("KEY")),
    ])
}

fn key_item(job: &Job, idempotency: &Idempotency, now: Timestamp) -> Result<Item, Error> {
    let record = KeyRecord {
        job: job.id,
        request: idempotency.request.clone(),
        forget_at: now.plus_ms(REMEMBER_MS),
    };
    let mut item = to_item(&record, "an idempotency key")?;
    item.extend(key_of(&job.tenant, &idempotency.key));
    let forget = record.forget_at.seconds();
    item.insert("ttl".to_owned(), number(forget));
    Ok(item)
}
