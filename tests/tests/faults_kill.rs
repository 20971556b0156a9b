//! The whole system dies before and after every one of its writes: whatever was accepted ends all the same.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use serde_json::{Value, json};
use system_tests::scenario::Step::{Delivered, End, Open, Replay, Reports, Retry, Revoke, Submit, Terminate, Waiting};
use system_tests::scenario::{Home, Scenario, Undisturbed, killed_at_each};

const BINARY: &str = env!("CARGO_BIN_EXE_stakegraph-under-test");

/// A job that commits all its stages and is told of.
const USUAL: Scenario = Scenario {
    arguments: &["serve", "--listen", "127.0.0.1:0", "--data"],
    home: Home::Embedded,
    environment: &[("COMMIT_AFTER_MS", "0")],
    before: &[],
    bus: false,
    job: |_| {
        let stakes = json!([{"owner": "A", "owned": "B", "share": 0.5}, {"owner": "B", "owned": "A", "share": 0.25}]);
        json!({"type": "integrated-ownership", "input": {"stakes": stakes}})
    },
    steps: &[Submit, End, Delivered],
    may_end: succeeded,
};

/// A job that waits until it is let go.
const GATED: Scenario = Scenario {
    arguments: &["system"],
    job: |gate| {
        let stakes = json!([{"owner": "A", "owned": "B", "share": 0.5}]);
        json!({"type": "gated", "input": {"stakes": stakes}, "parameters": {"gate": gate}})
    },
    steps: &[Submit, Waiting, Open, End, Delivered],
    ..USUAL
};

fn succeeded(job: &Value) -> bool {
    job["status"] == "SUCCESS" && job["error"].is_null() && job["percentage"] == 100
}

/// As [`Scenario::undisturbed`]; fails if a call of its process is neither known to read nor a point.
async fn undisturbed(scenario: Scenario) -> Undisturbed {
    let undisturbed = scenario.undisturbed(BINARY).await;
    let unnamed: Vec<_> = undisturbed
        .points
        .iter()
        .filter(|point| point.starts_with("unnamed"))
        .collect();
    assert!(unnamed.is_empty(), "writes that nobody is killed at: {unnamed:?}");
    undisturbed
}

/// Not so what a slow machine writes of progress after a claim or a commit, which are the first of their names.
fn comes_each_time(point: &str) -> bool {
    !point.starts_with("worker.job-progress") || point.contains("#1.")
}

