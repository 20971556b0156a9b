//! `kill -9` of the whole system at any moment: after a restart every job ends, and with the same result.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use system_tests::{Served, has_ended, layered};

const BINARY: &str = env!("CARGO_BIN_EXE_stakegraph-under-test");

#[tokio::test]
async fn a_job_killed_at_any_stage_ends_with_the_same_result() {
    let network = layered(25, 550);
    let data = tempfile::tempdir().unwrap();
    let submit = async |served: &Served| {
        let upload = served.api().upload(&network).await;
        let job = json!({"type": "integrated-ownership", "input": {"upload": upload}, "parameters": {"floor": 0.1}});
        served.api().submit(&job).await
    };
    let served = Served::start(BINARY, data.path());
    let undisturbed = served.api().ended(&submit(&served).await).await;
    let expected = digest(&served, &undisturbed).await;
    drop(served);

    // From "just accepted" to deep in the longest stage.
    for least in [0, 1, 55, 65] {
        let served = Served::start(BINARY, data.path());
        let id = submit(&served).await;
        let job = served
            .api()
            .until(&id, |job| job["percentage"].as_u64() >= Some(least))
            .await;
        assert!(!has_ended(&job), "it was killed too late to lose anything: {job}");
        drop(served);

        let served = Served::start(BINARY, data.path());
        let job = served.api().ended(&id).await;
        assert_eq!(job["status"], "SUCCESS", "killed at {least}%: {job}");
        assert_eq!(digest(&served, &job).await, expected, "killed at {least}%");
    }
}

#[tokio::test]
async fn a_clean_stop_hands_a_running_job_back_without_spending_an_attempt() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(BINARY, data.path());
    let upload = served.api().upload(&layered(60, 1500)).await;
    let job = json!({"type": "integrated-ownership", "input": {"upload": upload}, "parameters": {"floor": 0.5}});
    let id = served.api().submit(&job).await;
    let before = served
        .api()
        .until(&id, |job| job["percentage"].as_u64() >= Some(1))
        .await;
    assert_eq!(served.terminate().code(), Some(0));

    let served = Served::start(BINARY, data.path());
    let after = served.api().until(&id, |job| job["status"] == "PROGRESS").await;
    assert_eq!(after["attempt"], 1, "{after}");
    assert!(
        after["percentage"].as_u64() >= before["percentage"].as_u64(),
        "{after} after {before}"
    );
    let (status, _) = served.api().post(&format!("/jobs/{id}/revoke"), &json!({})).await;
    assert_eq!(status.as_u16(), 200);
}

#[tokio::test]
async fn what_was_finished_before_the_crash_is_there_after_it() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(BINARY, data.path());
    let job = served
        .api()
        .run_file("structure", b"owner,owned,share\nA,B,0.5\n", json!({}))
        .await;
    let before = digest(&served, &job).await;
    drop(served);

    let served = Served::start(BINARY, data.path());
    let (_, after) = served
        .api()
        .get(&format!("/jobs/{}", job["id"].as_str().unwrap()))
        .await;
    assert_eq!(after, job);
    assert_eq!(digest(&served, &after).await, before);
    let (_, listed) = served.api().get("/jobs").await;
    assert_eq!(listed["jobs"], json!([job]));
}

#[tokio::test]
async fn a_folder_serves_one_process() {
    let data = tempfile::tempdir().unwrap();
    let _served = Served::start(BINARY, data.path());
    let second = std::process::Command::new(BINARY)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("another process"), "{said}");
}

async fn digest(served: &Served, job: &Value) -> String {
    hex::encode(Sha256::digest(served.api().report(job, "result.csv").await))
}
