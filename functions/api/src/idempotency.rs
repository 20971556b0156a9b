//! The header `Idempotency-Key`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::Problem;

const NAME: &str = "idempotency-key";
const LONGEST: usize = 255;

/// The caller's key, where there is one.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(NAME) else {
            return Ok(Self(None));
        };
        match value.to_str() {
            Ok(key) if !key.is_empty() && key.len() <= LONGEST => Ok(Self(Some(key.to_owned()))),
            _ => Err(Problem::bad_request(
                "invalid_idempotency_key",
                "Idempotency-Key",
                format!("a key is 1 to {LONGEST} visible ASCII characters"),
            )),
        }
    }
}
