//! Everything that is not about a job.

use axum::http::{Method, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::{Api, Problem};

/// Whether the API answers.
#[utoipa::path(get, path = "/healthz", responses((status = 200, body = Object)))]
pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

/// This contract.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, body = Object)))]
pub(crate) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(crate::openapi())
}

/// A page that says what this is and where to go on.
pub(crate) fn home() -> Router<Api> {
    const HTML: &str = include_str!("home.html");
    const CSS: &str = include_str!("home.css");
    let html = || async { ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], HTML).into_response() };
    let css = || async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], CSS).into_response() };
    Router::new().route("/", get(html)).route("/home.css", get(css))
}

pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(
        "no_such_path",
        format!("there is nothing at {}; /openapi.json lists what there is", uri.path()),
    )
}

pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("{} does not take {method}", uri.path()),
    )
}
