//! Claiming a job.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::{Seen, Store};
use crate::item::{Item, JOB, Version, key, mark_due, number, to_item, versioned};
use crate::protocol::{self, Event, State};
use crate::{Error, JobId};

impl Store {
    /// Applies [`Event::Claim`] to the job. Mostly nobody touched it since it was accepted, and what a claim makes of such
    /// a job is known beforehand: one write on that condition, which hands the record back. Otherwise as
    /// [`Store::change`]. When this returns, the claim is durable.
    ///
    /// # Errors
    ///
    /// As [`Store::change`].
    pub async fn claim(&self, id: JobId) -> Result<Seen, Error> {
        let now = self.clock.now();
        // When it was accepted leaves no trace in what a claim makes of it.
        let state = protocol::apply(&State::accepted(now, &self.limits), &Event::Claim, now, &self.limits)?;
        let untouched = Version::first();
        let version = untouched.next();
        let mut changes: Item = to_item(&version, "a version")?;
        mark_due(&mut changes, id, state.due_at);
        changes.extend(to_item(&Changed { state }, "a job")?);
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(id, JOB)))
            .condition_expression("#rev = :seen AND #state.#before <= :now AND attribute_not_exists(#state.#committed)")
            .expression_attribute_names("#before", "not_before")
            .expression_attribute_names("#committed", "committed")
            .expression_attribute_values(":seen", number(untouched.rev))
            .expression_attribute_values(":now", number(now.ms()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut sets = Vec::with_capacity(changes.len());
        for (name, value) in changes {
            sets.push(format!("#{name} = :{name}"));
            update = update
                .expression_attribute_values(format!(":{name}"), value)
                .expression_attribute_names(format!("#{name}"), name);
        }
        let found = match update
            .update_expression(format!("SET {}", sets.join(", ")))
            .send()
            .await
        {
            Ok(written) => written.attributes,
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                UpdateItemError::ConditionalCheckFailedException(lost) => lost.item,
                UpdateItemError::TransactionConflictException(_) => None,
                other => return Err(Error::unavailable("claim a job")(other)),
            },
            Err(other) => return Err(Error::unavailable("claim a job")(other)),
        };
        let current = match found {
            Some(item) => versioned(item, "a job")?,
            None => self.read(id).await?,
        };
        let is_mine = current.version.write_id == version.write_id;
        let current = Seen(current);
        if is_mine {
            return Ok(current);
        }
        self.change_seen(&current, &Event::Claim).await
    }
}

/// What a claim changes of a record, beside its version and when it is due.
#[derive(serde::Serialize)]
struct Changed {
    state: State,
}
