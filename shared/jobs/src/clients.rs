//! The clients, made once at start from the process's environment.

use std::env;
use std::fmt::Display;
use std::str::FromStr;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use std::time::Duration;

use crate::protocol::Limits;
use crate::{Bus, Clock, Files, Queue, Store};

/// A setting is absent or bad.
#[derive(Debug, thiserror::Error)]
#[error("read setting {name}: {problem}")]
pub struct MissingSetting {
    /// The environment variable.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// The value of environment variable `name`.
///
/// # Errors
///
/// [`MissingSetting`] when it is absent, empty, or does not parse.
pub fn setting<T: FromStr<Err: Display>>(name: &'static str) -> Result<T, MissingSetting> {
    let value = env::var(name).unwrap_or_default();
    if value.is_empty() {
        let problem = "not set".to_owned();
        return Err(MissingSetting { name, problem });
    }
    // The value may be a secret: only what its type says of it is told.
    value.parse().map_err(|error: T::Err| MissingSetting {
        name,
        problem: error.to_string(),
    })
}

/// As [`setting`], with a value for when it is absent.
///
/// # Errors
///
/// [`MissingSetting`] when it is there and does not parse.
pub fn setting_or<T: FromStr<Err: Display>>(name: &'static str, default: T) -> Result<T, MissingSetting> {
    Ok(setting_if(name)?.unwrap_or(default))
}

/// As [`setting`], where it is there.
///
/// # Errors
///
/// [`MissingSetting`] when it is there and does not parse.
pub fn setting_if<T: FromStr<Err: Display>>(name: &'static str) -> Result<Option<T>, MissingSetting> {
    match env::var(name) {
        Ok(value) if !value.is_empty() => setting(name).map(Some),
        _ => Ok(None),
    }
}

/// What every function talks to.
#[derive(Debug, Clone)]
pub struct Clients {
    /// The record of jobs.
    pub store: Store,
    /// Inputs, outputs of stages, reports.
    pub files: Files,
    /// Wakes workers.
    pub jobs: Queue,
    /// Wakes the notifier.
    pub callbacks: Queue,
    /// Takes every completion event, where a setting names it.
    pub bus: Option<Bus>,
}

impl Clients {
    /// Reads `TABLE`, `BUCKET`, `JOBS_QUEUE_URL`, `CALLBACKS_QUEUE_URL`, the bounds `MAX_ATTEMPTS` (5), `LEASE_MS`
    /// (60000) and `GRACE_MS` (60000), `EVENT_BUS` (none), and what the AWS SDK reads by itself.
    ///
    /// # Errors
    ///
    /// [`MissingSetting`], naming the variable.
    pub async fn from_env() -> Result<Self, MissingSetting> {
        let names = Names {
            table: setting("TABLE")?,
            bucket: setting("BUCKET")?,
            jobs_queue_url: setting("JOBS_QUEUE_URL")?,
            callbacks_queue_url: setting("CALLBACKS_QUEUE_URL")?,
        };
        let fallback = Limits::default();
        let limits = Limits {
            max_attempts: setting_or("MAX_ATTEMPTS", fallback.max_attempts)?,
            lease_ms: setting_or("LEASE_MS", fallback.lease_ms)?,
            grace_ms: setting_or("GRACE_MS", fallback.grace_ms)?,
        };
        check(limits)?;
        let bus = setting_if("EVENT_BUS")?;
        let config = Self::sdk_config().load().await;
        let clients = Self::new(&config, None, names, Clock::system(), limits);
        Ok(match bus {
            Some(bus) => clients.with_bus(Bus::new(&config, bus)),
            None => clients,
        })
    }

    /// The same, with a bus for the completion events of jobs that end from now on.
    #[must_use]
    pub fn with_bus(self, bus: Bus) -> Self {
        Self {
            store: self.store.with_bus(bus.name().to_owned()),
            bus: Some(bus),
            ..self
        }
    }

    /// The SDK's configuration as every client here wants it: standard retries with backoff and jitter, bounded calls.
    #[must_use]
    pub fn sdk_config() -> aws_config::ConfigLoader {
        aws_config::from_env().retry_config(RetryConfig::standard().with_max_attempts(5))
    }

