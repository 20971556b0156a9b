//! Completion events: that they arrive, or are seen not to, whatever the receiver does.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod events {
    pub(crate) mod bus;
    pub(crate) mod idempotency;
    pub(crate) mod receiver;
    pub(crate) mod timed;
}

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jobs::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use system_tests::{Instance, Served};

use events::receiver::{Call, Receiver, deliveries};
use events::timed::{Timed, small};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// HMAC-SHA256 as RFC 2104 writes it, in base64.
fn hmac(key: &[u8], message: &[u8]) -> String {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], message].concat());
    STANDARD.encode(Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner].concat()))
}

/// Whether a receiver that knows `secret` accepts the call, by the rules of Standard Webhooks: the key is what follows
/// `whsec_` in base64; what is signed is id, timestamp and body with dots between; one signature of the list must match.
fn verifies(secret: &str, call: &Call) -> bool {
    let key = STANDARD.decode(secret.trim().strip_prefix("whsec_").unwrap()).unwrap();
    let id = call.header("webhook-id");
    let timestamp = call.header("webhook-timestamp");
    assert!(!id.contains('.') && timestamp.parse::<i64>().is_ok());
    let message = [format!("{id}.{timestamp}.").as_bytes(), &call.body].concat();
    let wanted = format!("v1,{}", hmac(&key, &message));
    call.header("webhook-signature").split(' ').any(|one| one == wanted)
}

