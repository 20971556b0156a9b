//! Looking at jobs.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jobs::{Filter, Status};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::body::{JobPath, Parameters};
use crate::codes::Code;
use crate::wire::JobView;
use crate::{Api, Problem, TENANT};

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only those in this status.
    status: Option<String>,
    /// Only those of this type.
    #[serde(rename = "type")]
    job_type: Option<String>,
    /// 1 to 100, default 20.
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A page of jobs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    jobs: Vec<JobView>,
    /// The cursor of the next page; null at the end.
    next: Option<String>,
}

/// List jobs, newest first.
#[utoipa::path(get, path = "/jobs", operation_id = "jobs", params(ListQuery),
    responses((status = 200, body = JobPage), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Parameters(query): Parameters<ListQuery>,
) -> Result<Json<JobPage>, Problem> {
    let filter = Filter {
        status: query.status.as_deref().map(parse_status).transpose()?,
        job_type: query.job_type,
    };
    if let Some(name) = &filter.job_type {
        api.registry.get(name)?;
    }
    let limit = query.limit.unwrap_or(20);
    if !(1..=100).contains(&limit) {
        return Err(Problem::bad_request(Code::InvalidLimit, "limit", "a limit is 1 to 100"));
    }
    let cursor = query.cursor.map(|cursor| cursor.parse()).transpose();
    let cursor = cursor.map_err(|_| Problem::from(jobs::Error::BadCursor))?;
    let page = api.clients.store.list(TENANT, &filter, limit as usize, cursor).await?;
    Ok(Json(JobPage {
        jobs: page.jobs.into_iter().map(JobView::from).collect(),
        next: page.next.map(|id| id.to_string()),
    }))
}

fn parse_status(text: &str) -> Result<Status, Problem> {
    text.parse().map_err(|()| {
        let known = Status::ALL.map(Status::as_str).join(", ");
        Problem::bad_request(Code::InvalidStatus, "status", format!("known are {known}"))
    })
}

/// Look at a job.
#[utoipa::path(get, path = "/jobs/{id}", operation_id = "job", params(("id" = String, Path, description = "The job's UUID")),
    responses((status = 200, body = JobView, headers(("ETag" = String))), (status = 304, description = "Not modified since If-None-Match"),
              (status = 400, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn get(State(api): State<Api>, JobPath(id): JobPath, headers: HeaderMap) -> Result<Response, Problem> {
    let job = api.clients.store.get(id).await?;
    let ended = job.state.status.is_terminal();
    let body = serde_json::to_vec(&JobView::from(job)).unwrap_or_default();
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..12]));
    let mut answer = if not_modified(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (json_type(), body).into_response()
    };
    let out = answer.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    if !ended {
        out.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Ok(answer)
}

fn json_type() -> [(HeaderName, HeaderValue); 1] {
    [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]
}

fn not_modified(headers: &HeaderMap, tag: &str) -> bool {
    let seen = headers.get(header::IF_NONE_MATCH);
    seen.and_then(|value| value.to_str().ok()).is_some_and(|seen| {
        seen.split(',')
            .map(|one| one.trim().trim_start_matches("W/"))
            .any(|one| one == tag || one == "*")
    })
}
