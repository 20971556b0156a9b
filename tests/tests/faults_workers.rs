//! Several processes over one set of services: workers that sleep past their lease, clocks that are wrong, messages that
//! come twice.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use system_tests::cluster::Cluster;
use system_tests::process::Process;
use system_tests::receiver::Receiver;
use system_tests::{Api, has_ended};

const BINARY: &str = env!("CARGO_BIN_EXE_stakegraph-under-test");

/// One that waits for file `gate`.
fn gated(gate: &str, receiver: &Receiver) -> Value {
    json!({
        "type": "gated",
        "input": {"stakes": [{"owner": "A", "owned": "B", "share": 0.5}]},
        "parameters": {"gate": gate},
        "callback_url": receiver.url(),
    })
}

fn small() -> Value {
    json!({"type": "structure", "input": {"stakes": [{"owner": "A", "owned": "B", "share": 0.5}]}})
}

fn api(process: &Process) -> Api {
    process.api().expect("it listens")
}

/// Everything that the API says of a job that has ended, and the digests of its files.
async fn all_of(api: &Api, id: &str) -> (Value, Value, BTreeMap<String, String>) {
    let (_, job) = api.get(&format!("/jobs/{id}")).await;
    let start = std::time::Instant::now();
    let deliveries = loop {
        let (_, deliveries) = api.get(&format!("/jobs/{id}/deliveries")).await;
        if deliveries["delivery"] == "delivered" {
            break deliveries;
        }
        assert!(start.elapsed().as_secs() < 120, "{deliveries}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    let mut files = BTreeMap::new();
    for report in job["reports"].as_array().unwrap() {
        let name = report["name"].as_str().unwrap();
        let digest = hex::encode(Sha256::digest(api.report(&job, name).await));
        assert_eq!(report["sha256"], digest.as_str(), "{name}");
        files.insert(name.to_owned(), digest);
    }
    (job, deliveries, files)
}

/// The stages that ran, in order.
fn runs(gate: &str) -> Vec<String> {
    let runs = std::fs::read_to_string(format!("{gate}.runs")).unwrap();
    runs.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_wakes_after_the_end_of_its_job_changes_nothing() {
    let cluster = Cluster::start(BINARY).await;
    let receiver = Receiver::start().await;
    let gate = cluster.file("gate");
    let sleeper = cluster.process(&[]).await;
    let id = api(&sleeper).submit(&gated(&gate, &receiver)).await;
    api(&sleeper).until(&id, |job| job["stage"] == "waiting").await;
    sleeper.signal("STOP");

    let other = cluster.process(&[]).await;
    api(&other)
        .until(&id, |job| job["attempt"] == 2 && job["stage"] == "waiting")
        .await;
    std::fs::write(&gate, "").unwrap();
    let job = api(&other).ended(&id).await;
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("SUCCESS"), &json!(2)),
        "{job}"
    );
    let before = all_of(&api(&other), &id).await;
    drop(other);

    sleeper.signal("CONT");
    // Its one worker takes another job when it has let go of this one.
    let api = api(&sleeper);
    assert_eq!(api.ended(&api.submit(&small()).await).await["status"], "SUCCESS");
    assert_eq!(all_of(&api, &id).await, before);
    let ran = runs(&gate);
    assert_eq!(ran.iter().filter(|stage| *stage == "first").count(), 1, "{ran:?}");
    let events = receiver.events_of(&id);
    assert_eq!(events.len(), 1);
    events[0].verify(&cluster.webhook_secret());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_wakes_while_another_works_lets_go() {
    let cluster = Cluster::start(BINARY).await;
    let receiver = Receiver::start().await;
    let gate = cluster.file("gate");
    let sleeper = cluster.process(&[]).await;
    let id = api(&sleeper).submit(&gated(&gate, &receiver)).await;
    api(&sleeper).until(&id, |job| job["stage"] == "waiting").await;
    sleeper.signal("STOP");
    let other = cluster.process(&[]).await;
    api(&other)
        .until(&id, |job| job["attempt"] == 2 && job["stage"] == "waiting")
        .await;

    sleeper.signal("CONT");
    // The other process is busy with the job, so whoever does this one has let go of it.
    let api = api(&other);
    assert_eq!(api.ended(&api.submit(&small()).await).await["status"], "SUCCESS");
    let (_, job) = api.get(&format!("/jobs/{id}")).await;
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("PROGRESS"), &json!(2)),
        "{job}"
    );
    std::fs::write(&gate, "").unwrap();
    let job = api.ended(&id).await;
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("SUCCESS"), &json!(2)),
        "{job}"
    );
    assert_eq!(runs(&gate), ["first", "waiting", "waiting", "last"]);
    all_of(&api, &id).await;
    assert_eq!(receiver.events_of(&id).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_wakes_cannot_end_a_job_that_another_holds() {
    let cluster = Cluster::start(BINARY).await;
    let receiver = Receiver::start().await;
    let gate = cluster.file("gate");
    let sleeper = cluster.process(&[]).await;
    let id = api(&sleeper).submit(&gated(&gate, &receiver)).await;
    api(&sleeper).until(&id, |job| job["stage"] == "waiting").await;
    sleeper.signal("STOP");
    let other = cluster.process(&[]).await;
    api(&other)
        .until(&id, |job| job["attempt"] == 2 && job["stage"] == "waiting")
        .await;
    other.signal("STOP");

    // The first one has all that it needs to end the job, and does not hold it.
    std::fs::write(&gate, "").unwrap();
    sleeper.signal("CONT");
    let job = api(&sleeper).ended(&id).await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    assert_eq!(
        job["result"]["epoch"], job["attempt"],
        "ended by who held it last: {job}"
    );
    assert!(job["attempt"].as_u64() >= Some(2), "{job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_job_stays_revoked_when_its_worker_wakes() {
    let cluster = Cluster::start(BINARY).await;
    let receiver = Receiver::start().await;
    let gate = cluster.file("gate");
    let sleeper = cluster.process(&[]).await;
    let id = api(&sleeper).submit(&gated(&gate, &receiver)).await;
    api(&sleeper).until(&id, |job| job["stage"] == "waiting").await;
    sleeper.signal("STOP");
    let other = cluster.process(&[]).await;
    let (status, _) = api(&other).post(&format!("/jobs/{id}/revoke"), &json!({})).await;
    assert_eq!(status.as_u16(), 200);
    let before = all_of(&api(&other), &id).await;
    drop(other);

    std::fs::write(&gate, "").unwrap();
    sleeper.signal("CONT");
    let api = api(&sleeper);
    assert_eq!(api.ended(&api.submit(&small()).await).await["status"], "SUCCESS");
    assert_eq!(all_of(&api, &id).await, before);
    assert_eq!(before.0["status"], "REVOKED");
    assert_eq!(receiver.events_of(&id).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_an_hour_apart_lose_nothing() {
    for (first, second) in [("0", "3600000"), ("3600000", "0"), ("-3600000", "0")] {
        let cluster = Cluster::start(BINARY).await;
        let receiver = Receiver::start().await;
        let gate = cluster.file("gate");
        let holder = cluster.process(&[("CLOCK_AHEAD_MS", first)]).await;
        let id = api(&holder).submit(&gated(&gate, &receiver)).await;
        api(&holder).until(&id, |job| job["stage"] == "waiting").await;
        let other = cluster.process(&[("CLOCK_AHEAD_MS", second), ("WORKERS", "2")]).await;
        // Both have swept and worked when this has ended.
        let swept = api(&other).submit(&small()).await;
        assert_eq!(api(&holder).ended(&swept).await["status"], "SUCCESS");
        std::fs::write(&gate, "").unwrap();
        let job = api(&other).ended(&id).await;
        assert_eq!(job["status"], "SUCCESS", "{first} {second}: {job}");
        assert!(job["attempt"].as_u64() <= Some(5), "{first} {second}: {job}");
        let before = all_of(&api(&other), &id).await;
        assert_eq!(all_of(&api(&holder), &id).await, before);
        assert_eq!(receiver.events_of(&id).len(), 1, "{first} {second}");
        assert_eq!(runs(&gate).iter().filter(|stage| *stage == "first").count(), 1);
        assert!(has_ended(&before.0));
    }
}
