//! Reading what callers send.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use jobs::JobId;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::Problem;
use crate::codes::Code;

/// A JSON body with a digest of it. A problem names the field at fault.
pub(crate) struct JsonBody<T> {
    pub(crate) value: T,
    /// SHA-256 of the body's value, in hex; blanks between its parts do not matter.
    pub(crate) digest: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // A page of another site can send any other type without asking first.
        if !is_json(&request) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Code::UnsupportedMediaType,
                "send JSON, with the header Content-Type: application/json",
            ));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(too_large)?;
        parse(&bytes)
    }
}

fn is_json(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn too_large(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::BodyTooLarge,
            "the body is larger than this API takes; put a large graph up with POST /uploads",
        );
    }
    Problem::new(StatusCode::BAD_REQUEST, Code::UnreadableBody, "the body broke off")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<JsonBody<T>, Problem> {
    let document: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            Code::MalformedJson,
            format!("the body is not JSON: {error}"),
        )
    })?;
    let digest = hex::encode(Sha256::digest(document.to_string().as_bytes()));
    let value = serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().to_string();
        let problem = Problem::new(
            StatusCode::BAD_REQUEST,
            Code::InvalidRequest,
            error.into_inner().to_string(),
        );
        if path == "." { problem } else { problem.at(path) }
    })?;
    Ok(JsonBody { value, digest })
}

/// The job id of a path.
pub(crate) struct JobPath(pub(crate) JobId);

/// The job id of a path, and what stands after it.
pub(crate) struct NamedPath(pub(crate) JobId, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let fields = path_fields(parts, state).await?;
        parse_id(&fields[0]).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for NamedPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let mut fields = path_fields(parts, state).await?;
        let name = fields.pop().unwrap_or_default();
        parse_id(&fields[0]).map(|id| Self(id, name))
    }
}

async fn path_fields<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Vec<String>, Problem> {
    Path::<Vec<String>>::from_request_parts(parts, state)
        .await
        .map(|Path(fields)| fields)
        .map_err(|error| Problem::bad_request(Code::InvalidPath, "path", error.body_text()))
}

fn parse_id(id: &str) -> Result<JobId, Problem> {
    id.parse()
        .map_err(|_| Problem::bad_request(Code::InvalidJobId, "id", "a job id is a UUID"))
}

/// The query of a URL. A problem says what is wrong with it.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Query::<T>::from_request_parts(parts, state)
            .await
            .map(|Query(value)| Self(value))
            .map_err(|error| Problem::bad_request(Code::InvalidQuery, "query", error.body_text()))
    }
}
