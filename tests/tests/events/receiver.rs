//! A receiver of completion events on loopback that answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use serde_json::Value;
use system_tests::Api;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// What does not come by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

type Answer = (StatusCode, HeaderMap, String);

#[derive(Debug)]
struct Script {
    always: StatusCode,
    next: VecDeque<Answer>,
    calls: Vec<Call>,
    sender: mpsc::UnboundedSender<Call>,
}

/// A server that keeps what comes.
#[derive(Debug)]
pub(crate) struct Receiver {
    base: String,
    script: Arc<Mutex<Script>>,
    received: tokio::sync::Mutex<mpsc::UnboundedReceiver<Call>>,
}

impl Receiver {
    /// One that answers 204.
    pub(crate) async fn start() -> Self {
        let (sender, received) = mpsc::unbounded_channel();
        let script = Arc::new(Mutex::new(Script {
            always: StatusCode::NO_CONTENT,
            next: VecDeque::new(),
            calls: Vec::new(),
            sender,
        }));
        let router = Router::new().fallback(receive).with_state(Arc::clone(&script));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            base,
            script,
            received: received.into(),
        }
    }

    /// A `callback_url`.
    pub(crate) fn url(&self) -> String {
        format!("{}/done/{{job_id}}", self.base)
    }

    /// Where it listens.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// What it answers when it was not told otherwise.
    pub(crate) fn always(&self, status: StatusCode) {
        self.script.lock().unwrap().always = status;
    }

    /// What it answers next, once.
    pub(crate) fn then(&self, status: StatusCode, headers: &[(&'static str, &str)]) {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        self.answer(status, headers.collect(), String::new());
    }

    /// What it answers next, once, with a body.
    pub(crate) fn answer(&self, status: StatusCode, headers: HeaderMap, body: String) {
        self.script.lock().unwrap().next.push_back((status, headers, body));
    }

    /// All that came.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.script.lock().unwrap().calls.clone()
    }

    /// The next call that was not waited for yet.
    pub(crate) async fn next(&self) -> Call {
        let mut received = self.received.lock().await;
        let call = tokio::time::timeout(PATIENCE, received.recv()).await;
        call.expect("gave up waiting for a call").unwrap()
    }
}

async fn receive(State(script): State<Arc<Mutex<Script>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Answer {
    let mut script = script.lock().unwrap();
    let call = Call {
        path: uri.path().to_owned(),
        headers,
        body: body.to_vec(),
    };
    script.calls.push(call.clone());
    // Nobody waits once the test has ended.
    let _ = script.sender.send(call);
    let always = (script.always, HeaderMap::new(), String::new());
    script.next.pop_front().unwrap_or(always)
}

/// Looks at the deliveries of a job until `wanted` is true of them.
pub(crate) async fn deliveries(api: &Api, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let (_, seen) = api.get(&format!("/jobs/{id}/deliveries")).await;
        if wanted(&seen) {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "gave up waiting for a delivery: {seen}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
