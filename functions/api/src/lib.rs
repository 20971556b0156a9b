//! The HTTP API: submit jobs, watch them, read their results.
//!
//! [`router`] is a plain axum router. `main.rs` hands it to the Lambda runtime; the local binary serves it directly.
//! Errors are RFC 9457 problem details with a stable `code` ([`Problem`]). The calls and `/openapi.json` come from one
//! list, so a call that is not documented does not exist; beside them is one page for people.

mod body;
mod companies;
mod deliveries;
mod idempotency;
mod job_types;
mod jobs_list;
mod lifecycle;
mod meta;
mod names;
mod problem;
mod reports;
mod settings;
mod submit;
mod uploads;
mod wire;

pub use problem::Problem;
pub use settings::Settings;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, header};
use jobs::{Clients, Registry};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Whose jobs these are. There is one tenant until keys exist.
const TENANT: &str = "default";

/// Everything the API needs, made once at start.
#[derive(Debug, Clone)]
pub struct Api {
    clients: Clients,
    registry: Arc<Registry>,
    settings: Arc<Settings>,
}

impl Api {
    /// An API for the job types of `registry`.
    #[must_use]
    pub fn new(clients: Clients, registry: Registry, settings: Settings) -> Self {
        Self {
            clients,
            registry: Arc::new(registry),
            settings: Arc::new(settings),
        }
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "stakegraph",
    description = "Who owns what? Jobs that compute ownership through chains and rings of cross-holdings."
))]
struct Contract;

fn documented() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Contract::openapi())
        .routes(routes!(submit::submit, jobs_list::list))
        .routes(routes!(jobs_list::get))
        .routes(routes!(lifecycle::revoke))
        .routes(routes!(lifecycle::retry))
        .routes(routes!(companies::list))
        .routes(routes!(companies::get))
        .routes(routes!(reports::get))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::replay))
        .routes(routes!(uploads::create))
        .routes(routes!(job_types::list))
        .routes(routes!(meta::healthz))
        .routes(routes!(meta::openapi))
}

/// The contract as it is committed in `functions/api/openapi.json`.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().to_openapi()
}

/// All routes.
pub fn router(api: Api) -> Router {
    let limit = api.settings.max_body_bytes;
    let (router, _) = documented().split_for_parts();
    router
        .merge(meta::home())
        .fallback(meta::not_found)
        .method_not_allowed_fallback(meta::method_not_allowed)
        .with_state(api)
        .layer(DefaultBodyLimit::max(limit))
        .layer(CatchPanicLayer::custom(problem::on_panic))
        .layer(security_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(security_header(header::REFERRER_POLICY, "no-referrer"))
        .layer(security_header(header::X_FRAME_OPTIONS, "DENY"))
        .layer(security_header(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ))
        .layer(TraceLayer::new_for_http().make_span_with(request_span))
}

/// Each line of the log names the request, and the job that it is about.
fn request_span(request: &Request) -> Span {
    let path = request.uri().path();
    let job_id = path.strip_prefix("/jobs/").and_then(|rest| rest.split('/').next());
    tracing::info_span!("request", method = %request.method(), path, job_id)
}

fn security_header(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
