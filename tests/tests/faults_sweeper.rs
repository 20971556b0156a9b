//! The sweeper: it finds everything that is due, in bounded steps, whoever else sweeps, and does nothing twice.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use jobs::protocol::State;
use jobs::{Clients, Clock, Input, Job, JobId, Json, Source};
use local::SystemSettings;
use serde_json::{Value, json};
use sweeper::{Bounds, Swept, sweep, sweep_within};
use system_tests::Instance;
use system_tests::cluster::Cluster;
use system_tests::proxy::Proxy;

const BINARY: &str = env!("CARGO_BIN_EXE_stakegraph-under-test");

/// A system without workers, whose own sweeper finds nothing due: clients of it are an hour ahead.
async fn idle() -> (Instance, Clients) {
    let instance = Instance::with(|settings| SystemSettings { workers: 0, ..settings }).await;
    let mut clients = instance.system().clients().clone();
    let ahead = clients.store.clock().now().plus_ms(3_600_000);
    clients.store = clients.store.with_clock(Clock::manual(ahead));
    (instance, clients)
}

/// A job of which no message was sent, and that has been due for as many seconds.
async fn lost(clients: &Clients, seconds: i64, parameters: Value) -> JobId {
    let accepted = clients.store.clock().now().plus_ms(-1_000 * seconds);
    let job = Job {
        id: JobId::generate(),
        tenant: "default".into(),
        job_type: "structure".into(),
        parameters: Json(parameters),
        input: Input {
            source: Source::Object("inputs/none".to_owned()),
            name: None,
            format: None,
            columns: None,
            unit: None,
            values: None,
        },
        callback_url: None,
        retry_of: None,
        created_at: accepted,
        expires_at: accepted.plus_ms(3_600_000),
        state: State::new(accepted),
    };
    clients.store.create(&job, None).await.unwrap();
    job.id
}

async fn wakes(clients: &Clients, ids: &[JobId]) -> Vec<u32> {
    let mut wakes = Vec::new();
    for id in ids {
        wakes.push(clients.store.get(*id).await.unwrap().state.wakes);
    }
    wakes
}

/// Deeper than a record can be read.
fn unreadable() -> Value {
    (0..500).fold(json!(0), |inner, _| json!([inner]))
}

#[tokio::test]
async fn more_than_one_sweep_looks_at_is_woken_by_the_next_ones() {
    let (_instance, clients) = idle().await;
    let clients = &clients;
    let mut ids = Vec::new();
    for seconds in 0..60 {
        ids.push(lost(clients, 10 + seconds, json!({})).await);
    }
    let bounds = Bounds { page: 2, pages: 2 };
    let mut sweeps = 0;
    loop {
        let swept = sweep_within(clients, &bounds).await.unwrap();
        assert!(swept.woken <= 16, "four shards, two pages of two: {swept:?}");
        if swept == Swept::default() {
            break;
        }
        sweeps += 1;
    }
    assert!(sweeps >= 4, "{sweeps}");
    assert_eq!(wakes(clients, &ids).await, vec![1; 60], "each was woken, and once");
}

#[tokio::test]
async fn what_cannot_be_read_keeps_nothing_waiting() {
    let (_instance, clients) = idle().await;
    let clients = &clients;
    // Due for longer than the others, and more than a sweep looks at.
    for _ in 0..40 {
        let id = lost(clients, 1_000, unreadable()).await;
        assert!(clients.store.get(id).await.is_err(), "it cannot be read");
    }
    let readable = [lost(clients, 10, json!({})).await, lost(clients, 10, json!({})).await];
    let bounds = Bounds { page: 3, pages: 1 };
    for _ in 0..40 {
        sweep_within(clients, &bounds).await.unwrap();
    }
    assert_eq!(wakes(clients, &readable).await, [1, 1]);
}

#[tokio::test]
async fn a_second_sweep_finds_nothing() {
    let (_instance, clients) = idle().await;
    let clients = &clients;
    let ids = [lost(clients, 10, json!({})).await, lost(clients, 20, json!({})).await];
    let first = sweep(clients).await.unwrap();
    assert_eq!((first.woken, first.ended, first.events), (2, 0, 0));
    assert_eq!(sweep(clients).await.unwrap(), Swept::default());
    assert_eq!(wakes(clients, &ids).await, [1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sweepers_at_once_wake_each_job_once() {
    let (_instance, clients) = idle().await;
    let clients = &clients;
    let mut ids = Vec::new();
    for seconds in 0..40 {
        ids.push(lost(clients, 10 + seconds, json!({})).await);
    }
    let sweepers = (0..4).map(|_| {
        let clients = clients.clone();
        tokio::spawn(async move { sweep(&clients).await.unwrap().woken })
    });
    let woken = futures::future::join_all(sweepers).await;
    let woken: usize = woken.into_iter().map(Result::unwrap).sum();
    assert_eq!(woken, 40);
    assert_eq!(wakes(clients, &ids).await, vec![1; 40]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_found_by_the_index_alone() {
    let cluster = Cluster::start(BINARY).await;
    let [table, queue, bucket] = Proxy::all(cluster.urls()).await;
    let urls = [table.url(), queue.url(), bucket.url()];
    let process = cluster
        .process_at(urls, &[("SWEEP_MS", "10"), ("GRACE_MS", "100")])
        .await;
    // The queue loses every message but one of the sweeper's later ones.
    queue.script(|call| match call.action.as_str() {
        "SendMessage" if call.count < 4 => system_tests::proxy::Act::Pretend,
        _ => system_tests::proxy::Act::Pass,
    });
    let api = process.api().unwrap();
    let stakes = json!([{"owner": "A", "owned": "B", "share": 0.5}]);
    let id = api
        .submit(&json!({"type": "structure", "input": {"stakes": stakes}}))
        .await;
    assert_eq!(api.ended(&id).await["status"], "SUCCESS");
    let calls = table.calls();
    let asked = |action: &str| calls.iter().filter(|(call, _)| call.action == action).count();
    assert_eq!(asked("Scan"), 0);
    assert!(asked("Query") > 4, "one for each shard, again and again");
}
