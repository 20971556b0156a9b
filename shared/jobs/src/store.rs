//! The record of jobs: one DynamoDB table.
//!
//! Every change reads the item (or uses what its holder last wrote), asks [`protocol::apply`] for the next state, and
//! writes it on the condition that nobody wrote in between. A writer that lost the race reads again and asks again, so
//! the state machine of [`crate::protocol`] decides every change, and nothing else does.

mod claim;
mod completions;
mod create;
mod query;

pub use completions::{Begun, Ended};
pub use create::{Created, Idempotency};
pub use query::{Due, DuePages, Filter, Page};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};

use crate::item::{Item, JOB, Version, Versioned, job_item, key, mark_due, number, to_item, versioned};
use crate::protocol::{self, Event, Limits};
use crate::{Clock, Completion, Error, Job, JobId};

/// How often a writer that keeps losing races tries again.
const RACES: usize = 16;

/// The table of jobs, events, deliveries and result rows.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    /// Where every completion event goes, beside whoever asked for the job.
    bus: Option<String>,
}

/// A job as its writer last saw it. Holding one saves the read before the next change.
#[derive(Debug, Clone)]
pub struct Seen(Versioned<Job>);

impl Seen {
    /// The record.
    #[must_use]
    pub const fn job(&self) -> &Job {
        &self.0.record
    }
}

/// What became of one conditional write.
enum Write {
    Done,
    /// Somebody else wrote first; here is what they wrote, where the store said so.
    Lost(Option<Item>),
}

impl Store {
    /// A store on `table`.
    #[must_use]
    pub const fn new(client: Client, table: String, clock: Clock, limits: Limits) -> Self {
        Self {
            client,
            table,
            clock,
            limits,
            bus: None,
        }
    }

    /// The same table; the events of jobs that end from now on are for `bus` too.
    #[must_use]
    pub fn with_bus(self, bus: String) -> Self {
        Self { bus: Some(bus), ..self }
    }

    /// The same table by another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The bounds of a job's life.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where the time comes from.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The job as it is now; strongly consistent.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], or [`Error::Unavailable`].
    pub async fn get(&self, id: JobId) -> Result<Job, Error> {
        self.read(id).await.map(|seen| seen.record)
    }

    /// Applies `event` to the job. When this returns, the new state is durable; if it is the job's end, so is the
    /// completion event, written in the same transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the job's state does not allow it, [`Error::NotFound`], or [`Error::Unavailable`].
    pub async fn change(&self, id: JobId, event: &Event) -> Result<Seen, Error> {
        let seen = self.read(id).await?;
        self.change_seen(&Seen(seen), event).await
    }

    /// As [`Store::change`], starting from what the caller last saw: one write and no read unless somebody else wrote.
    ///
    /// # Errors
    ///
    /// As [`Store::change`].
    pub async fn change_seen(&self, seen: &Seen, event: &Event) -> Result<Seen, Error> {
        self.change_with(seen, event, &[]).await
    }

    /// As [`Store::change_seen`]. If the change is the job's end, `with` is written in the same transaction: items under
    /// the epoch of the job's holder.
    pub(crate) async fn change_with(&self, seen: &Seen, event: &Event, with: &[Item]) -> Result<Seen, Error> {
        let mut seen = seen.0.clone();
        for _ in 0..RACES {
            let now = self.clock.now();
            let mut job = seen.record.clone();
            job.state = protocol::apply(&seen.record.state, event, now, &self.limits)?;
            let version = seen.version.next();
            let write = if job.state.status.is_terminal() {
                self.write_end(&job, &seen.version, &version, with).await?
            } else {
                self.write(&job, &seen.version, &version).await?
            };
            match write {
                Write::Done => {
                    return Ok(Seen(Versioned { record: job, version }));
                }
                Write::Lost(found) => {
                    let current = match found {
                        Some(item) => versioned(item, "a job")?,
                        None => self.read(job.id).await?,
                    };
                    if current.version.write_id == version.write_id {
                        return Ok(Seen(current));
                    }
                    seen = current;
                }
            }
        }
        Err(Error::unavailable("change a job that others keep changing")(
            std::io::Error::other("lost every race"),
        ))
    }

