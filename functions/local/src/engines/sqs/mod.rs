//! A small SQS: standard queues in one SQLite file, spoken to in awsJson1_0.
//!
//! Delivery is at least once, as on AWS: a message stays until it is deleted with the handle of its latest receive.
//! Long polls wake at a send, at a change of visibility, and at the moment a hidden message becomes visible.
//!
//! **Left out:** FIFO queues, message system attributes, tags, permissions, server-side encryption, dead-letter
//! redrive tasks; a request for one is refused, not ignored.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use tokio::sync::{Notify, watch};

use super::clock::Clock;
use super::json;
use super::sqlite::{self, Database};

mod actions;
mod attributes;
mod batch;
mod error;
mod message_actions;
mod message_attributes;
mod messages;
mod queues;
mod receipt;
#[cfg(test)]
mod tests;
mod wire;

/// The account in URLs and ARNs of queues.
const ACCOUNT: &str = "000000000000";

/// The longest request that is read: ten messages that fill 1 MiB, with every byte escaped in the JSON.
pub(crate) const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// The queues and those who wait for them.
pub(crate) struct Service {
    database: Database,
    clock: Clock,
    /// The address that queue URLs start with.
    url: String,
    region: String,
    /// What received messages give as their sender.
    sender: String,
    /// Wakes the long polls after every change that could give them a message or move the next one's time.
    changed: Changes,
    /// Ends the long polls.
    stop: watch::Receiver<bool>,
}

/// Who is to be woken, by queue.
#[derive(Default)]
struct Changes {
    queues: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Changes {
    /// Wakes who waits for messages of `queue`.
    fn notify(&self, queue: &str) {
        if let Some(waiting) = self.lock().get(queue) {
            waiting.notify_waiters();
        }
    }

    fn notify_all(&self) {
        let mut queues = self.lock();
        // Who waits has the other half.
        queues.retain(|_, waiting| Arc::strong_count(waiting) > 1);
        queues.values().for_each(|waiting| waiting.notify_waiters());
    }

    fn of(&self, queue: &str) -> Arc<Notify> {
        let mut queues = self.lock();
        if let Some(waiting) = queues.get(queue) {
            return Arc::clone(waiting);
        }
        Arc::clone(queues.entry(queue.to_owned()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a [`Service`] is started with, beside its file.
pub(crate) struct Options {
    pub(crate) url: String,
    pub(crate) region: String,
    pub(crate) sender: String,
    pub(crate) clock: Clock,
    /// Becomes true when the service has to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Service {
    /// Opens the queues in the file at `path`, or makes it. Blocks on the disk.
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, sqlite::Error> {
        Ok(Self {
            database: Database::open(path, queues::SCHEMA)?,
            clock: options.clock,
            url: options.url,
            region: options.region,
            sender: options.sender,
            changed: Changes::default(),
            stop: options.stop,
        })
    }

    /// Whether polls have to end: told so, or nobody is left who could tell.
    fn is_stopping(&self) -> bool {
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    /// Closes the file. Blocks on the disk.
    pub(crate) fn close(&self) {
        self.database.close();
    }
}

/// The protocol's one route.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new().fallback(handle).with_state(service)
}

async fn handle(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(operation) = json::operation(&headers, &["AmazonSQS"]) else {
        return json::unknown_operation().into_response();
    };
    match actions::run(&service, operation, &body).await {
        Ok(answer) => json::answer(StatusCode::OK, answer.to_string()),
        Err(error) => {
            tracing::debug!(operation, %error, "refused");
            error.into_failure().into_response()
        }
    }
}
