//! Waiting for messages.

use serde_json::json;

use super::{World, found, with_handle};

#[tokio::test]
async fn a_long_poll_wakes_at_a_send_and_when_a_message_becomes_visible() {
    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    let waiting = world.poll(&url).await;
    world.send(&url, "hello").await;
    let first = found(waiting).await;
    assert_eq!(first[0]["Body"], "hello");

    let waiting = world.poll(&url).await;
    let mut request = with_handle(&url, &first[0]);
    request["VisibilityTimeout"] = 2.into();
    world.ask("ChangeMessageVisibility", request).await.unwrap();
    world.clock.advance_ms(2_000);
    let second = found(waiting).await;
    assert_eq!(second[0]["MessageId"], first[0]["MessageId"]);
}

#[tokio::test]
async fn a_long_poll_ends_empty_at_its_time_and_when_the_service_stops() {
    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    let waiting = world.poll(&url).await;
    world.clock.advance_ms(20_000);
    assert!(found(waiting).await.is_empty());
    let waiting = world.poll(&url).await;
    world.stop.send_replace(true);
    assert!(found(waiting).await.is_empty());

    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    let waiting = world.poll(&url).await;
    drop(world.stop);
    assert!(found(waiting).await.is_empty());
}

#[tokio::test]
async fn a_poll_that_is_given_up_takes_no_message_with_it() {
    let world = World::new();
    let url = world.queue("jobs", json!({})).await;
    let waiting = world.poll(&url).await;
    waiting.abort();
    assert!(waiting.await.is_err());
    world.send(&url, "hello").await;
    let message = world.receive(&url).await.remove(0);
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
}
