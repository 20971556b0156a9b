//! Inputs, outputs of stages and reports: objects of one S3 bucket.
//!
//! | key | object |
//! |---|---|
//! | `inputs/<upload>` | a file of stakes, or of values |
//! | `jobs/<id>/<epoch>/<name>` | an output of a stage, or a report; that of a small job when it was first asked for |
//!
//! The epoch in the key keeps a worker that was overtaken away from what a newer one wrote.

mod read;
mod sign;
mod spool;
mod write;

pub use read::InputStream;
pub use sign::SignedRequest;
pub use spool::{Spool, SpoolWriter};
pub use write::{Report, ReportWriter};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::primitives::ByteStream;

use crate::Error;

/// The status of a conditional write whose object is there already.
const THERE: u16 = 412;

/// The bucket.
#[derive(Debug, Clone)]
pub struct Files {
    pub(crate) client: Client,
    bucket: String,
}

impl Files {
    /// Objects of `bucket`.
    #[must_use]
    pub const fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Stores `bytes` under `key`. When this returns, the object is whole and durable.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn put(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<(), Error> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(Error::unavailable("store an object"))?;
        Ok(())
    }

    /// As [`Files::put`], unless an object is there: that one stays, with its age.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn put_new(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .if_none_match("*")
            .body(ByteStream::from(bytes));
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .raw_response()
                    .is_some_and(|answer| answer.status().as_u16() == THERE) =>
            {
                Ok(())
            }
            Err(other) => Err(Error::unavailable("store an object")(other)),
        }
    }

    /// Whether an object is there.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn has(&self, key: &str) -> Result<bool, Error> {
        match self.size(key).await {
            Ok(_) => Ok(true),
            Err(Error::NoObject(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The whole object in memory. For small ones; [`Files::open`] streams.
    ///
    /// # Errors
    ///
    /// [`Error::NoObject`] or [`Error::Unavailable`].
    pub async fn get(&self, key: &str) -> Result<Vec<u8>, Error> {
        let body = self.body(key).await?.collect().await;
        let bytes = body.map_err(Error::unavailable("read an object"))?;
        Ok(bytes.to_vec())
    }

    /// The size of an object in bytes.
    ///
    /// # Errors
    ///
    /// [`Error::NoObject`] or [`Error::Unavailable`].
    pub async fn size(&self, key: &str) -> Result<u64, Error> {
        let head = self.client.head_object().bucket(&self.bucket).key(key);
        match head.send().await {
            Ok(head) => Ok(u64::try_from(head.content_length().unwrap_or(0)).unwrap_or(0)),
            Err(SdkError::ServiceError(error)) if matches!(error.err(), HeadObjectError::NotFound(_)) => {
                Err(Error::NoObject(key.to_owned()))
            }
            Err(other) => Err(Error::unavailable("look at an object")(other)),
        }
    }

    async fn body(&self, key: &str) -> Result<ByteStream, Error> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        match get.send().await {
            Ok(object) => Ok(object.body),
            Err(SdkError::ServiceError(error)) if matches!(error.err(), GetObjectError::NoSuchKey(_)) => {
                Err(Error::NoObject(key.to_owned()))
            }
            Err(other) => Err(Error::unavailable("read an object")(other)),
        }
    }
}
