//! Buckets and their CORS rules in the index.

use rusqlite::{Connection, OptionalExtension, params};
use s3s::S3ErrorCode;

use super::error::{Error, refuse};

/// The table of buckets.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS bucket (
        name TEXT PRIMARY KEY,
        created_ms INTEGER NOT NULL,
        cors TEXT
    ) WITHOUT ROWID;
";

/// Makes a bucket.
///
/// # Errors
///
/// `BucketAlreadyOwnedByYou`.
pub(crate) fn create(connection: &Connection, name: &str, now_ms: i64) -> Result<(), Error> {
    let made = connection.execute(
        "INSERT OR IGNORE INTO bucket (name, created_ms) VALUES (?1, ?2)",
        params![name, now_ms],
    )?;
    if made == 1 {
        Ok(())
    } else {
        refuse(S3ErrorCode::BucketAlreadyOwnedByYou)
    }
}

/// Returns if the bucket exists.
///
/// # Errors
///
/// `NoSuchBucket`.
pub(crate) fn check(connection: &Connection, name: &str) -> Result<(), Error> {
    let exists = connection
        .prepare_cached("SELECT 1 FROM bucket WHERE name = ?1")?
        .exists([name])?;
    if exists {
        Ok(())
    } else {
        refuse(S3ErrorCode::NoSuchBucket)
    }
}

/// Names and times of creation of all buckets, by name.
pub(crate) fn list(connection: &Connection) -> Result<Vec<(String, i64)>, Error> {
    let buckets = connection
        .prepare_cached("SELECT name, created_ms FROM bucket ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(buckets)
}

/// Removes an empty bucket.
///
/// # Errors
///
/// `NoSuchBucket`, `BucketNotEmpty`.
pub(crate) fn delete(connection: &Connection, name: &str) -> Result<(), Error> {
    check(connection, name)?;
    let used = connection
        .prepare_cached("SELECT 1 FROM object WHERE bucket = ?1 UNION ALL SELECT 1 FROM upload WHERE bucket = ?1")?
        .exists([name])?;
    if used {
        return refuse(S3ErrorCode::BucketNotEmpty);
    }
    connection.execute("DELETE FROM bucket WHERE name = ?1", [name])?;
    Ok(())
}

/// Sets the bucket's CORS rules, as JSON, or takes them away.
///
/// # Errors
///
/// `NoSuchBucket`.
pub(crate) fn set_cors(connection: &Connection, name: &str, rules: Option<&str>) -> Result<(), Error> {
    check(connection, name)?;
    connection.execute("UPDATE bucket SET cors = ?2 WHERE name = ?1", params![name, rules])?;
    Ok(())
}

/// The bucket's CORS rules as JSON, if it has any.
///
/// # Errors
///
/// `NoSuchBucket`.
pub(crate) fn cors(connection: &Connection, name: &str) -> Result<Option<String>, Error> {
    connection
        .prepare_cached("SELECT cors FROM bucket WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?
        .ok_or(Error::Refused(S3ErrorCode::NoSuchBucket))
}
