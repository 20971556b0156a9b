//! What is refused, and how.

use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::super::error::Error;
use super::World;

#[tokio::test]
async fn a_message_is_limited_to_1_mib_with_its_attributes() {
    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    let send = |length: usize, attributes: Value| {
        let body = "x".repeat(length);
        let request = json!({ "QueueUrl": url, "MessageBody": body, "MessageAttributes": attributes });
        world.ask("SendMessage", request)
    };
    send(1024 * 1024, json!({})).await.unwrap();
    assert!(send(1024 * 1024 + 1, json!({})).await.is_err());
    let attribute = json!({ "a": { "DataType": "String", "StringValue": "v" } });
    send(1024 * 1024 - 8, attribute.clone()).await.unwrap();
    assert!(send(1024 * 1024 - 7, attribute).await.is_err());
    assert!(send(0, json!({})).await.is_err());
    let control = json!({ "QueueUrl": url, "MessageBody": "\u{1}" });
    assert!(matches!(
        world.ask("SendMessage", control).await.unwrap_err(),
        Error::InvalidMessageContents
    ));
}

#[tokio::test]
async fn a_batch_tells_each_entrys_outcome() {
    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    let entries = json!([
        { "Id": "good", "MessageBody": "hello" },
        { "Id": "late", "MessageBody": "hello", "DelaySeconds": 901 },
    ]);
    let request = json!({ "QueueUrl": url, "Entries": entries });
    let answer = world.ask("SendMessageBatch", request).await.unwrap();
    assert_eq!(answer["Successful"][0]["Id"], "good");
    assert_eq!(answer["Failed"][0]["Id"], "late");
    assert_eq!(answer["Failed"][0]["Code"], "InvalidParameterValue");
    assert_eq!(world.count(&url).await, ["1", "0", "0"]);

    let received = world.receive(&url).await;
    let handle = &received[0]["ReceiptHandle"];
    let entries = json!([{ "Id": "a", "ReceiptHandle": handle }, { "Id": "b", "ReceiptHandle": "nonsense" }]);
    let request = json!({ "QueueUrl": url, "Entries": entries });
    let answer = world.ask("DeleteMessageBatch", request).await.unwrap();
    assert_eq!(answer["Successful"], json!([{ "Id": "a" }]));
    assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
}

#[tokio::test]
async fn a_batch_that_breaks_a_limit_does_nothing() {
    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    let entry = |id: &str, length: usize| json!({ "Id": id, "MessageBody": "x".repeat(length) });
    let many: Vec<Value> = (0..11).map(|i| entry(&i.to_string(), 1)).collect();
    for (entries, code) in [
        (vec![], "AWS.SimpleQueueService.EmptyBatchRequest"),
        (many, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
        (
            vec![entry("a", 1), entry("a", 1)],
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        ),
        (vec![entry("a b", 1)], "AWS.SimpleQueueService.InvalidBatchEntryId"),
        (
            vec![entry("a", 600_000), entry("b", 600_000)],
            "AWS.SimpleQueueService.BatchRequestTooLong",
        ),
    ] {
        let request = json!({ "QueueUrl": url, "Entries": entries });
        let error = world.ask("SendMessageBatch", request).await.unwrap_err();
        assert_eq!(error.code(), code);
    }
    assert_eq!(world.count(&url).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn queues_are_listed_found_and_deleted_by_name() {
    let world = World::new();
    for name in ["jobs", "jobs-dead", "other"] {
        world.queue(name, json!({})).await;
    }
    let request = json!({ "QueueNamePrefix": "jobs", "MaxResults": 1 });
    let page = world.ask("ListQueues", request).await.unwrap();
    assert_eq!(page["QueueUrls"], json!(["http://127.0.0.1:1/000000000000/jobs"]));
    let request = json!({ "QueueNamePrefix": "jobs", "NextToken": page["NextToken"] });
    let page = world.ask("ListQueues", request).await.unwrap();
    assert_eq!(page["QueueUrls"], json!(["http://127.0.0.1:1/000000000000/jobs-dead"]));

    let other = json!({ "QueueName": "jobs", "Attributes": { "VisibilityTimeout": "31" } });
    let error = world.ask("CreateQueue", other).await.unwrap_err();
    assert_eq!(error.code(), "QueueAlreadyExists");
    let same = json!({ "QueueName": "jobs", "Attributes": { "VisibilityTimeout": "30" } });
    world.ask("CreateQueue", same).await.unwrap();
    assert!(
        world
            .ask("CreateQueue", json!({ "QueueName": "a.fifo" }))
            .await
            .is_err()
    );

    world
        .ask("DeleteQueue", json!({ "QueueUrl": "http://elsewhere:9/0/jobs" }))
        .await
        .unwrap();
    assert!(world.ask("GetQueueUrl", json!({ "QueueName": "jobs" })).await.is_err());
}

#[tokio::test]
async fn an_error_is_written_as_sdks_read_it() {
    let world = World::new();
    let error = world
        .ask("GetQueueUrl", json!({ "QueueName": "none" }))
        .await
        .unwrap_err();
    let response = error.into_failure().into_response();
    assert_eq!(response.status(), 400);
    assert_eq!(
        response.headers()["x-amzn-query-error"],
        "AWS.SimpleQueueService.NonExistentQueue;Sender"
    );
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["__type"], "com.amazonaws.sqs#QueueDoesNotExist");
}

#[tokio::test]
async fn a_request_that_is_not_what_it_should_be_is_refused() {
    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    for (operation, request) in [
        ("SendMessage", json!([])),
        ("SendMessage", json!({ "MessageBody": "hello" })),
        ("SendMessage", json!({ "QueueUrl": url, "MessageBody": 1 })),
        (
            "SendMessage",
            json!({ "QueueUrl": url, "MessageBody": "x", "MessageGroupId": "g" }),
        ),
        ("ReceiveMessage", json!({ "QueueUrl": url, "MaxNumberOfMessages": 11 })),
        ("ReceiveMessage", json!({ "QueueUrl": url, "MaxNumberOfMessages": 0 })),
        ("ReceiveMessage", json!({ "QueueUrl": url, "WaitTimeSeconds": 21 })),
        ("ReceiveMessage", json!({ "QueueUrl": url, "VisibilityTimeout": -1 })),
        ("DeleteMessage", json!({ "QueueUrl": url, "ReceiptHandle": "" })),
        ("CreateQueue", json!({})),
        ("TagQueue", json!({})),
    ] {
        let error = world.ask(operation, request.clone()).await.unwrap_err();
        assert!(error.is_senders_fault(), "{operation} {request}");
    }
}
