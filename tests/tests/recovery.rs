//! What was lost is found: messages, workers, attempts.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jobs::protocol::{Event, State};
use jobs::{Calculation, Failure, Input, Job, JobId, Json, Outcome, Run, Source, Stage};
use local::SystemSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use system_tests::Instance;

/// A system whose sweeper looks at once, and often.
fn watchful(settings: SystemSettings) -> SystemSettings {
    let mut settings = settings;
    settings.limits.grace_ms = 0;
    settings.sweep_every = Duration::from_millis(20);
    settings
}

/// A job that is recorded and of which no message was sent, as when the API dies in between.
async fn recorded(instance: &Instance) -> JobId {
    let upload = instance.api().upload(b"owner,owned,share\nA,B,0.5\n").await;
    let clients = instance.system().clients();
    let now = clients.store.clock().now();
    let job = Job {
        id: JobId::generate(),
        tenant: "default".into(),
        job_type: "structure".into(),
        parameters: Json(json!({})),
        input: Input {
            source: Source::Object(format!("inputs/{upload}")),
            name: None,
            format: None,
            columns: None,
            unit: None,
            values: None,
        },
        callback_url: None,
        retry_of: None,
        created_at: now,
        expires_at: now.plus_ms(3_600_000),
        state: State::accepted(now, clients.store.limits()),
    };
    clients.store.create(&job, None).await.unwrap();
    job.id
}

#[tokio::test]
async fn a_job_whose_message_was_lost_ends() {
    let instance = Instance::with(watchful).await;
    let id = recorded(&instance).await;
    let job = instance.api().ended(&id.to_string()).await;
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("SUCCESS"), &json!(1)),
        "{job}"
    );
    instance.stop().await;
}

#[tokio::test]
async fn a_job_whose_worker_fell_silent_is_started_again() {
    let instance = Instance::with(|settings| {
        let mut settings = watchful(settings);
        // Long enough for this test to claim first, and for the second worker to keep its lease.
        settings.limits.grace_ms = 3_000;
        settings.limits.lease_ms = 3_000;
        settings
    })
    .await;
    let id = recorded(&instance).await;
    instance
        .system()
        .clients()
        .store
        .change(id, &Event::Claim)
        .await
        .unwrap();
    let job = instance.api().ended(&id.to_string()).await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    assert_eq!(job["attempt"], 2);
    instance.stop().await;
}

#[tokio::test]
async fn a_job_that_always_loses_its_worker_is_visibly_dead_and_can_be_retried() {
    let instance = Instance::with(|settings| {
        let mut settings = watchful(settings);
        settings.limits.lease_ms = 0;
        settings.workers = 0;
        settings
    })
    .await;
    let id = recorded(&instance).await;
    let store = &instance.system().clients().store;
    let mut starts = 0;
    while store.change(id, &Event::Claim).await.is_ok() {
        starts += 1;
    }
    assert_eq!(starts, store.limits().max_attempts);
    let job = instance.api().ended(&id.to_string()).await;
    assert_eq!(
        (&job["status"], &job["error"]["code"]),
        (&json!("FAILURE"), &json!("attempts_exhausted")),
        "{job}"
    );
    let (status, again) = instance.api().post(&format!("/jobs/{id}/retry"), &json!({})).await;
    assert_eq!((status.as_u16(), &again["attempt"]), (202, &json!(0)));
    store
        .change(again["id"].as_str().unwrap().parse().unwrap(), &Event::Revoke)
        .await
        .unwrap();
    instance.stop().await;
}

static FIRST_RUNS: AtomicUsize = AtomicUsize::new(0);
static SECOND_RUNS: AtomicUsize = AtomicUsize::new(0);

/// Its first stage may run once; its second fails the first time, in a way that may pass.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Stumbling {}

impl Calculation for Stumbling {
    const NAME: &'static str = "stumbling";
    const SUMMARY: &'static str = "Fails once.";
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
        let number = run.stage("first", |_| Ok(42 + FIRST_RUNS.fetch_add(1, Ordering::SeqCst)))?;
        run.stage("second", |_| match SECOND_RUNS.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Failure::Transient("the service is away".into())),
            1 => panic!("a defect"),
            _ => Ok(()),
        })?;
        Ok(Outcome {
            result: Json(json!({ "number": number })),
            ..Outcome::default()
        })
    }
}

#[tokio::test]
async fn a_committed_stage_is_not_run_again() {
    let instance = Instance::with(|mut settings| {
        settings.registry = settings.registry.with::<Stumbling>();
        settings.pipeline.commit_after_ms = 0;
        settings
    })
    .await;
    let job = instance.api().run_file("stumbling", b"x", json!({})).await;
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("SUCCESS"), &json!(3)),
        "{job}"
    );
    assert_eq!(job["result"], json!({"number": 42}));
    assert_eq!(FIRST_RUNS.load(Ordering::SeqCst), 1);
    assert_eq!(SECOND_RUNS.load(Ordering::SeqCst), 3);
    assert_eq!(job["error"], Value::Null, "what passed is forgotten");
    instance.stop().await;
}
