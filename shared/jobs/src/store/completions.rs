//! Completion events and the attempts to deliver them.

use std::io;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::{Store, Write, completion_item};
use crate::item::{EVENT, Item, JOB, Version, Versioned, from_item, job_pk, key, number, text, to_item, versioned};
use crate::{Completion, Delivery, DeliveryTry, Error, Job, JobId, Next, Subscriber, Subscription, Timestamp};

/// A job that has ended, and its completion event.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The job, as it will be for ever.
    pub job: Job,
    event: Versioned<Completion>,
}

/// Attempts just begun, and the event that they are to deliver.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The attempts: one with each subscriber that is due.
    pub tries: Vec<DeliveryTry>,
    event: Versioned<Completion>,
}

impl Begun {
    /// The event.
    #[must_use]
    pub const fn event(&self) -> &Completion {
        &self.event.record
    }
}

impl Store {
    /// The completion event of a job; absent while it has not ended.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn completion(&self, id: JobId) -> Result<Option<Completion>, Error> {
        Ok(self.read_completion(id).await?.map(|seen| seen.record))
    }

    /// A job and its completion event, by one call; absent while it has not ended.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn ended(&self, id: JobId) -> Result<Option<Ended>, Error> {
        const { assert!(EVENT.as_bytes()[0] < JOB.as_bytes()[0], "the order of their keys") };
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :job AND sk BETWEEN :event AND :record")
            .expression_attribute_values(":job", text(job_pk(id)))
            .expression_attribute_values(":event", text(EVENT))
            .expression_attribute_values(":record", text(JOB))
            .consistent_read(true)
            .send()
            .await
            .map_err(Error::unavailable("read a job and its event"))?;
        let mut items = found.items.unwrap_or_default().into_iter();
        match (items.next(), items.next()) {
            (Some(event), Some(job)) => Ok(Some(Ended {
                event: versioned(event, "a completion event")?,
                job: from_item(job, "a job")?,
            })),
            _ => Ok(None),
        }
    }

    /// Every attempt to deliver the event of a job, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn delivery_tries(&self, id: JobId) -> Result<Vec<DeliveryTry>, Error> {
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :job AND begins_with(sk, :try)")
            .expression_attribute_values(":job", text(job_pk(id)))
            .expression_attribute_values(":try", text("TRY#"))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut tries: Vec<DeliveryTry> = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(Error::unavailable("list deliveries"))?;
            tries.push(from_item(item, "a delivery")?);
        }
        tries.sort_by_key(|attempt| (attempt.at, attempt.number));
        Ok(tries)
    }

    /// Begins an attempt with every subscriber of `ended` for whom one is due: for `hold_ms` nobody else begins another.
    /// Whoever was tried `most` times since the last replay is given up instead. When this returns, the attempts are
    /// recorded as begun, and count. Gives nothing where nothing was due.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn begin_tries(&self, ended: &Ended, hold_ms: i64, most: u32) -> Result<Option<Begun>, Error> {
        let now = self.clock.now();
        let begun = self.change_completion(ended.job.id, Some(ended.event.clone()), |completion| {
            let all = completion.subscriptions.iter_mut();
            let due: Vec<_> = all.filter(|one| is_due(one, now)).collect();
            if due.is_empty() {
                return None;
            }
            let (spent, due): (Vec<_>, Vec<_>) = due.into_iter().partition(|one| one.round >= most);
            for one in spent {
                tracing::info!(delivery = ?Delivery::Dead, "gave up after attempts whose outcome is unknown");
                let reason = "the outcome of the last attempt is unknown, and there is none left";
                one.settle(&Next::Dead(reason.to_owned()));
            }
            let until = now.plus_ms(hold_ms);
            Some(due.into_iter().map(|one| one.begin(now, until)).collect())
        });
        match begun.await {
            Err(Error::NotFound(_)) => Ok(None),
            begun => begun,
        }
    }

    /// Records how an attempt of `begun` ended, and what is `next` for its subscriber. Where a later attempt or a replay
    /// came in between, only the attempt is recorded. Both are durable when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the job has no event, or [`Error::Unavailable`].
    pub async fn end_try(&self, begun: &Begun, attempt: &DeliveryTry, next: &Next) -> Result<(), Error> {
        let event = begun.event();
        // Mostly nobody wrote since, so that there is nothing to read.
        let changed = self.change_completion(event.job_id, Some(begun.event.clone()), |completion| {
            let one = completion.subscriptions.iter_mut().find(|one| one.awaits(attempt))?;
            one.settle(next);
            Some(vec![attempt.clone()])
        });
        if changed.await?.is_some() {
            return Ok(());
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(try_item(event, attempt)?));
        put.send().await.map_err(Error::unavailable("record a delivery"))?;
        Ok(())
    }

    /// Puts the sweeper's next look at what is due now off until `at`.
    ///
    /// # Errors
    ///
    /// As [`Store::end_try`].
    pub async fn postpone_completion(&self, id: JobId, at: Timestamp) -> Result<(), Error> {
        let now = self.clock.now();
        self.change_completion(id, None, |completion| {
            for one in &mut completion.subscriptions {
                one.due_at = one.due_at.map(|due| if due <= now { due.max(at) } else { due });
            }
            Some(Vec::new())
        })
        .await?;
        Ok(())
    }

    /// Makes the event deliverable anew to every subscriber, with the same identity, from the start of the retry
    /// schedule.
    ///
    /// # Errors
    ///
    /// As [`Store::end_try`].
    pub async fn replay(&self, id: JobId) -> Result<(), Error> {
        let now = self.clock.now();
        self.change_completion(id, None, |completion| {
            completion.subscriptions.iter_mut().for_each(|one| one.replay(now));
            Some(Vec::new())
        })
        .await?;
        Ok(())
    }

    async fn read_completion(&self, id: JobId) -> Result<Option<Versioned<Completion>>, Error> {
        let item = self.read_item(key(id, EVENT)).await?;
        item.map(|item| versioned(item, "a completion event")).transpose()
    }

    /// Changes an event as `change` says, and records the attempts that it gives with it, all or nothing; nothing if it
    /// gives none at all. Starts from what was `seen` last, if anything. Gives what was written.
    async fn change_completion(
        &self,
        id: JobId,
        mut seen: Option<Versioned<Completion>>,
        change: impl Fn(&mut Completion) -> Option<Vec<DeliveryTry>>,
    ) -> Result<Option<Begun>, Error> {
        let mut written: Option<(Version, Vec<DeliveryTry>)> = None;
        for _ in 0..super::RACES {
            let mut event = match seen.take() {
                Some(seen) => seen,
                None => self.read_completion(id).await?.ok_or(Error::NotFound(id))?,
            };
            // The answer to a write may get lost, though the write does not.
            if let Some((_, tries)) = written.take_if(|(version, _)| *version == event.version) {
                return Ok(Some(Begun { tries, event }));
            }
            let Some(tries) = change(&mut event.record) else {
                return Ok(None);
            };
            let version = event.version.next();
            match self.write_completion(&event, &version, &tries).await? {
                Write::Done => {
                    event.version = version;
                    return Ok(Some(Begun { tries, event }));
                }
                Write::Lost(_) => written = Some((version, tries)),
            }
        }
        Err(Error::unavailable("change an event that others keep changing")(
            io::Error::other("lost every race"),
        ))
    }

    async fn write_completion(
        &self,
        changed: &Versioned<Completion>,
        version: &Version,
        tries: &[DeliveryTry],
    ) -> Result<Write, Error> {
        let event = &changed.record;
        let item = completion_item(event, version)?;
        if tries.is_empty() {
            return self.put_if(item, &changed.version).await;
        }
        let event_put = self
            .put(item)
            .condition_expression("rev = :seen")
            .expression_attribute_values(":seen", number(changed.version.rev))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut puts = vec![event_put.build()];
        for attempt in tries {
            puts.push(self.put(try_item(event, attempt)?).build());
        }
        self.transact(puts, &version.write_id).await
    }
}

fn is_due(one: &Subscription, now: Timestamp) -> bool {
    one.delivery == Delivery::Pending && one.not_before <= now
}

fn try_item(event: &Completion, attempt: &DeliveryTry) -> Result<Item, Error> {
    let mut item: Item = to_item(attempt, "a delivery")?;
    let number_of = attempt.number;
    item.extend(key(
        event.job_id,
        match attempt.to {
            Subscriber::Callback(_) => format!("TRY#{number_of:06}"),
            Subscriber::Bus(_) => format!("TRY#BUS#{number_of:06}"),
        },
    ));
    item.insert("ttl".to_owned(), number(event.expires_at.seconds()));
    Ok(item)
}
