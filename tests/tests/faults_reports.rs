//! What a small job leaves lies in the table: at the limits of what is small, and when a report of it is asked for that is
//! no object yet.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use system_tests::Api;
use system_tests::cluster::Cluster;
use system_tests::process::Process;
use system_tests::proxy::{Act, Call, Proxy};
use system_tests::sized::blocks;

const BINARY: &str = env!("CARGO_BIN_EXE_stakegraph-under-test");

/// Reports wait together up to so many bytes (`REPORTS` of the shelf).
const REPORTS: usize = 128 << 10;

/// Packed reports are at most so long (`PACKED`).
const PACKED: usize = 32 << 10;

/// Blocks of rows that wait are at most so long (`ROWS`).
const ROWS: usize = 16 << 10;

/// Zstandard adds less than this to what it cannot compress.
const FRAME: usize = 16;

/// One process behind proxies, of which those of the table and the bucket are of interest.
struct Behind {
    table: Proxy,
    bucket: Proxy,
    process: Process,
    /// PUTs that made the bucket.
    made: usize,
    _cluster: Cluster,
}

impl Behind {
    async fn start() -> Self {
        let cluster = Cluster::start(BINARY).await;
        let [table, queue, bucket] = Proxy::all(cluster.urls()).await;
        let urls = [table.url(), queue.url(), bucket.url()];
        let settings = [
            ("COMMIT_AFTER_MS", "600000"),
            ("LEASE_MS", "60000"),
            ("SWEEP_MS", "1000"),
        ];
        let process = cluster.process_at(urls, &settings).await;
        Self {
            made: called(&bucket, "PUT"),
            table,
            bucket,
            process,
            _cluster: cluster,
        }
    }

    fn api(&self) -> Api {
        self.process.api().unwrap()
    }

    /// A job of type `sized` that has ended, as the API tells it.
    async fn run(&self, rows: u64, reports: &[usize], plain: bool) -> Value {
        let stakes = json!([{"owner": "A", "owned": "B", "share": 0.5}]);
        let parameters = json!({"rows": rows, "reports": reports, "plain": plain});
        let job = json!({"type": "sized", "input": {"stakes": stakes}, "parameters": parameters});
        let job = self.api().ended(&self.api().submit(&job).await).await;
        assert_eq!(job["status"], "SUCCESS", "{job}");
        assert_eq!(job["attempt"], 1, "{job}");
        job
    }

    /// One that has ended with a single small report, `result.csv`.
    async fn small(&self) -> Value {
        self.run(1, &[1_000], false).await
    }

    /// How often the table was given rows by themselves, and the bucket an object.
    fn stored(&self) -> (usize, usize) {
        (called(&self.table, "BatchWriteItem"), self.puts())
    }

    /// How often the bucket was given an object.
    fn puts(&self) -> usize {
        called(&self.bucket, "PUT") - self.made
    }
}

fn called(proxy: &Proxy, action: &str) -> usize {
    let calls = proxy.calls();
    calls.iter().filter(|(call, _)| call.action == action).count()
}

/// How many PUTs the bucket did.
fn written(bucket: &Proxy) -> usize {
    let answers = bucket.answers();
    answers
        .iter()
        .filter(|answer| **answer == ("PUT".to_owned(), 200))
        .count()
}

/// Fails unless `bytes` are those that are listed.
fn is_whole(job: &Value, name: &str, bytes: &[u8]) {
    let reports = job["reports"].as_array().unwrap();
    let listed = reports.iter().find(|report| report["name"] == name).unwrap();
    assert_eq!(listed["size"].as_u64(), Some(bytes.len() as u64), "{name}: {job}");
    assert_eq!(listed["sha256"], hex::encode(Sha256::digest(bytes)), "{name}: {job}");
}

/// The numbers of all rows in the table.
async fn rows_of(api: &Api, job: &Value) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    let mut after = String::new();
    loop {
        let path = format!("/jobs/{}/companies?limit=1000{after}", job["id"].as_str().unwrap());
        let (status, page) = api.get(&path).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        for company in page["companies"].as_array().unwrap() {
            let [row] = company["rows"].as_array().unwrap().as_slice() else {
                panic!("{company}");
            };
            assert!(numbers.insert(row["number"].as_u64().unwrap()), "twice: {row}");
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return numbers,
        }
    }
}

