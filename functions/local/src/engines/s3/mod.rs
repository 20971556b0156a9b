//! S3: the protocol and its signatures by `s3s`, the storage ours.
//!
//! An object is a row in `index.sqlite` (key, ETag, headers, metadata, the list of its blobs) and one file in `blobs/`
//! for what was put at once, or one for each part of a multipart upload, which is completed without copying. A blob is
//! written and synced under a name of its own before the transaction that makes it part of an object, so:
//!
//! - an object is there whole or not at all, whenever the process ends; what a killed process left behind is not in
//!   the index and is removed at the next start;
//! - conditional writes are decided inside the transaction, so of many racing writers one wins;
//! - a key is data and never a path: `..`, blanks, any Unicode, `a` beside `a/b` are keys like others.
//!
//! `s3s-fs` was not built on: it writes keys as paths, does not sync, keeps an object's bytes, headers and ETag in
//! three files that a crash can tear apart, and consumes the parts of an upload while it completes it.
//!
//! **Left out:** versions, access lists, encryption, tags, lifecycle rules (uploads not completed within a week are
//! dropped at a start), `ListObjects` version 1, addresses with the bucket as a host name.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use rusqlite::Connection;
use s3s::auth::SimpleAuth;
use s3s::dto::Timestamp;
use s3s::service::{S3Service, S3ServiceBuilder};

use super::Credentials;
use super::clock::Clock;
use super::sqlite::Database;

mod api;
mod blobs;
mod buckets;
mod cors;
mod digests;
mod error;
mod headers;
mod listing;
mod objects;
mod reading;
#[cfg(test)]
mod tests;
mod uploads;
mod writing;

use blobs::{BlobId, Blobs, Draft};
pub(crate) use error::Error;

/// Buckets and objects in a folder.
#[derive(Clone)]
pub(crate) struct Store {
    index: Arc<Database>,
    blobs: Blobs,
    clock: Clock,
}

impl Store {
    /// Opens the store in `folder`, or makes it, and clears away what a killed process left. Blocks on the disk;
    /// reads the whole index.
    pub(crate) fn open(folder: &Path, clock: Clock) -> Result<Self, Error> {
        let blobs = Blobs::open(&folder.join("blobs"))?;
        let path = folder.join("index.sqlite");
        let index = Database::open(&path, &[buckets::SCHEMA, objects::SCHEMA, uploads::SCHEMA].concat())?;
        Ok(Self {
            index: Arc::new(index),
            blobs,
            clock,
        })
    }

    /// Drops uploads that were given up, and blobs that belong to nothing. To be called before anything is written.
    pub(crate) async fn tidy(&self) -> Result<(), Error> {
        let now_ms = self.clock.now_ms();
        let kept = self
            .index
            .run(move |connection| {
                uploads::expire(connection, now_ms)?;
                let mut kept = objects::blobs(connection)?;
                kept.extend(uploads::blobs(connection)?);
                Ok::<_, Error>(kept)
            })
            .await?;
        self.blobs.retain(kept).await
    }

    /// Changes the index, makes `draft` permanent if that succeeded, and then removes the blobs that `change`
    /// returned as no longer used.
    ///
    /// Runs to its end even if the caller goes away in between, so that index and files agree.
    async fn change<T: Send + 'static>(
        &self,
        draft: Option<Draft>,
        change: impl FnOnce(&Connection) -> Result<(T, Vec<BlobId>), Error> + Send + 'static,
    ) -> Result<T, Error> {
        let store = self.clone();
        let task = tokio::spawn(async move {
            let (value, unused) = store.index.run(change).await?;
            if let Some(draft) = draft {
                draft.keep();
            }
            store.blobs.remove(unused).await;
            Ok(value)
        });
        task.await.map_err(|_| Error::Interrupted)?
    }

    /// Closes the index. Blocks on the disk.
    pub(crate) fn close(&self) {
        self.index.close();
    }
}

/// The store behind the protocol: signatures checked, CORS answered.
pub(crate) fn router(store: Store, credentials: &Credentials) -> Router {
    let mut builder = S3ServiceBuilder::new(store.clone());
    builder.set_auth(SimpleAuth::from_single(
        credentials.access_key.clone(),
        credentials.secret_key.clone(),
    ));
    Router::new()
        .fallback(handle)
        .with_state(builder.build())
        .layer(axum::middleware::from_fn_with_state(store, cors::apply))
}

/// A moment as the protocol's type.
fn timestamp(ms: i64) -> Timestamp {
    let moment = UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    Timestamp::from(moment)
}

async fn handle(State(service): State<S3Service>, request: Request) -> Response {
    match service.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(axum::body::Body::new),
        Err(error) => {
            tracing::error!(?error, "an S3 answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
