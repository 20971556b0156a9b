//! CORS: the rules of a bucket, applied to preflights and to answers.
//!
//! As on AWS there are no rules until `PutBucketCors` sets some, the first rule that allows a request counts, and a
//! preflight that none allows is answered 403. Source: AWS, "Elements of a CORS configuration".

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, HeaderName, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use s3s::dto::CORSRule;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::{Store, buckets};

/// A rule of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: Option<String>,
    pub(crate) origins: Vec<String>,
    pub(crate) methods: Vec<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) exposed: Vec<String>,
    pub(crate) max_age_s: Option<i32>,
}

impl From<CORSRule> for Rule {
    fn from(rule: CORSRule) -> Self {
        Self {
            id: rule.id,
            origins: rule.allowed_origins,
            methods: rule.allowed_methods,
            headers: rule.allowed_headers.unwrap_or_default(),
            exposed: rule.expose_headers.unwrap_or_default(),
            max_age_s: rule.max_age_seconds,
        }
    }
}

impl From<Rule> for CORSRule {
    fn from(rule: Rule) -> Self {
        let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
        Self {
            id: rule.id,
            allowed_origins: rule.origins,
            allowed_methods: rule.methods,
            allowed_headers: some(rule.headers),
            expose_headers: some(rule.exposed),
            max_age_seconds: rule.max_age_s,
        }
    }
}

impl Rule {
    fn allows(&self, origin: &str, method: &str, headers: &[String]) -> bool {
        self.origins.iter().any(|pattern| matches(pattern, origin))
            && self.methods.iter().any(|allowed| allowed == method)
            && headers.iter().all(|header| {
                let mut patterns = self.headers.iter();
                patterns.any(|pattern| matches(&pattern.to_ascii_lowercase(), header))
            })
    }

    /// The headers that tell the browser so.
    fn headers(&self, origin: &HeaderValue) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let any = self.origins.iter().any(|pattern| pattern == "*");
        if any {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        set_list(&mut headers, ACCESS_CONTROL_ALLOW_METHODS, &self.methods);
        set_list(&mut headers, ACCESS_CONTROL_EXPOSE_HEADERS, &self.exposed);
        if let Some(age) = self.max_age_s {
            headers.insert(ACCESS_CONTROL_MAX_AGE, age.into());
        }
        headers.append(
            VARY,
            HeaderValue::from_static("Origin, Access-Control-Request-Headers, Access-Control-Request-Method"),
        );
        headers
    }
}

/// Answers preflights, and adds a bucket's rules to the answers to requests from other origins.
pub(crate) async fn apply(State(store): State<Store>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else {
        return next.run(request).await;
    };
    let rules = match rules_for(&store, request.uri().path()).await {
        Ok(rules) => rules,
        Err(error) => {
            tracing::error!(%error, "CORS rules could not be read");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let text = origin.to_str().unwrap_or_default();
    if request.method() == Method::OPTIONS {
        return preflight(&rules, &origin, text, request.headers());
    }
    let rule = rules
        .iter()
        .find(|rule| rule.allows(text, request.method().as_str(), &[]));
    let headers = rule.map(|rule| rule.headers(&origin));
    let mut response = next.run(request).await;
    response.headers_mut().extend(headers.unwrap_or_default());
    response
}

fn preflight(rules: &[Rule], origin: &HeaderValue, text: &str, headers: &HeaderMap) -> Response {
    let method = headers
        .get(ACCESS_CONTROL_REQUEST_METHOD)
        .and_then(|value| value.to_str().ok());
    let asked = headers
        .get(ACCESS_CONTROL_REQUEST_HEADERS)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let asked: Vec<String> = asked
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    let rule = method.and_then(|method| rules.iter().find(|rule| rule.allows(text, method, &asked)));
    let mut response = Response::new(Body::empty());
    if let Some(rule) = rule {
        *response.headers_mut() = rule.headers(origin);
        set_list(response.headers_mut(), ACCESS_CONTROL_ALLOW_HEADERS, &asked);
    } else {
        *response.status_mut() = StatusCode::FORBIDDEN;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        *response.body_mut() = Body::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessForbidden</Code>\
             <Message>no CORS rule of the bucket allows this request</Message></Error>",
        );
    }
    response
}

/// The rules of the bucket that a path is in; none if there is no such bucket.
async fn rules_for(store: &Store, path: &str) -> Result<Vec<Rule>, Error> {
    let bucket = path.split('/').nth(1).unwrap_or_default().to_owned();
    let rules = store
        .index
        .run(move |connection| buckets::cors(connection, &bucket))
        .await;
    match rules {
        Ok(Some(rules)) => Ok(serde_json::from_str(&rules)?),
        Ok(None) | Err(Error::Refused(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whether `text` is `pattern`, in which one `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
    }
}

fn set_list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if !values.is_empty()
        && let Ok(value) = HeaderValue::from_str(&values.join(", "))
    {
        headers.insert(name, value);
    }
}
