//! Messages that come twice, late, too early or in another order: they are reasons to look, and start nothing twice.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use futures::future::join_all;
use jobs::pipeline::Settings;
use jobs::{Clock, JobId};
use local::SystemSettings;
use serde_json::{Value, json};
use system_tests::receiver::Receiver;
use system_tests::under_test::Gated;
use system_tests::{Instance, awaited};
use worker::Worker;

/// How often each message comes.
const TIMES: usize = 30;

fn message(id: &str) -> SqsEvent {
    let mut message = SqsMessage::default();
    message.body = Some(json!({"job_id": id}).to_string());
    let mut event = SqsEvent::default();
    event.records.push(message);
    event
}

fn gated(gate: &str, stumble: bool) -> Value {
    let stakes = json!([{"owner": "A", "owned": "B", "share": 0.5}]);
    json!({"type": "gated", "input": {"stakes": stakes}, "parameters": {"gate": gate, "stumble": stumble}})
}

/// A system without workers, and one to be handed messages, by a clock of its own.
async fn by_hand(clock: Clock) -> (Instance, Worker) {
    let registry = || calculations::registry().with::<Gated>();
    let instance = Instance::with(|settings| SystemSettings {
        registry: registry(),
        workers: 0,
        ..settings
    })
    .await;
    let mut clients = instance.system().clients().clone();
    clients.store = clients.store.with_clock(clock);
    let worker = Worker::new(clients, registry(), Settings::default());
    (instance, worker)
}

/// Hands the same message over many times at once; none of them is to come again.
async fn handed_over(worker: &Worker, id: &str) {
    let all = join_all((0..TIMES).map(|_| worker.handle(message(id), None))).await;
    assert!(all.iter().all(|response| response.batch_item_failures.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_many_times_starts_a_job_once() {
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    let (instance, worker) = by_hand(Clock::system()).await;
    let api = instance.api();
    let id = api.submit(&gated(&gate.display().to_string(), false)).await;
    let running = tokio::spawn({
        let (worker, id) = (worker.clone(), id.clone());
        async move { worker.handle(message(&id), None).await }
    });
    api.until(&id, |job| job["stage"] == "waiting").await;
    handed_over(&worker, &id).await;
    let (_, job) = api.get(&format!("/jobs/{id}")).await;
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("PROGRESS"), &json!(1)),
        "{job}"
    );

    std::fs::write(&gate, "").unwrap();
    running.await.unwrap();
    let ended = api.ended(&id).await;
    assert_eq!(
        (&ended["status"], &ended["attempt"]),
        (&json!("SUCCESS"), &json!(1)),
        "{ended}"
    );
    handed_over(&worker, &id).await;
    assert_eq!(api.get(&format!("/jobs/{id}")).await.1, ended);
    let runs = std::fs::read_to_string(folder.path().join("gate.runs")).unwrap();
    assert_eq!(runs, "first\nwaiting\nlast\n");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_before_its_time_spends_no_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    std::fs::write(&gate, "").unwrap();
    let clock = Clock::manual(Clock::system().now());
    let (instance, worker) = by_hand(clock.clone()).await;
    let api = instance.api();
    clock.advance_ms(60_000);
    let id = api.submit(&gated(&gate.display().to_string(), true)).await;
    for _ in 0..2 {
        // The first one fails for now; the others are told to wait.
        handed_over(&worker, &id).await;
        let (_, job) = api.get(&format!("/jobs/{id}")).await;
        assert_eq!(
            (&job["status"], &job["attempt"]),
            (&json!("PENDING"), &json!(1)),
            "{job}"
        );
    }
    clock.advance_ms(60_000);
    handed_over(&worker, &id).await;
    let ended = api.ended(&id).await;
    assert_eq!(
        (&ended["status"], &ended["attempt"]),
        (&json!("SUCCESS"), &json!(2)),
        "{ended}"
    );
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_full_of_old_and_doubled_messages_changes_nothing() {
    let instance = Instance::with(|settings| SystemSettings { workers: 4, ..settings }).await;
    let (api, clients) = (instance.api(), instance.system().clients());
    let receiver = Receiver::start().await;
    let job = json!({
        "type": "structure",
        "input": {"stakes": [{"owner": "A", "owned": "B", "share": 0.5}]},
        "callback_url": receiver.url(),
    });
    let mut ids: Vec<JobId> = Vec::new();
    for _ in 0..4 {
        ids.push(api.submit(&job).await.parse().unwrap());
    }
    // The last first, the first last, and all of them while they run and when they have ended.
    let mut seen = Vec::new();
    for _ in 0..2 {
        for id in ids.iter().rev() {
            let sent = (0..TIMES / 2).flat_map(|_| [&clients.jobs, &clients.callbacks].map(|queue| queue.send(*id, 0)));
            for sent in join_all(sent).await {
                sent.unwrap();
            }
        }
        for id in &ids {
            let job = api.ended(&id.to_string()).await;
            assert_eq!(
                (&job["status"], &job["attempt"]),
                (&json!("SUCCESS"), &json!(1)),
                "{job}"
            );
            seen.push(job);
        }
    }
    // The queue is looked through when this one, of which the message came last, has ended and been told of.
    let last = api.submit(&job).await;
    api.ended(&last).await;
    awaited("the event", async || !receiver.events_of(&last).is_empty()).await;
    for (id, before) in ids.iter().zip(seen) {
        let (_, after) = api.get(&format!("/jobs/{id}")).await;
        assert_eq!(after, before);
        assert_eq!(receiver.events_of(&id.to_string()).len(), 1);
    }
    api.until(&last, |_| true).await;
    let store = &instance.system().clients().store;
    awaited("the end of all work", async || {
        store.unsettled().await.unwrap().is_empty()
    })
    .await;
    instance.stop().await;
}
