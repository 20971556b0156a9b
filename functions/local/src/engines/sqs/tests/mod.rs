//! The rules of queues, on a clock that the tests move.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use super::error::Error;
use super::{Options, Service, actions};
use crate::engines::clock::Clock;

mod delivery;
mod limits;
mod polling;

const START_MS: i64 = 1_700_000_000_000;

/// A service in a folder of its own.
struct World {
    service: Arc<Service>,
    clock: Clock,
    stop: watch::Sender<bool>,
    folder: TempDir,
}

fn open(path: &Path, clock: &Clock) -> (Arc<Service>, watch::Sender<bool>) {
    let (sender, stop) = watch::channel(false);
    let options = Options {
        url: "http://127.0.0.1:1".into(),
        region: "eu-west-1".into(),
        sender: "someone".into(),
        clock: clock.clone(),
        stop,
    };
    (Arc::new(Service::open(path, options).unwrap()), sender)
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START_MS);
        let (service, stop) = open(&folder.path().join("sqs.sqlite"), &clock);
        Self {
            service,
            clock,
            stop,
            folder,
        }
    }

    /// Goes on with what a process killed at this moment would leave: its files, without closing them.
    fn killed(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        let (service, stop) = open(&folder.path().join("sqs.sqlite"), &self.clock);
        Self {
            service,
            clock: self.clock.clone(),
            stop,
            folder,
        }
    }

    async fn ask(&self, operation: &str, request: Value) -> Result<Value, Error> {
        actions::run(&self.service, operation, request.to_string().as_bytes()).await
    }

    async fn queue(&self, name: &str, attributes: Value) -> String {
        let request = json!({ "QueueName": name, "Attributes": attributes });
        text(&self.ask("CreateQueue", request).await.unwrap()["QueueUrl"])
    }

    async fn send(&self, url: &str, body: &str) -> String {
        let request = json!({ "QueueUrl": url, "MessageBody": body });
        text(&self.ask("SendMessage", request).await.unwrap()["MessageId"])
    }

    async fn receive(&self, url: &str) -> Vec<Value> {
        let request = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"] });
        messages(&self.ask("ReceiveMessage", request).await.unwrap())
    }

    async fn count(&self, url: &str) -> [String; 3] {
        let request = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
        let answer = self.ask("GetQueueAttributes", request).await.unwrap();
        ["", "NotVisible", "Delayed"]
            .map(|state| text(&answer["Attributes"][format!("ApproximateNumberOfMessages{state}")]))
    }

    async fn poll(&self, url: &str) -> tokio::task::JoinHandle<Vec<Value>> {
        let request = json!({ "QueueUrl": url, "WaitTimeSeconds": 20 });
        let service = Arc::clone(&self.service);
        let before = self.clock.waiting();
        let task = tokio::spawn(async move {
            let answer = actions::run(&service, "ReceiveMessage", request.to_string().as_bytes()).await;
            messages(&answer.unwrap())
        });
        while self.clock.waiting() == before {
            tokio::task::yield_now().await;
        }
        task
    }
}

/// What a poll found; a poll that was not woken fails the test instead of hanging it.
async fn found(poll: tokio::task::JoinHandle<Vec<Value>>) -> Vec<Value> {
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, poll).await.unwrap().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn messages(answer: &Value) -> Vec<Value> {
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

fn with_handle(url: &str, message: &Value) -> Value {
    json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] })
}
