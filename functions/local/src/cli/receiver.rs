//! A receiver of completion events on loopback, as a caller of the API would run one.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use webhooks::Secret;

/// A server that takes events and checks their signatures.
#[derive(Debug)]
pub(super) struct Receiver {
    url: String,
    events: mpsc::Receiver<String>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Inbox {
    secret: Secret,
    events: mpsc::Sender<String>,
}

impl Receiver {
    pub(super) async fn start(secret: Secret) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/jobs/{{job_id}}", listener.local_addr()?);
        let (sender, events) = mpsc::channel(1);
        let inbox = Inbox { secret, events: sender };
        let router = Router::new().route("/jobs/{id}", post(receive)).with_state(inbox);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the receiver ended");
            }
        });
        Ok(Self { url, events, server })
    }

    /// Where it listens, with `{job_id}` in the path.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The event, if one comes in time.
    pub(super) async fn event(&mut self, within: Duration) -> Option<String> {
        tokio::time::timeout(within, self.events.recv()).await.ok().flatten()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(id), Some(at), Some(signature)) = (
        header("webhook-id"),
        header("webhook-timestamp").and_then(|at| at.parse().ok()),
        header("webhook-signature"),
    ) else {
        return StatusCode::BAD_REQUEST;
    };
    if inbox.secret.sign(id, at, &body) != signature {
        return StatusCode::UNAUTHORIZED;
    }
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let kind = event["type"].as_str().unwrap_or("unknown");
    // Nobody waits any more once the first has come.
    let _ = inbox.events.try_send(format!("{kind} {id}"));
    StatusCode::NO_CONTENT
}
