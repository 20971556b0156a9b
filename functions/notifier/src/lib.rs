//! The notifier: each message of the queue of callbacks names one job whose completion event is to be delivered.
//!
//! Delivery is at least once, always with the same event id. Every attempt is recorded; a failed one is tried again on
//! the schedule of [`webhooks::retry_after_ms`], and then listed as dead until somebody replays it.

use std::time::Instant;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use jobs::{Clients, Completion, Delivery, DeliveryTry, Error, Job, JobId, Message};
use serde_json::json;
use tracing::Instrument;
use webhooks::{Answer, Deliverer, Request, Secret};

/// While an attempt is made, nobody makes another: longer than the longest attempt.
const HOLD_MS: i64 = 30_000;

/// Everything a notifier needs, made once at start.
#[derive(Debug, Clone)]
pub struct Notifier {
    clients: Clients,
    deliverer: Deliverer,
    secret: Secret,
}

impl Notifier {
    /// A notifier that signs with `secret`.
    #[must_use]
    pub const fn new(clients: Clients, deliverer: Deliverer, secret: Secret) -> Self {
        Self {
            clients,
            deliverer,
            secret,
        }
    }

    /// Handles a batch of messages; answers with those that should come again.
    pub async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            if let Err(error) = self.handle_one(&message).await {
                let message_id = message.message_id.unwrap_or_default();
                tracing::error!(message_id, error, "message should come again");
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = message_id;
                response.batch_item_failures.push(failure);
            }
        }
        response
    }

    async fn handle_one(&self, message: &SqsMessage) -> Result<(), String> {
        let body = message.body.as_deref().unwrap_or_default();
        let Message { job_id } = serde_json::from_str(body).map_err(|error| format!("read a message: {error}"))?;
        let notified = self.notify(job_id).instrument(tracing::info_span!("job", %job_id));
        notified.await.map_err(|error| error.with_causes())
    }

    /// Makes one attempt to deliver the event of a job, if it is still to be delivered.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: the attempt may have been made without being recorded, and will be made again.
    pub async fn notify(&self, id: JobId) -> Result<(), Error> {
        let store = &self.clients.store;
        let Some(completion) = store.begin_try(id, HOLD_MS).await? else {
            return Ok(());
        };
        let Some(url) = completion.url.clone() else {
            return Ok(());
        };
        let job = store.get(id).await?;
        let at = store.clock().now();
        let body = body(&job, &completion);
        let started = Instant::now();
        let answer = self
            .deliverer
            .deliver(&Request {
                url: &url,
                event_id: &completion.event_id,
                timestamp_s: at.seconds(),
                body: body.as_bytes(),
                secret: &self.secret,
            })
            .await;
        let (status, error) = match &answer {
            Answer::Status(status) => (Some(*status), None),
            Answer::Failed(reason) => (None, Some(reason.clone())),
        };
        let attempt = DeliveryTry {
            number: completion.tries,
            at,
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            status,
            error,
        };
        let wait = webhooks::retry_after_ms(completion.round);
        let (delivery, wait) = match (answer.is_success(), answer.is_gone(), wait) {
            (true, _, _) => (Delivery::Delivered, None),
            (false, true, _) | (false, false, None) => (Delivery::Dead, None),
            (false, false, Some(wait)) => (Delivery::Pending, Some(wait)),
        };
        tracing::info!(number = attempt.number, ?status, ?delivery, "tried to deliver");
        let retry_at = wait.map(|wait| store.clock().now().plus_ms(wait));
        store.record_try(&completion, &attempt, delivery, retry_at).await?;
        Ok(())
    }
}

/// The event as it is sent. The report links are paths of the API, which asks who is there.
fn body(job: &Job, completion: &Completion) -> String {
    let outcome = job.state.outcome.as_ref();
    let reports: Vec<_> = outcome
        .map(|outcome| outcome.reports.iter())
        .into_iter()
        .flatten()
        .map(|report| json!({"name": report.name, "size": report.size, "sha256": report.sha256}))
        .collect();
    json!({
        "type": completion.event_type,
        "timestamp": completion.occurred_at.to_string(),
        "data": {
            "job_id": job.id,
            "type": job.job_type,
            "status": job.state.status,
            "attempt": job.state.attempt,
            "created_at": job.created_at.to_string(),
            "finished_at": completion.occurred_at.to_string(),
            "error": job.state.error,
            "reports": reports,
        },
    })
    .to_string()
}
