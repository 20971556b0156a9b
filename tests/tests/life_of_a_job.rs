//! Revoke, retry, callbacks, and the races between them.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jobs::protocol::Event;
use jobs::{Error, JobError, Outcome};
use serde_json::{Value, json};
use system_tests::{Instance, has_ended, layered};

#[tokio::test]
async fn a_revoked_job_stops_and_stays_revoked() {
    let instance = Instance::with(|settings| local::SystemSettings { workers: 1, ..settings }).await;
    let api = instance.api();
    let upload = api.upload(&layered(60, 1500)).await;
    let job = json!({"type": "integrated-ownership", "input": {"upload": upload}, "parameters": {"floor": 0}});
    let id = api.submit(&job).await;
    api.until(&id, |job| job["status"] == "PROGRESS").await;
    let (status, job) = api.post(&format!("/jobs/{id}/revoke"), &json!({})).await;
    assert_eq!((status.as_u16(), &job["status"]), (200, &json!("REVOKED")), "{job}");
    let (status, problem) = api.post(&format!("/jobs/{id}/revoke"), &json!({})).await;
    assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("job_ended")));
    // The one worker takes another job, so it has let go of this one.
    let other = json!({"type": "structure", "input": {"stakes": [{"owner": "A", "owned": "B", "share": 1}]}});
    assert_eq!(api.ended(&api.submit(&other).await).await["status"], "SUCCESS");
    let (_, after) = api.get(&format!("/jobs/{id}")).await;
    assert_eq!(
        (&after["status"], &after["percentage"]),
        (&json!("REVOKED"), &job["percentage"])
    );
    assert_eq!(after["reports"], json!([]));
    instance.stop().await;
}

#[tokio::test]
async fn a_failed_job_is_tried_again_as_a_new_one() {
    let instance = Instance::start().await;
    let api = instance.api();
    let failed = api
        .run_file("structure", b"owner,owned,share\nA,B,-1\n", json!({}))
        .await;
    let id = failed["id"].as_str().unwrap();
    let (status, again) = api.post(&format!("/jobs/{id}/retry"), &json!({})).await;
    assert_eq!((status.as_u16(), &again["retry_of"]), (202, &json!(id)), "{again}");
    assert_ne!(again["id"], failed["id"]);
    let again = api.ended(again["id"].as_str().unwrap()).await;
    assert_eq!(
        again["error"]["code"], "share_negative",
        "the same input fails the same way"
    );

    let good = api
        .run_file("structure", b"owner,owned,share\nA,B,1\n", json!({}))
        .await;
    let (status, problem) = api
        .post(&format!("/jobs/{}/retry", good["id"].as_str().unwrap()), &json!({}))
        .await;
    assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("job_not_failed")));
    instance.stop().await;
}

#[tokio::test]
async fn of_revoke_and_finish_exactly_one_wins() {
    let instance = Instance::with(jobs_only).await;
    let store = &instance.system().clients().store;
    for round in 0..20 {
        let id = submit_small(&instance).await;
        store.change(id, &Event::Claim).await.unwrap();
        let finish = Event::Succeed {
            epoch: 1,
            stage: "reporting".into(),
            outcome: Outcome::default(),
        };
        let fail = Event::Fail {
            epoch: 1,
            stage: "building".into(),
            error: JobError::new("x", "x"),
        };
        let (a, b, c) = tokio::join!(
            store.change(id, &Event::Revoke),
            store.change(id, &finish),
            store.change(id, &fail),
        );
        let winners = [a.is_ok(), b.is_ok(), c.is_ok()].into_iter().filter(|won| *won).count();
        assert_eq!(winners, 1, "round {round}");
        assert!(
            store.completion(id).await.unwrap().is_some(),
            "the end and its event are one"
        );
    }
    instance.stop().await;
}

#[tokio::test]
async fn of_many_workers_one_claims() {
    let instance = Instance::with(jobs_only).await;
    let store = instance.system().clients().store.clone();
    let id = submit_small(&instance).await;
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        claims.spawn(async move { store.change(id, &Event::Claim).await });
    }
    let outcomes = claims.join_all().await;
    let refused = outcomes
        .iter()
        .filter(|claim| matches!(claim, Err(Error::Refused(_))))
        .count();
    assert_eq!((outcomes.len() - refused, refused), (1, 15));
    store.change(id, &Event::Revoke).await.unwrap();
    instance.stop().await;
}

