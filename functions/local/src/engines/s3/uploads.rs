//! Multipart uploads in the index.

use std::collections::{BTreeMap, HashSet};

use md5::{Digest, Md5};
use rusqlite::{Connection, OptionalExtension, params};
use s3s::S3ErrorCode;

use super::blobs::BlobId;
use super::buckets;
use super::error::{Error, refuse};
use super::headers::Headers;
use super::objects::{self, Condition, Object, Segment};

/// The tables of uploads and their parts.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS upload (
        id TEXT PRIMARY KEY,
        bucket TEXT NOT NULL REFERENCES bucket(name),
        key TEXT NOT NULL,
        started_ms INTEGER NOT NULL,
        headers TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS part (
        upload TEXT NOT NULL REFERENCES upload(id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        etag TEXT NOT NULL,
        modified_ms INTEGER NOT NULL,
        segment TEXT NOT NULL,
        PRIMARY KEY (upload, number)
    ) WITHOUT ROWID;
";

/// The least size of every part but the last, in bytes.
const MIN_PART: u64 = 5 * 1024 * 1024;

/// After how long an upload that was not completed is dropped: 7 days.
const EXPIRY_MS: i64 = 7 * 24 * 3600 * 1000;

/// Which upload, as a request names it.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// A part as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) number: i32,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) modified_ms: i64,
    pub(crate) segment: Segment,
}

/// Starts an upload whose object will have `headers`.
///
/// # Errors
///
/// `NoSuchBucket`.
pub(crate) fn start(connection: &Connection, upload: &Upload, headers: &Headers, now_ms: i64) -> Result<(), Error> {
    buckets::check(connection, &upload.bucket)?;
    connection.execute(
        "INSERT INTO upload (id, bucket, key, started_ms, headers) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            upload.id,
            upload.bucket,
            upload.key,
            now_ms,
            serde_json::to_string(headers)?
        ],
    )?;
    Ok(())
}

/// Adds `part`, or puts it in the place of the one with its number; returns the blob of that.
///
/// # Errors
///
/// `NoSuchUpload`.
pub(crate) fn add(connection: &Connection, upload: &Upload, part: &Part) -> Result<Vec<BlobId>, Error> {
    find(connection, upload)?;
    let replaced: Option<String> = connection
        .prepare_cached("SELECT segment FROM part WHERE upload = ?1 AND number = ?2")?
        .query_row(params![upload.id, part.number], |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO part VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            upload.id,
            part.number,
            part.etag,
            part.modified_ms,
            serde_json::to_string(&part.segment)?
        ])?;
    match replaced {
        Some(segment) => Ok(vec![serde_json::from_str::<Segment>(&segment)?.blob]),
        None => Ok(Vec::new()),
    }
}

/// The parts so far, by number.
///
/// # Errors
///
/// `NoSuchUpload`.
pub(crate) fn parts(connection: &Connection, upload: &Upload) -> Result<Vec<Part>, Error> {
    find(connection, upload)?;
    let mut statement = connection
        .prepare_cached("SELECT number, etag, modified_ms, segment FROM part WHERE upload = ?1 ORDER BY number")?;
    let rows = statement.query_map([&upload.id], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
    })?;
    rows.map(|row| {
        let (number, etag, modified_ms, segment) = row?;
        Ok(Part {
            number,
            etag,
            modified_ms,
            segment: serde_json::from_str(&segment)?,
        })
    })
    .collect()
}

/// Makes the object of the parts that `chosen` names by number and ETag. Returns its ETag (the MD5 of the parts'
/// digests, a hyphen, their number) and the blobs that are not used any more.
///
/// # Errors
///
/// `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, and those of [`objects::put`].
pub(crate) fn complete(
    connection: &Connection,
    upload: &Upload,
    chosen: &[(i32, Option<String>)],
    condition: &Condition,
    now_ms: i64,
) -> Result<(String, Vec<BlobId>), Error> {
    let headers = find(connection, upload)?;
    let mut stored: BTreeMap<i32, Part> = parts(connection, upload)?
        .into_iter()
        .map(|part| (part.number, part))
        .collect();
    if chosen.is_empty() {
        return refuse(S3ErrorCode::InvalidRequest);
    }
    if !chosen.is_sorted_by(|(one, _), (next, _)| one < next) {
        return refuse(S3ErrorCode::InvalidPartOrder);
    }
    let mut digest = Md5::new();
    let mut segments = Vec::with_capacity(chosen.len());
    for (position, (number, etag)) in chosen.iter().enumerate() {
        let part = stored.remove(number);
        let Some(part) = part.filter(|part| etag.as_ref().is_none_or(|etag| *etag == part.etag)) else {
            return refuse(S3ErrorCode::InvalidPart);
        };
        if part.segment.size < MIN_PART && position + 1 < chosen.len() {
            return refuse(S3ErrorCode::EntityTooSmall);
        }
        digest.update(hex::decode(&part.etag).unwrap_or_default());
        segments.push(part.segment);
    }
    let object = Object {
        etag: format!("{}-{}", hex::encode(digest.finalize()), segments.len()),
        modified_ms: now_ms,
        headers,
        segments,
    };
    let mut unused = objects::put(connection, &upload.bucket, &upload.key, &object, condition)?;
    unused.extend(stored.into_values().map(|part| part.segment.blob));
    connection.execute("DELETE FROM upload WHERE id = ?1", [&upload.id])?;
    Ok((object.etag, unused))
}

/// Gives the upload up and returns its blobs.
///
/// # Errors
///
/// `NoSuchUpload`.
pub(crate) fn abort(connection: &Connection, upload: &Upload) -> Result<Vec<BlobId>, Error> {
    let blobs = parts(connection, upload)?
        .into_iter()
        .map(|part| part.segment.blob)
        .collect();
    connection.execute("DELETE FROM upload WHERE id = ?1", [&upload.id])?;
    Ok(blobs)
}

/// Drops the uploads that were started too long ago. Their blobs are left for the store's next tidying.
pub(crate) fn expire(connection: &Connection, now_ms: i64) -> Result<(), Error> {
    connection.execute("DELETE FROM upload WHERE started_ms < ?1", [now_ms - EXPIRY_MS])?;
    Ok(())
}

/// The blobs of all parts.
pub(crate) fn blobs(connection: &Connection) -> Result<HashSet<BlobId>, Error> {
    let mut statement = connection.prepare("SELECT segment FROM part")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|row| Ok(serde_json::from_str::<Segment>(&row?)?.blob))
        .collect()
}

/// The headers that the upload was started with.
fn find(connection: &Connection, upload: &Upload) -> Result<Headers, Error> {
    let headers: Option<String> = connection
        .prepare_cached("SELECT headers FROM upload WHERE id = ?1 AND bucket = ?2 AND key = ?3")?
        .query_row([&upload.id, &upload.bucket, &upload.key], |row| row.get(0))
        .optional()?;
    match headers {
        Some(headers) => Ok(serde_json::from_str(&headers)?),
        None => refuse(S3ErrorCode::NoSuchUpload),
    }
}
