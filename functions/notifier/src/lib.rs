//! The notifier: each message of the queue of callbacks names one job whose completion event is to be delivered.
//!
//! Delivery is at least once, always with the same event id, to each subscriber by itself: whoever asked for the job, and
//! a bus where one is set. Every attempt is recorded when it begins and when it ends; a failed one is tried again on the
//! schedule of [`webhooks::wait_ms`], and then listed as dead until somebody replays it.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop at the first surprise"))]

mod body;

use std::time::Instant;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::future::join_all;
use jobs::{
    Begun, Clients, Completion, Delivery, DeliveryTry, Error, JobId, Message, Next, Subscriber, Timestamp, TryEnd,
};
use tracing::Instrument;
use webhooks::{ATTEMPTS, Answer, Deliverer, Request, Secrets};

use body::body;

/// While an attempt is made, nobody makes another: longer than the longest attempt, and than most waits for the store
/// before it. One that waits longer may be doubled, as receivers must expect.
const HOLD_MS: i64 = 30_000;

/// A message waits this long in its queue at most; a longer wait is the sweeper's.
const LONGEST_DELAY_MS: i64 = 900_000;

/// Everything a notifier needs, made once at start.
#[derive(Debug, Clone)]
pub struct Notifier {
    clients: Clients,
    deliverer: Deliverer,
    secrets: Secrets,
}

impl Notifier {
    /// A notifier that signs with `secrets`.
    #[must_use]
    pub const fn new(clients: Clients, deliverer: Deliverer, secrets: Secrets) -> Self {
        Self {
            clients,
            deliverer,
            secrets,
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

    /// Makes one attempt with each subscriber to whom the event of a job is to be delivered now, side by side.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: an attempt may have been made whose end is not recorded. It counts, and another is made.
    pub async fn notify(&self, id: JobId) -> Result<(), Error> {
        let store = &self.clients.store;
        // Read first: what is begun counts.
        let Some(ended) = store.ended(id).await? else {
            return Ok(());
        };
        let Some(begun) = store.begin_tries(&ended, HOLD_MS, ATTEMPTS).await? else {
            return Ok(());
        };
        let body = body(&ended.job, begun.event());
        let tries = begun.tries.iter().cloned();
        let attempts = tries.map(|attempt| self.attempt(&begun, attempt, &body));
        join_all(attempts).await.into_iter().collect()
    }

    async fn attempt(&self, begun: &Begun, mut attempt: DeliveryTry, body: &str) -> Result<(), Error> {
        let store = &self.clients.store;
        let event = begun.event();
        let started = Instant::now();
        let answer = match &attempt.to {
            Subscriber::Callback(url) => self.call(url, event, &attempt, body).await,
            Subscriber::Bus(bus) => self.put(bus, event, body).await,
        };
        let (status, error) = match &answer {
            Answer::Status { status, .. } => (Some(*status), None),
            Answer::Failed(reason) => (None, Some(reason.clone())),
        };
        attempt.end = Some(TryEnd {
            delivered: answer.is_success(),
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            status,
            error,
        });
        let now = store.clock().now();
        let next = next(&answer, attempt.round, now);
        log(&attempt, status, &next);
        store.end_try(begun, &attempt, &next).await?;
        match next {
            Next::Retry(at) => self.wake(event.job_id, at.ms() - now.ms()).await,
            Next::Delivered | Next::Dead(_) => {}
        }
        Ok(())
    }

    /// Asks for another look after `wait` milliseconds, where a message can wait for so long.
    async fn wake(&self, id: JobId, wait: i64) {
        if wait > LONGEST_DELAY_MS {
            return;
        }
        if let Err(error) = self.clients.callbacks.send(id, wait).await {
            tracing::warn!(error = error.with_causes(), "left to the sweeper");
        }
    }

    async fn call(&self, url: &str, event: &Completion, attempt: &DeliveryTry, body: &str) -> Answer {
        let request = Request {
            url,
            event_id: &event.event_id,
            timestamp_s: attempt.at.seconds(),
            body: body.as_bytes(),
            secrets: &self.secrets,
        };
        self.deliverer.deliver(&request).await
    }

    async fn put(&self, name: &str, event: &Completion, body: &str) -> Answer {
        let Some(bus) = self.clients.bus.as_ref().filter(|bus| bus.name() == name) else {
            return Answer::Failed("EVENT_BUS does not name this bus any more".to_owned());
        };
        match bus.put(event, body).await {
            Ok(()) => Answer::Status {
                status: 200,
                asked_ms: None,
            },
            Err(error) => Answer::Failed(error.to_string()),
        }
    }
}

/// What follows the attempt that is the `round`-th since the last replay and ended at `now`.
fn next(answer: &Answer, round: u32, now: Timestamp) -> Next {
    if answer.is_success() {
        return Next::Delivered;
    }
    if answer.is_gone() {
        return Next::Dead("the receiver answered 410: it wants no more".to_owned());
    }
    let asked = match answer {
        Answer::Status { asked_ms, .. } => *asked_ms,
        Answer::Failed(_) => None,
    };
    match webhooks::wait_ms(round, asked) {
        Some(wait) => Next::Retry(now.plus_ms(wait)),
        None => Next::Dead(format!("{round} attempts failed")),
    }
}

/// Alarms count what is `Dead`.
fn log(attempt: &DeliveryTry, status: Option<u16>, next: &Next) {
    let delivery = match next {
        Next::Delivered => Delivery::Delivered,
        Next::Retry(_) => Delivery::Pending,
        Next::Dead(_) => Delivery::Dead,
    };
    let to = match &attempt.to {
        Subscriber::Callback(_) => "callback",
        Subscriber::Bus(_) => "bus",
    };
    tracing::info!(to, number = attempt.number, ?status, ?delivery, "tried to deliver");
}
