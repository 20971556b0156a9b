//! Putting up a large graph.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jobs::JobId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::JsonBody;
use crate::codes::Code;
use crate::{Api, Problem};

const LIFETIME: Duration = Duration::from_secs(900);

/// What is known about the file beforehand.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UploadRequest {
    /// Its size in bytes. Where given, the PUT must have exactly this size.
    size: Option<u64>,
}

/// Where to put the file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Upload {
    /// To be named as `input.upload` of a job, or as its `input.values.upload`.
    id: String,
    /// `PUT`.
    method: String,
    /// Takes the file without further credentials until it expires. Put nothing else there once a job names it.
    url: String,
    /// Headers that must go with the PUT.
    headers: BTreeMap<String, String>,
    /// RFC 3339.
    expires_at: String,
}

/// Ask for a URL to put a file to.
#[utoipa::path(post, path = "/uploads", operation_id = "upload", request_body = UploadRequest,
    responses((status = 201, body = Upload), (status = 400, body = Problem), (status = 413, body = Problem),
              (status = 415, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn create(
    State(api): State<Api>,
    body: JsonBody<UploadRequest>,
) -> Result<(StatusCode, Json<Upload>), Problem> {
    let size = body.value.size;
    if let Some(size) = size.filter(|size| *size > api.settings.max_upload_bytes) {
        return Err(api.too_large(size).at("size"));
    }
    let id = new_upload();
    let signed = api.clients.files.sign_put(&input_key(&id), size, LIFETIME).await?;
    let now = api.clients.store.clock().now();
    let upload = Upload {
        id,
        method: signed.method,
        url: signed.url,
        headers: signed.headers.into_iter().collect(),
        expires_at: now.plus_ms(900_000).to_string(),
    };
    Ok((StatusCode::CREATED, Json(upload)))
}

pub(crate) fn new_upload() -> String {
    JobId::generate().to_string()
}

pub(crate) fn input_key(upload: &str) -> String {
    format!("inputs/{upload}")
}

impl Api {
    pub(crate) fn too_large(&self, size: u64) -> Problem {
        let most = self.settings.max_upload_bytes;
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::UploadTooLarge,
            format!("{size} bytes are more than the {most} that this API takes"),
        )
    }
}
