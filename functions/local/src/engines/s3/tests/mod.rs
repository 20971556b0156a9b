//! The rules of the store, through the operations as `s3s` calls them.

use std::path::Path;

use bytes::Bytes;
use futures::StreamExt;
use s3s::dto::*;
use s3s::{S3, S3ErrorCode, S3Request, S3Result};
use tempfile::TempDir;

use super::Store;
use crate::engines::clock::Clock;

mod keys;
mod objects;
mod uploads;

const MIB: usize = 1024 * 1024;

/// A store with the bucket `b`, in a folder of its own.
struct World {
    store: Store,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let world = Self::open(tempfile::tempdir().unwrap()).await;
        let bucket = CreateBucketInput {
            bucket: "b".into(),
            ..Default::default()
        };
        world.store.create_bucket(ask(bucket)).await.unwrap();
        world
    }

    async fn open(folder: TempDir) -> Self {
        let store = Store::open(folder.path(), Clock::manual(1_700_000_000_000)).unwrap();
        store.tidy().await.unwrap();
        Self { store, folder }
    }

    /// Goes on with what a process killed at this moment would leave: its files, without closing them.
    async fn killed(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        Self::open(folder).await
    }

    /// How many files hold bytes of objects.
    fn files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("blobs")).unwrap().count()
    }

    async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> String {
        etag(
            self.store
                .put_object(ask(object(key, bytes)))
                .await
                .unwrap()
                .output
                .e_tag,
        )
    }

    async fn read(&self, key: &str, range: Option<&str>) -> Vec<u8> {
        let output = self.store.get_object(ask(get(key, range))).await.unwrap().output;
        collect(output.body).await
    }

    async fn list(&self, input: ListObjectsV2Input) -> ListObjectsV2Output {
        let input = ListObjectsV2Input {
            bucket: "b".into(),
            ..input
        };
        self.store.list_objects_v2(ask(input)).await.unwrap().output
    }

    async fn start_upload(&self, key: &str) -> String {
        let input = CreateMultipartUploadInput {
            bucket: "b".into(),
            key: key.into(),
            content_type: Some("text/csv".into()),
            ..CreateMultipartUploadInput::builder()
                .bucket("b".into())
                .key(key.into())
                .build()
                .unwrap()
        };
        self.store
            .create_multipart_upload(ask(input))
            .await
            .unwrap()
            .output
            .upload_id
            .unwrap()
    }

    async fn part(&self, key: &str, upload: &str, number: i32, bytes: impl Into<Bytes>) -> S3Result<String> {
        let mut input = UploadPartInput::builder();
        input.set_bucket("b".into());
        input.set_key(key.into());
        input.set_upload_id(upload.into());
        input.set_part_number(number);
        input.set_body(Some(body(bytes)));
        let output = self.store.upload_part(ask(input.build().unwrap())).await?.output;
        Ok(etag(output.e_tag))
    }

    async fn complete(&self, key: &str, upload: &str, parts: &[(i32, &str)]) -> S3Result<String> {
        let parts = parts.iter().map(|(number, etag)| CompletedPart {
            part_number: Some(*number),
            e_tag: Some(ETag::Strong((*etag).to_owned())),
            ..Default::default()
        });
        let mut input = CompleteMultipartUploadInput::builder();
        input.set_bucket("b".into());
        input.set_key(key.into());
        input.set_upload_id(upload.into());
        input.set_multipart_upload(Some(CompletedMultipartUpload {
            parts: Some(parts.collect()),
        }));
        let output = self
            .store
            .complete_multipart_upload(ask(input.build().unwrap()))
            .await?
            .output;
        Ok(etag(output.e_tag))
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn ask<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: http::Method::GET,
        uri: http::Uri::default(),
        headers: http::HeaderMap::new(),
        extensions: http::Extensions::new(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

fn body(bytes: impl Into<Bytes>) -> StreamingBlob {
    let bytes: Bytes = bytes.into();
    StreamingBlob::wrap(futures::stream::iter([Ok::<_, std::io::Error>(bytes)]))
}

fn object(key: &str, bytes: impl Into<Bytes>) -> PutObjectInput {
    let mut input = PutObjectInput::builder();
    input.set_bucket("b".into());
    input.set_key(key.into());
    input.set_body(Some(body(bytes)));
    input.build().unwrap()
}

fn get(key: &str, range: Option<&str>) -> GetObjectInput {
    let mut input = GetObjectInput::builder();
    input.set_bucket("b".into());
    input.set_key(key.into());
    input.set_range(range.map(|range| Range::parse(range).unwrap()));
    input.build().unwrap()
}

fn etag(etag: Option<ETag>) -> String {
    etag.unwrap().into_value()
}

async fn collect(body: Option<StreamingBlob>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut body = body.unwrap();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    bytes
}

fn code<T>(result: S3Result<T>) -> S3ErrorCode {
    result.err().unwrap().code().clone()
}

fn any() -> Option<ETagCondition> {
    Some(ETagCondition::Any)
}

fn exactly(etag: &str) -> Option<ETagCondition> {
    Some(ETagCondition::ETag(ETag::Strong(etag.to_owned())))
}
