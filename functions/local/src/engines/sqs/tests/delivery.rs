//! Who gets a message, how often, and until when.

use serde_json::json;

use super::super::error::Error;
use super::{START_MS, World, found, text, with_handle};

#[tokio::test]
async fn a_message_is_hidden_for_its_timeout_and_counted_at_each_receive() {
    let world = World::new();
    let url = world.queue("jobs", json!({ "VisibilityTimeout": "30" })).await;
    world.send(&url, "hello").await;
    let first = world.receive(&url).await.remove(0);
    assert_eq!(first["Body"], "hello");
    assert_eq!(first["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(first["Attributes"]["SentTimestamp"], START_MS.to_string());

    world.clock.advance_ms(29_999);
    assert!(world.receive(&url).await.is_empty());
    world.clock.advance_ms(1);
    let second = world.receive(&url).await.remove(0);
    assert_eq!(second["MessageId"], first["MessageId"]);
    assert_ne!(second["ReceiptHandle"], first["ReceiptHandle"]);
    assert_eq!(second["Attributes"]["ApproximateReceiveCount"], "2");
    assert_eq!(
        second["Attributes"]["ApproximateFirstReceiveTimestamp"],
        START_MS.to_string()
    );
}

#[tokio::test]
async fn only_the_latest_handle_deletes_and_only_in_its_queue() {
    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    let other = world.queue("other", json!({})).await;
    world.send(&url, "hello").await;
    let first = world.receive(&url).await.remove(0);
    world.clock.advance_ms(30_000);
    let second = world.receive(&url).await.remove(0);

    world.ask("DeleteMessage", with_handle(&url, &first)).await.unwrap();
    assert_eq!(world.count(&url).await, ["0", "1", "0"]);
    let error = world
        .ask("DeleteMessage", with_handle(&other, &second))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::ReceiptHandleIsInvalid));
    for _ in 0..2 {
        world.ask("DeleteMessage", with_handle(&url, &second)).await.unwrap();
        assert_eq!(world.count(&url).await, ["0", "0", "0"]);
    }
}

#[tokio::test]
async fn visibility_can_be_extended_and_given_up_while_in_flight() {
    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    world.send(&url, "hello").await;
    let message = world.receive(&url).await.remove(0);
    let hide = |seconds: i64| {
        let mut request = with_handle(&url, &message);
        request["VisibilityTimeout"] = seconds.into();
        world.ask("ChangeMessageVisibility", request)
    };
    hide(100).await.unwrap();
    world.clock.advance_ms(99_999);
    assert!(world.receive(&url).await.is_empty());
    hide(0).await.unwrap();
    assert!(matches!(hide(10).await.unwrap_err(), Error::MessageNotInflight));
    assert_eq!(world.receive(&url).await.len(), 1);
    assert!(matches!(
        hide(10).await.unwrap_err(),
        Error::InvalidParameter {
            parameter: "ReceiptHandle",
            ..
        }
    ));
    assert!(hide(43_201).await.is_err());
}

#[tokio::test]
async fn a_delay_is_the_queues_unless_the_message_has_its_own() {
    let world = World::new();
    let url = world.queue("jobs", json!({ "DelaySeconds": "5" })).await;
    world.send(&url, "late").await;
    let now = json!({ "QueueUrl": url, "MessageBody": "now", "DelaySeconds": 0 });
    world.ask("SendMessage", now).await.unwrap();
    assert_eq!(world.count(&url).await, ["1", "0", "1"]);
    assert_eq!(world.receive(&url).await[0]["Body"], "now");
    world.clock.advance_ms(5_000);
    assert_eq!(world.receive(&url).await[0]["Body"], "late");
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letter_queue() {
    let world = World::new();
    let dead = world.queue("dead", json!({})).await;
    let policy = json!({ "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:000000000000:dead", "maxReceiveCount": 2 });
    let url = world
        .queue("jobs", json!({ "RedrivePolicy": policy.to_string() }))
        .await;
    let id = world.send(&url, "poison").await;
    for _ in 0..2 {
        assert_eq!(world.receive(&url).await.len(), 1);
        world.clock.advance_ms(30_000);
    }
    let waiting = world.poll(&dead).await;
    assert!(world.receive(&url).await.is_empty());
    let buried = found(waiting).await;
    assert_eq!(text(&buried[0]["MessageId"]), id);
    assert_eq!(world.count(&url).await, ["0", "0", "0"]);

    let missing = json!({ "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:000000000000:none", "maxReceiveCount": 2 });
    let request = json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": missing.to_string() } });
    assert!(world.ask("SetQueueAttributes", request).await.is_err());
}

#[tokio::test]
async fn a_purge_and_the_retention_period_remove_messages() {
    let world = World::new();
    let url = world.queue("jobs", json!({ "MessageRetentionPeriod": "60" })).await;
    world.send(&url, "purged").await;
    world.ask("PurgeQueue", json!({ "QueueUrl": url })).await.unwrap();
    assert_eq!(world.count(&url).await, ["0", "0", "0"]);
    world.send(&url, "old").await;
    world.clock.advance_ms(59_999);
    assert_eq!(world.count(&url).await, ["1", "0", "0"]);
    world.clock.advance_ms(1);
    assert_eq!(world.count(&url).await, ["0", "0", "0"]);
    assert!(world.receive(&url).await.is_empty());
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill() {
    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    world.send(&url, "in flight").await;
    world.send(&url, "deleted").await;
    let received = world.receive(&url).await;
    world
        .ask("DeleteMessage", with_handle(&url, &received[1]))
        .await
        .unwrap();
    world.send(&url, "waiting").await;

    let world = world.killed();
    assert_eq!(world.count(&url).await, ["1", "1", "0"]);
    assert_eq!(world.receive(&url).await[0]["Body"], "waiting");
    world.clock.advance_ms(30_000);
    let again = world.receive(&url).await;
    assert_eq!(again[0]["Body"], "in flight");
    assert_eq!(again[0]["Attributes"]["ApproximateReceiveCount"], "2");
}
