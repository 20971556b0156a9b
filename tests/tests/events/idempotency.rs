//! The same request twice is one job.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::Api;
use tokio::task::JoinSet;

use super::receiver::Receiver;
use super::timed::{Timed, small};

const HOUR_MS: i64 = 3_600_000;

/// Status, `Location` and body of what is answered under a key.
async fn send(api: &Api, path: &str, key: &str, body: &Value) -> (StatusCode, Option<String>, Value) {
    let request = api.request(Method::POST, path).header("idempotency-key", key);
    let answer = request.json(body).send().await.unwrap();
    let location = answer
        .headers()
        .get("location")
        .map(|at| at.to_str().unwrap().to_owned());
    (answer.status(), location, answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_gets_the_first_answer_for_24_hours() {
    let system = Timed::start().await;
    let receiver = Receiver::start().await;
    let upload = system.api.upload(b"owner,owned,share\nA,B,0.5\n").await;
    let mut body = small(&receiver.url());
    body["input"] = json!({"upload": upload});
    let first = send(&system.api, "/jobs", "k", &body).await;
    assert_eq!((first.0, &first.2["status"]), (StatusCode::ACCEPTED, &json!("PENDING")));
    let id = first.2["id"].as_str().unwrap();
    system.work(id).await;
    system.notify(id).await;
    assert_eq!(system.api.get(&format!("/jobs/{id}")).await.1["status"], "SUCCESS");

    system.clock.advance_ms(24 * HOUR_MS - 1);
    assert_eq!(send(&system.api, "/jobs", "k", &body).await, first, "to the letter");
    let other = send(&system.api, "/jobs", "k", &small(&receiver.url())).await;
    assert_eq!(other.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        (&other.2["code"], &other.2["field"]),
        (&json!("idempotency_key_reused"), &json!("Idempotency-Key"))
    );
    system.clock.advance_ms(1);
    let later = send(&system.api, "/jobs", "k", &body).await;
    assert_eq!(later.0, StatusCode::ACCEPTED);
    assert_ne!(later.2["id"], first.2["id"], "the key is forgotten");
    let later = later.2["id"].as_str().unwrap();
    system.work(later).await;
    system.notify(later).await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_requests_at_once_under_one_key_one_is_a_job() {
    let system = Timed::start().await;
    for round in 0..5 {
        let key = format!("key {round}");
        let mut requests = JoinSet::new();
        for number in 0..16 {
            let (api, key) = (system.api.clone(), key.clone());
            // Every fourth is another request.
            let owner = if number % 4 == 3 { "C" } else { "A" };
            let body = json!({
                "type": "structure",
                "input": {"stakes": [{"owner": owner, "owned": "B", "share": 0.6}]},
            });
            requests.spawn(async move { (owner, send(&api, "/jobs", &key, &body).await) });
        }
        let answers = requests.join_all().await;
        let accepted: Vec<_> = answers
            .iter()
            .filter(|answer| answer.1.0 == StatusCode::ACCEPTED)
            .collect();
        let (owner, first) = accepted.first().expect("one request is accepted");
        for one in &accepted {
            assert_eq!((&one.0, &one.1), (owner, first), "one job, one answer");
        }
        for (other, (status, _, problem)) in &answers {
            let busy = *status == StatusCode::CONFLICT && problem["code"] == "idempotency_key_in_flight";
            let reused = *status == StatusCode::UNPROCESSABLE_ENTITY && other != owner;
            assert!(*status == StatusCode::ACCEPTED || busy || reused, "{other}: {problem}");
        }
        assert_eq!(
            system.api.get("/jobs").await.1["jobs"].as_array().unwrap().len(),
            round + 1
        );
    }
    for job in system.api.get("/jobs").await.1["jobs"].as_array().unwrap() {
        system.work(job["id"].as_str().unwrap()).await;
    }
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_under_a_key_is_one_new_job() {
    let system = Timed::start().await;
    let receiver = Receiver::start().await;
    let revoke = async |id: &str| {
        system.api.post(&format!("/jobs/{id}/revoke"), &json!({})).await;
        system.notify(id).await;
    };
    let old = system.api.submit(&small(&receiver.url())).await;
    revoke(&old).await;
    let path = format!("/jobs/{old}/retry");
    let first = send(&system.api, &path, "again", &json!({})).await;
    assert_eq!((first.0, &first.2["retry_of"]), (StatusCode::ACCEPTED, &json!(old)));
    let id = first.2["id"].as_str().unwrap();
    revoke(id).await;
    assert_eq!(send(&system.api, &path, "again", &json!({})).await, first);
    let other = send(&system.api, &format!("/jobs/{id}/retry"), "again", &json!({})).await;
    assert_eq!(
        other.0,
        StatusCode::UNPROCESSABLE_ENTITY,
        "another job to retry is another request"
    );
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused_and_a_refused_request_leaves_none() {
    let system = Timed::start().await;
    for key in [String::new(), "x".repeat(256), "é".to_owned()] {
        let (status, _, problem) = send(&system.api, "/jobs", &key, &small("https://example.org/")).await;
        assert_eq!(
            (status.as_u16(), &problem["code"]),
            (400, &json!("invalid_idempotency_key")),
            "{key}"
        );
    }
    let request = system.api.request(Method::POST, "/jobs").header("idempotency-key", "a");
    let twice = request
        .header("idempotency-key", "b")
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(twice.status(), StatusCode::BAD_REQUEST);

    let refused = send(&system.api, "/jobs", "k", &small("https://10.0.0.1/")).await;
    assert_eq!(refused.0, StatusCode::BAD_REQUEST);
    let receiver = Receiver::start().await;
    let mended = send(&system.api, "/jobs", "k", &small(&receiver.url())).await;
    assert_eq!(mended.0, StatusCode::ACCEPTED);
    let id = mended.2["id"].as_str().unwrap();
    system.work(id).await;
    system.notify(id).await;
    system.stop().await;
}
