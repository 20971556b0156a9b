//! The header `Idempotency-Key`.
//!
//! A request that is accepted under a key is answered again, with the same status, `Location` and body, whenever it comes
//! within 24 hours. A request that was refused leaves no trace: it may be mended and sent under the same key.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jobs::Idempotency;

use crate::Problem;
use crate::codes::Code;

const NAME: &str = "idempotency-key";
const LONGEST: usize = 255;

/// The caller's key, where there is one.
pub(crate) struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// The promise that whatever comes under this key has this digest.
    pub(crate) fn promises(self, request: String) -> Option<Idempotency> {
        self.0.map(|key| Idempotency { key, request })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(NAME).iter();
        let refuse = |why: String| {
            Err(Problem::bad_request(
                Code::InvalidIdempotencyKey,
                "Idempotency-Key",
                why,
            ))
        };
        let value = match (values.next(), values.next()) {
            (None, _) => return Ok(Self(None)),
            (Some(value), None) => value,
            (Some(_), Some(_)) => return refuse("a request has one key".to_owned()),
        };
        match value.to_str() {
            Ok(key) if !key.is_empty() && key.len() <= LONGEST => Ok(Self(Some(key.to_owned()))),
            _ => refuse(format!("a key is 1 to {LONGEST} visible ASCII characters")),
        }
    }
}
