//! What can be asked for.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::Api;

/// The job types.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobTypes {
    job_types: Vec<JobTypeView>,
}

/// A job type.
#[derive(Debug, Serialize, ToSchema)]
struct JobTypeView {
    /// The name in requests.
    #[schema(example = "integrated-ownership")]
    name: &'static str,
    /// One sentence.
    summary: &'static str,
    /// JSON Schema.
    #[schema(value_type = Object)]
    parameters: Value,
    /// The steps, in order, with their share of the percentage.
    stages: Vec<StageView>,
    /// The columns of the result, in order.
    #[schema(value_type = Vec<Object>)]
    columns: Value,
    /// Whether `input.values` may be given.
    takes_values: bool,
    /// Whether it must be given.
    needs_values: bool,
}

/// A step of a pipeline.
#[derive(Debug, Serialize, ToSchema)]
struct StageView {
    name: &'static str,
    /// Percent of the whole.
    weight: u8,
}

/// The job types, each with its parameters, stages and result columns.
#[utoipa::path(get, path = "/job-types", responses((status = 200, body = JobTypes)))]
pub(crate) async fn list(State(api): State<Api>) -> Json<JobTypes> {
    let job_types = api.registry.types().map(|job_type| JobTypeView {
        name: job_type.name,
        summary: job_type.summary,
        parameters: job_type.parameters.clone(),
        stages: job_type
            .stages
            .iter()
            .map(|stage| StageView {
                name: stage.name,
                weight: stage.weight,
            })
            .collect(),
        columns: job_type.columns.clone(),
        takes_values: job_type.takes_values,
        needs_values: job_type.needs_values,
    });
    Json(JobTypes {
        job_types: job_types.collect(),
    })
}
