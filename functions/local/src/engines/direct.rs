//! The engines without a socket in between.
//!
//! What this process asks of DynamoDB and SQS by the AWS SDK is handed to the routers that their listeners serve: the
//! same requests, signed and checked as over the network, without the trip through the kernel, which cost more than the
//! work. Everything else, such as S3, whose bodies stream, goes the usual way.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::{HeaderValue, Uri, header};
use tower::ServiceExt;

/// An engine, by the URL that its listener has.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) url: String,
    pub(super) router: Router,
}

/// A client for which some URLs are in this process.
pub(super) struct Direct {
    routes: Arc<[Route]>,
    otherwise: SharedHttpClient,
}

impl Direct {
    pub(super) const fn new(routes: Arc<[Route]>, otherwise: SharedHttpClient) -> Self {
        Self { routes, otherwise }
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

impl HttpClient for Direct {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            routes: Arc::clone(&self.routes),
            otherwise: self.otherwise.http_connector(settings, components),
        })
    }
}

struct Connector {
    routes: Arc<[Route]>,
    otherwise: SharedHttpConnector,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let leads_to = |route: &&Route| {
            let path = request.uri().strip_prefix(&route.url);
            path.is_some_and(|path| path.is_empty() || path.starts_with('/'))
        };
        match (self.routes.iter().find(leads_to), request.body().bytes()) {
            (Some(route), Some(body)) => {
                let (route, body) = (route.clone(), Bytes::copy_from_slice(body));
                HttpConnectorFuture::new(answer(route, request, body))
            }
            _ => self.otherwise.call(request),
        }
    }
}

async fn answer(route: Route, request: HttpRequest, body: Bytes) -> Result<HttpResponse, ConnectorError> {
    let request = arrived(&route, request, body).map_err(|error| ConnectorError::user(error.into()))?;
    let Ok(response) = route.router.oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?;
    let response = http::Response::from_parts(parts, SdkBody::from(body));
    HttpResponse::try_from(response).map_err(|error| ConnectorError::user(error.into()))
}

/// The request as it would come out of a connection: the host is a header, and the path is all of the address.
fn arrived(route: &Route, request: HttpRequest, body: Bytes) -> anyhow::Result<Request> {
    let (mut parts, _) = request.try_into_http1x()?.into_parts();
    let path = parts.uri.path_and_query().cloned();
    parts.uri = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    if !parts.headers.contains_key(header::HOST) {
        let host = route.url.trim_start_matches("http://");
        parts.headers.insert(header::HOST, HeaderValue::from_str(host)?);
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}
