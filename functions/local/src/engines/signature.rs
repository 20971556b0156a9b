//! AWS Signature Version 4 on requests, for the engines that speak JSON.
//!
//! A request is signed anew from what arrived (method, path, signed headers, and the body itself rather than its
//! declared hash) with the secret that the engines were started with; the two signatures must agree. S3 has a richer
//! scheme (presigned links, chunks) that `s3s` checks. Specification: AWS, "Create a signed AWS API request".

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};
use subtle::ConstantTimeEq;

use super::Credentials;
use super::clock::Clock;
use super::json::Failure;

/// How far a request's date may be from ours, in milliseconds; AWS allows the same 15 minutes.
const SKEW_MS: i64 = 15 * 60 * 1000;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What requests of one engine are checked against.
pub(crate) struct Gate {
    /// Who may call.
    pub(crate) credentials: Credentials,
    /// The service's name in a signature's scope, such as `sqs`.
    pub(crate) service: &'static str,
    /// The longest body that is read, in bytes.
    pub(crate) body_limit: usize,
    /// Dates are compared with it.
    pub(crate) clock: Clock,
}

/// Lets a request pass, its body read whole, if it is signed with the gate's credentials; answers 403 if not, and 413
/// if the body is too long.
pub(crate) async fn require(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, gate.body_limit).await else {
        return Failure {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            shape: "com.amazon.coral.service#RequestEntityTooLargeException".into(),
            query_code: None,
            message: format!("read the body: more than {} bytes, or cut short", gate.body_limit),
        }
        .into_response();
    };
    match verify(&parts, &body, &gate) {
        Ok(()) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(refusal) => refusal.into_failure().into_response(),
    }
}

/// Why a request is not let in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("authenticate: the request is not signed")]
    Missing,
    #[error("authenticate: {0}")]
    Incomplete(&'static str),
    #[error("authenticate: the access key is not known")]
    UnknownKey,
    #[error("authenticate: the signature's date is more than 15 minutes from now")]
    Expired,
    #[error("authenticate: the signature does not match the request")]
    Mismatch,
}

impl Refusal {
    fn into_failure(self) -> Failure {
        let (shape, query_code) = match self {
            Self::Missing => ("MissingAuthenticationTokenException", "MissingAuthenticationToken"),
            Self::Incomplete(_) => ("IncompleteSignatureException", "IncompleteSignature"),
            Self::UnknownKey => ("UnrecognizedClientException", "InvalidClientTokenId"),
            Self::Expired => ("InvalidSignatureException", "RequestExpired"),
            Self::Mismatch => ("InvalidSignatureException", "SignatureDoesNotMatch"),
        };
        Failure {
            status: StatusCode::FORBIDDEN,
            shape: format!("com.amazon.coral.service#{shape}"),
            query_code: Some(query_code),
            message: self.to_string(),
        }
    }
}

/// Checks that `parts` and `body` are what the holder of the gate's secret signed, at most 15 minutes from now.
///
/// # Errors
///
/// What is missing or wrong.
pub(crate) fn verify(parts: &Parts, body: &[u8], gate: &Gate) -> Result<(), Refusal> {
    let text = parts.headers.get(header::AUTHORIZATION).ok_or(Refusal::Missing)?;
    let authorization = text
        .to_str()
        .ok()
        .and_then(Authorization::parse)
        .ok_or(Refusal::Incomplete("the Authorization header cannot be read"))?;
    if authorization.access_key != gate.credentials.access_key {
        return Err(Refusal::UnknownKey);
    }
    if authorization.service != gate.service {
        return Err(Refusal::Incomplete("the credential is scoped to another service"));
    }
    let date = parts
        .headers
        .get("x-amz-date")
        .and_then(|date| date.to_str().ok())
        .ok_or(Refusal::Incomplete("the header x-amz-date is missing"))?;
    let signed_at_ms = parse_date(date).ok_or(Refusal::Incomplete("the header x-amz-date cannot be read"))?;
    if !date.starts_with(authorization.day) {
        return Err(Refusal::Incomplete("the credential's day is not that of x-amz-date"));
    }
    if signed_at_ms.abs_diff(gate.clock.now_ms()) > SKEW_MS.unsigned_abs() {
        return Err(Refusal::Expired);
    }
    let expected = expected_signature(parts, body, gate, &authorization, signed_at_ms)?;
    if bool::from(expected.as_bytes().ct_eq(authorization.signature.as_bytes())) {
        Ok(())
    } else {
        Err(Refusal::Mismatch)
    }
}

/// The parts of an `Authorization` header.
struct Authorization<'a> {
    access_key: &'a str,
    day: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let fields = text.strip_prefix(ALGORITHM)?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let mut scope = field("Credential")?.rsplitn(5, '/');
        let (terminator, service, region, day) = (scope.next()?, scope.next()?, scope.next()?, scope.next()?);
        if terminator != "aws4_request" || day.len() != 8 {
            return None;
        }
        Some(Self {
            access_key: scope.next()?,
            day,
            region,
            service,
            signed_headers: field("SignedHeaders")?.split(';').collect(),
            signature: field("Signature")?,
        })
    }
}

