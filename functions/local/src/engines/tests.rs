//! The engines from outside: over HTTP, signed by hand.

use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_sdk_sqs::config::{BehaviorVersion, Region};
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{Credentials, Engines, Error, Settings};

fn credentials(secret_key: &str) -> Credentials {
    Credentials {
        access_key: "local".into(),
        secret_key: secret_key.into(),
    }
}

async fn start(data: &Path) -> Result<Engines, Error> {
    Engines::start(Settings {
        data: data.to_owned(),
        credentials: credentials("secret"),
        region: "eu-west-1".into(),
    })
    .await
}

/// One request in the JSON protocol, as its SDK would send it.
struct Call<'a> {
    url: &'a str,
    service: &'a str,
    target: &'a str,
    secret: &'a str,
    at: SystemTime,
    /// The body that is signed.
    signed: Value,
    /// The body that is sent.
    sent: Value,
}

impl<'a> Call<'a> {
    fn sqs(url: &'a str, target: &'a str, body: Value) -> Self {
        Self {
            url,
            service: "sqs",
            target,
            secret: "secret",
            at: SystemTime::now(),
            signed: body.clone(),
            sent: body,
        }
    }

    fn dynamodb(url: &'a str, target: &'a str, body: Value) -> Self {
        Self {
            service: "dynamodb",
            ..Self::sqs(url, target, body)
        }
    }

    async fn send(&self) -> (StatusCode, Value) {
        let credentials = credentials(self.secret);
        let identity = aws_credential_types::Credentials::new(
            &credentials.access_key,
            &credentials.secret_key,
            None,
            None,
            "test",
        )
        .into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name(self.service)
            .time(self.at)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let signed = self.signed.to_string();
        let headers = [
            ("x-amz-target", self.target),
            ("content-type", "application/x-amz-json-1.0"),
        ];
        let body = SignableBody::Bytes(signed.as_bytes());
        let request = SignableRequest::new("POST", format!("{}/", self.url), headers.into_iter(), body);
        let (instructions, _) = sign(request.unwrap(), &params).unwrap().into_parts();
        let mut request = Client::new().post(self.url).body(self.sent.to_string());
        for (name, value) in headers.into_iter().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

/// A network that is not there.
#[derive(Debug)]
struct Nowhere;

impl HttpConnector for Nowhere {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::user("there is no network".into())))
    }
}

#[tokio::test]
async fn the_way_within_the_process_needs_no_network_and_checks_signatures_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let engines = start(folder.path()).await.unwrap();
    let nowhere = http_client_fn(|_, _| SharedHttpConnector::new(Nowhere));
    for (secret, may) in [("secret", true), ("another", false)] {
        let keys = aws_credential_types::Credentials::new("local", secret, None, None, "test");
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(keys)
            .endpoint_url(&engines.sqs_url)
            .http_client(engines.http_client(nowhere.clone()))
            .build();
        let made = aws_sdk_sqs::Client::from_conf(config)
            .create_queue()
            .queue_name("jobs")
            .send()
            .await;
        assert_eq!(made.is_ok(), may, "{made:?}");
    }
    engines.stop().await;
}

async fn create_table(url: &str) -> StatusCode {
    let table = json!({
        "TableName": "jobs",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
    });
    Call::dynamodb(url, "DynamoDB_20120810.CreateTable", table)
        .send()
        .await
        .0
}

/// A link that does `method` on `path` of S3 for `seconds` from `at`.
fn presign(engines: &Engines, method: &str, path: &str, at: SystemTime, seconds: u64) -> String {
    let identity = aws_credential_types::Credentials::new("local", "secret", None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(seconds));
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("s3")
        .time(at)
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let url = format!("{}{path}", engines.s3_url);
    let request = SignableRequest::new(method, &url, std::iter::empty(), SignableBody::UnsignedPayload).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    let mut url = reqwest::Url::parse(&url).unwrap();
    for (name, value) in instructions.params() {
        url.query_pairs_mut().append_pair(name, value);
    }
    url.into()
}

