//! The dashboard: a page, its styles and its modules, as they lie in `dashboard/`.
//!
//! Nothing is built and nothing comes from elsewhere. The page may load what this API serves, and speak to it and to the
//! store where files are put; nothing inline runs, so a name in somebody's data can never become a script.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

use crate::uploads::{input_key, new_upload};
use crate::{Api, Problem, meta};

/// What every answer that is no dashboard may do in a browser.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($name:literal $content_type:ident,)+) => {
        &[$(Asset { name: $name, content_type: $content_type, text: include_str!(concat!("dashboard/", $name)) }),+]
    };
}

const PAGE: Asset = Asset {
    name: "index.html",
    content_type: HTML,
    text: include_str!("dashboard/index.html"),
};

const ASSETS: &[Asset] = assets![
    "api.js" JS,
    "app.js" JS,
    "chains.js" JS,
    "company.js" JS,
    "deliveries.js" JS,
    "dom.js" JS,
    "findings.js" JS,
    "icon.svg" SVG,
    "job.js" JS,
    "jobs.js" JS,
    "layers.js" JS,
    "links.js" JS,
    "parts.css" CSS,
    "picture.js" JS,
    "result.js" JS,
    "schema_form.js" JS,
    "style.css" CSS,
    "submit.js" JS,
    "told.js" JS,
    "watch.js" JS,
    "words.js" JS,
];

const SVG: &str = "image/svg+xml";

/// The page at `/`, and its files.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/", get(page))
        .route("/dashboard/{file}", get(file))
}

async fn page(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Problem> {
    let policy = policy(&api.upload_origin().await?);
    let mut answer = PAGE.answer(&headers);
    let value = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(POLICY));
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, value);
    Ok(answer)
}

async fn file(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => Ok(asset.answer(&headers)),
        None => Err(meta::not_found(uri).await),
    }
}

fn policy(upload_origin: &str) -> String {
    POLICY.replace("connect-src 'self'", &format!("connect-src 'self' {upload_origin}"))
}

impl Asset {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let tag = format!("\"{}\"", hex::encode(&Sha256::digest(self.text)[..12]));
        let seen = headers.get(header::IF_NONE_MATCH);
        let fixed = [
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_TYPE, self.content_type),
        ];
        if seen.is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
            return (StatusCode::NOT_MODIFIED, fixed, [(header::ETAG, tag)]).into_response();
        }
        (fixed, [(header::ETAG, tag)], self.text).into_response()
    }
}

impl Api {
    /// The scheme, host and port of the signed URLs that files are put to.
    async fn upload_origin(&self) -> Result<String, Problem> {
        const LIFETIME: Duration = Duration::from_secs(60);
        let signed = self
            .clients
            .files
            .sign_put(&input_key(&new_upload()), None, LIFETIME)
            .await?;
        Ok(signed.url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_is_named_is_there_and_nothing_is_inline() {
        for asset in ASSETS.iter().chain([&PAGE]) {
            let names = asset.text.split('"').filter_map(|text| text.strip_prefix("./"));
            for name in names.filter(|name| name.ends_with(".js")) {
                assert!(
                    ASSETS.iter().any(|other| other.name == name),
                    "{} names {name}",
                    asset.name
                );
            }
            for forbidden in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "style=\"",
            ] {
                assert!(!asset.text.contains(forbidden), "{} has {forbidden}", asset.name);
            }
            let elsewhere = asset.text.replace("http://www.w3.org/", "");
            assert!(
                !elsewhere.contains("src=\"http") && !elsewhere.contains("from \"http"),
                "{}",
                asset.name
            );
        }
    }

    #[test]
    fn the_page_may_speak_to_the_store_and_to_nobody_else() {
        let policy = policy("http://127.0.0.1:9000");
        assert!(policy.contains("connect-src 'self' http://127.0.0.1:9000;"), "{policy}");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    }
}
