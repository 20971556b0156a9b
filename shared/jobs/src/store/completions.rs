//! Completion events and the attempts to deliver them.

use super::{Store, Write, completion_item};
use crate::item::{EVENT, Item, Versioned, from_item, key, number, text, to_item, versioned};
use crate::{Completion, Delivery, DeliveryTry, Error, JobId, Timestamp};

impl Store {
    /// The completion event of a job; absent while it has not ended.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn completion(&self, id: JobId) -> Result<Option<Completion>, Error> {
        Ok(self.read_completion(id).await?.map(|seen| seen.record))
    }

    /// Every attempt to deliver the event of a job, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn delivery_tries(&self, id: JobId) -> Result<Vec<DeliveryTry>, Error> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :job AND begins_with(sk, :try)")
            .expression_attribute_values(":job", text(crate::item::job_pk(id)))
            .expression_attribute_values(":try", text("TRY#"))
            .consistent_read(true)
            .send()
            .await
            .map_err(Error::unavailable("list deliveries"))?;
        let items = found.items.unwrap_or_default();
        items.into_iter().map(|item| from_item(item, "a delivery")).collect()
    }

    /// Begins an attempt, if one is due: for `hold_ms` nobody else begins another. Gives the event, its `tries` counting
    /// this attempt.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn begin_try(&self, id: JobId, hold_ms: i64) -> Result<Option<Completion>, Error> {
        let now = self.clock.now();
        let begun = self
            .change_completion(id, |completion| {
                if completion.delivery != Delivery::Pending || completion.not_before > now {
                    return false;
                }
                completion.tries += 1;
                completion.not_before = now.plus_ms(hold_ms);
                completion.due_at = Some(completion.not_before);
                true
            })
            .await;
        match begun {
            Err(Error::NotFound(_)) => Ok(None),
            begun => begun,
        }
    }

    /// Records an attempt: the attempt itself first, then how the event stands after it. `retry_at` is when the next
    /// attempt is due, where there is one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the job has no event, or [`Error::Unavailable`].
    pub async fn record_try(
        &self,
        event: &Completion,
        attempt: &DeliveryTry,
        delivery: Delivery,
        retry_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.write_try(event, attempt).await?;
        self.change_completion(event.job_id, |completion| {
            // An attempt that was under way when another succeeded does not undo that, nor does it undo a replay.
            if completion.delivery != Delivery::Pending || completion.tries != attempt.number {
                return false;
            }
            completion.round += 1;
            completion.delivery = delivery;
            completion.due_at = retry_at;
            completion.not_before = retry_at.unwrap_or(completion.not_before);
            true
        })
        .await?;
        Ok(())
    }

    /// Puts the next look of the sweeper off until `at`. A change in between is left as it is.
    ///
    /// # Errors
    ///
    /// As [`Store::record_try`].
    pub async fn postpone_completion(&self, id: JobId, at: Timestamp) -> Result<(), Error> {
        self.change_completion(id, |completion| {
            completion.due_at = completion.due_at.map(|due| due.max(at));
            true
        })
        .await?;
        Ok(())
    }

    /// Makes the event deliverable anew, with the same identity, from the start of the retry schedule.
    ///
    /// # Errors
    ///
    /// As [`Store::record_try`].
    pub async fn replay(&self, id: JobId) -> Result<(), Error> {
        let now = self.clock.now();
        self.change_completion(id, |completion| {
            completion.delivery = Delivery::Pending;
            completion.round = 0;
            completion.due_at = Some(now);
            completion.not_before = now;
            completion.url.is_some()
        })
        .await?;
        Ok(())
    }

    async fn read_completion(&self, id: JobId) -> Result<Option<Versioned<Completion>>, Error> {
        let Some(item) = self.read_item(key(id, EVENT)).await? else {
            return Ok(None);
        };
        let due_at = due_at(&item);
        let mut seen: Versioned<Completion> = versioned(item, "a completion event")?;
        seen.record.due_at = due_at;
        Ok(Some(seen))
    }

    /// Changes an event as `change` says, unless that says no. Gives the event as it is then.
    async fn change_completion(
        &self,
        id: JobId,
        change: impl Fn(&mut Completion) -> bool,
    ) -> Result<Option<Completion>, Error> {
        for _ in 0..super::RACES {
            let mut seen = self.read_completion(id).await?.ok_or(Error::NotFound(id))?;
            if !change(&mut seen.record) {
                return Ok(None);
            }
            let item = completion_item(&seen.record, &seen.version.next())?;
            if let Write::Done = self.put_if(item, &seen.version).await? {
                return Ok(Some(seen.record));
            }
        }
        Err(Error::unavailable("change an event that others keep changing")(
            std::io::Error::other("lost every race"),
        ))
    }

    async fn write_try(&self, event: &Completion, attempt: &DeliveryTry) -> Result<(), Error> {
        let mut item: Item = to_item(attempt, "a delivery")?;
        item.extend(key(event.job_id, format!("TRY#{:06}", attempt.number)));
        let ttl = event.expires_at.seconds();
        item.insert("ttl".to_owned(), number(ttl));
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(Error::unavailable("record a delivery"))?;
        Ok(())
    }
}

fn due_at(item: &Item) -> Option<Timestamp> {
    let ms = item.get("due_at")?.as_n().ok()?.parse().ok()?;
    Some(Timestamp::from_ms(ms))
}
