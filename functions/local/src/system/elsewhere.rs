//! The functions as Lambdas of another program, such as `cargo lambda watch`, on the embedded engines.

use std::path::Path;
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use jobs::Clock;
use jobs::protocol::Limits;
use reqwest::Client;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::backend::Backend;
use super::data::{DataFolder, SystemError};
use super::mapping;
use crate::engines::Credentials;

/// How often the clock invokes the sweeper.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// Short, since a function that is built anew while one works on it loses what it held. Milliseconds.
const LEASE_MS: i64 = 15_000;

/// The embedded engines, and what AWS does between them and functions that another program runs.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    backend: Backend,
    environment: Vec<(&'static str, String)>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Elsewhere {
    /// Starts engines on `data`. Messages invoke the functions `worker` and `notifier`, a clock `sweeper`, by Lambda's
    /// own call at `url`; who runs them may start later.
    ///
    /// # Errors
    ///
    /// [`SystemError`], naming the folder or service at fault.
    pub(crate) async fn start(data: &Path, credentials: Credentials, url: &str) -> Result<Self, SystemError> {
        let folder = DataFolder::open(data)?;
        let secrets = folder.webhook_secrets()?;
        let previous = secrets.previous().map(webhooks::Secret::reveal);
        let mut environment = vec![
            ("AWS_ACCESS_KEY_ID", credentials.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", credentials.secret_key.clone()),
            ("WEBHOOK_SECRET", secrets.current().reveal()),
            ("WEBHOOK_SECRET_PREVIOUS", previous.unwrap_or_default()),
            ("ALLOW_LOOPBACK_CALLBACKS", true.to_string()),
            ("LEASE_MS", LEASE_MS.to_string()),
            ("GRACE_MS", LEASE_MS.to_string()),
        ];
        let backend = Backend::embedded(data, credentials).await?;
        // Makes table and bucket.
        backend.clients(Limits::default(), Clock::system()).await?;
        environment.extend(backend.environment());

        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let http = Client::builder().no_proxy().build().map_err(SystemError::HttpClient)?;
        for (inbox, name) in [
            (backend.jobs_queue(), "worker"),
            (backend.callbacks_queue(), "notifier"),
        ] {
            let function = Function::new(&http, url, name);
            let handle = move |event: SqsEvent| {
                let function = function.clone();
                async move { function.invoke(&event).await }
            };
            tasks.spawn(mapping::map(inbox, handle, 1, stopping.clone()));
        }
        let sweeper = Function::new(&http, url, "sweeper");
        let sweep = move || {
            let sweeper = sweeper.clone();
            async move {
                let _: Option<Value> = sweeper.invoke(&json!({"source": "aws.events"})).await;
            }
        };
        tasks.spawn(mapping::each(SWEEP_EVERY, sweep, stopping));
        Ok(Self {
            backend,
            environment,
            stop,
            tasks,
        })
    }

    /// The settings of the functions: whoever runs them must pass them on.
    pub(crate) fn environment(&self) -> &[(&'static str, String)] {
        &self.environment
    }

    /// Ends it. What a function was doing goes on when messages flow again.
    pub(crate) async fn stop(mut self) {
        // Nobody is left to hear it if all tasks have ended.
        let _ = self.stop.send(true);
        self.tasks.shutdown().await;
        self.backend.stop().await;
    }
}

/// A Lambda function that answers to `Invoke`.
#[derive(Debug, Clone)]
struct Function {
    http: Client,
    url: String,
}

impl Function {
    fn new(http: &Client, base: &str, name: &str) -> Self {
        let base = base.trim_end_matches('/');
        Self {
            http: http.clone(),
            url: format!("{base}/2015-03-31/functions/{name}/invocations"),
        }
    }

    /// What the function answers; nothing if it failed or is not there.
    async fn invoke<E: Serialize, A: DeserializeOwned>(&self, event: &E) -> Option<A> {
        let answer = async {
            let response = self.http.post(&self.url).json(event).send().await?.error_for_status()?;
            if response.headers().contains_key("x-amz-function-error") {
                return Ok(Err(response.text().await?));
            }
            response.json().await.map(Ok)
        };
        match answer.await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(reason)) => {
                tracing::warn!(function = self.url, reason, "a function failed");
                None
            }
            Err::<_, reqwest::Error>(error) => {
                tracing::warn!(function = self.url, %error, "a function does not answer");
                None
            }
        }
    }
}
