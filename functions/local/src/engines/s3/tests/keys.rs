//! Keys, listings and buckets.

use s3s::dto::*;
use s3s::{S3, S3ErrorCode};

use super::{World, ask, code, object};

#[tokio::test]
async fn keys_are_data_and_not_paths() {
    let world = World::new().await;
    let keys = [
        "../../escape",
        "a",
        "a/",
        "a/b",
        "a//b",
        ".",
        "%2e%2e",
        " ",
        "日本/é",
        "x\ny",
        &"k".repeat(1000),
    ];
    for key in keys {
        world.put(key, key.to_owned()).await;
    }
    for key in keys {
        assert_eq!(world.read(key, None).await, key.as_bytes());
    }
    let listed = world.list(ListObjectsV2Input::default()).await.contents.unwrap();
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    let listed: Vec<String> = listed.into_iter().filter_map(|object| object.key).collect();
    assert_eq!(listed, sorted);
    assert_eq!(world.files(), keys.len());
}

#[tokio::test]
async fn a_listing_pages_through_keys_and_common_prefixes() {
    let world = World::new().await;
    for key in ["a", "jobs/1/x", "jobs/1/y", "jobs/2/x", "jobs/3", "jobs0", "z"] {
        world.put(key, "").await;
    }
    let mut pages = Vec::new();
    let mut token = None;
    loop {
        let input = ListObjectsV2Input {
            prefix: Some("jobs/".into()),
            delimiter: Some("/".into()),
            max_keys: Some(1),
            continuation_token: token,
            ..Default::default()
        };
        let page = world.list(input).await;
        let keys = page.contents.into_iter().flatten().filter_map(|object| object.key);
        let prefixes = page
            .common_prefixes
            .into_iter()
            .flatten()
            .filter_map(|common| common.prefix);
        pages.push(keys.chain(prefixes).collect::<Vec<_>>().join(","));
        assert_eq!(page.is_truncated, Some(page.next_continuation_token.is_some()));
        token = page.next_continuation_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(pages, ["jobs/1/", "jobs/2/", "jobs/3"]);
    let after = ListObjectsV2Input {
        start_after: Some("jobs/3".into()),
        ..Default::default()
    };
    assert_eq!(world.list(after).await.key_count, Some(2));
}

#[tokio::test]
async fn a_bucket_must_exist_and_be_empty_to_go() {
    let world = World::new().await;
    let bucket = |name: &str| DeleteBucketInput {
        bucket: name.into(),
        ..DeleteBucketInput::default()
    };
    world.put("key", "").await;
    assert_eq!(
        code(world.store.delete_bucket(ask(bucket("b"))).await),
        S3ErrorCode::BucketNotEmpty
    );
    assert_eq!(
        code(world.store.delete_bucket(ask(bucket("none"))).await),
        S3ErrorCode::NoSuchBucket
    );
    let mut elsewhere = object("key", "");
    elsewhere.bucket = "none".into();
    assert_eq!(
        code(world.store.put_object(ask(elsewhere)).await),
        S3ErrorCode::NoSuchBucket
    );
    assert_eq!(world.files(), 1);
}
