//! Uploads in parts.

use s3s::dto::*;
use s3s::{S3, S3ErrorCode};

use super::{MIB, World, ask, code, get};

#[tokio::test]
async fn an_upload_in_parts_is_one_object_that_survives_a_kill_on_the_way() {
    let world = World::new().await;
    let (one, two) = (vec![1_u8; 5 * MIB], vec![2_u8; MIB]);
    let upload = world.start_upload("big").await;
    world.part("big", &upload, 1, "replaced").await.unwrap();
    world.part("big", &upload, 3, "left out").await.unwrap();
    let first = world.part("big", &upload, 1, one.clone()).await.unwrap();
    let world = world.killed().await;
    let second = world.part("big", &upload, 2, two.clone()).await.unwrap();
    let etag = world
        .complete("big", &upload, &[(1, &first), (2, &second)])
        .await
        .unwrap();
    assert!(etag.ends_with("-2"));
    assert_eq!(world.files(), 2);

    let world = world.killed().await;
    assert_eq!(world.read("big", None).await, [one, two].concat());
    let across = format!("bytes={}-{}", 5 * MIB - 1, 5 * MIB);
    assert_eq!(world.read("big", Some(&across)).await, [1, 2]);
    let head = world.store.get_object(ask(get("big", None))).await.unwrap().output;
    assert_eq!(head.content_type.as_deref(), Some("text/csv"));
}

#[tokio::test]
async fn an_upload_is_completed_by_its_own_parts_in_order() {
    let world = World::new().await;
    let upload = world.start_upload("big").await;
    let small = world.part("big", &upload, 1, "small").await.unwrap();
    let last = world.part("big", &upload, 2, "last").await.unwrap();
    let complete = |parts: Vec<(i32, String)>| {
        let (world, upload) = (&world, &upload);
        async move {
            let parts: Vec<_> = parts.iter().map(|(number, etag)| (*number, etag.as_str())).collect();
            code(world.complete("big", upload, &parts).await)
        }
    };
    let (one, two) = ((1, small), (2, last));
    assert_eq!(
        complete(vec![one.clone(), two.clone()]).await,
        S3ErrorCode::EntityTooSmall
    );
    assert_eq!(
        complete(vec![two.clone(), one.clone()]).await,
        S3ErrorCode::InvalidPartOrder
    );
    assert_eq!(complete(vec![(2, one.1.clone())]).await, S3ErrorCode::InvalidPart);
    assert_eq!(complete(vec![(3, one.1.clone())]).await, S3ErrorCode::InvalidPart);
    assert_eq!(
        code(world.complete("big", "none", &[(1, &one.1)]).await),
        S3ErrorCode::NoSuchUpload
    );

    let mut abort = AbortMultipartUploadInput::builder();
    abort.set_bucket("b".into());
    abort.set_key("big".into());
    abort.set_upload_id(upload.clone());
    world
        .store
        .abort_multipart_upload(ask(abort.build().unwrap()))
        .await
        .unwrap();
    assert_eq!(world.files(), 0);
    assert_eq!(
        code(world.part("big", &upload, 1, "late").await),
        S3ErrorCode::NoSuchUpload
    );
    assert_eq!(world.files(), 0);
}
