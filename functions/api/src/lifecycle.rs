//! Stopping a job, and trying one again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jobs::pipeline::settle;
use jobs::protocol::{Event, State as Life};
use jobs::{Job, JobId, Status};

use crate::body::JobPath;
use crate::codes::Code;
use crate::idempotency::IdempotencyKey;
use crate::submit::{Accepted, accept, answered};
use crate::wire::JobView;
use crate::{Api, Problem};

/// Stop a job. Its worker learns of it at its next write.
#[utoipa::path(post, path = "/jobs/{id}/revoke", operation_id = "revoke", params(("id" = String, Path, description = "The job's UUID")),
    responses((status = 200, body = JobView), (status = 400, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "It had ended before"), (status = 503, body = Problem)))]
pub(crate) async fn revoke(State(api): State<Api>, JobPath(id): JobPath) -> Result<Json<JobView>, Problem> {
    let seen = api.clients.store.change(id, &Event::Revoke).await?;
    settle(&api.clients, &seen).await;
    Ok(Json(seen.job().clone().into()))
}

/// Try a failed or revoked job again, as a new job that starts after the stages that the old one committed.
#[utoipa::path(post, path = "/jobs/{id}/retry", operation_id = "retry", params(("id" = String, Path, description = "The job's UUID"),
            ("Idempotency-Key" = Option<String>, Header,
             description = "The same key with the same job to retry is the same new job, for 24 hours")),
    responses((status = 202, body = JobView, headers(("Location" = String), ("Retry-After" = u32))), (status = 400, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem, description = "It did not fail"),
              (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn retry(
    State(api): State<Api>,
    JobPath(id): JobPath,
    key: IdempotencyKey,
) -> Result<Accepted, Problem> {
    let idempotency = key.promises(format!("retry {id}"));
    if let Some(answer) = answered(&api, idempotency.as_ref()).await? {
        return Ok(answer);
    }
    let old = api.clients.store.get(id).await?;
    if !matches!(old.state.status, Status::Failure | Status::Revoked) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            Code::JobNotFailed,
            format!(
                "only a FAILURE or REVOKED job is tried again; this one is {}",
                old.state.status
            ),
        ));
    }
    let stages = api.registry.get(&old.job_type)?.stages;
    let carries = |name: &str| stages.iter().any(|stage| stage.name == name && stage.carries);
    let now = api.clients.store.clock().now();
    let mut state = Life::accepted(now, api.clients.store.limits());
    state.committed = old.state.committed;
    state.committed.retain(|output| carries(&output.stage));
    let job = Job {
        id: JobId::generate(),
        retry_of: Some(old.id),
        created_at: now,
        expires_at: api.expires_at(now),
        state,
        ..old
    };
    accept(&api, job, idempotency.as_ref()).await
}
