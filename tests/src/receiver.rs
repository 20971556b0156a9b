//! Whoever wants to be told: a receiver of completion events that checks each as the Standard Webhooks specification
//! says, with its own arithmetic.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// An event as it came.
#[derive(Debug, Clone)]
pub struct Received {
    headers: HeaderMap,
    body: Bytes,
}

/// A receiver on loopback that takes everything.
#[derive(Debug, Clone)]
pub struct Receiver {
    url: String,
    inbox: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// Starts to listen.
    pub async fn start() -> Self {
        async fn receive(
            State(inbox): State<Arc<Mutex<Vec<Received>>>>,
            headers: HeaderMap,
            body: Bytes,
        ) -> StatusCode {
            inbox.lock().unwrap().push(Received { headers, body });
            StatusCode::NO_CONTENT
        }
        let inbox = Arc::default();
        let router = Router::new()
            .route("/done/{id}", post(receive))
            .with_state(Arc::clone(&inbox));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/done/{{job_id}}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inbox }
    }

    /// To be given as `callback_url`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What came for a job, oldest first.
    #[must_use]
    pub fn events_of(&self, job: &str) -> Vec<Received> {
        let all = self.inbox.lock().unwrap().clone();
        all.into_iter()
            .filter(|event| event.json()["data"]["job_id"] == job)
            .collect()
    }
}

impl Received {
    /// The body.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// Fails unless it was signed with `secret`, as `whsec_…` says it.
    pub fn verify(&self, secret: &str) {
        let key = STANDARD.decode(secret.trim().trim_start_matches("whsec_")).unwrap();
        let mut content = format!("{}.{}.", self.id(), self.header("webhook-timestamp")).into_bytes();
        content.extend_from_slice(&self.body);
        let expected = format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &content)));
        let mut signatures = self.header("webhook-signature").split(' ');
        assert!(signatures.any(|signature| signature == expected), "{:?}", self.headers);
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// RFC 2104, for keys of at most one block.
fn hmac_sha256(key: &[u8], content: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block
    };
    assert!(key.len() <= 64);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(content).finalize();
    Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}
