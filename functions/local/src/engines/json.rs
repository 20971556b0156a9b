//! The awsJson1_0 protocol that DynamoDB and SQS share: `POST /`, the operation in `X-Amz-Target`, JSON both ways.
//! Specification: Smithy, "AWS JSON 1.0 protocol".

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use uuid::Uuid;

/// An answer that is an error, in the protocol's shape.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// The error's shape with its namespace, such as `com.amazonaws.sqs#QueueDoesNotExist`.
    pub(crate) shape: String,
    /// The code that the older query protocol used. SDKs show it instead of the shape where a service sends it.
    pub(crate) query_code: Option<&'static str>,
    /// For people.
    pub(crate) message: String,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "__type": self.shape, "message": self.message });
        let mut response = answer(self.status, body.to_string());
        if let Some(code) = self.query_code {
            let fault = if self.status.is_server_error() {
                "Receiver"
            } else {
                "Sender"
            };
            if let Ok(value) = HeaderValue::from_str(&format!("{code};{fault}")) {
                response.headers_mut().insert("x-amzn-query-error", value);
            }
        }
        response
    }
}

/// A response with a JSON body and the headers that SDKs look for.
pub(crate) fn answer(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-amz-json-1.0"),
    );
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// The operation that a request names, if its target starts with one of `services`.
pub(crate) fn operation<'a>(headers: &'a HeaderMap, services: &[&str]) -> Option<&'a str> {
    let (service, operation) = headers.get("x-amz-target")?.to_str().ok()?.split_once('.')?;
    services.contains(&service).then_some(operation)
}

/// The answer to a request that names no operation, or none that is known.
pub(crate) fn unknown_operation() -> Failure {
    Failure {
        status: StatusCode::BAD_REQUEST,
        shape: "com.amazon.coral.service#UnknownOperationException".into(),
        query_code: Some("InvalidAction"),
        message: "find the operation that X-Amz-Target names".into(),
    }
}
