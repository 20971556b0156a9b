//! The files of a job.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::body::{NamedPath, Parameters};
use crate::codes::Code;
use crate::{Api, Problem};

/// What the caller does with it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportQuery {
    /// Whether a browser shows the file rather than saves it; `false` by default.
    open: Option<bool>,
}

const LIFETIME: Duration = Duration::from_secs(900);

/// Get a file of a job: a redirect to a signed URL that lives 15 minutes.
#[utoipa::path(get, path = "/jobs/{id}/reports/{name}", operation_id = "report",
    params(("id" = String, Path, description = "The job's UUID"),
           ("name" = String, Path, description = "Such as result.csv", example = "result.csv"), ReportQuery),
    responses((status = 302, description = "Where the file is", headers(("Location" = String))), (status = 400, body = Problem),
              (status = 404, body = Problem), (status = 410, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Api>,
    NamedPath(id, name): NamedPath,
    Parameters(query): Parameters<ReportQuery>,
) -> Result<(StatusCode, [(HeaderName, String); 2]), Problem> {
    let job = api.clients.store.get(id).await?;
    let reports = job.state.outcome.as_ref().map_or(&[][..], |outcome| &outcome.reports);
    let Some(report) = reports.iter().find(|report| report.name == name) else {
        let known: Vec<_> = reports.iter().map(|report| report.name.as_str()).collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        return Err(Problem::not_found(
            Code::ReportNotFound,
            format!(
                "the job, which is {}, has no report {name:?}; it has {known}",
                job.state.status
            ),
        ));
    };
    api.clients.materialise(&job, report).await?;
    let files = &api.clients.files;
    let signed = match query.open {
        Some(true) => files.sign_view(&report.key, &report.name, LIFETIME).await?,
        _ => files.sign_get(&report.key, &report.name, LIFETIME).await?,
    };
    let headers = [
        (header::LOCATION, signed.url),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::FOUND, headers))
}
