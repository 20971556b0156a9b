//! The operations, as `s3s` calls them.

use s3s::dto::*;
use s3s::{S3, S3ErrorCode, S3Request, S3Response, S3Result};
use uuid::Uuid;

use super::cors::Rule;
use super::digests::Claims;
use super::error::Error;
use super::headers::Headers;
use super::objects::Condition;
use super::uploads::{self, Upload};
use super::{Store, buckets, listing, timestamp};

type Answer<T> = S3Result<S3Response<T>>;

fn answer<T>(output: T) -> Answer<T> {
    Ok(S3Response::new(output))
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        let (name, now_ms) = (request.input.bucket, self.clock.now_ms());
        let location = format!("/{name}");
        self.index
            .run(move |connection| buckets::create(connection, &name, now_ms))
            .await?;
        answer(CreateBucketOutput {
            location: Some(location),
        })
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        let name = request.input.bucket;
        self.index
            .run(move |connection| buckets::check(connection, &name))
            .await?;
        answer(HeadBucketOutput::default())
    }

    async fn get_bucket_location(&self, request: S3Request<GetBucketLocationInput>) -> Answer<GetBucketLocationOutput> {
        let name = request.input.bucket;
        self.index
            .run(move |connection| buckets::check(connection, &name))
            .await?;
        answer(GetBucketLocationOutput::default())
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        let found = self.index.run(buckets::list).await?;
        let buckets = found.into_iter().map(|(name, created_ms)| Bucket {
            name: Some(name),
            creation_date: Some(timestamp(created_ms)),
            ..Default::default()
        });
        answer(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            ..Default::default()
        })
    }

    async fn delete_bucket(&self, request: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
        let name = request.input.bucket;
        self.index
            .run(move |connection| buckets::delete(connection, &name))
            .await?;
        answer(DeleteBucketOutput {})
    }

    async fn put_bucket_cors(&self, request: S3Request<PutBucketCorsInput>) -> Answer<PutBucketCorsOutput> {
        let rules: Vec<Rule> = request
            .input
            .cors_configuration
            .cors_rules
            .into_iter()
            .map(Rule::from)
            .collect();
        let rules = serde_json::to_string(&rules).map_err(Error::from)?;
        let name = request.input.bucket;
        self.index
            .run(move |connection| buckets::set_cors(connection, &name, Some(&rules)))
            .await?;
        answer(PutBucketCorsOutput {})
    }

    async fn get_bucket_cors(&self, request: S3Request<GetBucketCorsInput>) -> Answer<GetBucketCorsOutput> {
        let name = request.input.bucket;
        let rules = self
            .index
            .run(move |connection| buckets::cors(connection, &name))
            .await?;
        let rules = rules.ok_or(Error::Refused(S3ErrorCode::NoSuchCORSConfiguration))?;
        let rules: Vec<Rule> = serde_json::from_str(&rules).map_err(Error::from)?;
        answer(GetBucketCorsOutput {
            cors_rules: Some(rules.into_iter().map(CORSRule::from).collect()),
        })
    }

    async fn delete_bucket_cors(&self, request: S3Request<DeleteBucketCorsInput>) -> Answer<DeleteBucketCorsOutput> {
        let name = request.input.bucket;
        self.index
            .run(move |connection| buckets::set_cors(connection, &name, None))
            .await?;
        answer(DeleteBucketCorsOutput {})
    }

    async fn put_object(&self, mut request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let mut input = request.input;
        let claims = Claims::from(&mut input).with_trailers(&request.headers, request.trailing_headers.take());
        let headers = Headers::from(&mut input);
        let condition = Condition {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        };
        let (etag, checksum) = self
            .put((input.bucket, input.key), headers, condition, input.body, claims)
            .await?;
        answer(PutObjectOutput {
            e_tag: Some(ETag::Strong(etag)),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            ..Default::default()
        })
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        let (etag, modified_ms) = self.copy(request.input).await?;
        answer(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(ETag::Strong(etag)),
                last_modified: Some(timestamp(modified_ms)),
                ..Default::default()
            }),
            ..Default::default()
        })
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        answer(self.get(request.input).await?)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        answer(self.head(request.input).await?)
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        let object = ObjectIdentifier {
            key: request.input.key,
            ..Default::default()
        };
        self.delete_all(DeleteObjectsInput {
            bucket: request.input.bucket,
            bypass_governance_retention: None,
            checksum_algorithm: None,
            delete: Delete {
                objects: vec![object],
                quiet: None,
            },
            expected_bucket_owner: None,
            mfa: None,
            request_payer: None,
        })
        .await?;
        answer(DeleteObjectOutput::default())
    }

    async fn delete_objects(&self, request: S3Request<DeleteObjectsInput>) -> Answer<DeleteObjectsOutput> {
        answer(DeleteObjectsOutput {
            deleted: Some(self.delete_all(request.input).await?),
            ..Default::default()
        })
    }

    async fn list_objects_v2(&self, request: S3Request<ListObjectsV2Input>) -> Answer<ListObjectsV2Output> {
        let input = request.input;
        answer(
            self.index
                .run(move |connection| listing::page(connection, input))
                .await?,
        )
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let mut input = request.input;
        let headers = Headers::from(&mut input);
        let upload = Upload {
            id: Uuid::new_v4().to_string(),
            bucket: input.bucket,
            key: input.key,
        };
        let (started, now_ms) = (upload.clone(), self.clock.now_ms());
        self.index
            .run(move |connection| uploads::start(connection, &started, &headers, now_ms))
            .await?;
        answer(CreateMultipartUploadOutput {
            bucket: Some(upload.bucket),
            key: Some(upload.key),
            upload_id: Some(upload.id),
            ..Default::default()
        })
    }

    async fn upload_part(&self, mut request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        let mut input = request.input;
        let claims = Claims::from(&mut input).with_trailers(&request.headers, request.trailing_headers.take());
        let upload = Upload {
            id: input.upload_id,
            bucket: input.bucket,
            key: input.key,
        };
        let (etag, checksum) = self.put_part(upload, input.part_number, input.body, claims).await?;
        answer(UploadPartOutput {
            e_tag: Some(ETag::Strong(etag)),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            ..Default::default()
        })
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        let input = request.input;
        let after = input.part_number_marker.unwrap_or(0);
        let limit = input
            .max_parts
            .map_or(1000, |parts| usize::try_from(parts).unwrap_or(0).min(1000));
        let upload = Upload {
            id: input.upload_id.clone(),
            bucket: input.bucket.clone(),
            key: input.key.clone(),
        };
        let mut parts = self
            .index
            .run(move |connection| uploads::parts(connection, &upload))
            .await?;
        parts.retain(|part| part.number > after);
        let truncated = parts.len() > limit;
        parts.truncate(limit);
        answer(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            is_truncated: Some(truncated),
            next_part_number_marker: parts.last().map(|part| part.number),
            parts: Some(parts.into_iter().map(part).collect()),
            ..Default::default()
        })
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let etag = self.complete(request.input).await?;
        answer(CompleteMultipartUploadOutput {
            location: Some(format!("/{bucket}/{key}")),
            bucket: Some(bucket),
            key: Some(key),
            e_tag: Some(ETag::Strong(etag)),
            ..Default::default()
        })
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let upload = Upload {
            id: request.input.upload_id,
            bucket: request.input.bucket,
            key: request.input.key,
        };
        self.change(None, move |connection| Ok(((), uploads::abort(connection, &upload)?)))
            .await?;
        answer(AbortMultipartUploadOutput::default())
    }
}

fn part(part: uploads::Part) -> Part {
    Part {
        part_number: Some(part.number),
        e_tag: Some(ETag::Strong(part.etag)),
        last_modified: Some(timestamp(part.modified_ms)),
        size: i64::try_from(part.segment.size).ok(),
        ..Default::default()
    }
}
