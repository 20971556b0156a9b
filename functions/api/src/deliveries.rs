//! Attempts to call back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jobs::{Completion, Delivery, DeliveryTry, JobId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::JobPath;
use crate::{Api, Problem};

/// How a completion event stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deliveries {
    /// The identity that every delivery carries; null while the job has not ended.
    event_id: Option<String>,
    /// `job.succeeded`, `job.failed` or `job.revoked`.
    event_type: Option<String>,
    /// Where to.
    url: Option<String>,
    /// `none`, `pending`, `delivered` or `dead`; null while the job has not ended.
    delivery: Option<&'static str>,
    /// Oldest first.
    attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Debug, Serialize, ToSchema)]
struct Attempt {
    /// Counts from 1.
    number: u32,
    /// RFC 3339.
    at: String,
    /// Milliseconds.
    elapsed_ms: u64,
    /// The receiver's HTTP status.
    status: Option<u16>,
    /// Why there was no answer.
    error: Option<String>,
}

/// Every attempt to call back.
#[utoipa::path(get, path = "/jobs/{id}/deliveries", params(("id" = String, Path, description = "The job's UUID")),
    responses((status = 200, body = Deliveries), (status = 400, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn list(State(api): State<Api>, JobPath(id): JobPath) -> Result<Json<Deliveries>, Problem> {
    view(&api, id).await.map(Json)
}

/// Deliver the event of a job again, with the same id.
#[utoipa::path(post, path = "/jobs/{id}/deliveries/replay", params(("id" = String, Path, description = "The job's UUID")),
    responses((status = 202, body = Deliveries), (status = 400, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "There is nothing to deliver"), (status = 503, body = Problem)))]
pub(crate) async fn replay(
    State(api): State<Api>,
    JobPath(id): JobPath,
) -> Result<(StatusCode, Json<Deliveries>), Problem> {
    let job = api.clients.store.get(id).await?;
    if job.callback_url.is_none() || !job.state.status.is_terminal() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "nothing_to_deliver",
            "only a job that has a callback_url and has ended has an event to deliver",
        ));
    }
    api.clients.store.replay(id).await?;
    if let Err(error) = api.clients.callbacks.send(id, 0).await {
        tracing::warn!(job_id = %id, error = error.with_causes(), "left to the sweeper");
    }
    Ok((StatusCode::ACCEPTED, Json(view(&api, id).await?)))
}

async fn view(api: &Api, id: JobId) -> Result<Deliveries, Problem> {
    let job = api.clients.store.get(id).await?;
    let completion = api.clients.store.completion(id).await?;
    let tries = api.clients.store.delivery_tries(id).await?;
    let of = |read: fn(&Completion) -> String| completion.as_ref().map(read);
    Ok(Deliveries {
        event_id: of(|completion| completion.event_id.clone()),
        event_type: of(|completion| completion.event_type.clone()),
        url: completion
            .as_ref()
            .map_or(job.callback_url, |completion| completion.url.clone()),
        delivery: completion.as_ref().map(|completion| word(completion.delivery)),
        attempts: tries.into_iter().map(Attempt::from).collect(),
    })
}

const fn word(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::None => "none",
        Delivery::Pending => "pending",
        Delivery::Delivered => "delivered",
        Delivery::Dead => "dead",
    }
}

impl From<DeliveryTry> for Attempt {
    fn from(attempt: DeliveryTry) -> Self {
        Self {
            number: attempt.number,
            at: attempt.at.to_string(),
            elapsed_ms: attempt.elapsed_ms,
            status: attempt.status,
            error: attempt.error,
        }
    }
}
