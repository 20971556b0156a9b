//! DynamoDB: the engine `dynoxide` on a SQLite file, behind our own listener.
//!
//! Its own server checks no signatures and can only be reached through a port of its own, so requests are dispatched
//! to its library in this process instead. The library blocks, one request at a time, so it runs on the blocking
//! threads, a few at once: the reading and writing of JSON overlaps with another request's commit.
//!
//! **Durable** is what was answered: the file is in WAL mode with SQLite's default `synchronous = FULL`. The memory
//! of `ClientRequestToken` ([`tokens`]) does not outlive the process.

mod tokens;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, watch};

use super::clock::Clock;
use super::json;
use tokens::Tokens;

/// The longest request that AWS reads.
pub(crate) const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Requests that are worked on at once.
const AT_ONCE: u32 = 4;

/// How often expired items are removed; AWS promises a few days.
const SWEEP: Duration = Duration::from_secs(300);

/// The database until it is closed.
pub(crate) struct Service {
    database: Mutex<Option<Database>>,
    tokens: Arc<Tokens>,
    turns: Arc<Semaphore>,
}

impl Service {
    /// Opens the file at `path`, or makes it. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// What the engine says of a file that it cannot use.
    pub(crate) fn open(path: &Path) -> Result<Self, DynoxideError> {
        let path = path
            .to_str()
            .ok_or_else(|| DynoxideError::InternalServerError(format!("the path {} is not UTF-8", path.display())))?;
        Ok(Self {
            database: Mutex::new(Some(Database::new(path)?)),
            tokens: Arc::new(Tokens::new(Clock::System)),
            turns: Arc::new(Semaphore::new(AT_ONCE as usize)),
        })
    }

    /// Waits for the requests under way, then closes the file.
    pub(crate) async fn close(&self) {
        let database = self.slot().take();
        // Every request holds a turn for as long as it holds the database.
        let turns = self.turns.acquire_many(AT_ONCE).await;
        drop(turns);
        drop(tokio::task::spawn_blocking(move || drop(database)).await);
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Database>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` with the database on a blocking thread. `None` if it has been closed.
    ///
    /// The turn travels with the work: a caller that goes away does not free it early.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Database) -> T + Send + 'static) -> Option<T> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let database = self.slot().clone()?;
        let task = tokio::task::spawn_blocking(move || {
            let done = work(&database);
            drop((database, turn));
            done
        });
        task.await.ok()
    }

    /// Removes expired items now and then, until `stop`.
    pub(crate) async fn sweep(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(SWEEP) => {}
            }
            match self.run(Database::sweep_ttl).await {
                Some(Err(error)) => tracing::warn!(%error, "expired items could not be removed"),
                Some(Ok(items)) => tracing::debug!(items, "removed expired items"),
                None => return,
            }
        }
    }
}

/// The protocol's one route.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new().fallback(handle).with_state(service)
}

async fn handle(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    let services = ["DynamoDB_20120810", "DynamoDBStreams_20120810"];
    let Some(operation) = json::operation(&headers, &services).map(str::to_owned) else {
        return json::unknown_operation().into_response();
    };
    let tokens = Arc::clone(&service.tokens);
    let run = move |database: &Database| execute(database, &tokens, &operation, &body);
    let Some(outcome) = service.run(run).await else {
        return internal("the engine is not running").into_response();
    };
    match outcome {
        None => json::unknown_operation().into_response(),
        Some(Ok(answer)) => json::answer(StatusCode::OK, answer),
        Some(Err(error)) => {
            let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            if status.is_server_error() {
                tracing::error!(%error, "a DynamoDB operation failed");
            }
            json::answer(status, error.to_json())
        }
    }
}

fn internal(message: &str) -> json::Failure {
    json::Failure {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        shape: "com.amazonaws.dynamodb.v20120810#InternalServerError".into(),
        query_code: None,
        message: message.into(),
    }
}

type Outcome = Result<String, DynoxideError>;

/// Runs one operation. `None` if there is none of that name.
fn execute(database: &Database, tokens: &Tokens, operation: &str, body: &[u8]) -> Option<Outcome> {
    Some(match operation {
        "CreateTable" => call(body, |request| database.create_table(request)),
        "DeleteTable" => call(body, |request| database.delete_table(request)),
        "DescribeTable" => call(body, |request| database.describe_table(request)),
        "UpdateTable" => call(body, |request| database.update_table(request)),
        "ListTables" => call(body, |request| database.list_tables(request)),
        "UpdateTimeToLive" => call(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => call(body, |request| database.describe_time_to_live(request)),
        "PutItem" => call(body, |request| database.put_item(request)),
        "GetItem" => call(body, |request| database.get_item(request)),
        "UpdateItem" => call(body, |request| database.update_item(request)),
        "DeleteItem" => call(body, |request| database.delete_item(request)),
        "Query" => call(body, |request| database.query(request)),
        "Scan" => call(body, |request| database.scan(request)),
        "BatchGetItem" => call(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => call(body, |request| database.batch_write_item(request)),
        "TransactGetItems" => call(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => transact(database, tokens, body),
        "ListStreams" => call(body, |request| database.list_streams(request)),
        "DescribeStream" => call(body, |request| database.describe_stream(request)),
        "GetShardIterator" => call(body, |request| database.get_shard_iterator(request)),
        "GetRecords" => call(body, |request| database.get_records(request)),
        _ => return None,
    })
}

fn call<Q: DeserializeOwned, A: Serialize>(body: &[u8], run: impl FnOnce(Q) -> dynoxide::Result<A>) -> Outcome {
    let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    told(&run(request)?)
}

/// A transaction under its token: the library remembers tokens too, but looks at all of them in every call, and lets no
/// two transactions run at once.
fn transact(database: &Database, tokens: &Tokens, body: &[u8]) -> Outcome {
    let mut request: TransactWriteItemsRequest = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    match request.client_request_token.take_if(|token| tokens::is_fit(token)) {
        Some(token) => tokens.once(&token, body, || told(&database.transact_write_items(request)?)),
        // One that is not fit is refused there.
        None => told(&database.transact_write_items(request)?),
    }
}

fn told(answer: &impl Serialize) -> Outcome {
    serde_json::to_string(answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// The error for a request that is not what its operation takes.
///
/// The engine's own types mark in the text of such an error which of the two classes it belongs to.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    // serde_json adds where it stopped, which means nothing to a caller that did not write the JSON by hand.
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    for mark in ["VALIDATION:", "VALIDATION_REQUEST:", "VALIDATION_AS_READ:"] {
        if let Some(message) = text.strip_prefix(mark) {
            return DynoxideError::ValidationException(message.to_owned());
        }
    }
    for mark in ["SERIALIZATION:", "SERIALIZATION_AS_READ:"] {
        if let Some(message) = text.strip_prefix(mark) {
            return DynoxideError::SerializationException(message.to_owned());
        }
    }
    let validation = [
        "missing field",
        "unknown variant",
        "invalid type: null",
        "AttributeValue",
    ];
    if validation.iter().any(|part| text.contains(part)) {
        DynoxideError::ValidationException(text.to_owned())
    } else {
        DynoxideError::SerializationException(text.to_owned())
    }
}
