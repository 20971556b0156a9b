//! Work that does not fit into one invocation, and services that want to be asked less.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use jobs::pipeline::Settings;
use jobs::{Calculation, Clock, Failure, Json, Outcome, Run, Stage, Timestamp};
use local::SystemSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use system_tests::Instance;
use worker::Worker;

/// How long an invocation may take.
const TIME_MS: i64 = 900_000;

/// A short stage, and one that the first invocation does not finish.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Long {}

/// What time it is for each calculation that takes long: it moves the clock itself.
static LONG: LazyLock<Clock> = LazyLock::new(stopped_clock);
static ENDLESS: LazyLock<Clock> = LazyLock::new(stopped_clock);

/// It is ahead of the system's, by which jobs are accepted.
fn stopped_clock() -> Clock {
    Clock::manual(Clock::system().now().plus_ms(60_000))
}

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
                LONG.advance_ms(TIME_MS - 20_000);
                stage.progress(0.5)?;
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
        run.stage("waiting", |stage| {
            ENDLESS.advance_ms(TIME_MS - 20_000);
            Ok(stage.progress(0.5)?)
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
        let said = "service error: unhandled error (ThrottlingException)";
        Err(Failure::of_service(&std::io::Error::other(said)))
    }
}

/// A system without workers, and a worker to be invoked by hand, by a clock of its own.
struct Invocable {
    instance: Instance,
    worker: Worker,
    clock: Clock,
}

impl Invocable {
    async fn start(clock: Clock) -> Self {
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
        let mut clients = instance.system().clients().clone();
        clients.store = clients.store.with_clock(clock.clone());
        let settings = Settings {
            commit_after_ms: 0,
            ..Settings::default()
        };
        let worker = Worker::new(clients, registry(), settings);
        Self {
            instance,
            worker,
            clock,
        }
    }

    async fn submit(&self, job_type: &str) -> String {
        let stakes = json!([{"owner": "A", "owned": "B", "share": 0.5}]);
        let job = json!({"type": job_type, "input": {"stakes": stakes}});
        self.instance.api().submit(&job).await
    }

    /// The job after an invocation that has `TIME_MS`.
    async fn invoke(&self, id: &str) -> Value {
        self.invoke_until(id, self.clock.now().plus_ms(TIME_MS)).await
    }

    async fn invoke_until(&self, id: &str, deadline: Timestamp) -> Value {
        let mut message = SqsMessage::default();
        message.body = Some(json!({"job_id": id}).to_string());
        let mut event = SqsEvent::default();
        event.records.push(message);
        let response = self.worker.handle(event, Some(deadline)).await;
        assert_eq!(response.batch_item_failures.len(), 0);
        self.instance.api().get(&format!("/jobs/{id}")).await.1
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_in_another_invocation_without_spending_an_attempt() {
    let system = Invocable::start(LONG.clone()).await;
    let id = system.submit("long").await;
    for status in ["PENDING", "SUCCESS"] {
        let job = system.invoke(&id).await;
        assert_eq!((&job["status"], &job["attempt"]), (&json!(status), &json!(1)), "{job}");
    }
    let runs = (
        FIRST_STAGE.load(Ordering::Relaxed),
        SECOND_STAGE.load(Ordering::Relaxed),
    );
    assert_eq!(runs, (1, 2), "the committed stage ran once");
    system.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_fits_into_no_invocation_is_tried_twice_and_ends_the_job() {
    let system = Invocable::start(ENDLESS.clone()).await;
    let id = system.submit("endless").await;
    for (status, code) in [("PENDING", "attempt_failed"), ("FAILURE", "too_long")] {
        let job = system.invoke(&id).await;
        assert_eq!(
            (&job["status"], &job["error"]["code"]),
            (&json!(status), &json!(code)),
            "{job}"
        );
        let reason = job["error"]["message"].as_str().unwrap();
        assert!(reason.contains("stage waiting"), "{reason}");
    }
    system.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_passed_before_the_work_began_is_none() {
    let clock = stopped_clock();
    let system = Invocable::start(clock.clone()).await;
    let id = system.submit("structure").await;
    let job = system.invoke_until(&id, clock.now().plus_ms(-1)).await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    system.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_job_says_so_waits_and_keeps_its_attempts() {
    let clock = stopped_clock();
    let system = Invocable::start(clock.clone()).await;
    let id = system.submit("throttled").await;
    for _ in 0..10 {
        let job = system.invoke(&id).await;
        let seen = (&job["status"], &job["attempt"], &job["error"]["code"]);
        assert_eq!(seen, (&json!("PENDING"), &json!(1), &json!("throttled")), "{job}");
        assert_eq!(system.invoke(&id).await["status"], "PENDING", "not before its time");
        clock.advance_ms(30_000);
    }
    let (status, _) = system
        .instance
        .api()
        .post(&format!("/jobs/{id}/revoke"), &json!({}))
        .await;
    assert!(status.is_success());
    system.instance.stop().await;
}
