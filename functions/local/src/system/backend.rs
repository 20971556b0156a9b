//! What the functions talk to: the embedded engines, or whatever the SDK's own settings name.

use std::env;
use std::path::Path;

use aws_sdk_s3::config::{BehaviorVersion, Credentials as SdkCredentials, Region, StalledStreamProtectionConfig};
use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use jobs::protocol::Limits;
use jobs::{Clients, Clock, Endpoints, Names};

use super::data::SystemError;
use super::mapping::Inbox;
use crate::engines::{Credentials, Engines, Settings};
use base64::Engine as _;

const ENDPOINTS: [&str; 3] = [
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL_S3",
];
const REGION: &str = "us-east-1";
const NAME: &str = "stakegraph";

/// How long a message is hidden while it is handled. A job may take longer: its lease, not this, keeps others away.
const VISIBILITY_S: &str = "60";

/// How often a message is handed out before it counts as poisoned.
const MAX_RECEIVES: u32 = 5;

/// The services behind the functions.
#[derive(Debug)]
pub(super) struct Backend {
    engines: Option<Engines>,
    config: aws_config::SdkConfig,
    endpoints: Endpoints,
    sqs: aws_sdk_sqs::Client,
    names: Names,
}

impl Backend {
    /// Starts the embedded engines on `data`, unless all three endpoint variables name others.
    pub(super) async fn start(data: &Path) -> Result<Self, SystemError> {
        let given = ENDPOINTS.map(|name| env::var(name).ok().filter(|url| !url.is_empty()));
        let (config, endpoints) = match given {
            [Some(dynamodb), Some(sqs), Some(s3)] => {
                let config = Clients::sdk_config().load().await;
                (config, Endpoints { dynamodb, sqs, s3 })
            }
            [None, None, None] => return Self::embedded(data, random_credentials()).await,
            some => {
                let absent = ENDPOINTS.iter().zip(&some).find(|(_, url)| url.is_none());
                return Err(SystemError::Prepare {
                    action: "choose the services",
                    reason: format!(
                        "set all of {}, or none; {} is not set",
                        ENDPOINTS.join(", "),
                        absent.map_or("one", |(name, _)| *name)
                    ),
                });
            }
        };
        Self::on(None, config, endpoints).await
    }

    /// Starts the embedded engines on `data`.
    pub(super) async fn embedded(data: &Path, credentials: Credentials) -> Result<Self, SystemError> {
        let engines = Engines::start(Settings {
            data: data.to_owned(),
            credentials: credentials.clone(),
            region: REGION.to_owned(),
        })
        .await?;
        let config = embedded_config(&credentials, &engines).await;
        let endpoints = Endpoints {
            dynamodb: engines.dynamodb_url.clone(),
            sqs: engines.sqs_url.clone(),
            s3: engines.s3_url.clone(),
        };
        Self::on(Some(engines), config, endpoints).await
    }

    async fn on(
        engines: Option<Engines>,
        config: aws_config::SdkConfig,
        endpoints: Endpoints,
    ) -> Result<Self, SystemError> {
        let sqs = endpoints.sqs_client(&config);
        let names = Names {
            table: NAME.to_owned(),
            bucket: NAME.to_owned(),
            jobs_queue_url: make_queue(&sqs, "jobs").await?,
            callbacks_queue_url: make_queue(&sqs, "callbacks").await?,
        };
        Ok(Self {
            engines,
            config,
            endpoints,
            sqs,
            names,
        })
    }

    /// Whether nobody but this process uses the services.
    pub(super) const fn is_ours(&self) -> bool {
        self.engines.is_some()
    }

    /// The clients of the functions, with table and bucket there.
    pub(super) async fn clients(&self, limits: Limits, clock: Clock) -> Result<Clients, SystemError> {
        let dynamodb = self.endpoints.dynamodb_client(&self.config);
        jobs::create_table(&dynamodb, &self.names.table).await?;
        make_bucket(&self.endpoints.s3_client(&self.config), &self.names.bucket).await?;
        Ok(Clients::new(
            &self.config,
            Some(&self.endpoints),
            self.names.clone(),
            clock,
            limits,
        ))
    }