async fn s3(engines: &Engines, method: Method, path: &str, body: &str) -> Response {
    let url = presign(engines, method.as_str(), path, SystemTime::now(), 60);
    Client::new()
        .request(method, url)
        .body(body.to_owned())
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn everything_is_there_after_a_restart_and_the_folder_serves_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let engines = start(&data).await.unwrap();
    assert!(matches!(start(&data).await.unwrap_err(), Error::InUse(_)));
    let key = json!({ "pk": { "S": "j1" } });
    assert_eq!(create_table(&engines.dynamodb_url).await, 200);
    let request = json!({ "TableName": "jobs", "Item": key });
    let put = Call::dynamodb(&engines.dynamodb_url, "DynamoDB_20120810.PutItem", request);
    assert_eq!(put.send().await.0, 200);
    let (_, queue) = Call::sqs(
        &engines.sqs_url,
        "AmazonSQS.CreateQueue",
        json!({ "QueueName": "jobs" }),
    )
    .send()
    .await;
    let message = json!({ "QueueUrl": queue["QueueUrl"], "MessageBody": "hello" });
    assert_eq!(
        Call::sqs(&engines.sqs_url, "AmazonSQS.SendMessage", message)
            .send()
            .await
            .0,
        200
    );
    assert_eq!(s3(&engines, Method::PUT, "/bucket", "").await.status(), 200);
    assert_eq!(s3(&engines, Method::PUT, "/bucket/a%20b", "hello").await.status(), 200);
    engines.stop().await;

    let engines = start(&data).await.unwrap();
    let request = json!({ "TableName": "jobs", "Key": key });
    let (_, item) = Call::dynamodb(&engines.dynamodb_url, "DynamoDB_20120810.GetItem", request)
        .send()
        .await;
    assert_eq!(item["Item"], key);
    // The address that was handed out before the restart, whose port is another now.
    let request = json!({ "QueueUrl": queue["QueueUrl"] });
    let (_, received) = Call::sqs(&engines.sqs_url, "AmazonSQS.ReceiveMessage", request)
        .send()
        .await;
    assert_eq!(received["Messages"][0]["Body"], "hello");
    let object = s3(&engines, Method::GET, "/bucket/a%20b", "").await;
    assert_eq!(object.text().await.unwrap(), "hello");
    engines.stop().await;
}

#[tokio::test]
async fn a_request_may_be_as_long_as_the_services_allow() {
    let folder = tempfile::tempdir().unwrap();
    let engines = start(folder.path()).await.unwrap();
    let url = &engines.dynamodb_url;
    assert_eq!(create_table(url).await, 200);
    let put = |i: u32| json!({ "PutRequest": { "Item": { "pk": { "S": i.to_string() }, "b": { "S": "x".repeat(390_000) } } } });
    let items: Vec<Value> = (0..25).map(put).collect();
    let request = json!({ "RequestItems": { "jobs": items } });
    let (status, answer) = Call::dynamodb(url, "DynamoDB_20120810.BatchWriteItem", request)
        .send()
        .await;
    assert_eq!(status, 200, "{answer}");
    let long = json!({ "TableName": "x".repeat(17 * 1024 * 1024) });
    let (status, _) = Call::dynamodb(url, "DynamoDB_20120810.GetItem", long).send().await;
    assert_eq!(status, 413);

    let url = &engines.sqs_url;
    let (_, queue) = Call::sqs(url, "AmazonSQS.CreateQueue", json!({ "QueueName": "jobs" }))
        .send()
        .await;
    // Each of these characters takes two bytes in JSON.
    let escaped = json!({ "QueueUrl": queue["QueueUrl"], "MessageBody": "\"".repeat(1024 * 1024) });
    assert_eq!(Call::sqs(url, "AmazonSQS.SendMessage", escaped).send().await.0, 200);
    engines.stop().await;
}

#[tokio::test]
async fn a_request_that_its_signer_did_not_make_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let engines = start(folder.path()).await.unwrap();
    let old = SystemTime::now() - Duration::from_secs(16 * 60);
    for call in [
        Call::sqs(&engines.sqs_url, "AmazonSQS.ListQueues", json!({})),
        Call::dynamodb(&engines.dynamodb_url, "DynamoDB_20120810.ListTables", json!({})),
    ] {
        assert_eq!(call.send().await.0, 200);
        let tampered = Call {
            sent: json!({ "a": "b" }),
            signed: json!({}),
            ..call
        };
        let (status, body) = tampered.send().await;
        assert_eq!(status, 403);
        assert_eq!(body["__type"], "com.amazon.coral.service#InvalidSignatureException");
        let call = Call {
            sent: json!({}),
            secret: "guess",
            ..tampered
        };
        assert_eq!(call.send().await.0, 403);
        let call = Call {
            secret: "secret",
            at: old,
            ..call
        };
        assert_eq!(call.send().await.0, 403);
        let unsigned = Client::new()
            .post(call.url)
            .header("x-amz-target", call.target)
            .body("{}");
        let unsigned = unsigned.send().await.unwrap();
        assert_eq!(unsigned.status(), 403);
        let body: Value = unsigned.json().await.unwrap();
        assert_eq!(
            body["__type"],
            "com.amazon.coral.service#MissingAuthenticationTokenException"
        );
    }
    engines.stop().await;
}

