//! Several processes over one set of engines, as the functions run on AWS: none of them knows of the others.

use std::path::Path;

use local::engines::{Credentials, Engines, Settings};

use crate::process::Process;

/// The services, in the process of the test, so that they outlive those that use them.
#[derive(Debug)]
pub struct Services {
    engines: Engines,
    credentials: Credentials,
}

impl Services {
    /// Starts them on a folder.
    pub async fn start(data: &Path) -> Self {
        let credentials = Credentials {
            access_key: "tests".to_owned(),
            secret_key: "a secret of forty characters, or a little more".to_owned(),
        };
        let engines = Engines::start(Settings {
            data: data.to_owned(),
            credentials: credentials.clone(),
            region: "us-east-1".to_owned(),
        })
        .await
        .unwrap();
        Self { engines, credentials }
    }

    /// Where they are: of DynamoDB, SQS and S3.
    #[must_use]
    pub fn urls(&self) -> [&str; 3] {
        [&self.engines.dynamodb_url, &self.engines.sqs_url, &self.engines.s3_url]
    }

    /// The settings of a process that uses them at `urls`.
    #[must_use]
    pub fn environment(&self, urls: [&str; 3]) -> Vec<(&'static str, String)> {
        let [dynamodb, sqs, s3] = urls.map(str::to_owned);
        vec![
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
            ("AWS_ENDPOINT_URL_SQS", sqs),
            ("AWS_ENDPOINT_URL_S3", s3),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", self.credentials.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.credentials.secret_key.clone()),
        ]
    }
}

/// Services, and a folder for what processes that use them share.
#[derive(Debug)]
pub struct Cluster {
    services: Services,
    binary: &'static str,
    data: tempfile::TempDir,
}

impl Cluster {
    /// Without any process yet.
    pub async fn start(binary: &'static str) -> Self {
        let data = tempfile::tempdir().unwrap();
        Self {
            services: Services::start(&data.path().join("engines")).await,
            binary,
            data,
        }
    }

    /// A file of its own for each name.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        self.data.path().join(name).display().to_string()
    }

    /// The secret that events are signed with.
    #[must_use]
    pub fn webhook_secret(&self) -> String {
        std::fs::read_to_string(self.file("system/webhook-secret")).unwrap()
    }

    /// A process with one worker, short leases, and a sweeper that looks often.
    pub async fn process(&self, settings: &[(&'static str, &str)]) -> Process {
        self.process_at(self.services.urls(), settings).await
    }

    /// As [`Cluster::process`], for services that are reached elsewhere.
    pub async fn process_at(&self, urls: [&str; 3], settings: &[(&'static str, &str)]) -> Process {
        let mut environment = self.services.environment(urls);
        let usual = [
            ("LEASE_MS", "5000"),
            ("GRACE_MS", "1000"),
            ("SWEEP_MS", "100"),
            ("WORKERS", "1"),
            ("COMMIT_AFTER_MS", "0"),
        ];
        let settings = usual.iter().chain(settings);
        environment.extend(settings.map(|(name, value)| (*name, (*value).to_owned())));
        let system = self.data.path().join("system");
        Process::start(self.binary, &["system"], &system, &environment).await
    }

    /// Where the services are.
    #[must_use]
    pub fn urls(&self) -> [&str; 3] {
        self.services.urls()
    }
}
