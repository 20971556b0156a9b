//! A system by a clock that only the test moves: nothing happens in it but what the test calls for.

use std::time::Duration;

use api::{Api as Served, Settings, router};
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use axum::http::StatusCode;
use jobs::pipeline::Settings as PipelineSettings;
use jobs::{Clients, Clock, Timestamp};
use local::SystemSettings;
use notifier::Notifier;
use serde_json::{Value, json};
use sweeper::Swept;
use system_tests::{Api, Instance};
use tokio::net::TcpListener;
use webhooks::{Deliverer, Policy, Secrets};
use worker::Worker;

/// A small job that tells `callback_url`.
pub(crate) fn small(callback_url: &str) -> Value {
    json!({
        "type": "structure",
        "input": {"stakes": [{"owner": "A", "owned": "B", "share": 0.6}]},
        "callback_url": callback_url,
    })
}

/// The engines of an instance, and functions on them that are called by hand.
pub(crate) struct Timed {
    instance: Instance,
    pub(crate) clock: Clock,
    pub(crate) clients: Clients,
    pub(crate) api: Api,
}

impl Timed {
    pub(crate) async fn start() -> Self {
        let instance = Instance::with(|settings| SystemSettings {
            workers: 0,
            notifiers: 0,
            sweep_every: Duration::from_secs(3_600),
            ..settings
        })
        .await;
        let clock = Clock::manual(Clock::system().now());
        let mut clients = instance.system().clients().clone();
        clients.store = clients.store.with_clock(clock.clone());
        let settings = Settings {
            callbacks: loopback(),
            ..Settings::default()
        };
        let served = router(Served::new(clients.clone(), calculations::registry(), settings));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Api::new(&format!("http://{}", listener.local_addr().unwrap()));
        tokio::spawn(async move { axum::serve(listener, served).await });
        Self {
            instance,
            clock,
            clients,
            api,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock forward to `moment`.
    pub(crate) fn at(&self, moment: Timestamp) {
        self.clock.advance_ms(moment.ms() - self.now().ms());
    }

    /// What events are signed with.
    pub(crate) fn secret(&self) -> String {
        self.instance.system().secret().reveal()
    }

    /// A job that ran, and whose event waits.
    pub(crate) async fn run(&self, callback_url: &str) -> String {
        let id = self.api.submit(&small(callback_url)).await;
        self.work(&id).await;
        id
    }

    /// Invokes the worker.
    pub(crate) async fn work(&self, id: &str) {
        let settings = PipelineSettings::default();
        let worker = Worker::new(self.clients.clone(), calculations::registry(), settings);
        let answer = worker.handle(message(id), None).await;
        assert_eq!(answer.batch_item_failures.len(), 0);
    }

    /// Invokes the notifier.
    pub(crate) async fn notify(&self, id: &str) {
        self.notify_with(Deliverer::new(loopback()).unwrap(), id).await;
    }

    /// Invokes a notifier that calls by other rules.
    pub(crate) async fn notify_with(&self, deliverer: Deliverer, id: &str) {
        let secrets = Secrets::new(self.instance.system().secret().clone(), None);
        let notifier = Notifier::new(self.clients.clone(), deliverer, secrets);
        let answer = notifier.handle(message(id)).await;
        assert_eq!(answer.batch_item_failures.len(), 0);
    }

    /// Invokes the sweeper.
    pub(crate) async fn sweep(&self) -> Swept {
        sweeper::sweep(&self.clients).await.unwrap()
    }

    pub(crate) async fn deliveries(&self, id: &str) -> Value {
        let (status, deliveries) = self.api.get(&format!("/jobs/{id}/deliveries")).await;
        assert_eq!(status, StatusCode::OK, "{deliveries}");
        deliveries
    }

    pub(crate) async fn replay(&self, id: &str) -> (StatusCode, Value) {
        self.api
            .post(&format!("/jobs/{id}/deliveries/replay"), &json!({}))
            .await
    }

    /// Ends it. Fails if work is left.
    pub(crate) async fn stop(self) {
        self.instance.stop().await;
    }
}

fn loopback() -> Policy {
    Policy {
        allow_loopback: true,
        ..Policy::default()
    }
}

fn message(id: &str) -> SqsEvent {
    let mut message = SqsMessage::default();
    message.body = Some(json!({"job_id": id}).to_string());
    let mut event = SqsEvent::default();
    event.records.push(message);
    event
}