    /// What the services and the things in them are called, as the functions' settings.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        let Names {
            table,
            bucket,
            jobs_queue_url,
            callbacks_queue_url,
        } = self.names.clone();
        vec![
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.endpoints.dynamodb.clone()),
            ("AWS_ENDPOINT_URL_SQS", self.endpoints.sqs.clone()),
            ("AWS_ENDPOINT_URL_S3", self.endpoints.s3.clone()),
            ("TABLE", table),
            ("BUCKET", bucket),
            ("JOBS_QUEUE_URL", jobs_queue_url),
            ("CALLBACKS_QUEUE_URL", callbacks_queue_url),
        ]
    }

    pub(super) fn jobs_queue(&self) -> Inbox {
        Inbox::new(self.sqs.clone(), self.names.jobs_queue_url.clone())
    }

    pub(super) fn callbacks_queue(&self) -> Inbox {
        Inbox::new(self.sqs.clone(), self.names.callbacks_queue_url.clone())
    }

    pub(super) async fn stop(self) {
        if let Some(engines) = self.engines {
            engines.stop().await;
        }
    }
}

/// A key pair for the life of this process: nobody else needs it.
fn random_credentials() -> Credentials {
    let secret = rand::random::<[u8; 30]>();
    Credentials {
        access_key: "stakegraph".to_owned(),
        secret_key: base64::engine::general_purpose::STANDARD.encode(secret),
    }
}

/// Nothing of the machine's own AWS configuration is looked at: no profile, no metadata service. Nor is a proxy that the
/// environment names: no proxy leads back to this machine's loopback. Nothing is taken for a connection that stalls: what
/// stays in this process has none, and a long poll would be cut off after some seconds.
async fn embedded_config(credentials: &Credentials, engines: &Engines) -> aws_config::SdkConfig {
    let keys = SdkCredentials::new(
        &credentials.access_key,
        &credentials.secret_key,
        None,
        None,
        "embedded engines",
    );
    let loopback = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https();
    Clients::sdk_config()
        .behavior_version(BehaviorVersion::latest())
        .empty_test_environment()
        .region(Region::new(REGION))
        .credentials_provider(keys)
        .http_client(engines.http_client(loopback))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await
}

async fn make_queue(sqs: &aws_sdk_sqs::Client, name: &str) -> Result<String, SystemError> {
    let dead = create_queue(sqs, &format!("{name}-dead"), None).await?;
    let attributes = sqs
        .get_queue_attributes()
        .queue_url(&dead)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .map_err(prepare("look at a queue"))?;
    let arn = attributes
        .attributes
        .and_then(|mut attributes| attributes.remove(&QueueAttributeName::QueueArn))
        .unwrap_or_default();
    let redrive = serde_json::json!({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES});
    create_queue(sqs, name, Some(redrive.to_string())).await
}

async fn create_queue(sqs: &aws_sdk_sqs::Client, name: &str, redrive: Option<String>) -> Result<String, SystemError> {
    let mut request = sqs
        .create_queue()
        .queue_name(name)
        .attributes(QueueAttributeName::VisibilityTimeout, VISIBILITY_S);
    if let Some(redrive) = redrive {
        request = request.attributes(QueueAttributeName::RedrivePolicy, redrive);
    }
    let made = request.send().await.map_err(prepare("make a queue"))?;
    Ok(made.queue_url.unwrap_or_default())
}

async fn make_bucket(s3: &aws_sdk_s3::Client, name: &str) -> Result<(), SystemError> {
    const ACTION: &str = "make a bucket";
    if s3.head_bucket().bucket(name).send().await.is_err() {
        s3.create_bucket().bucket(name).send().await.map_err(prepare(ACTION))?;
    }
    // Whoever holds a signed URL may use it from a page of any origin: the signature is what counts.
    let rule = CorsRule::builder()
        .allowed_origins("*")
        .allowed_methods("GET")
        .allowed_methods("PUT")
        .allowed_headers("*")
        .expose_headers("ETag")
        .build()
        .map_err(prepare(ACTION))?;
    let rules = CorsConfiguration::builder()
        .cors_rules(rule)
        .build()
        .map_err(prepare(ACTION))?;
    s3.put_bucket_cors()
        .bucket(name)
        .cors_configuration(rules)
        .send()
        .await
        .map_err(prepare(ACTION))?;
    Ok(())
}

fn prepare<E: std::error::Error>(action: &'static str) -> impl FnOnce(E) -> SystemError {
    move |error| {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            reason = format!("{reason}: {inner}");
            cause = inner.source();
        }
        SystemError::Prepare { action, reason }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::config::retry::RetryConfig;

    use super::*;

    /// Longer than the SDK lets a connection stall.
    const POLL_S: i32 = 8;

    #[tokio::test]
    async fn a_long_poll_within_the_process_is_not_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let backend = Backend::embedded(folder.path(), random_credentials()).await.unwrap();
        let received = backend
            .sqs
            .receive_message()
            .queue_url(&backend.names.jobs_queue_url)
            .wait_time_seconds(POLL_S)
            .customize()
            .config_override(aws_sdk_sqs::config::Builder::new().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .unwrap();
        assert_eq!(received.messages(), []);
        backend.stop().await;
    }
}
