//! Work that does not fit into one invocation, and services that want to be asked less.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use jobs::pipeline::Settings;
use jobs::{Calculation, Failure, Json, Outcome, Run, Stage, Timestamp};
use local::SystemSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use system_tests::Instance;
use worker::Worker;

/// How long an invocation may take until it hands over.
const TIME_MS: i64 = 3_000;

/// A short stage, and one that the first invocation does not finish.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Long {}

static FIRST_STAGE: AtomicU32 = AtomicU32::new(0);
static SECOND_STAGE: AtomicU32 = AtomicU32::new(0);

impl Calculation for Long {
    const NAME: &'static str = "long";
    const SUMMARY: &'static str = "Takes longer than an invocation.";
    const STAGES: &'static [Stage] = &[
        Stage {
            name: "first",
            weight: 50,
            carries: true,
        },
        Stage {
            name: "second",
            weight: 50,
            carries: true,
        },
    ];

    fn columns() -> Value {
        json!([])
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        run.stage("first", |_| Ok(FIRST_STAGE.fetch_add(1, Ordering::Relaxed)))?;
        run.stage("second", |stage| {
            if SECOND_STAGE.fetch_add(1, Ordering::Relaxed) == 0 {
                loop {
                    stage.progress(0.5)?;
                    sleep(Duration::from_millis(10));
                }
            }
            Ok(())
        })?;
        Ok(Outcome {
            result: Json(json!({})),
            ..Outcome::default()
        })
    }
}

/// A stage that would take for ever.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Endless {}

impl Calculation for Endless {
    const NAME: &'static str = "endless";
    const SUMMARY: &'static str = "Has a stage that fits into no invocation.";
    const STAGES: &'static [Stage] = &[Stage {
        name: "waiting",
        weight: 100,
        carries: true,
    }];

    fn columns() -> Value {
        json!([])
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        run.stage::<()>("waiting", |stage| {
            loop {
                stage.progress(0.5)?;
                sleep(Duration::from_millis(10));
            }
        })?;
        Ok(Outcome::default())
    }
}

/// Asks a table that takes no more.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Throttled {}

impl Calculation for Throttled {
    const NAME: &'static str = "throttled";
    const SUMMARY: &'static str = "Is throttled.";
    const STAGES: &'static [Stage] = &[Stage {
        name: "asking",
        weight: 100,
        carries: true,
    }];

    fn columns() -> Value {
        json!([])
    }

    fn run(&self, _: &mut Run) -> Result<Outcome, Failure> {
        let said = "write rows: service error: unhandled error (ThrottlingException)";
        Err(Failure::Transient(said.to_owned()))
    }
}

/// A system without workers, and a worker to be invoked by hand.
async fn invocable() -> (Instance, Worker) {
    let registry = || {
        calculations::registry()
            .with::<Long>()
            .with::<Endless>()
            .with::<Throttled>()
    };
    let instance = Instance::with(|settings| SystemSettings {
        registry: registry(),
        workers: 0,
        ..settings
    })
    .await;
    let settings = Settings {
        commit_after_ms: 0,
        ..Settings::default()
    };
    let worker = Worker::new(instance.system().clients().clone(), registry(), settings);
    (instance, worker)
}

async fn submit(instance: &Instance, job_type: &str) -> String {
    let stakes = json!([{"owner": "A", "owned": "B", "share": 0.5}]);
    let job = json!({"type": job_type, "input": {"stakes": stakes}});
    instance.api().submit(&job).await
}

async fn invoke(instance: &Instance, worker: &Worker, id: &str, time_ms: i64) -> Value {
    let mut message = SqsMessage::default();
    message.body = Some(json!({"job_id": id}).to_string());
    let mut event = SqsEvent::default();
    event.records.push(message);
    let now = instance.system().clients().store.clock().now();
    let deadline: Timestamp = now.plus_ms(Settings::default().margin_ms + time_ms);
    let response = worker.handle(event, Some(deadline)).await;
    assert_eq!(response.batch_item_failures.len(), 0);
    instance.api().get(&format!("/jobs/{id}")).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_in_another_invocation_without_spending_an_attempt() {
    let (instance, worker) = invocable().await;
    let id = submit(&instance, "long").await;
    let job = invoke(&instance, &worker, &id, TIME_MS).await;
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("PENDING"), &json!(1)),
        "{job}"
    );
    let job = invoke(&instance, &worker, &id, TIME_MS).await;
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("SUCCESS"), &json!(1)),
        "{job}"
    );
    let runs = (
        FIRST_STAGE.load(Ordering::Relaxed),
        SECOND_STAGE.load(Ordering::Relaxed),
    );
    assert_eq!(runs, (1, 2), "the committed stage ran once");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_fits_into_no_invocation_ends_the_job_and_says_so() {
    let (instance, worker) = invocable().await;
    let id = submit(&instance, "endless").await;
    let job = invoke(&instance, &worker, &id, 200).await;
    assert_eq!(
        (&job["status"], &job["error"]["code"]),
        (&json!("FAILURE"), &json!("too_long")),
        "{job}"
    );
    assert!(
        job["error"]["message"].as_str().unwrap().contains("stage waiting"),
        "{job}"
    );
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_job_waits_and_keeps_its_attempts() {
    let (instance, worker) = invocable().await;
    let id = submit(&instance, "throttled").await;
    let job = invoke(&instance, &worker, &id, TIME_MS).await;
    assert_eq!(
        (&job["status"], &job["error"]),
        (&json!("PENDING"), &Value::Null),
        "{job}"
    );
    let state = instance
        .system()
        .clients()
        .store
        .get(id.parse().unwrap())
        .await
        .unwrap()
        .state;
    assert!(state.continued, "the next claim counts no attempt");
    assert!(
        state.not_before > instance.system().clients().store.clock().now(),
        "it waits a while"
    );
    let (status, _) = instance.api().post(&format!("/jobs/{id}/revoke"), &json!({})).await;
    assert!(status.is_success());
    instance.stop().await;
}