#[tokio::test]
async fn a_link_does_what_it_was_signed_for_until_it_expires() {
    let folder = tempfile::tempdir().unwrap();
    let engines = start(folder.path()).await.unwrap();
    assert_eq!(s3(&engines, Method::PUT, "/bucket", "").await.status(), 200);
    assert_eq!(s3(&engines, Method::PUT, "/bucket/key", "hello").await.status(), 200);
    let named = "/bucket/key?response-content-disposition=attachment%3B%20filename%3Dx.csv";
    let download = s3(&engines, Method::GET, named, "").await;
    assert_eq!(download.headers()["content-disposition"], "attachment; filename=x.csv");

    let link = presign(&engines, "GET", "/bucket/key", SystemTime::now(), 60);
    let status = |url: String| async move { Client::new().get(url).send().await.unwrap().status() };
    assert_eq!(status(link.clone()).await, 200);
    assert_eq!(status(link.replace("/key?", "/other?")).await, 403);
    assert_eq!(Client::new().put(link).body("x").send().await.unwrap().status(), 403);
    let minute_ago = SystemTime::now() - Duration::from_secs(60);
    assert_eq!(
        status(presign(&engines, "GET", "/bucket/key", minute_ago, 59)).await,
        403
    );
    assert_eq!(status(format!("{}/bucket/key", engines.s3_url)).await, 403);
    engines.stop().await;
}

#[tokio::test]
async fn a_browser_may_do_what_the_buckets_rules_allow() {
    let folder = tempfile::tempdir().unwrap();
    let engines = start(folder.path()).await.unwrap();
    assert_eq!(s3(&engines, Method::PUT, "/bucket", "").await.status(), 200);
    let preflight = |origin: &'static str, method: &'static str| {
        let request = Client::new().request(Method::OPTIONS, format!("{}/bucket/key", engines.s3_url));
        let request = request
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "Content-Type");
        async { request.send().await.unwrap() }
    };
    assert_eq!(preflight("https://app.example", "PUT").await.status(), 403);
    let rules = "<CORSConfiguration><CORSRule><AllowedOrigin>https://*.example</AllowedOrigin>\
        <AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
        <AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>";
    assert_eq!(s3(&engines, Method::PUT, "/bucket?cors", rules).await.status(), 200);

    for origin in ["https://app.example", "https://any.example"] {
        let allowed = preflight(origin, "PUT").await;
        assert_eq!(allowed.status(), 200);
        assert_eq!(allowed.headers()["access-control-allow-origin"], origin);
        assert_eq!(allowed.headers()["access-control-allow-headers"], "content-type");
    }
    for (origin, method) in [("https://evil.test", "PUT"), ("https://app.example", "DELETE")] {
        let refused = preflight(origin, method).await;
        assert_eq!(refused.status(), 403);
        assert!(!refused.headers().contains_key("access-control-allow-origin"));
    }
    let link = presign(&engines, "PUT", "/bucket/key", SystemTime::now(), 60);
    for (origin, allowed) in [("https://app.example", true), ("https://evil.test", false)] {
        let put = Client::new()
            .put(&link)
            .header("origin", origin)
            .body("x")
            .send()
            .await
            .unwrap();
        assert_eq!(put.status(), 200);
        assert_eq!(put.headers().contains_key("access-control-allow-origin"), allowed);
    }
    engines.stop().await;
}

#[tokio::test]
async fn requests_that_make_no_sense_get_an_error_and_nothing_worse() {
    let folder = tempfile::tempdir().unwrap();
    let engines = start(folder.path()).await.unwrap();
    for (target, body) in [
        ("DynamoDB_20120810.PutItem", json!({ "TableName": 1 })),
        ("DynamoDB_20120810.PutItem", json!({})),
        (
            "DynamoDB_20120810.PutItem",
            json!({ "TableName": "jobs", "Item": { "pk": { "X": "?" } } }),
        ),
        ("DynamoDB_20120810.GetItem", json!([])),
        ("DynamoDB_20120810.DropEverything", json!({})),
        ("Nothing", json!(null)),
    ] {
        let (status, answer) = Call::dynamodb(&engines.dynamodb_url, target, body).send().await;
        assert_eq!(status, 400, "{answer}");
        let kind = answer["__type"].as_str().unwrap();
        assert!(kind.ends_with("Exception"), "{kind}");
    }
    let (status, _) = Call::sqs(&engines.sqs_url, "AmazonSQS.Nothing", json!({})).send().await;
    assert_eq!(status, 400);
    engines.stop().await;
}

#[tokio::test]
async fn a_waiting_poll_does_not_hold_up_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let engines = start(folder.path()).await.unwrap();
    let url = engines.sqs_url.clone();
    let (_, queue) = Call::sqs(&url, "AmazonSQS.CreateQueue", json!({ "QueueName": "jobs" }))
        .send()
        .await;
    let listeners = engines.stop.receiver_count();
    let poll = tokio::spawn(async move {
        let request = json!({ "QueueUrl": queue["QueueUrl"], "WaitTimeSeconds": 20 });
        Call::sqs(&url, "AmazonSQS.ReceiveMessage", request).send().await
    });
    // A poll that waits also listens for the stop.
    while engines.stop.receiver_count() == listeners {
        tokio::task::yield_now().await;
    }
    engines.stop().await;
    assert_eq!(poll.await.unwrap(), (StatusCode::OK, json!({})));
}
