//! Objects in the index.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Row, params};
use s3s::S3ErrorCode;
use s3s::dto::{ETag, ETagCondition};
use serde::{Deserialize, Serialize};

use super::blobs::BlobId;
use super::buckets;
use super::error::{Error, refuse};
use super::headers::Headers;

/// The table of objects. `blobs` is last: listings do not read it.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS object (
        bucket TEXT NOT NULL REFERENCES bucket(name),
        key TEXT NOT NULL,
        etag TEXT NOT NULL,
        size INTEGER NOT NULL,
        modified_ms INTEGER NOT NULL,
        headers TEXT NOT NULL,
        blobs TEXT NOT NULL,
        PRIMARY KEY (bucket, key)
    );
";

/// A stretch of an object's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    pub(crate) blob: BlobId,
    /// Its length in bytes.
    pub(crate) size: u64,
}

/// An object as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) modified_ms: i64,
    pub(crate) headers: Headers,
    pub(crate) segments: Vec<Segment>,
}

impl Object {
    /// Its length in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum()
    }

    fn blobs(&self) -> impl Iterator<Item = BlobId> {
        self.segments.iter().map(|segment| segment.blob)
    }
}

/// What must hold of the present object for a write to happen.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    pub(crate) if_match: Option<ETagCondition>,
    pub(crate) if_none_match: Option<ETagCondition>,
}

impl Condition {
    fn check(&self, present: Option<&str>) -> Result<(), Error> {
        match (&self.if_none_match, present) {
            (None, _) | (Some(ETagCondition::Any), None) => {}
            (Some(ETagCondition::Any), Some(_)) => return refuse(S3ErrorCode::PreconditionFailed),
            (Some(ETagCondition::ETag(_)), _) => return refuse(S3ErrorCode::NotImplemented),
        }
        match (&self.if_match, present) {
            (None, _) | (Some(ETagCondition::Any), Some(_)) => Ok(()),
            (Some(_), None) => refuse(S3ErrorCode::NoSuchKey),
            (Some(ETagCondition::ETag(wanted)), Some(present)) => {
                if wanted.strong_cmp(&ETag::Strong(present.to_owned())) {
                    Ok(())
                } else {
                    refuse(S3ErrorCode::PreconditionFailed)
                }
            }
        }
    }
}

/// Puts `object` in the place of what is there, and returns the blobs of that.
///
/// # Errors
///
/// `NoSuchBucket`; `PreconditionFailed`, or `NoSuchKey` if there is nothing to match.
pub(crate) fn put(
    connection: &Connection,
    bucket: &str,
    key: &str,
    object: &Object,
    condition: &Condition,
) -> Result<Vec<BlobId>, Error> {
    buckets::check(connection, bucket)?;
    let present = find(connection, bucket, key)?;
    condition.check(present.as_ref().map(|object| object.etag.as_str()))?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO object (bucket, key, etag, size, modified_ms, headers, blobs)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            bucket,
            key,
            object.etag,
            i64::try_from(object.size()).unwrap_or(i64::MAX),
            object.modified_ms,
            serde_json::to_string(&object.headers)?,
            serde_json::to_string(&object.segments)?,
        ])?;
    Ok(present.iter().flat_map(Object::blobs).collect())
}

/// The object at `key`.
///
/// # Errors
///
/// `NoSuchBucket`, `NoSuchKey`.
pub(crate) fn get(connection: &Connection, bucket: &str, key: &str) -> Result<Object, Error> {
    if let Some(object) = find(connection, bucket, key)? {
        return Ok(object);
    }
    buckets::check(connection, bucket)?;
    refuse(S3ErrorCode::NoSuchKey)
}

/// Removes what is at `key`, if anything, and returns its blobs.
///
/// # Errors
///
/// `NoSuchBucket`.
pub(crate) fn delete(connection: &Connection, bucket: &str, key: &str) -> Result<Vec<BlobId>, Error> {
    buckets::check(connection, bucket)?;
    let Some(object) = find(connection, bucket, key)? else {
        return Ok(Vec::new());
    };
    connection
        .prepare_cached("DELETE FROM object WHERE bucket = ?1 AND key = ?2")?
        .execute([bucket, key])?;
    Ok(object.blobs().collect())
}

fn find(connection: &Connection, bucket: &str, key: &str) -> Result<Option<Object>, Error> {
    let row = connection
        .prepare_cached("SELECT etag, modified_ms, headers, blobs FROM object WHERE bucket = ?1 AND key = ?2")?
        .query_row([bucket, key], |row: &Row<'_>| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
            ))
        })
        .optional()?;
    let Some((etag, modified_ms, headers, segments)) = row else {
        return Ok(None);
    };
    Ok(Some(Object {
        etag,
        modified_ms,
        headers: serde_json::from_str(&headers)?,
        segments: serde_json::from_str(&segments)?,
    }))
}

/// The blobs of all objects.
pub(crate) fn blobs(connection: &Connection) -> Result<HashSet<BlobId>, Error> {
    let mut blobs = HashSet::new();
    let mut statement = connection.prepare("SELECT blobs FROM object")?;
    for row in statement.query_map([], |row| row.get::<_, String>(0))? {
        let segments: Vec<Segment> = serde_json::from_str(&row?)?;
        blobs.extend(segments.into_iter().map(|segment| segment.blob));
    }
    Ok(blobs)
}
