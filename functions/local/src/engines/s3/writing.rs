//! Writing, copying and deleting objects, at once or in parts.

use futures::StreamExt;
use s3s::S3ErrorCode;
use s3s::dto::{
    Checksum, CompleteMultipartUploadInput, CopyObjectInput, CopySource, DeleteObjectsInput, DeletedObject,
    MetadataDirective, StreamingBlob,
};

use super::Store;
use super::blobs::Draft;
use super::buckets;
use super::digests::Claims;
use super::error::{Error, refuse};
use super::headers::Headers;
use super::objects::{self, Condition, Object, Segment};
use super::reading::{self, Reader};
use super::uploads::{self, Part, Upload};

impl Store {
    /// Puts an object. Durable when this returns; until then what was there before is read.
    pub(super) async fn put(
        &self,
        (bucket, key): (String, String),
        headers: Headers,
        condition: Condition,
        body: Option<StreamingBlob>,
        claims: Claims,
    ) -> Result<(String, Checksum), Error> {
        // A body without a bucket would be read in vain.
        let name = bucket.clone();
        self.index
            .run(move |connection| buckets::check(connection, &name))
            .await?;
        let (draft, etag, checksum) = self.receive(body, claims).await?;
        let object = Object {
            etag: etag.clone(),
            modified_ms: self.clock.now_ms(),
            headers,
            segments: vec![segment(&draft)],
        };
        self.change(Some(draft), move |connection| {
            let unused = objects::put(connection, &bucket, &key, &object, &condition)?;
            Ok(((), unused))
        })
        .await?;
        Ok((etag, checksum))
    }

    /// Puts a part of an upload. Durable when this returns.
    pub(super) async fn put_part(
        &self,
        upload: Upload,
        number: i32,
        body: Option<StreamingBlob>,
        claims: Claims,
    ) -> Result<(String, Checksum), Error> {
        if !(1..=10_000).contains(&number) {
            return refuse(S3ErrorCode::InvalidArgument);
        }
        let (draft, etag, checksum) = self.receive(body, claims).await?;
        let part = Part {
            number,
            etag: etag.clone(),
            modified_ms: self.clock.now_ms(),
            segment: segment(&draft),
        };
        self.change(Some(draft), move |connection| {
            Ok(((), uploads::add(connection, &upload, &part)?))
        })
        .await?;
        Ok((etag, checksum))
    }

    /// Completes an upload, without moving a byte. Returns the object's ETag.
    pub(super) async fn complete(&self, input: CompleteMultipartUploadInput) -> Result<String, Error> {
        let upload = Upload {
            id: input.upload_id,
            bucket: input.bucket,
            key: input.key,
        };
        let condition = Condition {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        };
        let parts = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let chosen: Vec<_> = parts
            .into_iter()
            .map(|part| {
                let etag = part.e_tag.map(|etag| etag.value().to_owned());
                (part.part_number.unwrap_or_default(), etag)
            })
            .collect();
        let now_ms = self.clock.now_ms();
        self.change(None, move |connection| {
            uploads::complete(connection, &upload, &chosen, &condition, now_ms)
        })
        .await
    }

    /// Copies an object, reading and writing all of it. Returns the new ETag and the time of the change.
    pub(super) async fn copy(&self, mut input: CopyObjectInput) -> Result<(String, i64), Error> {
        let CopySource::Bucket { bucket, key, .. } = input.copy_source.clone() else {
            return refuse(S3ErrorCode::NotImplemented);
        };
        let (source, pin) = self.find(bucket.into(), key.into()).await?;
        let conditions = (&input.copy_source_if_match, &input.copy_source_if_none_match);
        if reading::check(&source, conditions.0.as_ref(), conditions.1.as_ref()).is_err() {
            return refuse(S3ErrorCode::PreconditionFailed);
        }
        let mut reader = Reader::open(self.blobs.clone(), pin, &source.segments, 0..source.size()).await?;
        let mut draft = self.blobs.create().await?;
        while let Some(bytes) = reader.next().await? {
            draft.write(&bytes).await?;
        }
        draft.sync().await?;
        let replaced = input
            .metadata_directive
            .as_ref()
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let object = Object {
            etag: source.etag.clone(),
            modified_ms: self.clock.now_ms(),
            headers: if replaced {
                Headers::from(&mut input)
            } else {
                source.headers
            },
            segments: vec![segment(&draft)],
        };
        let modified_ms = object.modified_ms;
        self.change(Some(draft), move |connection| {
            let condition = Condition::default();
            Ok((
                (),
                objects::put(connection, &input.bucket, &input.key, &object, &condition)?,
            ))
        })
        .await?;
        Ok((source.etag, modified_ms))
    }

    /// Deletes what is at the keys, if anything, in one transaction. Returns them as the protocol's type.
    pub(super) async fn delete_all(&self, input: DeleteObjectsInput) -> Result<Vec<DeletedObject>, Error> {
        let quiet = input.delete.quiet.unwrap_or(false);
        self.change(None, move |connection| {
            let mut unused = Vec::new();
            let mut deleted = Vec::new();
            for object in input.delete.objects {
                unused.extend(objects::delete(connection, &input.bucket, &object.key)?);
                deleted.push(DeletedObject {
                    key: Some(object.key),
                    ..Default::default()
                });
            }
            if quiet {
                deleted.clear();
            }
            Ok((deleted, unused))
        })
        .await
    }

    /// Writes a body to a blob, digesting it on the way. Returns the synced blob, the ETag and the checksums.
    async fn receive(&self, body: Option<StreamingBlob>, claims: Claims) -> Result<(Draft, String, Checksum), Error> {
        let mut digests = claims.start();
        let mut draft = self.blobs.create().await?;
        if let Some(mut body) = body {
            while let Some(bytes) = body.next().await {
                let bytes = bytes.map_err(|error| Error::Refused(why_cut_short(&*error)))?;
                digests.update(&bytes);
                draft.write(&bytes).await?;
            }
        }
        let (etag, checksum) = claims.check(digests)?;
        draft.sync().await?;
        let etag = etag.unwrap_or_else(|| draft.id().to_string());
        Ok((draft, etag, checksum))
    }
}

fn segment(draft: &Draft) -> Segment {
    Segment {
        blob: draft.id(),
        size: draft.size(),
    }
}

/// The code for a body that could not be read to its end. `s3s` checks digests and chunk signatures on the way, with
/// error types that it does not export.
fn why_cut_short(error: &(dyn std::error::Error + Send + Sync)) -> S3ErrorCode {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        S3ErrorCode::BadDigest
    } else if text.contains("SignatureMismatch") {
        S3ErrorCode::SignatureDoesNotMatch
    } else {
        S3ErrorCode::IncompleteBody
    }
}
