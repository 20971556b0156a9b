//! Services that throttle, fail, are slow, tear what passes or forget to answer: every job ends with the same result,
//! none succeeds with less, and every event arrives.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use system_tests::cluster::Cluster;
use system_tests::process::Process;
use system_tests::proxy::{Act, Call, Proxy, Service};
use system_tests::receiver::Receiver;
use system_tests::{Api, has_ended};

const BINARY: &str = env!("CARGO_BIN_EXE_stakegraph-under-test");

/// How many jobs meet the same script.
const JOBS: usize = 3;

/// One process behind proxies.
struct Behind {
    cluster: Cluster,
    receiver: Receiver,
    proxies: [Proxy; 3],
    process: Process,
}

impl Behind {
    async fn start(settings: &[(&'static str, &str)]) -> Self {
        let cluster = Cluster::start(BINARY).await;
        let proxies = Proxy::all(cluster.urls()).await;
        let urls = [proxies[0].url(), proxies[1].url(), proxies[2].url()];
        let usual = [("WORKERS", "2"), ("LEASE_MS", "15000")];
        let process = cluster.process_at(urls, &[&usual, settings].concat()).await;
        Self {
            receiver: Receiver::start().await,
            process,
            proxies,
            cluster,
        }
    }

    fn api(&self) -> Api {
        self.process.api().unwrap()
    }

    fn script(&self, script: fn(&Call) -> Act) {
        for proxy in &self.proxies {
            proxy.script(script);
        }
    }

    /// How often something else than handing on was done.
    fn disturbed(&self) -> usize {
        let calls = self.proxies.iter().flat_map(Proxy::calls);
        calls.filter(|(_, act)| *act != Act::Pass).count()
    }

    /// Submits a job, and again until it is accepted; waits for its end.
    async fn run(&self, number: usize) -> Value {
        let stakes = json!([{"owner": "A", "owned": "B", "share": 0.5}, {"owner": "B", "owned": "A", "share": 0.25}]);
        let job = json!({
            "type": "integrated-ownership",
            "input": {"stakes": stakes},
            "callback_url": self.receiver.url(),
        });
        let key = format!("job {number}");
        let accepted = self.insist(|api| {
            api.request(Method::POST, "/jobs")
                .header("idempotency-key", &key)
                .json(&job)
        });
        let id = accepted.await["id"].as_str().unwrap().to_owned();
        loop {
            let job = self
                .insist(|api| api.request(Method::GET, &format!("/jobs/{id}")))
                .await;
            if has_ended(&job) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Repeats a request that is answered "not now", and nothing else, or not at all.
    async fn insist(&self, request: impl Fn(&Api) -> reqwest::RequestBuilder) -> Value {
        let start = Instant::now();
        let api = self.api();
        loop {
            assert!(start.elapsed() < Duration::from_secs(150), "gave up");
            let Ok(answer) = request(&api).send().await else {
                continue;
            };
            let status = answer.status().as_u16();
            let Ok(body) = answer.json::<Value>().await else {
                continue;
            };
            match status {
                200 | 202 => return body,
                409 | 503 => tokio::time::sleep(Duration::from_millis(50)).await,
                _ => panic!("{status}: {body}"),
            }
        }
    }

    /// Whole reports, as listed, by the digests of those that hold no times.
    async fn results(&self, job: &Value) -> BTreeMap<String, String> {
        let mut results = BTreeMap::new();
        for report in job["reports"].as_array().unwrap() {
            let name = report["name"].as_str().unwrap();
            let bytes = self.api().report(job, name).await;
            let digest = hex::encode(Sha256::digest(&bytes));
            assert_eq!(report["sha256"], digest.as_str(), "{name}");
            assert_eq!(report["size"].as_u64(), Some(bytes.len() as u64), "{name}");
            if name.starts_with("result.") {
                results.insert(name.to_owned(), digest);
            }
        }
        results
    }

    async fn delivered(&self, id: &str) {
        let start = Instant::now();
        loop {
            let path = format!("/jobs/{id}/deliveries");
            let deliveries = self.insist(|api| api.request(Method::GET, &path)).await;
            if deliveries["delivery"] == "delivered" {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(150), "{deliveries}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Runs jobs by `script`; each ends with the result that it has without faults, and is told of. Their stages are
/// committed.
async fn survives(script: fn(&Call) -> Act) {
    survives_with(&[], script).await;
}

/// As [`survives`], with jobs that write all they leave with their end.
async fn survives_small(script: fn(&Call) -> Act) {
    survives_with(&[("COMMIT_AFTER_MS", "600000")], script).await;
}

async fn survives_with(settings: &[(&'static str, &str)], script: fn(&Call) -> Act) {
    let system = Behind::start(settings).await;
    let undisturbed = system.run(0).await;
    let expected = system.results(&undisturbed).await;
    assert_eq!(expected.len(), 2, "{undisturbed}");

    system.script(script);
    let jobs = futures::future::join_all((1..=JOBS).map(|number| system.run(number))).await;
    assert!(system.disturbed() > JOBS, "the script disturbs: {}", system.disturbed());
    for job in &jobs {
        system.delivered(job["id"].as_str().unwrap()).await;
    }
    system.script(|_| Act::Pass);
    for job in &jobs {
        assert_eq!(job["status"], "SUCCESS", "{job}");
        assert_eq!(system.results(job).await, expected);
        let id = job["id"].as_str().unwrap();
        let events = system.receiver.events_of(id);
        assert!(!events.is_empty());
        for event in &events {
            event.verify(&system.cluster.webhook_secret());
            assert_eq!(event.id(), events[0].id());
        }
    }
    let (_, list) = system.api().get("/jobs").await;
    assert_eq!(list["jobs"].as_array().unwrap().len(), JOBS + 1, "one key, one job");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_throttles_delays() {
    survives(|call| match call.service {
        Service::Table if call.count % 3 == 1 => Act::Throttle,
        _ => Act::Pass,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_throttles_longer_than_anybody_asks_delays() {
    survives(|call| match call.service {
        Service::Table if call.action.ends_with("WriteItems") && call.count < 15 => Act::Throttle,
        Service::Table if matches!(call.action.as_str(), "PutItem" | "UpdateItem") && call.count < 15 => Act::Throttle,
        _ => Act::Pass,
    })
    .await;
}

/// The answer to every other write is lost, and that to every other read torn.
fn lose_answers(call: &Call) -> Act {
    let odd = call.count % 2 == 1;
    match (call.service, call.action.as_str()) {
        (Service::Table, "PutItem" | "UpdateItem" | "TransactWriteItems" | "BatchWriteItem") if odd => Act::LoseAnswer,
        (Service::Table, _) if odd => Act::TearAnswer,
        _ => Act::Pass,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_answers_get_lost_does_everything_once() {
    survives(lose_answers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_answers_get_lost_ends_small_jobs_once() {
    survives_small(lose_answers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_fails_delays() {
    survives(|call| match call.service {
        Service::Bucket if call.count % 4 == 1 => Act::Fail(500),
        Service::Bucket if call.count % 4 == 2 => Act::Throttle,
        _ => Act::Pass,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_away_for_a_while_delays() {
    survives(|call| match call.service {
        Service::Bucket if call.count <= 12 => Act::Fail(503),
        _ => Act::Pass,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_tears_leaves_no_torn_report() {
    survives(|call| match (call.service, call.action.as_str()) {
        (Service::Bucket, "PUT" | "POST") if call.count % 5 == 1 => Act::TearRequest,
        (Service::Bucket, "PUT" | "POST") if call.count % 5 == 3 => Act::LoseAnswer,
        (Service::Bucket, "GET") if call.count % 2 == 1 => Act::TearAnswer,
        _ => Act::Pass,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_loses_messages_delays() {
    survives(|call| match (call.service, call.action.as_str()) {
        (Service::Queue, "SendMessage") if call.count % 3 != 0 => Act::Pretend,
        (Service::Queue, "DeleteMessageBatch") if call.count % 2 == 1 => Act::Fail(500),
        (Service::Queue, "ReceiveMessage") if call.count % 5 == 1 => Act::LoseAnswer,
        _ => Act::Pass,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_services_delay() {
    survives(|call| match call.service {
        Service::Queue => Act::Pass,
        _ => Act::Delay(Duration::from_millis(200)),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_never_answered_are_repeated() {
    survives(|call| match (call.service, call.action.as_str()) {
        (Service::Table, "PutItem") if call.count == 4 => Act::Ignore,
        (Service::Table, "Query" | "GetItem" | "TransactWriteItems") if call.count == 2 => Act::Ignore,
        (Service::Bucket, "PUT") if call.count == 5 => Act::Ignore,
        (Service::Queue, "SendMessage") if call.count == 2 => Act::Ignore,
        _ => Act::Pass,
    })
    .await;
}
