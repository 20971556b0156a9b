//! Putting, reading, copying, deleting.

use std::collections::BTreeMap;

use bytes::Bytes;
use s3s::dto::*;
use s3s::{S3, S3ErrorCode};

use super::{MIB, World, any, ask, code, collect, etag, exactly, get, object};

#[tokio::test]
async fn an_object_is_there_after_a_kill_with_its_headers_and_metadata() {
    let world = World::new().await;
    let mut input = object("reports/a b/é.bin", "hello");
    input.content_type = Some("text/x-y".into());
    input.cache_control = Some("no-store".into());
    input.metadata = Some(
        BTreeMap::from([("job".to_owned(), "j1".to_owned())])
            .into_iter()
            .collect(),
    );
    world.store.put_object(ask(input)).await.unwrap();

    let world = world.killed().await;
    let found = world
        .store
        .get_object(ask(get("reports/a b/é.bin", None)))
        .await
        .unwrap()
        .output;
    assert_eq!(found.content_type.as_deref(), Some("text/x-y"));
    assert_eq!(found.cache_control.as_deref(), Some("no-store"));
    assert_eq!(found.metadata.unwrap()["job"], "j1");
    assert_eq!(found.content_length, Some(5));
    // The MD5 of `hello`.
    assert_eq!(etag(found.e_tag), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(collect(found.body).await, b"hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixteen_writers_that_want_to_be_first_one_is() {
    let world = World::new().await;
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..16 {
        let store = world.store.clone();
        tasks.spawn(async move {
            let mut input = object("key", i.to_string());
            input.if_none_match = any();
            (
                i,
                store.put_object(ask(input)).await.map_err(|error| error.code().clone()),
            )
        });
    }
    let outcomes = tasks.join_all().await;
    let winners: Vec<i32> = outcomes
        .iter()
        .filter(|(_, put)| put.is_ok())
        .map(|(i, _)| *i)
        .collect();
    assert_eq!(winners.len(), 1);
    for (_, put) in outcomes {
        assert!(matches!(put, Ok(_) | Err(S3ErrorCode::PreconditionFailed)));
    }
    assert_eq!(world.read("key", None).await, winners[0].to_string().into_bytes());
    assert_eq!(world.files(), 1);
}

#[tokio::test]
async fn a_write_can_depend_on_what_it_replaces() {
    let world = World::new().await;
    let put = |condition: Option<ETagCondition>, bytes: &'static str| {
        let mut input = object("key", bytes);
        input.if_match = condition;
        world.store.put_object(ask(input))
    };
    assert_eq!(code(put(any(), "0").await), S3ErrorCode::NoSuchKey);
    let first = world.put("key", "1").await;
    put(exactly(&first), "2").await.unwrap();
    assert_eq!(code(put(exactly(&first), "3").await), S3ErrorCode::PreconditionFailed);
    assert_eq!(world.read("key", None).await, b"2");
    assert_eq!(world.files(), 1);
}

#[tokio::test]
async fn a_range_is_the_bytes_that_it_names() {
    let world = World::new().await;
    world.put("key", "0123456789").await;
    for (range, bytes) in [
        ("bytes=2-5", "2345"),
        ("bytes=7-", "789"),
        ("bytes=-2", "89"),
        ("bytes=8-99", "89"),
    ] {
        assert_eq!(world.read("key", Some(range)).await, bytes.as_bytes(), "{range}");
    }
    let output = world
        .store
        .get_object(ask(get("key", Some("bytes=2-5"))))
        .await
        .unwrap()
        .output;
    assert_eq!(output.content_range.as_deref(), Some("bytes 2-5/10"));
    let beyond = world.store.get_object(ask(get("key", Some("bytes=10-")))).await;
    assert_eq!(code(beyond), S3ErrorCode::InvalidRange);
}

#[tokio::test]
async fn bytes_that_are_not_what_the_client_says_are_refused() {
    let world = World::new().await;
    let wrong: [fn(&mut PutObjectInput); 3] = [
        |input| input.content_md5 = Some("AAAAAAAAAAAAAAAAAAAAAA==".into()),
        |input| input.checksum_crc32 = Some("AAAAAA==".into()),
        |input| input.checksum_sha256 = Some("x".into()),
    ];
    for change in wrong {
        let mut input = object("key", "hello");
        change(&mut input);
        assert_eq!(code(world.store.put_object(ask(input)).await), S3ErrorCode::BadDigest);
    }
    let mut cut = object("key", "");
    let pieces = [Ok(Bytes::from_static(b"hel")), Err(std::io::Error::other("gone"))];
    cut.body = Some(StreamingBlob::wrap(futures::stream::iter(pieces)));
    assert_eq!(
        code(world.store.put_object(ask(cut)).await),
        S3ErrorCode::IncompleteBody
    );
    assert_eq!(
        code(world.store.get_object(ask(get("key", None))).await),
        S3ErrorCode::NoSuchKey
    );
    assert_eq!(world.files(), 0);
}

#[tokio::test]
async fn an_object_that_is_being_read_can_be_replaced_and_deleted() {
    let world = World::new().await;
    world.put("key", vec![1_u8; MIB]).await;
    let open = world.store.get_object(ask(get("key", None))).await.unwrap().output;
    world.put("key", "new").await;
    assert_eq!(world.files(), 2);
    assert_eq!(collect(open.body).await, vec![1_u8; MIB]);
    assert_eq!(world.files(), 1);
    let objects = ["key", "none"].map(|key| ObjectIdentifier {
        key: key.into(),
        ..Default::default()
    });
    let mut delete = DeleteObjectsInput::builder();
    delete.set_bucket("b".into());
    delete.set_delete(Delete {
        objects: objects.into(),
        quiet: None,
    });
    let output = world
        .store
        .delete_objects(ask(delete.build().unwrap()))
        .await
        .unwrap()
        .output;
    assert_eq!(output.deleted.unwrap().len(), 2);
    assert_eq!(world.files(), 0);
}

#[tokio::test]
async fn what_a_killed_writer_left_is_no_object_and_goes_at_the_next_start() {
    let world = World::new().await;
    world.put("key", "hello").await;
    let mut draft = world.store.blobs.create().await.unwrap();
    draft.write(b"half of it").await.unwrap();
    draft.sync().await.unwrap();
    assert_eq!(world.files(), 2);
    let world = world.killed().await;
    assert_eq!(world.files(), 1);
    assert_eq!(world.list(ListObjectsV2Input::default()).await.key_count, Some(1));
    assert_eq!(world.read("key", None).await, b"hello");
}

#[tokio::test]
async fn a_copy_stands_on_its_own() {
    let world = World::new().await;
    let mut original = object("from", "hello");
    original.content_type = Some("text/plain".into());
    world.store.put_object(ask(original)).await.unwrap();
    let mut copy = CopyObjectInput::builder();
    copy.set_bucket("b".into());
    copy.set_key("to".into());
    copy.set_copy_source(CopySource::Bucket {
        bucket: "b".into(),
        key: "from".into(),
        version_id: None,
    });
    world.store.copy_object(ask(copy.build().unwrap())).await.unwrap();
    world.put("from", "changed").await;
    let found = world.store.get_object(ask(get("to", None))).await.unwrap().output;
    assert_eq!(found.content_type.as_deref(), Some("text/plain"));
    assert_eq!(collect(found.body).await, b"hello");
}
