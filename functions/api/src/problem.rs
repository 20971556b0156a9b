//! Errors as callers see them: RFC 9457 problem details.

use std::any::Any;

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use jobs::protocol::Refused;
use jobs::{Error, ParameterError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::codes::Code;

/// A problem: what is wrong, where, and a word for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// The HTTP status again.
    status: u16,
    /// The status in words.
    title: &'static str,
    /// A stable word for programs.
    #[schema(example = "unknown_job_type")]
    code: Code,
    /// A sentence for people.
    detail: String,
    /// The field of the request at fault, such as `input.stakes[3].share`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What would have been accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known: Vec<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Error"),
            code,
            detail: detail.into(),
            field: None,
            known: Vec::new(),
        }
    }

    pub(crate) fn bad_request(code: Code, field: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail).at(field)
    }

    pub(crate) fn not_found(code: Code, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub(crate) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(crate) fn knowing(mut self, known: Vec<String>) -> Self {
        self.known = known;
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// The one place where what went wrong inside becomes a status outside. Sources are logged here, and told to nobody.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match &error {
            Error::NotFound(id) => Self::not_found(Code::JobNotFound, format!("there is no job {id}")),
            Error::Refused(Refused::Ended(status)) => Self::new(
                StatusCode::CONFLICT,
                Code::JobEnded,
                format!("the job ended as {status} and cannot change any more"),
            ),
            Error::Refused(refused) => Self::new(StatusCode::CONFLICT, Code::JobBusy, format!("cannot {refused}")),
            Error::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                Code::IdempotencyKeyReused,
                "this Idempotency-Key came before with another body",
            )
            .at("Idempotency-Key"),
            Error::KeyInFlight => Self::new(
                StatusCode::CONFLICT,
                Code::IdempotencyKeyInFlight,
                "a request with this Idempotency-Key is being answered; ask again in a moment",
            )
            .at("Idempotency-Key"),
            Error::BadCursor => {
                Self::bad_request(Code::InvalidCursor, "cursor", "the cursor does not come from this list")
            }
            Error::NoObject(_) => Self::new(
                StatusCode::GONE,
                Code::FileExpired,
                "the file was kept for a while and is gone",
            ),
            Error::Unavailable { .. } => {
                tracing::error!(error = error.with_causes(), "a service did not answer");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Code::Unavailable,
                    "a service behind the API did not answer; ask again in a moment",
                )
            }
            Error::Corrupt { .. } => {
                tracing::error!(error = error.with_causes(), "a record cannot be read");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    Code::Internal,
                    "a record cannot be read",
                )
            }
        }
    }
}

impl From<ParameterError> for Problem {
    fn from(error: ParameterError) -> Self {
        let detail = error.to_string();
        match error {
            ParameterError::UnknownType { known, .. } => {
                Self::bad_request(Code::UnknownJobType, "type", detail).knowing(known)
            }
            ParameterError::UnknownParameter { name, known } => {
                Self::bad_request(Code::UnknownParameter, &format!("parameters.{name}"), detail).knowing(known)
            }
            ParameterError::Invalid { name, .. } => {
                Self::bad_request(Code::InvalidParameter, &format!("parameters.{name}"), detail)
            }
            ParameterError::NotAnObject => Self::bad_request(Code::InvalidParameter, "parameters", detail),
        }
    }
}

/// A defect of ours: logged with what it said, told without.
pub(crate) fn on_panic(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = said.unwrap_or("without a word"), "a handler panicked");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        Code::Internal,
        "the API has a defect here; it was logged",
    )
    .into_response()
}
