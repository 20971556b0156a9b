//! One attempt to deliver.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{header, redirect};
use tokio::time::{Instant, timeout_at};

use crate::schedule::asked_ms;
use crate::{Policy, Secrets};

/// An attempt may take this long in all: name, connection, request and answer.
const TIME: Duration = Duration::from_secs(15);

/// What a receiver answers beyond this is not read.
const MOST_ANSWER: usize = 64 << 10;

/// How long a connection is kept for the next event. Receivers end theirs after five seconds or more.
const IDLE: Duration = Duration::from_secs(2);

/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 300;

/// Makes attempts. The addresses that its resolver lets through are the ones it connects to.
#[derive(Debug, Clone)]
pub struct Deliverer {
    client: reqwest::Client,
    policy: Policy,
    time: Duration,
}

/// What to send.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Where to.
    pub url: &'a str,
    /// The same for every attempt.
    pub event_id: &'a str,
    /// When the attempt is made, in seconds since 1970.
    pub timestamp_s: i64,
    /// JSON.
    pub body: &'a [u8],
    /// Sign it.
    pub secrets: &'a Secrets,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The receiver answered.
    Status {
        /// The HTTP status.
        status: u16,
        /// How long it asked to be left alone, in milliseconds.
        asked_ms: Option<i64>,
    },
    /// It did not, or was not asked.
    Failed(String),
}

impl Answer {
    /// Whether the receiver has it: any 2xx. A redirect is a failure.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Status { status: 200..=299, .. })
    }

    /// Whether the receiver wants no more: 410.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Status { status: 410, .. })
    }

    fn of(response: &reqwest::Response, now_s: i64) -> Self {
        let asked = response.headers().get(header::RETRY_AFTER);
        Self::Status {
            status: response.status().as_u16(),
            asked_ms: asked
                .and_then(|asked| asked.to_str().ok())
                .and_then(|asked| asked_ms(asked, now_s)),
        }
    }
}

impl Deliverer {
    /// A client under `policy`: no redirects, no proxy from the environment, 15 seconds for each attempt.
    ///
    /// # Errors
    ///
    /// When the TLS library cannot start.
    pub fn new(policy: Policy) -> Result<Self, reqwest::Error> {
        let resolver = Filter(policy.clone());
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("stakegraph/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(resolver))
            .build()?;
        Ok(Self {
            client,
            policy,
            time: TIME,
        })
    }

    /// The same with another time for each attempt.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Makes one attempt. The receiver's status line decides; of what follows, 64 KiB at most are read, and only for as
    /// long as the attempt may take.
    pub async fn deliver(&self, request: &Request<'_>) -> Answer {
        let url = match self.policy.check(request.url) {
            Ok(url) => url,
            Err(refused) => return Answer::Failed(refused.to_string()),
        };
        let end = Instant::now() + self.time;
        let signature = request
            .secrets
            .sign(request.event_id, request.timestamp_s, request.body);
        let send = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", request.event_id)
            .header("webhook-timestamp", request.timestamp_s)
            .header("webhook-signature", signature)
            .body(request.body.to_vec())
            .send();
        match timeout_at(end, send).await {
            Ok(Ok(response)) => {
                let answer = Answer::of(&response, request.timestamp_s);
                // What it says, and whether it comes to an end, changes nothing.
                let _ = timeout_at(end, drain(response)).await;
                answer
            }
            Ok(Err(error)) => Answer::Failed(reason(&error)),
            Err(_) => Answer::Failed(format!("no answer within {} s", self.time.as_secs_f64())),
        }
    }
}

/// Reads the answer so that the connection can serve again, but not for ever.
async fn drain(mut response: reqwest::Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > MOST_ANSWER {
            return;
        }
    }
}

/// The innermost cause, which is what helps: "connection refused" rather than "error sending request".
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string().chars().take(LONGEST_REASON).collect()
}

#[derive(Debug)]
struct Filter(Policy);

impl Resolve for Filter {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let name = name.as_str();
            // A name of this machine is known without asking.
            let chosen = match policy.choose(name, []) {
                Ok(local) => local,
                Err(_) => {
                    let found = tokio::net::lookup_host((name, 0)).await?;
                    policy.choose(name, found.map(|address| address.ip()))?
                }
            };
            // The client fills in the port of the URL.
            let addresses: Addrs = Box::new(chosen.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests;
