//! An EventBridge bus as a second subscriber, played by a server on loopback.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use system_tests::{Api, Served};
use tempfile::TempDir;

use super::receiver::{Call, Receiver, deliveries};
use super::timed::small;

const BUS: &str = "ownership";

/// `stakegraph serve` that puts events on a bus.
struct WithBus {
    served: Served,
    api: Api,
    bus: Receiver,
    callback: Receiver,
    _data: TempDir,
}

impl WithBus {
    async fn start() -> Self {
        let bus = Receiver::start().await;
        let data = tempfile::tempdir().unwrap();
        let served = Served::start_with(
            env!("CARGO_BIN_EXE_stakegraph-under-test"),
            data.path(),
            &[
                ("EVENT_BUS", BUS),
                ("AWS_ENDPOINT_URL_EVENTBRIDGE", bus.base()),
                ("AWS_REGION", "eu-central-1"),
                ("AWS_ACCESS_KEY_ID", "one"),
                ("AWS_SECRET_ACCESS_KEY", "two"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ],
        );
        Self {
            api: served.api(),
            served,
            bus,
            callback: Receiver::start().await,
            _data: data,
        }
    }

    /// What the bus answers next to one entry.
    fn bus_says(&self, status: StatusCode, body: &Value) {
        let headers: [_; 1] = [(
            "content-type".parse().unwrap(),
            "application/x-amz-json-1.1".parse().unwrap(),
        )];
        self.bus.answer(status, HeaderMap::from_iter(headers), body.to_string());
    }

    fn bus_takes(&self) {
        self.bus_says(
            StatusCode::OK,
            &json!({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}),
        );
    }

    /// How the event stands with the callback, where there is one, and with the bus.
    async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        deliveries(&self.api, id, wanted).await
    }
}

/// The one entry that was put.
fn entry(call: &Call) -> Value {
    assert_eq!(call.header("x-amz-target"), "AWSEvents.PutEvents");
    assert!(
        call.header("authorization")
            .contains("/eu-central-1/events/aws4_request")
    );
    let put: Value = serde_json::from_slice(&call.body).unwrap();
    let [entry] = put["Entries"].as_array().unwrap().as_slice() else {
        panic!("{put}");
    };
    entry.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bus_gets_the_event_that_the_callback_gets() {
    let system = WithBus::start().await;
    system.bus_takes();
    let id = system.api.submit(&small(&system.callback.url())).await;
    let put = entry(&system.bus.next().await);
    let told = system.callback.next().await;
    let event: Value = serde_json::from_slice(&told.body).unwrap();
    assert_eq!(
        (&put["Source"], &put["EventBusName"], &put["DetailType"]),
        (&json!("stakegraph"), &json!(BUS), &event["type"])
    );
    assert_eq!(put["Detail"].as_str().unwrap().as_bytes(), told.body);
    assert_eq!(event["data"]["event_id"], told.header("webhook-id"));
    let seen = system.until(&id, |seen| seen["delivery"] == "delivered").await;
    let to: Vec<_> = seen["subscribers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["to"])
        .collect();
    let url = system.callback.url().replace("{job_id}", &id);
    assert_eq!(to, [&json!(url), &json!(format!("eventbridge:{BUS}"))]);
    assert_eq!(seen["attempts"].as_array().unwrap().len(), 2);

    // A job without a callback is told to the bus all the same.
    system.bus_takes();
    let mut quiet = small("");
    quiet.as_object_mut().unwrap().remove("callback_url");
    let id = system.api.submit(&quiet).await;
    let put = entry(&system.bus.next().await);
    assert!(put["Detail"].as_str().unwrap().contains(&id));
    system.until(&id, |seen| seen["delivery"] == "delivered").await;
    drop(system.served);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_subscriber_keeps_the_event_from_the_other() {
    let system = WithBus::start().await;
    let states = |seen: &Value| -> Vec<Value> {
        let subscribers = seen["subscribers"].as_array().unwrap();
        subscribers.iter().map(|one| one["delivery"].clone()).collect()
    };
    // The bus refuses; the callback has the event.
    system.bus_says(StatusCode::BAD_REQUEST, &json!({"__type": "AccessDeniedException"}));
    let first = system.api.submit(&small(&system.callback.url())).await;
    let failed = |seen: &Value, error: &str| {
        let attempts = seen["attempts"].as_array().unwrap();
        attempts.iter().find(|one| one["error"] == error).cloned()
    };
    let seen = system
        .until(&first, |seen| {
            seen["subscribers"][0]["delivery"] == "delivered" && failed(seen, "AccessDeniedException").is_some()
        })
        .await;
    assert_eq!(states(&seen), ["delivered", "pending"]);
    let attempt = failed(&seen, "AccessDeniedException").unwrap();
    assert_eq!(
        (&attempt["to"], &attempt["number"]),
        (&json!("eventbridge:ownership"), &json!(1))
    );
    assert!(seen["subscribers"][1]["next_attempt_at"].is_string(), "{seen}");
    // It is tried again by itself, and the callback is left alone.
    let refused = json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "x"}]});
    system.bus_says(StatusCode::OK, &refused);
    system
        .until(&first, |seen| failed(seen, "InternalFailure").is_some())
        .await;
    assert_eq!(system.callback.calls().len(), 1);

    // The callback wants no more; the bus has the event. A replay is for both.
    system.bus_takes();
    system.callback.then(StatusCode::GONE, &[]);
    let second = system.api.submit(&small(&system.callback.url())).await;
    let seen = system
        .until(&second, |seen| states(seen) == ["dead", "delivered"])
        .await;
    assert_eq!(seen["delivery"], "dead");
    system.bus_takes();
    let (status, _) = system
        .api
        .post(&format!("/jobs/{second}/deliveries/replay"), &json!({}))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let seen = system
        .until(&second, |seen| states(seen) == ["delivered", "delivered"])
        .await;
    assert_eq!(seen["attempts"].as_array().unwrap().len(), 4);
    drop(system.served);
}
