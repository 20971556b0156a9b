//! One attempt to deliver.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;

use crate::{Policy, Secret};

/// An attempt may take this long in all.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What a receiver answers beyond this is not read.
const MOST_ANSWER: usize = 64 << 10;

/// Makes attempts. The addresses that its resolver lets through are the ones it connects to.
#[derive(Debug, Clone)]
pub struct Deliverer {
    client: reqwest::Client,
    policy: Policy,
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
    /// Signs it.
    pub secret: &'a Secret,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The receiver answered with this HTTP status.
    Status(u16),
    /// It did not, or was not asked.
    Failed(String),
}

impl Answer {
    /// Whether the receiver has it: any 2xx. A redirect is a failure.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Status(200..=299))
    }

    /// Whether the receiver wants no more: 410.
    #[must_use]
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Status(410))
    }
}

impl Deliverer {
    /// A client under `policy`: no redirects, no proxy from the environment.
    ///
    /// # Errors
    ///
    /// When the TLS library cannot start.
    pub fn new(policy: Policy) -> Result<Self, reqwest::Error> {
        let resolver = Filter(policy.clone());
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("stakegraph/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(resolver))
            .build()?;
        Ok(Self { client, policy })
    }

    /// Makes one attempt.
    pub async fn deliver(&self, request: &Request<'_>) -> Answer {
        let url = match self.policy.check(request.url) {
            Ok(url) => url,
            Err(refused) => return Answer::Failed(refused.to_string()),
        };
        let signature = request.secret.sign(request.event_id, request.timestamp_s, request.body);
        let sent = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", request.event_id)
            .header("webhook-timestamp", request.timestamp_s)
            .header("webhook-signature", signature)
            .body(request.body.to_vec())
            .send()
            .await;
        match sent {
            Ok(response) => {
                let status = response.status().as_u16();
                drain(response).await;
                Answer::Status(status)
            }
            Err(error) => Answer::Failed(reason(&error)),
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
    if error.is_timeout() {
        return format!("no answer within {} s", TIMEOUT.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[derive(Debug)]
struct Filter(Policy);

impl Resolve for Filter {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| policy.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err("the name leads to no public address".into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}