/// Kills a process of the scenario before and after each of `writes`.
async fn survives(scenario: Scenario, writes: &[&str]) {
    let undisturbed = undisturbed(scenario).await;
    let points: Vec<_> = writes
        .iter()
        .flat_map(|write| [format!("{write}.before"), format!("{write}.after")])
        .collect();
    for point in &points {
        assert!(
            undisturbed.points.contains(point),
            "{point} is not passed: {:#?}",
            undisturbed.points
        );
    }
    killed_at_each(scenario, BINARY, &points, &undisturbed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_a_kill_at_each_of_its_writes() {
    let undisturbed = undisturbed(USUAL).await;
    for role in ["local", "api", "worker", "notifier"] {
        let passed = undisturbed.points.iter().filter(|point| point.starts_with(role));
        assert!(passed.count() >= 4, "{role} writes: {:#?}", undisturbed.points);
    }
    let points: Vec<_> = undisturbed
        .points
        .iter()
        .filter(|point| comes_each_time(point))
        .cloned()
        .collect();
    killed_at_each(USUAL, BINARY, &points, &undisturbed).await;
}

/// The same job as most are: nothing of it takes long, and all that it leaves is written with its end. Its client asks
/// for the reports then, and no sooner are they objects.
const SMALL: Scenario = Scenario {
    environment: &[("COMMIT_AFTER_MS", "600000")],
    steps: &[Submit, End, Delivered, Reports],
    ..USUAL
};

/// The files of [`SMALL`].
const FILES: [&str; 5] = [
    "result.csv",
    "result.parquet",
    "summary.json",
    "report.html",
    "report.xlsx",
];

/// The points at which a report becomes an object because somebody asks for it.
fn asked(undisturbed: &Undisturbed) -> Vec<String> {
    let points = undisturbed.points.iter();
    points.filter(|point| point.starts_with("api.put-")).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_job_survives_a_kill_at_each_of_its_writes() {
    const END: &str = "worker.job-success+event+rows+reports#1.after";
    let undisturbed = undisturbed(SMALL).await;
    let points = &undisturbed.points;
    assert!(points.iter().any(|point| point == END), "{points:#?}");
    assert!(
        !points.iter().any(|point| point.starts_with("worker.put-")),
        "{points:#?}"
    );
    assert_eq!(asked(&undisturbed).len(), 2 * FILES.len(), "{points:#?}");
    let points: Vec<_> = points.iter().filter(|point| comes_each_time(point)).cloned().collect();
    killed_at_each(SMALL, BINARY, &points, &undisturbed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_report_survives_a_kill_when_it_is_first_asked_for() {
    // As on AWS: the services live on.
    let scenario = Scenario {
        arguments: &["system"],
        home: Home::Elsewhere,
        ..SMALL
    };
    let writes = FILES.map(|file| format!("api.put-{file}#1"));
    survives(scenario, &writes.each_ref().map(String::as_str)).await;
}

/// As [`SMALL`], of a job that leaves what it is told to. The first report is the one that counts.
const SIZED: Scenario = Scenario {
    arguments: &["system"],
    ..SMALL
};

/// Kills a process before and after each write by which rows and reports of `job` are stored.
async fn stores(job: fn(&str) -> Value, writes: &[&str]) {
    let scenario = Scenario { job, ..SIZED };
    let undisturbed = undisturbed(scenario).await;
    let is_of_it =
        |point: &&String| comes_each_time(point) && (point.starts_with("worker.") || point.starts_with("api.put-"));
    let points: Vec<_> = undisturbed.points.iter().filter(is_of_it).cloned().collect();
    for write in writes {
        assert!(
            points.contains(&format!("{write}#1.after")),
            "{write} is not passed: {points:#?}"
        );
    }
    let put = points.iter().filter(|point| point.contains(".put-"));
    let named = writes.iter().filter(|write| write.contains(".put-"));
    assert_eq!(put.count(), 2 * named.count(), "{points:#?}");
    killed_at_each(scenario, BINARY, &points, &undisturbed).await;
}

fn sized(rows: u32, reports: &[u32], plain: bool) -> Value {
    let stakes = json!([{"owner": "A", "owned": "B", "share": 0.5}]);
    let parameters = json!({"rows": rows, "reports": reports, "plain": plain});
    json!({"type": "sized", "input": {"stakes": stakes}, "parameters": parameters})
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_and_small_reports_survive_a_kill_at_each_of_their_writes() {
    let writes = [
        "worker.rows",
        "worker.job-success+event+reports",
        "api.put-result.csv",
        "api.put-result.1",
    ];
    stores(|_| sized(1_000, &[5_000, 100], false), &writes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_rows_and_large_reports_survive_a_kill_at_each_of_their_writes() {
    let writes = [
        "worker.put-result.csv",
        "worker.put-result.1",
        "worker.job-success+event+rows",
    ];
    stores(|_| sized(10, &[30_000, 10_000], false), &writes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_report_among_small_ones_survives_a_kill_at_each_of_its_writes() {
    let writes = [
        "worker.put-result.1",
        "worker.job-success+event+rows+reports",
        "api.put-result.csv",
        "api.put-result.2",
    ];
    stores(|_| sized(10, &[100_000, 50_000, 20_000], true), &writes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_a_worker_of_which_nobody_knows_that_it_died() {
    let scenario = Scenario {
        arguments: &["system"],
        home: Home::Elsewhere,
        environment: &[
            ("COMMIT_AFTER_MS", "0"),
            ("LEASE_MS", "3000"),
            ("GRACE_MS", "1000"),
            ("SWEEP_MS", "100"),
        ],
        ..USUAL
    };
    let undisturbed = undisturbed(scenario).await;
    let is_held =
        |point: &&String| comes_each_time(point) && (point.starts_with("worker.") || point.starts_with("notifier."));
    let points: Vec<_> = undisturbed.points.iter().filter(is_held).cloned().collect();
    killed_at_each(scenario, BINARY, &points, &undisturbed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_survives_a_kill() {
    // The first such write commits the first stage, the second says that the job waits.
    survives(GATED, &["worker.job-progress-first#2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_report_survives_a_kill_at_each_of_its_parts() {
    /// Many pairs from few stakes, of companies with long names.
    fn job(_: &str) -> Value {
        let name = |kind: &str, number: usize| format!("{kind}{number}{}", "x".repeat(250));
        let stakes: Vec<_> = (0..140)
            .flat_map(|number| {
                [
                    json!({"owner": name("owner", number), "owned": "hub", "share": 0.005}),
                    json!({"owner": "hub", "owned": name("owned", number), "share": 0.5}),
                ]
            })
            .collect();
        json!({"type": "integrated-ownership", "input": {"stakes": stakes}})
    }
    let writes = [
        "worker.start-result.csv#1",
        "worker.part-result.csv#1",
        "worker.part-result.csv#2",
        "worker.complete-result.csv#1",
    ];
    survives(Scenario { job, ..USUAL }, &writes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_survives_a_kill() {
    let scenario = Scenario {
        job: |gate| {
            let mut job = (GATED.job)(gate);
            job["parameters"]["stumble"] = json!(true);
            job
        },
        ..GATED
    };
    survives(scenario, &["worker.job-pending#1", "worker.send-jobs#1"]).await;
}

/// A job that cannot succeed.
const HOPELESS: Scenario = Scenario {
    job: |_| {
        let stakes = json!([{"owner": "A", "owned": "B", "share": 1}, {"owner": "B", "owned": "A", "share": 1}]);
        json!({"type": "structure", "input": {"stakes": stakes}, "parameters": {"on_closed_component": "fail"}})
    },
    may_end: |job| job["status"] == "FAILURE" && job["error"]["code"] == "closed_component",
    ..USUAL
};

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_survives_a_kill() {
    survives(HOPELESS, &["worker.job-failure+event#1", "worker.send-callbacks#1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_survives_a_kill() {
    let scenario = Scenario {
        steps: &[Submit, End, Delivered, Retry, End, Delivered],
        ..HOPELESS
    };
    survives(scenario, &["api.key+job-pending#2", "api.send-jobs#2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_survives_a_kill() {
    let scenario = Scenario {
        steps: &[Submit, Waiting, Revoke, End, Delivered],
        may_end: |job| job["status"] == "REVOKED" && job["percentage"].as_u64() < Some(100),
        ..GATED
    };
    survives(scenario, &["api.job-revoked+event#1", "api.send-callbacks#1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_survives_a_kill() {
    let scenario = Scenario {
        steps: &[Submit, End, Delivered, Replay, Delivered],
        ..USUAL
    };
    survives(scenario, &["api.event#1", "api.send-callbacks#1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_survives_a_kill() {
    let scenario = Scenario {
        steps: &[Submit, Waiting, Terminate, Open, End, Delivered],
        ..GATED
    };
    survives(scenario, &["sweeper.job-pending#1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_of_a_job_without_a_message_survives_a_kill() {
    let scenario = Scenario {
        before: &["api.send-jobs#1.before"],
        ..USUAL
    };
    let writes = ["sweeper.job-pending#1", "sweeper.job-pending#2", "sweeper.send-jobs#1"];
    survives(scenario, &writes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_of_a_job_without_a_worker_survives_a_kill() {
    let scenario = Scenario {
        before: &["worker.job-progress-building#1.after"],
        ..USUAL
    };
    let writes = [
        "sweeper.job-progress-building#1",
        "sweeper.job-progress-building#2",
        "sweeper.send-jobs#1",
    ];
    survives(scenario, &writes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_of_an_event_survives_a_kill() {
    let scenario = Scenario {
        before: &["worker.send-callbacks#1.before"],
        ..USUAL
    };
    survives(scenario, &["sweeper.event#1", "sweeper.send-callbacks#1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_for_a_bus_survives_a_kill_at_each_of_its_writes() {
    let scenario = Scenario { bus: true, ..USUAL };
    let undisturbed = undisturbed(scenario).await;
    let notifier = |point: &&String| point.starts_with("notifier.");
    let points: Vec<_> = undisturbed.points.iter().filter(notifier).cloned().collect();
    for side in ["before", "after"] {
        let put = format!("notifier.put-events#1.{side}");
        assert!(points.contains(&put), "{put} is not passed: {points:#?}");
    }
    killed_at_each(scenario, BINARY, &points, &undisturbed).await;
}

fn gave_up(job: &Value) -> bool {
    job["status"] == "FAILURE" && job["error"]["code"] == "attempts_exhausted"
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_survives_a_kill() {
    let scenario = Scenario {
        arguments: &["system"],
        environment: &[("MAX_ATTEMPTS", "1")],
        before: &["worker.job-progress#1.after"],
        may_end: gave_up,
        ..USUAL
    };
    let writes = [
        "sweeper.job-progress#1",
        "sweeper.job-failure+event#1",
        "sweeper.send-callbacks#1",
    ];
    survives(scenario, &writes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_every_worker_is_visibly_dead_and_a_retry_resumes_it() {
    const COMMITTED: &str = "worker.job-progress-building#1.after";
    let scenario = Scenario {
        before: &[COMMITTED; 5],
        steps: &[Submit, End, Delivered, Retry, End, Delivered],
        may_end: |job| gave_up(job) || succeeded(job),
        ..USUAL
    };
    let undisturbed = undisturbed(scenario).await;
    let ran = |stage: &str| {
        let written = format!("worker.put-{stage}#1.after");
        undisturbed.points.contains(&written)
    };
    assert!(!ran("building"), "the retry starts after the stage that was committed");
    assert!(ran("calculating"));
}