    /// Clients from a loaded configuration; `endpoints` override what it says.
    #[must_use]
    pub fn new(
        config: &aws_config::SdkConfig,
        endpoints: Option<&Endpoints>,
        names: Names,
        clock: Clock,
        limits: Limits,
    ) -> Self {
        let (dynamodb, sqs, s3) = match endpoints {
            Some(endpoints) => (
                endpoints.dynamodb_client(config),
                endpoints.sqs_client(config),
                endpoints.s3_client(config),
            ),
            None => (
                aws_sdk_dynamodb::Client::new(&answered_within(TABLE, config)),
                aws_sdk_sqs::Client::new(&answered_within(QUEUE, config)),
                aws_sdk_s3::Client::new(&answered_within(BUCKET, config)),
            ),
        };
        Self {
            store: Store::new(dynamodb, names.table, clock, limits),
            files: Files::new(s3, names.bucket),
            jobs: Queue::new(sqs.clone(), names.jobs_queue_url),
            callbacks: Queue::new(sqs, names.callbacks_queue_url),
            bus: None,
        }
    }
}

impl Clients {
    /// The same clients in the hands of `role`, such as `worker`. Only a build with kill points makes a difference: its
    /// points are called after who writes.
    #[must_use]
    #[cfg(not(feature = "faults"))]
    pub fn playing(&self, _role: &'static str) -> Self {
        self.clone()
    }

    /// The same clients in the hands of `role`, such as `worker`: the points of [`crate::faults`] are called after it.
    #[must_use]
    #[cfg(feature = "faults")]
    pub fn playing(&self, role: &'static str) -> Self {
        let mut playing = self.clone();
        playing.store.client = crate::faults::dynamodb(&self.store.client, role);
        playing.files.client = crate::faults::s3(&self.files.client, role);
        playing.jobs.client = crate::faults::sqs(&self.jobs.client, role);
        playing.callbacks.client = crate::faults::sqs(&self.callbacks.client, role);
        if let Some(bus) = &mut playing.bus {
            bus.client = crate::faults::eventbridge(&bus.client, role);
        }
        playing
    }
}

/// How long a service may take to answer before it is asked again. Without a bound, one lost answer would hold a worker
/// for ever. DynamoDB answers at once; a receive from SQS waits up to 20 seconds; S3 answers when it has the whole body,
/// which may be the output of a stage of a large network.
const TABLE: Duration = Duration::from_secs(10);
const QUEUE: Duration = Duration::from_secs(30);
const BUCKET: Duration = Duration::from_secs(60);

fn answered_within(time: Duration, config: &aws_config::SdkConfig) -> aws_config::SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(time)
        .build();
    config.clone().into_builder().timeout_config(timeouts).build()
}

/// A lease must outlive a few beats of its holder's heart, which beats twice a second.
fn check(limits: Limits) -> Result<(), MissingSetting> {
    let refuse = |name, problem: &str| {
        let problem = problem.to_owned();
        Err(MissingSetting { name, problem })
    };
    if limits.max_attempts == 0 {
        return refuse("MAX_ATTEMPTS", "must be at least 1");
    }
    if limits.lease_ms < 3_000 {
        return refuse("LEASE_MS", "must be at least 3000");
    }
    if limits.grace_ms < 0 {
        return refuse("GRACE_MS", "must not be negative");
    }
    Ok(())
}

/// Where the services are when they are not at AWS: what `AWS_ENDPOINT_URL_DYNAMODB`, `_SQS` and `_S3` say.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// URL of DynamoDB.
    pub dynamodb: String,
    /// URL of SQS.
    pub sqs: String,
    /// URL of S3.
    pub s3: String,
}

impl Endpoints {
    /// A client of DynamoDB there.
    #[must_use]
    pub fn dynamodb_client(&self, config: &aws_config::SdkConfig) -> aws_sdk_dynamodb::Client {
        let config =
            aws_sdk_dynamodb::config::Builder::from(&answered_within(TABLE, config)).endpoint_url(&self.dynamodb);
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        #[cfg(feature = "faults")]
        let client = crate::faults::dynamodb(&client, "local");
        client
    }

    /// A client of SQS there.
    #[must_use]
    pub fn sqs_client(&self, config: &aws_config::SdkConfig) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::config::Builder::from(&answered_within(QUEUE, config)).endpoint_url(&self.sqs);
        let client = aws_sdk_sqs::Client::from_conf(config.build());
        #[cfg(feature = "faults")]
        let client = crate::faults::sqs(&client, "local");
        client
    }

    /// A client of S3 there. Buckets are part of the path: a name of loopback has no names below it.
    #[must_use]
    pub fn s3_client(&self, config: &aws_config::SdkConfig) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&answered_within(BUCKET, config))
            .endpoint_url(&self.s3)
            .force_path_style(true);
        let client = aws_sdk_s3::Client::from_conf(config.build());
        #[cfg(feature = "faults")]
        let client = crate::faults::s3(&client, "local");
        client
    }
}

/// The names of what the clients work on.
#[derive(Debug, Clone)]
pub struct Names {
    /// The DynamoDB table.
    pub table: String,
    /// The S3 bucket.
    pub bucket: String,
    /// The queue of jobs.
    pub jobs_queue_url: String,
    /// The queue of completion events.
    pub callbacks_queue_url: String,
}
