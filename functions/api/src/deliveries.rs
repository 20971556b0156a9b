//! Attempts to call back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jobs::{Completion, Delivery, DeliveryTry, Error, JobId, Store, Subscription, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::JobPath;
use crate::codes::Code;
use crate::{Api, Problem};

/// How a completion event stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deliveries {
    /// The identity that every delivery carries; null while the job has not ended.
    event_id: Option<String>,
    /// `job.succeeded`, `job.failed` or `job.revoked`.
    event_type: Option<String>,
    /// The `callback_url`, with `{job_id}` filled in.
    url: Option<String>,
    /// `none`, `pending`, `delivered` or `dead`; null while the job has not ended. Over all subscribers: `pending` while
    /// one is, then `dead` if one is.
    delivery: Option<&'static str>,
    /// When the next attempt is due, RFC 3339; null where there is none, or one is under way.
    next_attempt_at: Option<String>,
    /// Why it is `dead`.
    reason: Option<String>,
    /// Whom the event is for, each with a state of its own.
    subscribers: Vec<SubscriberView>,
    /// Oldest first.
    attempts: Vec<Attempt>,
}

/// How the event stands with one subscriber.
#[derive(Debug, Serialize, ToSchema)]
struct SubscriberView {
    /// The URL, or `eventbridge:` and the bus.
    to: String,
    /// `pending`, `delivered` or `dead`.
    delivery: &'static str,
    /// When the next attempt is due, RFC 3339; null where there is none, or one is under way.
    next_attempt_at: Option<String>,
    /// Why it is `dead`.
    reason: Option<String>,
}

/// One attempt.
#[derive(Debug, Serialize, ToSchema)]
struct Attempt {
    /// Counts from 1 for each subscriber.
    number: u32,
    /// The URL, or `eventbridge:` and the bus.
    to: String,
    /// When it began, RFC 3339.
    at: String,
    /// `under_way`, `delivered`, `failed`, or `unknown` if whoever made it died before its end: the subscriber may have
    /// the event.
    outcome: &'static str,
    /// Milliseconds; null while it is under way, or if its outcome is unknown.
    elapsed_ms: Option<u64>,
    /// The receiver's HTTP status.
    status: Option<u16>,
    /// Why there was no answer.
    error: Option<String>,
}

/// Every attempt to call back.
#[utoipa::path(get, path = "/jobs/{id}/deliveries", operation_id = "deliveries", params(("id" = String, Path, description = "The job's UUID")),
    responses((status = 200, body = Deliveries), (status = 400, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn list(State(api): State<Api>, JobPath(id): JobPath) -> Result<Json<Deliveries>, Problem> {
    view(&api, id).await.map(Json)
}

/// Deliver the event of a job again, with the same id, to all its subscribers.
#[utoipa::path(post, path = "/jobs/{id}/deliveries/replay", operation_id = "replay", params(("id" = String, Path, description = "The job's UUID")),
    responses((status = 202, body = Deliveries), (status = 400, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "There is nothing to deliver"), (status = 503, body = Problem)))]
pub(crate) async fn replay(
    State(api): State<Api>,
    JobPath(id): JobPath,
) -> Result<(StatusCode, Json<Deliveries>), Problem> {
    let store = &api.clients.store;
    store.get(id).await?;
    let completion = store.completion(id).await?;
    if completion.is_none_or(|completion| completion.subscriptions.is_empty()) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            Code::NothingToDeliver,
            "only a job that has ended, and of which somebody is to be told, has an event to deliver",
        ));
    }
    store.replay(id).await?;
    if let Err(error) = api.clients.callbacks.send(id, 0).await {
        tracing::warn!(job_id = %id, error = error.with_causes(), "left to the sweeper");
    }
    Ok((StatusCode::ACCEPTED, Json(view(&api, id).await?)))
}

async fn view(api: &Api, id: JobId) -> Result<Deliveries, Problem> {
    let store = &api.clients.store;
    let job = store.get(id).await?;
    let (completion, tries) = consistent(store, id).await?;
    let now = store.clock().now();
    let subscribers = completion.as_ref().map_or(&[][..], |event| &event.subscriptions);
    let next = subscribers
        .iter()
        .filter_map(|one| next_attempt(one, &tries, now))
        .min();
    let is_dead = completion
        .as_ref()
        .is_some_and(|event| event.delivery() == Delivery::Dead);
    Ok(Deliveries {
        event_id: completion.as_ref().map(|event| event.event_id.clone()),
        event_type: completion.as_ref().map(|event| event.event_type.clone()),
        url: job.callback(),
        delivery: completion.as_ref().map(|event| word(event.delivery())),
        next_attempt_at: next.map(|at| at.to_string()),
        reason: is_dead
            .then(|| subscribers.iter().find_map(|one| one.reason.clone()))
            .flatten(),
        subscribers: subscribers
            .iter()
            .map(|one| SubscriberView {
                to: one.to.to_string(),
                delivery: word(one.delivery),
                next_attempt_at: next_attempt(one, &tries, now).map(|at| at.to_string()),
                reason: one.reason.clone(),
            })
            .collect(),
        attempts: tries.into_iter().map(|attempt| Attempt::new(attempt, now)).collect(),
    })
}

/// The event and its attempts, as they were at one moment, unless they change again and again: then all attempts that
/// the event knows of.
async fn consistent(store: &Store, id: JobId) -> Result<(Option<Completion>, Vec<DeliveryTry>), Error> {
    const LOOKS: usize = 3;
    let mut completion = store.completion(id).await?;
    for _ in 1..LOOKS {
        let tries = store.delivery_tries(id).await?;
        let then = store.completion(id).await?;
        if then == completion {
            return Ok((completion, tries));
        }
        completion = then;
    }
    let tries = store.delivery_tries(id).await?;
    Ok((completion, tries))
}

fn next_attempt(one: &Subscription, tries: &[DeliveryTry], now: Timestamp) -> Option<Timestamp> {
    let is_last = |attempt: &&DeliveryTry| attempt.to == one.to && attempt.number == one.tries;
    let last = tries.iter().find(is_last);
    let under_way = one.not_before > now && last.is_some_and(|last| last.until == one.not_before);
    (one.delivery == Delivery::Pending && !under_way).then_some(one.not_before)
}

const fn word(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::None => "none",
        Delivery::Pending => "pending",
        Delivery::Delivered => "delivered",
        Delivery::Dead => "dead",
    }
}

impl Attempt {
    fn new(attempt: DeliveryTry, now: Timestamp) -> Self {
        let outcome = match &attempt.end {
            Some(end) if end.delivered => "delivered",
            Some(_) => "failed",
            None if attempt.until > now => "under_way",
            None => "unknown",
        };
        let (elapsed_ms, status, error) = match attempt.end {
            Some(end) => (Some(end.elapsed_ms), end.status, end.error),
            None => (None, None, None),
        };
        Self {
            number: attempt.number,
            to: attempt.to.to_string(),
            at: attempt.at.to_string(),
            outcome,
            elapsed_ms,
            status,
            error,
        }
    }
}
