//! What goes over the wire, apart from what is stored.

use jobs::{Job, JobError, Report, Status, Warning};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A job as callers see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    /// UUID.
    id: String,
    /// The job type.
    #[serde(rename = "type")]
    job_type: String,
    /// PENDING, PROGRESS, SUCCESS, FAILURE or REVOKED.
    #[schema(example = "PROGRESS")]
    status: &'static str,
    /// The current stage, or the last one.
    stage: Option<String>,
    /// 0 to 100.
    percentage: u8,
    /// How often it was started.
    attempt: u32,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    started_at: Option<String>,
    /// RFC 3339.
    finished_at: Option<String>,
    /// As given, with every default filled in.
    #[schema(value_type = Object)]
    parameters: Value,
    /// What it reads.
    input: InputView,
    /// Who is told once it ends, with `{job_id}` filled in.
    callback_url: Option<String>,
    /// The job that this one tries again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_of: Option<String>,
    /// What was found in the data.
    warnings: Vec<WarningView>,
    /// Why it failed, or why the last attempt did.
    error: Option<ErrorView>,
    /// The figures of the job.
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// The files, each whole.
    reports: Vec<ReportView>,
    /// What can be asked next.
    links: Links,
}

/// What a job reads, as far as its caller said so.
#[derive(Debug, Serialize, ToSchema)]
struct InputView {
    /// The name of the file.
    name: Option<String>,
    /// The format, where the caller insisted on one.
    format: Option<String>,
    /// The fields of the header that hold owner, owned and share, where they were named.
    columns: Option<[String; 3]>,
    /// `fraction` or `percent`, where it was said.
    unit: Option<String>,
    /// The name of the file of values, where it has one.
    values_name: Option<String>,
}

/// Something found in the data.
#[derive(Debug, Serialize, ToSchema)]
struct WarningView {
    /// A stable word.
    code: String,
    /// How often.
    count: u64,
    /// What was found and what was done.
    message: String,
    /// Some of the places.
    examples: Vec<String>,
}

/// Why a job failed.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorView {
    /// A stable word.
    code: String,
    /// A sentence.
    message: String,
    /// The line of the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    /// The field of that line.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What stood there.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// A file of a job.
#[derive(Debug, Serialize, ToSchema)]
struct ReportView {
    /// Such as `result.csv`.
    name: String,
    /// Media type.
    content_type: String,
    /// Bytes.
    size: u64,
    /// Hex.
    sha256: String,
    /// Where to get it.
    href: String,
}

/// Paths of calls on this job. Only those that make sense in its status.
#[derive(Debug, Serialize, ToSchema)]
struct Links {
    #[serde(rename = "self")]
    this: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoke: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    companies: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deliveries: Option<String>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let links = Links::of(&job);
        let callback_url = job.callback();
        let state = job.state;
        let outcome = state.outcome.unwrap_or_default();
        let id = job.id;
        Self {
            id: id.to_string(),
            job_type: job.job_type,
            status: state.status.as_str(),
            stage: state.stage,
            percentage: state.percentage.value(),
            attempt: state.attempt,
            created_at: job.created_at.to_string(),
            started_at: state.started_at.map(|at| at.to_string()),
            finished_at: state.finished_at.map(|at| at.to_string()),
            parameters: job.parameters.0,
            input: InputView {
                name: job.input.name,
                format: job.input.format,
                columns: job.input.columns,
                unit: job.input.unit,
                values_name: job.input.values.and_then(|values| values.name),
            },
            callback_url,
            retry_of: job.retry_of.map(|id| id.to_string()),
            warnings: outcome.warnings.into_iter().map(WarningView::from).collect(),
            error: state.error.map(ErrorView::from),
            result: (state.status == Status::Success).then_some(outcome.result.0),
            reports: outcome
                .reports
                .into_iter()
                .map(|report| ReportView::new(report, &links.this))
                .collect(),
            links,
        }
    }
}

impl Links {
    fn of(job: &Job) -> Self {
        let this = format!("/jobs/{}", job.id);
        let status = job.state.status;
        let link = |wanted: bool, name: &str| wanted.then(|| format!("{this}/{name}"));
        Self {
            revoke: link(!status.is_terminal(), "revoke"),
            retry: link(matches!(status, Status::Failure | Status::Revoked), "retry"),
            companies: link(status == Status::Success, "companies"),
            deliveries: link(job.callback_url.is_some(), "deliveries"),
            this,
        }
    }
}

impl From<Warning> for WarningView {
    fn from(warning: Warning) -> Self {
        Self {
            code: warning.code,
            count: warning.count,
            message: warning.message,
            examples: warning.examples,
        }
    }
}

impl From<JobError> for ErrorView {
    fn from(error: JobError) -> Self {
        Self {
            code: error.code,
            message: error.message,
            row: error.row,
            field: error.field,
            value: error.value,
        }
    }
}

impl ReportView {
    fn new(report: Report, job: &str) -> Self {
        Self {
            href: format!("{job}/reports/{}", report.name),
            name: report.name,
            content_type: report.content_type,
            size: report.size,
            sha256: report.sha256,
        }
    }
}