fn time(text: &Value) -> i64 {
    let text = text.as_str().unwrap_or_else(|| panic!("no time: {text}"));
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_for_76_hours_gets_the_event_by_replay_with_the_same_id() {
    let system = Timed::start().await;
    let receiver = Receiver::start().await;
    receiver.always(StatusCode::INTERNAL_SERVER_ERROR);
    let id = system.run(&receiver.url()).await;
    let waits = [
        5 * SECOND,
        5 * MINUTE,
        30 * MINUTE,
        2 * HOUR,
        5 * HOUR,
        10 * HOUR,
        14 * HOUR,
        20 * HOUR,
        24 * HOUR,
    ];
    let start = system.now();
    for (failed, wait) in waits.into_iter().enumerate() {
        system.notify(&id).await;
        let seen = system.deliveries(&id).await;
        assert_eq!(
            (&seen["delivery"], seen["attempts"].as_array().unwrap().len()),
            (&json!("pending"), failed + 1)
        );
        let next = time(&seen["next_attempt_at"]);
        let asked = next - system.now().ms();
        assert!((wait..=wait + wait / 10).contains(&asked), "{asked} after {wait}");
        system.at(Timestamp::from_ms(next - 1));
        assert_eq!(system.sweep().await.events, 0, "it is not due yet");
        system.notify(&id).await;
        assert_eq!(
            receiver.calls().len(),
            failed + 1,
            "a message that comes early changes nothing"
        );
        system.at(Timestamp::from_ms(next));
        assert_eq!(system.sweep().await.events, 1, "the sweeper wakes what is due");
    }
    system.notify(&id).await;
    let hours = (system.now().ms() - start.ms()) / HOUR;
    assert!((75..=84).contains(&hours), "{hours}");
    let dead = system.deliveries(&id).await;
    assert_eq!(
        (&dead["delivery"], &dead["next_attempt_at"]),
        (&json!("dead"), &Value::Null)
    );
    assert_eq!(dead["reason"], "10 attempts failed");
    system.clock.advance_ms(1_000 * HOUR);
    assert_eq!(system.sweep().await.events, 0);
    system.notify(&id).await;
    assert_eq!(receiver.calls().len(), 10, "nobody calls for a dead event");

    receiver.always(StatusCode::NO_CONTENT);
    let (status, replayed) = system.replay(&id).await;
    assert_eq!(
        (status, &replayed["delivery"]),
        (StatusCode::ACCEPTED, &json!("pending"))
    );
    assert_eq!(replayed["reason"], Value::Null);
    system.notify(&id).await;
    let delivered = system.deliveries(&id).await;
    assert_eq!(delivered["delivery"], "delivered");
    let attempts = delivered["attempts"].as_array().unwrap();
    let numbers: Vec<_> = attempts
        .iter()
        .map(|attempt| attempt["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
    for (attempt, call) in attempts.iter().zip(receiver.calls()) {
        assert_eq!(call.header("webhook-id"), delivered["event_id"]);
        assert_eq!(
            call.body,
            receiver.calls()[0].body,
            "the event is the same to the letter"
        );
        let at = call.header("webhook-timestamp").parse::<i64>().unwrap();
        assert_eq!(
            at,
            time(&attempt["at"]).div_euclid(SECOND),
            "the time is that of the attempt"
        );
        assert!(attempt["elapsed_ms"].is_u64(), "{attempt}");
    }
    assert_eq!(
        (&attempts[9]["status"], &attempts[9]["outcome"]),
        (&json!(500), &json!("failed"))
    );
    assert_eq!(
        (&attempts[10]["status"], &attempts[10]["outcome"]),
        (&json!(204), &json!("delivered"))
    );
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_verified_by_whoever_knows_the_secret() {
    let system = Timed::start().await;
    let receiver = Receiver::start().await;
    let id = system.run(&receiver.url()).await;
    system.notify(&id).await;
    let [call] = receiver.calls().try_into().unwrap();
    assert!(verifies(&system.secret(), &call));
    let mut forged = call.clone();
    forged.body = String::from_utf8(call.body.clone())
        .unwrap()
        .replace("succeeded", "failed")
        .into();
    assert!(!verifies(&system.secret(), &forged));
    assert!(!verifies("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &call));

    assert_eq!(call.path, format!("/done/{id}"), "{{job_id}} is filled in");
    let event: Value = serde_json::from_slice(&call.body).unwrap();
    let job = system.api.get(&format!("/jobs/{id}")).await.1;
    assert_eq!(event["type"], "job.succeeded");
    assert_eq!(event["timestamp"], job["finished_at"]);
    assert_eq!(
        (&event["data"]["job_id"], &event["data"]["status"]),
        (&json!(id), &json!("SUCCESS"))
    );
    assert!(call.body.len() < 20_000);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_secret_rotates_receivers_of_the_old_and_of_the_new_accept_events() {
    let old = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let receiver = Receiver::start().await;
    let instance = Instance::with(|settings| {
        std::fs::write(settings.data.join("webhook-secret-previous"), format!("{old}\n")).unwrap();
        settings
    })
    .await;
    let id = instance.api().submit(&small(&receiver.url())).await;
    let call = receiver.next().await;
    let new = instance.system().secret().reveal();
    assert_ne!(new, old);
    assert!(verifies(&new, &call) && verifies(old, &call));
    assert_eq!(call.header("webhook-signature").split(' ').count(), 2);
    deliveries(instance.api(), &id, |seen| seen["delivery"] == "delivered").await;
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_decides_when_it_is_called_again_and_whether() {
    let system = Timed::start().await;
    let receiver = Receiver::start().await;
    let id = system.run(&receiver.url()).await;
    let soon = jiff::Timestamp::from_millisecond(system.now().ms() + 2 * HOUR).unwrap();
    let soon = soon.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (status, asked, least) in [
        // Whole seconds are all that a date says.
        (StatusCode::SERVICE_UNAVAILABLE, soon.as_str(), 2 * HOUR - SECOND),
        (StatusCode::TOO_MANY_REQUESTS, "600", 10 * MINUTE),
        (StatusCode::SERVICE_UNAVAILABLE, "1", 30 * MINUTE),
        (StatusCode::TOO_MANY_REQUESTS, "99999999999", 24 * HOUR),
    ] {
        receiver.then(status, &[("retry-after", asked)]);
        let before = system.now();
        system.notify(&id).await;
        let next = time(&system.deliveries(&id).await["next_attempt_at"]);
        let wait = next - before.ms();
        assert!(
            (least..=least + least / 10 + SECOND).contains(&wait),
            "{wait} after {asked}"
        );
        system.at(Timestamp::from_ms(next));
    }
    receiver.then(StatusCode::FOUND, &[("location", "/done/elsewhere")]);
    system.notify(&id).await;
    let seen = system.deliveries(&id).await;
    assert_eq!(seen["attempts"][4]["status"], 302);
    assert_eq!(
        (&seen["attempts"][4]["outcome"], &seen["delivery"]),
        (&json!("failed"), &json!("pending"))
    );
    system.at(Timestamp::from_ms(time(&seen["next_attempt_at"])));
    receiver.then(StatusCode::GONE, &[]);
    system.notify(&id).await;
    let seen = system.deliveries(&id).await;
    assert_eq!(seen["delivery"], "dead");
    assert_eq!(seen["reason"], "the receiver answered 410: it wants no more");
    assert_eq!(receiver.calls().len(), 6);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_whose_end_nobody_saw_is_listed_and_counts() {
    let system = Timed::start().await;
    let receiver = Receiver::start().await;
    let id = system.run(&receiver.url()).await;
    // As a notifier does that dies before the answer comes.
    let begin = async || {
        let store = &system.clients.store;
        let ended = store.ended(id.parse().unwrap()).await.unwrap().unwrap();
        store.begin_tries(&ended, 30_000, 10).await.unwrap()
    };
    assert!(begin().await.is_some());
    assert!(begin().await.is_none(), "one at a time");
    let seen = system.deliveries(&id).await;
    assert_eq!(seen["attempts"][0]["outcome"], "under_way");
    assert_eq!(seen["next_attempt_at"], Value::Null);
    system.notify(&id).await;
    assert_eq!(receiver.calls().len(), 0, "nobody else begins one meanwhile");

    system.clock.advance_ms(30_000);
    assert_eq!(system.deliveries(&id).await["attempts"][0]["outcome"], "unknown");
    assert_eq!(system.sweep().await.events, 1);
    for _ in 1..10 {
        assert!(begin().await.is_some());
        system.clock.advance_ms(30_000);
    }
    system.notify(&id).await;
    let seen = system.deliveries(&id).await;
    assert_eq!((&seen["delivery"], receiver.calls().len()), (&json!("dead"), 0));
    assert_eq!(
        seen["reason"],
        "the outcome of the last attempt is unknown, and there is none left"
    );
    system.replay(&id).await;
    system.notify(&id).await;
    let seen = system.deliveries(&id).await;
    let attempts = seen["attempts"].as_array().unwrap();
    let numbers: Vec<_> = attempts
        .iter()
        .map(|attempt| attempt["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
    assert_eq!(
        (&seen["delivery"], &attempts[10]["outcome"]),
        (&json!("delivered"), &json!("delivered"))
    );
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_messages_that_come_at_once_one_makes_the_attempt() {
    let system = Timed::start().await;
    let receiver = Receiver::start().await;
    let id = system.run(&receiver.url()).await;
    let attempts = (0..8).map(|_| system.notify(&id));
    futures::future::join_all(attempts).await;
    system.notify(&id).await;
    assert_eq!(receiver.calls().len(), 1);
    assert_eq!(system.deliveries(&id).await["attempts"].as_array().unwrap().len(), 1);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_while_an_attempt_is_under_way_makes_another() {
    let system = Timed::start().await;
    let receiver = Receiver::start().await;
    let id = system.run(&receiver.url()).await;
    let store = &system.clients.store;
    let ended = store.ended(id.parse().unwrap()).await.unwrap().unwrap();
    let begun = store.begin_tries(&ended, 30_000, 10).await.unwrap().unwrap();
    system.replay(&id).await;
    let mut late = begun.tries[0].clone();
    late.end = Some(jobs::TryEnd {
        delivered: true,
        elapsed_ms: 5,
        status: Some(200),
        error: None,
    });
    store.end_try(&begun, &late, &jobs::Next::Delivered).await.unwrap();
    let seen = system.deliveries(&id).await;
    assert_eq!(
        (&seen["delivery"], &seen["attempts"][0]["status"]),
        (&json!("pending"), &json!(200))
    );
    system.notify(&id).await;
    let seen = system.deliveries(&id).await;
    assert_eq!(
        (&seen["delivery"], &seen["attempts"][1]["status"]),
        (&json!("delivered"), &json!(204))
    );
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_leads_inside_is_refused_at_once() {
    let system = Timed::start().await;
    for url in [
        "http://example.org/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://0xa000001/",
        "https://100.64.0.1/",
        "https://metadata.google.internal/",
        "https://user@example.org/",
        "https://example.org:22/",
        "file:///etc/passwd",
        "not a url",
    ] {
        let (status, problem) = system.api.post("/jobs", &small(url)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{url}: {problem}");
        assert_eq!(
            (&problem["code"], &problem["field"]),
            (&json!("invalid_callback_url"), &json!("callback_url"))
        );
    }
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_is_refused_later_is_a_failed_attempt() {
    let system = Timed::start().await;
    let receiver = Receiver::start().await;
    let id = system.run(&receiver.url()).await;
    let strict = webhooks::Deliverer::new(webhooks::Policy::default()).unwrap();
    system.notify_with(strict, &id).await;
    let seen = system.deliveries(&id).await;
    assert_eq!(seen["attempts"][0]["error"], "only https is allowed");
    assert_eq!((&seen["delivery"], receiver.calls().len()), (&json!("pending"), 0));
    system.replay(&id).await;
    system.notify(&id).await;
    assert_eq!(system.deliveries(&id).await["delivery"], "delivered");
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_environment_is_not_asked() {
    let (proxy, receiver) = (Receiver::start().await, Receiver::start().await);
    let names = [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ];
    let data = tempfile::tempdir().unwrap();
    let served = Served::start_with(
        env!("CARGO_BIN_EXE_stakegraph-under-test"),
        data.path(),
        &names.map(|name| (name, proxy.base())),
    );
    let id = served.api().submit(&small(&receiver.url())).await;
    assert_eq!(receiver.next().await.path, format!("/done/{id}"));
    assert_eq!(proxy.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_and_revoked_jobs_tell_so() {
    let system = Timed::start().await;
    let receiver = Receiver::start().await;
    let mut bad = small(&receiver.url());
    bad["input"]["stakes"][0]["share"] = json!(-1);
    let failed = system.api.submit(&bad).await;
    system.work(&failed).await;
    let revoked = system.api.submit(&small(&receiver.url())).await;
    let (status, _) = system.api.post(&format!("/jobs/{revoked}/revoke"), &json!({})).await;
    assert_eq!(status, StatusCode::OK);
    for (id, kind) in [(&failed, "job.failed"), (&revoked, "job.revoked")] {
        system.notify(id).await;
        let call = receiver.next().await;
        let event: Value = serde_json::from_slice(&call.body).unwrap();
        assert_eq!(event["type"], kind, "{event}");
        assert_eq!(system.deliveries(id).await["event_id"], call.header("webhook-id"));
    }
    let job = system.api.get(&format!("/jobs/{failed}")).await.1;
    let event: Value = serde_json::from_slice(&receiver.calls()[0].body).unwrap();
    assert_eq!(event["data"]["error"]["code"], job["error"]["code"]);
    system.stop().await;
}
