//! An EventBridge bus on loopback that takes everything.

use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router, extract::State};
use serde_json::{Value, json};

const NAME: &str = "ownership";

/// The bus.
#[derive(Debug, Clone)]
pub struct Bus {
    url: String,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Bus {
    /// Starts to listen.
    pub async fn start() -> Self {
        let taken = Arc::default();
        let router = Router::new().route("/", post(take)).with_state(Arc::clone(&taken));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, taken }
    }

    /// The settings of a process that puts its events there.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("EVENT_BUS", NAME.to_owned()),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", self.url.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "tests".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "a secret".to_owned()),
        ]
    }

    /// What it took of a job, oldest first: the events, as they are in `detail`.
    #[must_use]
    pub fn events_of(&self, job: &str) -> Vec<Value> {
        let all = self.taken.lock().unwrap().clone();
        all.into_iter().filter(|event| event["data"]["job_id"] == job).collect()
    }
}

async fn take(State(taken): State<Arc<Mutex<Vec<Value>>>>, headers: HeaderMap, body: String) -> Response {
    if headers
        .get("x-amz-target")
        .is_none_or(|target| target != "AWSEvents.PutEvents")
    {
        return StatusCode::NOT_IMPLEMENTED.into_response();
    }
    // The SDK does not call it JSON.
    let put: Value = serde_json::from_str(&body).unwrap();
    let mut ids = Vec::new();
    for entry in put["Entries"].as_array().unwrap() {
        assert_eq!(entry["EventBusName"], NAME);
        let event: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        assert_eq!(entry["DetailType"], event["type"]);
        let mut taken = taken.lock().unwrap();
        taken.push(event);
        ids.push(json!({"EventId": taken.len().to_string()}));
    }
    let answer = Json(json!({"FailedEntryCount": 0, "Entries": ids}));
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.1")], answer).into_response()
}