/// The most rows that wait for the end of their job.
fn most_rows() -> u64 {
    let bytes = |rows| blocks(rows).iter().map(|(_, block)| block.len()).sum::<usize>();
    let most = (1..).find(|rows| bytes(rows + 1) > ROWS).unwrap();
    assert!(
        bytes(most) > ROWS - 200,
        "{most} rows are {} bytes, one more {}",
        bytes(most),
        bytes(most + 1)
    );
    most
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_just_small_and_what_is_just_not_is_there_and_whole() {
    const NOISE: bool = false;
    const PLAIN: bool = true;
    let system = Behind::start().await;
    let api = system.api();
    let most = most_rows();
    let (small, large) = (PACKED - FRAME, PACKED);
    // Rows; reports; whether they can be compressed; whether rows are in a batch of their own; objects before anybody asks.
    let cases: [(u64, Vec<usize>, bool, bool, usize); 14] = [
        (most, vec![10], NOISE, false, 0),
        (most + 1, vec![10], NOISE, true, 0),
        (1, vec![small], NOISE, false, 0),
        (1, vec![large], NOISE, false, 1),
        (1, vec![small / 2, 0, small / 2], NOISE, false, 0),
        (1, vec![large / 2, 0, large / 2], NOISE, false, 3),
        (1, vec![REPORTS], PLAIN, false, 0),
        (1, vec![REPORTS + 1], PLAIN, false, 1),
        (1, vec![REPORTS / 2, REPORTS / 2, 0], PLAIN, false, 0),
        // One that finds no room leaves it to smaller ones.
        (1, vec![REPORTS / 2, REPORTS / 2 + 1, REPORTS / 2], PLAIN, false, 1),
        (most + 1, vec![small, 0], NOISE, true, 0),
        (most, vec![large, 0], NOISE, false, 2),
        (most + 1, vec![large], NOISE, true, 1),
        (most + 1, vec![REPORTS, 1], PLAIN, true, 1),
    ];
    for (rows, reports, plain, in_batch, objects) in cases {
        let case = format!("{rows} rows, reports of {reports:?} bytes");
        let before = system.stored();
        let job = system.run(rows, &reports, plain).await;
        let stored = system.stored();
        assert_eq!(stored.0 > before.0, in_batch, "{case}");
        assert_eq!(stored.1 - before.1, objects, "{case}");

        assert_eq!(job["reports"].as_array().unwrap().len(), reports.len(), "{case}");
        for (report, size) in job["reports"].as_array().unwrap().iter().zip(&reports) {
            let name = report["name"].as_str().unwrap();
            assert_eq!(report["size"].as_u64(), Some(*size as u64), "{case}");
            is_whole(&job, name, &api.report(&job, name).await);
        }
        assert_eq!(
            system.stored().1 - before.1,
            reports.len(),
            "{case}: all are objects now"
        );
        assert_eq!(rows_of(&api, &job).await, (0..rows).collect(), "{case}");
    }
}

/// The object that a redirect leads to, by what changes when it is written again, and its bytes.
async fn object(api: &Api, redirect: &reqwest::Response) -> (String, String, Vec<u8>) {
    let file = api.follow(redirect).await.unwrap();
    assert_eq!(file.status(), StatusCode::OK);
    let header = |name: &str| file.headers()[name].to_str().unwrap().to_owned();
    let (tag, modified) = (header("etag"), header("last-modified"));
    (tag, modified, file.bytes().await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_report_becomes_an_object_once_however_many_ask_for_it() {
    const AT_ONCE: u32 = 8;
    let system = Behind::start().await;
    let api = system.api();
    let job = system.small().await;
    // All of them see that it is not there before one of them writes it, and all have something to write.
    system.bucket.script(|call| match call.action.as_str() {
        "HEAD" | "PUT" => Act::Together(AT_ONCE),
        _ => Act::Pass,
    });
    let ask = async || {
        let redirect = api.ask_report(&job, "result.csv").await.unwrap();
        assert_eq!(redirect.status(), StatusCode::FOUND);
        object(&api, &redirect).await
    };
    let before = written(&system.bucket);
    let all = join_all((0..AT_ONCE).map(|_| ask())).await;
    assert_eq!(system.puts(), AT_ONCE as usize);
    assert_eq!(written(&system.bucket), before + 1, "the others found it there");
    is_whole(&job, "result.csv", &all[0].2);
    assert!(all.iter().all(|one| *one == all[0]), "{all:?}");

    // Whoever asks later costs a look.
    system.bucket.script(|_| Act::Pass);
    let reads = called(&system.table, "GetItem");
    assert_eq!(ask().await, all[0]);
    assert_eq!(system.puts(), AT_ONCE as usize);
    assert_eq!(called(&system.table, "GetItem"), reads + 1, "the job alone is read");
}

/// Asks for a report until the API says where it is. Until then it says "not now", and nothing else. Gives how often.
async fn insist(api: &Api, job: &Value) -> (usize, Vec<u8>) {
    let start = Instant::now();
    let mut refused = 0;
    loop {
        assert!(start.elapsed() < Duration::from_secs(120), "gave up");
        let redirect = api.ask_report(job, "result.csv").await.unwrap();
        if redirect.status() == StatusCode::FOUND {
            let (_, _, bytes) = object(api, &redirect).await;
            return (refused, bytes);
        }
        assert_eq!(redirect.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(redirect.headers().contains_key("retry-after"));
        refused += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_fails_when_a_small_report_is_asked_for_delays() {
    const SLOW: Duration = Duration::from_millis(500);
    let first = |call: &Call, action: &str, most: u32| call.action == action && call.count <= most;
    let system = Behind::start().await;
    let api = system.api();
    // What is done with how many of which calls, and whether the SDK's own patience is too short.
    let cases = [
        ("PUT", 2, Act::Fail(500), false),
        ("PUT", 2, Act::Throttle, false),
        ("PUT", 1, Act::Delay(SLOW), false),
        ("PUT", 2, Act::TearRequest, false),
        ("PUT", 2, Act::LoseAnswer, false),
        ("PUT", 6, Act::Fail(503), true),
        ("PUT", 6, Act::TearRequest, true),
        ("HEAD", 2, Act::Fail(500), false),
        ("HEAD", 2, Act::LoseAnswer, false),
        ("HEAD", 6, Act::Fail(503), true),
    ];
    for (action, most, act, is_refused) in cases {
        let case = format!("{most} {action} {act:?}");
        let job = system.small().await;
        system.bucket.script(move |call| match first(call, action, most) {
            true => act,
            false => Act::Pass,
        });
        let (refused, bytes) = insist(&api, &job).await;
        system.bucket.script(|_| Act::Pass);
        assert_eq!(refused > 0, is_refused, "{case}");
        is_whole(&job, "result.csv", &bytes);
        is_whole(&job, "result.csv", &api.report(&job, "result.csv").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_report_that_expired_before_anybody_asked_is_gone() {
    let system = Behind::start().await;
    let api = system.api();
    let job = system.small().await;
    let kept = system.small().await;
    let before = object(&api, &api.ask_report(&kept, "result.csv").await.unwrap()).await;
    // The first item is the job. The other one is gone.
    let expire = |call: &Call| match call.action.as_str() {
        "GetItem" if call.count == 2 => Act::Pretend,
        _ => Act::Pass,
    };
    system.table.script(expire);
    let answer = api.ask_report(&job, "result.csv").await.unwrap();
    assert_eq!(answer.status(), StatusCode::GONE);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "file_expired", "{problem}");
    assert_eq!(system.puts(), 1, "nothing was stored for it");

    // What became an object before is kept as an object.
    system.table.script(expire);
    let after = object(&api, &api.ask_report(&kept, "result.csv").await.unwrap()).await;
    assert_eq!(after, before);
}
