//! A proxy in front of a service that does what a script says: it throttles, fails, is slow, tears what passes, or
//! forgets to answer.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::Notify;

/// The services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// DynamoDB.
    Table,
    /// SQS.
    Queue,
    /// S3.
    Bucket,
}

/// A call that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Of what.
    pub service: Service,
    /// The action, such as `PutItem`; for S3 the method.
    pub action: String,
    /// The how-manieth of this action it is, from 1, since the script was given.
    pub count: u32,
}

/// What is done with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It is handed on.
    Pass,
    /// It is refused as one too many.
    Throttle,
    /// It is refused as S3 and the like do when something is wrong with them: 500 or 503.
    Fail(u16),
    /// It is handed on later.
    Delay(Duration),
    /// Half of its body is handed on; then both connections break.
    TearRequest,
    /// It is done; the connection breaks in the middle of the answer's body.
    TearAnswer,
    /// It is done; the connection breaks before the answer.
    LoseAnswer,
    /// It is not done and never answered.
    Ignore,
    /// It is not done, and answered as if it were, and there were nothing to tell: a message that the queue loses, an
    /// item that is gone.
    Pretend,
    /// It is handed on when so many of its action have come since the script was given.
    Together(u32),
}

type Script = Box<dyn Fn(&Call) -> Act + Send>;

/// The proxy of one service.
#[derive(Clone)]
pub struct Proxy {
    url: String,
    inner: Arc<Inner>,
}

struct Inner {
    service: Service,
    upstream: String,
    http: reqwest::Client,
    script: Mutex<(Script, HashMap<String, u32>)>,
    calls: Mutex<Vec<(Call, Act)>>,
    answers: Mutex<Vec<(String, u16)>>,
    /// Something came.
    came: Notify,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Proxies of DynamoDB, SQS and S3, which hand everything on for now.
    pub async fn all(urls: [&str; 3]) -> [Self; 3] {
        [
            Self::start(Service::Table, urls[0]).await,
            Self::start(Service::Queue, urls[1]).await,
            Self::start(Service::Bucket, urls[2]).await,
        ]
    }

    async fn start(service: Service, upstream: &str) -> Self {
        let inner = Arc::new(Inner {
            service,
            upstream: upstream.to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            script: Mutex::new((Box::new(|_| Act::Pass), HashMap::new())),
            calls: Mutex::default(),
            answers: Mutex::default(),
            came: Notify::new(),
        });
        let router = Router::new().fallback(handle).with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on `script` says what is done with each call.
    pub fn script(&self, script: impl Fn(&Call) -> Act + Send + 'static) {
        *self.inner.script.lock().unwrap() = (Box::new(script), HashMap::new());
    }

    /// All calls that came, and what was done with them.
    #[must_use]
    pub fn calls(&self) -> Vec<(Call, Act)> {
        self.inner.calls.lock().unwrap().clone()
    }

    /// What the service answered, in order: to which action, and the status.
    #[must_use]
    pub fn answers(&self) -> Vec<(String, u16)> {
        self.inner.answers.lock().unwrap().clone()
    }
}

impl Inner {
    fn decide(&self, action: &str) -> Act {
        let mut script = self.script.lock().unwrap();
        let count = script.1.entry(action.to_owned()).or_default();
        *count += 1;
        let call = Call {
            service: self.service,
            action: action.to_owned(),
            count: *count,
        };
        let act = (script.0)(&call);
        self.calls.lock().unwrap().push((call, act));
        self.came.notify_waiters();
        act
    }

    /// Waits until `count` of `action` have come.
    async fn gather(&self, action: &str, count: u32) {
        loop {
            let came = self.came.notified();
            if self
                .script
                .lock()
                .unwrap()
                .1
                .get(action)
                .is_some_and(|there| *there >= count)
            {
                return;
            }
            came.await;
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: reqwest::Body,
    ) -> reqwest::RequestBuilder {
        headers.remove(header::CONNECTION);
        headers.remove(header::EXPECT);
        let url = format!("{}{path}", self.upstream);
        self.http.request(method, url).headers(headers).body(body)
    }
}

async fn handle(State(proxy): State<Arc<Inner>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_else(|_| cut());
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let action = target.map_or(head.method.as_str(), |target| {
        target.rsplit('.').next().unwrap_or(target)
    });
    let action = action.to_owned();
    let act = proxy.decide(&action);
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    match act {
        Act::Throttle => return throttled(proxy.service, &action),
        Act::Fail(status) => return failed(proxy.service, status),
        Act::Pretend => return pretended(),
        Act::Ignore => std::future::pending().await,
        Act::Delay(delay) => tokio::time::sleep(delay).await,
        Act::Together(count) => proxy.gather(&action, count).await,
        Act::TearRequest => {
            let half = reqwest::Body::wrap_stream(half_of(&body));
            let _ = proxy.request(head.method, path, head.headers, half).send().await;
            cut()
        }
        Act::Pass | Act::TearAnswer | Act::LoseAnswer => {}
    }
    let Ok(answer) = proxy.request(head.method, path, head.headers, body.into()).send().await else {
        cut()
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    proxy.answers.lock().unwrap().push((action, status.as_u16()));
    let Ok(bytes) = answer.bytes().await else { cut() };
    let body = match act {
        Act::LoseAnswer => cut(),
        Act::TearAnswer => Body::from_stream(half_of(&bytes)),
        _ => Body::from(bytes),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Breaks the connection that this is called from, without a word.
fn cut() -> ! {
    std::panic::resume_unwind(Box::new("the connection is cut"))
}

fn half_of(bytes: &Bytes) -> impl stream::Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let half = bytes.slice(..bytes.len() / 2);
    stream::iter([Ok(half), Err(std::io::Error::other("torn"))])
}

fn throttled(service: Service, action: &str) -> Response {
    let json = |status: StatusCode, code: &str| {
        let message = "Rate exceeded";
        let body = match action {
            "TransactWriteItems" => serde_json::json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": "Transaction cancelled [ThrottlingError, None]",
                "CancellationReasons": [{"Code": "ThrottlingError", "Message": message}, {"Code": "None"}],
            }),
            _ => serde_json::json!({"__type": code, "message": message}),
        };
        (
            status,
            [(header::CONTENT_TYPE, "application/x-amz-json-1.0")],
            body.to_string(),
        )
            .into_response()
    };
    match service {
        Service::Table => json(
            StatusCode::BAD_REQUEST,
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        ),
        Service::Queue => json(StatusCode::BAD_REQUEST, "com.amazonaws.sqs#RequestThrottled"),
        Service::Bucket => of_bucket(503, "SlowDown"),
    }
}

fn failed(service: Service, status: u16) -> Response {
    if service == Service::Bucket {
        return of_bucket(status, "InternalError");
    }
    let body = r#"{"__type": "InternalServerError", "message": "We encountered an internal error"}"#;
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body).into_response()
}

fn of_bucket(status: u16, code: &str) -> Response {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Not now</Message></Error>");
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

fn pretended() -> Response {
    let body = r#"{"MessageId": "00000000-0000-0000-0000-000000000000", "MD5OfMessageBody": ""}"#;
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body).into_response()
}