#[tokio::test]
async fn a_worker_that_was_overtaken_changes_nothing() {
    let instance = Instance::with(|mut settings| {
        settings.limits.lease_ms = 0;
        jobs_only(settings)
    })
    .await;
    let store = &instance.system().clients().store;
    let id = submit_small(&instance).await;
    let slept = store.change(id, &Event::Claim).await.unwrap();
    store.change(id, &Event::Claim).await.unwrap();
    for event in [
        Event::Progress {
            epoch: 1,
            stage: "mapping".into(),
            percentage: jobs::Percentage::FULL,
        },
        Event::Succeed {
            epoch: 1,
            stage: "mapping".into(),
            outcome: Outcome::default(),
        },
        Event::Retry {
            epoch: 1,
            reason: "x".into(),
            delay_ms: 0,
        },
        Event::Continue {
            epoch: 1,
            delay_ms: 0,
            error: None,
        },
    ] {
        let late = store.change_seen(&slept, &event).await;
        assert!(matches!(late, Err(Error::Refused(_))), "{event:?}: {late:?}");
    }
    let job = store.get(id).await.unwrap();
    assert_eq!((job.state.epoch, job.state.attempt, job.state.stage), (2, 2, None));
    store.change(id, &Event::Revoke).await.unwrap();
    instance.stop().await;
}

/// A system that accepts jobs and does not run them.
fn jobs_only(settings: local::SystemSettings) -> local::SystemSettings {
    local::SystemSettings { workers: 0, ..settings }
}

async fn submit_small(instance: &Instance) -> jobs::JobId {
    let job = json!({"type": "structure", "input": {"stakes": [{"owner": "A", "owned": "B", "share": 1}]}});
    instance.api().submit(&job).await.parse().unwrap()
}

type Inbox = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A receiver on loopback that answers the first call with 500 and later ones with 204.
async fn receiver() -> (String, Inbox) {
    async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let mut inbox = inbox.lock().unwrap();
        inbox.push((headers, body));
        if inbox.len() == 1 {
            StatusCode::INTERNAL_SERVER_ERROR
        } else {
            StatusCode::NO_CONTENT
        }
    }
    let inbox = Inbox::default();
    let router = Router::new()
        .route("/done/{id}", post(receive))
        .with_state(Arc::clone(&inbox));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/done/{{job_id}}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, inbox)
}

#[tokio::test]
async fn the_end_is_told_until_it_is_heard_with_one_id() {
    let instance = Instance::start().await;
    let api = instance.api();
    let (url, inbox) = receiver().await;
    let job = json!({
        "type": "structure",
        "input": {"stakes": [{"owner": "A", "owned": "B", "share": 1}]},
        "callback_url": url,
    });
    let id = api.submit(&job).await;
    assert_eq!(api.ended(&id).await["status"], "SUCCESS");
    let path = format!("/jobs/{id}/deliveries");
    let wait = async |wanted: &dyn Fn(&Value) -> bool| {
        for _ in 0..3_000 {
            let (_, deliveries) = api.get(&path).await;
            if wanted(&deliveries) {
                return deliveries;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("gave up waiting for a delivery");
    };
    let failed = wait(&|deliveries| deliveries["attempts"][0]["status"] == 500).await;
    assert_eq!(failed["delivery"], "pending");
    let (status, _) = api.post(&format!("{path}/replay"), &json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let delivered = wait(&|deliveries| deliveries["delivery"] == "delivered").await;
    assert_eq!(delivered["attempts"][1]["status"], 204, "{delivered}");

    let calls = inbox.lock().unwrap().clone();
    let header = |call: usize, name: &str| calls[call].0[name].to_str().unwrap().to_owned();
    assert_eq!(header(0, "webhook-id"), header(1, "webhook-id"));
    let (_, body) = &calls[1];
    let signed = instance.system().secret().sign(
        &header(1, "webhook-id"),
        header(1, "webhook-timestamp").parse().unwrap(),
        body,
    );
    assert_eq!(header(1, "webhook-signature"), signed);
    let event: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(
        (&event["type"], &event["data"]["job_id"]),
        (&json!("job.succeeded"), &json!(id))
    );
    instance.stop().await;
}

#[tokio::test]
async fn percentage_never_falls() {
    let instance = Instance::start().await;
    let api = instance.api();
    let upload = api.upload(&layered(12, 250)).await;
    let job = json!({"type": "integrated-ownership", "input": {"upload": upload}, "parameters": {"floor": 0.02}});
    let id = api.submit(&job).await;
    let seen = Mutex::new(Vec::new());
    api.until(&id, |job| {
        seen.lock().unwrap().push(job["percentage"].as_u64().unwrap());
        has_ended(job)
    })
    .await;
    let seen = seen.into_inner().unwrap();
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!(seen.last(), Some(&100));
    instance.stop().await;
}
