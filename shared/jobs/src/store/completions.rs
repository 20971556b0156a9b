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

    /// Records an attempt: the attempt itself first, then how the event stands after it. `retry_at` is when the next
    /// attempt is due, where there is one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the job has no event, or [`Error::Unavailable`].
    pub async fn record_try(
        &self,
        id: JobId,
        attempt: &DeliveryTry,
        delivery: Delivery,
        retry_at: Option<Timestamp>,
    ) -> Result<Completion, Error> {
        self.write_try(id, attempt).await?;
        self.change_completion(id, |completion| {
            completion.tries = completion.tries.max(attempt.number);
            completion.round += 1;
            // An attempt that was under way when another succeeded does not undo that.
            if completion.delivery != Delivery::Delivered {
                completion.delivery = delivery;
                completion.due_at = retry_at;
            }
        })
        .await?;
        self.completion(id).await?.ok_or(Error::NotFound(id))
    }

    /// Puts the next look of the sweeper off until `at`. A change in between is left as it is.
    ///
    /// # Errors
    ///
    /// As [`Store::record_try`].
    pub async fn postpone_completion(&self, id: JobId, at: Timestamp) -> Result<(), Error> {
        self.change_completion(id, |completion| {
            completion.due_at = completion.due_at.map(|due| due.max(at));
        })
        .await
    }

    /// Makes the event deliverable anew, with the same identity, from the start of the retry schedule.
    ///
    /// # Errors
    ///
    /// As [`Store::record_try`].
    pub async fn replay(&self, id: JobId) -> Result<Completion, Error> {
        let now = self.clock.now();
        self.change_completion(id, |completion| {
            if completion.url.is_some() {
                completion.delivery = Delivery::Pending;
                completion.round = 0;
                completion.due_at = Some(now);
            }
        })
        .await?;
        self.completion(id).await?.ok_or(Error::NotFound(id))
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

    async fn change_completion(&self, id: JobId, change: impl Fn(&mut Completion)) -> Result<(), Error> {
        for _ in 0..super::RACES {
            let mut seen = self.read_completion(id).await?.ok_or(Error::NotFound(id))?;
            change(&mut seen.record);
            let item = completion_item(&seen.record, &seen.version.next())?;
            if let Write::Done = self.put_if(item, &seen.version).await? {
                return Ok(());
            }
        }
        Err(Error::unavailable("change an event that others keep changing")(
            std::io::Error::other("lost every race"),
        ))
    }

    async fn write_try(&self, id: JobId, attempt: &DeliveryTry) -> Result<(), Error> {
        let mut item: Item = to_item(attempt, "a delivery")?;
        item.extend(key(id, format!("TRY#{:06}", attempt.number)));
        let ttl = attempt.at.plus_ms(30 * 24 * 3_600_000).seconds();
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
