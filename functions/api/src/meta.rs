//! Everything that is not about a job.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use serde_json::{Value, json};

use crate::Problem;
use crate::codes::Code;

/// Whether the API answers.
#[utoipa::path(get, path = "/healthz", operation_id = "healthz", responses((status = 200, body = Object)))]
pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

/// This contract.
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", responses((status = 200, body = Object)))]
pub(crate) async fn openapi() -> Json<Value> {
    Json(crate::openapi())
}

pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(
        Code::NoSuchPath,
        format!("there is nothing at {}; /docs lists what there is", uri.path()),
    )
}

pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        Code::MethodNotAllowed,
        format!("{} does not take {method}", uri.path()),
    )
}