    async fn read(&self, id: JobId) -> Result<Versioned<Job>, Error> {
        let item = self.read_item(key(id, JOB)).await?;
        versioned(item.ok_or(Error::NotFound(id))?, "a job")
    }

    pub(crate) async fn read_item(&self, key: Item) -> Result<Option<Item>, Error> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(Error::unavailable("read an item"))?;
        Ok(found.item)
    }

    async fn write(&self, job: &Job, seen: &Version, version: &Version) -> Result<Write, Error> {
        self.put_if(job_item(job, version)?, seen).await
    }

    async fn put_if(&self, item: Item, seen: &Version) -> Result<Write, Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("rev = :seen")
            .expression_attribute_values(":seen", number(seen.rev))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put.send().await {
            Ok(_) => Ok(Write::Done),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(lost) => Ok(Write::Lost(lost.item)),
                PutItemError::TransactionConflictException(_) => Ok(Write::Lost(None)),
                other => Err(Error::unavailable("write an item")(other)),
            },
            Err(other) => Err(Error::unavailable("write an item")(other)),
        }
    }

    /// The job's end, its completion event and what comes `with` them, all or nothing.
    async fn write_end(&self, job: &Job, seen: &Version, version: &Version, with: &[Item]) -> Result<Write, Error> {
        let completion = Completion::of(job, self.limits.grace_ms, self.bus.as_deref())
            .expect("only a job that has ended is written as its end");
        let job_put = self
            .put(job_item(job, version)?)
            .condition_expression("rev = :seen")
            .expression_attribute_values(":seen", number(seen.rev))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let event_put = self
            .put(completion_item(&completion, &Version::first())?)
            .condition_expression("attribute_not_exists(pk)");
        let with = with.iter().map(|item| self.put(item.clone()).build());
        let puts = [job_put.build(), event_put.build()].into_iter().chain(with);
        self.transact(puts, &version.write_id).await
    }

    pub(crate) fn put(&self, item: Item) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder().table_name(&self.table).set_item(Some(item))
    }

    /// All puts or none. A lost condition on the first put hands back the item found.
    async fn transact(
        &self,
        puts: impl IntoIterator<Item = Result<Put, aws_sdk_dynamodb::error::BuildError>>,
        token: &str,
    ) -> Result<Write, Error> {
        const ACTION: &str = "write items together";
        let mut transaction = self.client.transact_write_items().client_request_token(token);
        for put in puts {
            let put = put.map_err(Error::unavailable(ACTION))?;
            transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
        }
        match transaction.send().await {
            Ok(_) => Ok(Write::Done),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                TransactWriteItemsError::TransactionCanceledException(cancelled)
                    if cancelled.cancellation_reasons().iter().any(failed_condition) =>
                {
                    let found = cancelled
                        .cancellation_reasons
                        .and_then(|reasons| reasons.into_iter().find(failed_condition)?.item);
                    Ok(Write::Lost(found))
                }
                other => Err(Error::unavailable(ACTION)(other)),
            },
            Err(other) => Err(Error::unavailable(ACTION)(other)),
        }
    }
}

/// Somebody else wrote first, or writes at this moment.
fn failed_condition(reason: &aws_sdk_dynamodb::types::CancellationReason) -> bool {
    matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))
}

fn completion_item(completion: &Completion, version: &Version) -> Result<Item, Error> {
    let mut item = to_item(completion, "a completion event")?;
    item.extend(to_item(version, "a version")?);
    item.extend(key(completion.job_id, crate::item::EVENT));
    item.insert("ttl".to_owned(), number(completion.expires_at.seconds()));
    mark_due(&mut item, completion.job_id, completion.due_at());
    Ok(item)
}