fn expected_signature(
    parts: &Parts,
    body: &[u8],
    gate: &Gate,
    authorization: &Authorization<'_>,
    signed_at_ms: i64,
) -> Result<String, Refusal> {
    let unreadable = |_| Refusal::Incomplete("a signed header is not text");
    let mut headers = Vec::with_capacity(authorization.signed_headers.len());
    for (name, value) in &parts.headers {
        let name = name.as_str();
        // A service acts on its own headers, so an attacker must not be able to add one to a signed request.
        if authorization.signed_headers.contains(&name) || name.starts_with("x-amz-") {
            headers.push((name, value.to_str().map_err(unreadable)?));
        }
    }
    // Of the address only path and query are signed; the host counts as a header.
    if !headers.iter().any(|(name, _)| *name == "host") {
        return Err(Refusal::Incomplete("the header host is not signed"));
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());

    let mut settings = SigningSettings::default();
    settings.excluded_headers = None;
    let Credentials { access_key, secret_key } = &gate.credentials;
    let identity = aws_credential_types::Credentials::new(access_key, secret_key, None, None, "engines").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(authorization.region)
        .name(authorization.service)
        .time(UNIX_EPOCH + Duration::from_millis(signed_at_ms.unsigned_abs()))
        .settings(settings)
        .build()
        .map_err(|_| Refusal::Incomplete("the credential cannot be read"))?
        .into();
    let request = SignableRequest::new(
        parts.method.as_str(),
        format!("http://localhost{path}"),
        headers.into_iter(),
        SignableBody::Bytes(body),
    );
    request
        .and_then(|request| sign(request, &params))
        .map(|output| output.signature().to_owned())
        .map_err(|_| Refusal::Incomplete("the request cannot be brought into canonical form"))
}

/// The moment that a date such as `20260131T235959Z` names, in milliseconds since the Unix epoch.
fn parse_date(text: &str) -> Option<i64> {
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let moment = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    // Before 1970 there were no signatures; refusing keeps the arithmetic above within range.
    Some(moment.as_millisecond()).filter(|ms| *ms >= 0)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    /// The credentials and the moment of AWS's published test suite for Signature Version 4.
    fn gate(now_ms: i64) -> Gate {
        Gate {
            credentials: Credentials {
                access_key: "AKIDEXAMPLE".into(),
                secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            },
            service: "service",
            body_limit: 1000,
            clock: Clock::manual(now_ms),
        }
    }

    const MOMENT: &str = "20150830T123600Z";
    const MOMENT_MS: i64 = 1_440_938_160_000;
    const GET_VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    const POST_VANILLA: &str = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";

    fn parts(method: &str, signature: &str) -> Parts {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let request = Request::builder()
            .method(method)
            .uri("/")
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", MOMENT)
            .header("authorization", authorization);
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_published_signatures_are_accepted() {
        assert_eq!(verify(&parts("GET", GET_VANILLA), b"", &gate(MOMENT_MS)), Ok(()));
        assert_eq!(verify(&parts("POST", POST_VANILLA), b"", &gate(MOMENT_MS)), Ok(()));
    }

    #[test]
    fn whatever_was_changed_after_signing_is_noticed() {
        let gate = gate(MOMENT_MS);
        assert_eq!(
            verify(&parts("POST", POST_VANILLA), b"x", &gate),
            Err(Refusal::Mismatch)
        );
        assert_eq!(verify(&parts("PUT", POST_VANILLA), b"", &gate), Err(Refusal::Mismatch));
        assert_eq!(verify(&parts("POST", GET_VANILLA), b"", &gate), Err(Refusal::Mismatch));
        let changes: [fn(&mut Parts); 3] = [
            |parts| parts.uri = "/?a=b".parse().unwrap(),
            |parts| drop(parts.headers.insert("host", "example.org".parse().unwrap())),
            |parts| drop(parts.headers.insert("x-amz-target", "Service.Delete".parse().unwrap())),
        ];
        for change in changes {
            let mut parts = parts("POST", POST_VANILLA);
            change(&mut parts);
            assert_eq!(verify(&parts, b"", &gate), Err(Refusal::Mismatch));
        }
        let mut other_secret = gate;
        other_secret.credentials.secret_key.push('x');
        assert_eq!(
            verify(&parts("POST", POST_VANILLA), b"", &other_secret),
            Err(Refusal::Mismatch)
        );
    }

    #[test]
    fn a_signature_holds_for_15_minutes_around_its_date() {
        let verify_at = |now_ms| verify(&parts("GET", GET_VANILLA), b"", &gate(now_ms));
        for now_ms in [MOMENT_MS - SKEW_MS, MOMENT_MS + SKEW_MS] {
            assert_eq!(verify_at(now_ms), Ok(()));
        }
        for now_ms in [MOMENT_MS - SKEW_MS - 1, MOMENT_MS + SKEW_MS + 1] {
            assert_eq!(verify_at(now_ms), Err(Refusal::Expired));
        }
    }

    #[test]
    fn a_header_that_cannot_be_read_is_refused() {
        let gate = gate(MOMENT_MS);
        let refused = |name: &'static str, value: &str| {
            let mut parts = parts("GET", GET_VANILLA);
            parts.headers.insert(name, value.parse().unwrap());
            verify(&parts, b"", &gate).unwrap_err()
        };
        let credential = |scope: &str| {
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={GET_VANILLA}")
        };
        for text in ["", "Bearer x", "AWS4-HMAC-SHA256 ", &credential("AKIDEXAMPLE/20150830")] {
            assert!(
                matches!(refused("authorization", text), Refusal::Incomplete(_)),
                "{text}"
            );
        }
        let other_service = credential("AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request");
        assert!(matches!(
            refused("authorization", &other_service),
            Refusal::Incomplete(_)
        ));
        let other_key = credential("SOMEONE/20150830/us-east-1/service/aws4_request");
        assert_eq!(refused("authorization", &other_key), Refusal::UnknownKey);
        for date in [
            "",
            "yesterday",
            "20150831T123600Z",
            "20151330T123600Z",
            "19000101T000000Z",
        ] {
            assert!(matches!(refused("x-amz-date", date), Refusal::Incomplete(_)), "{date}");
        }
        let mut unsigned = parts("GET", GET_VANILLA);
        unsigned.headers.remove("authorization");
        assert_eq!(verify(&unsigned, b"", &gate), Err(Refusal::Missing));
    }
}
