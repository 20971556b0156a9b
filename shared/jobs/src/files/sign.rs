//! Signed URLs: who holds one may do one thing for a while.

use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};

use super::Files;
use crate::Error;

const ACTION: &str = "sign a URL";

/// A request that its holder may send as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// `GET` or `PUT`.
    pub method: String,
    /// Where to.
    pub url: String,
    /// Headers that must go with it.
    pub headers: Vec<(String, String)>,
}

impl Files {
    /// A URL that takes one PUT of `key`, of exactly `size` bytes where that is known.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when there are no credentials to sign with.
    pub async fn sign_put(&self, key: &str, size: Option<u64>, lifetime: Duration) -> Result<SignedRequest, Error> {
        let size = size.map(|size| i64::try_from(size).unwrap_or(i64::MAX));
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .set_content_length(size)
            .presigned(config(lifetime)?)
            .await
            .map_err(Error::unavailable(ACTION))?;
        Ok(signed(&request))
    }

    /// A URL that answers a GET of `key` as a download named `name`.
    ///
    /// # Errors
    ///
    /// As [`Files::sign_put`].
    pub async fn sign_get(&self, key: &str, name: &str, lifetime: Duration) -> Result<SignedRequest, Error> {
        self.sign_read(key, format!("attachment; filename=\"{name}\""), lifetime)
            .await
    }

    /// A URL that answers a GET of `key` as something to look at, named `name` where it is saved.
    ///
    /// # Errors
    ///
    /// As [`Files::sign_put`].
    pub async fn sign_view(&self, key: &str, name: &str, lifetime: Duration) -> Result<SignedRequest, Error> {
        self.sign_read(key, format!("inline; filename=\"{name}\""), lifetime)
            .await
    }

    async fn sign_read(&self, key: &str, disposition: String, lifetime: Duration) -> Result<SignedRequest, Error> {
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .response_content_disposition(disposition)
            .presigned(config(lifetime)?)
            .await
            .map_err(Error::unavailable(ACTION))?;
        Ok(signed(&request))
    }
}

fn config(lifetime: Duration) -> Result<PresigningConfig, Error> {
    PresigningConfig::expires_in(lifetime).map_err(Error::unavailable(ACTION))
}

fn signed(request: &PresignedRequest) -> SignedRequest {
    SignedRequest {
        method: request.method().to_owned(),
        url: request.uri().to_owned(),
        headers: request
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}
