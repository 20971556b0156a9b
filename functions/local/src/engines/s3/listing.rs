//! Listing objects by prefix, in the order of their keys' bytes, page by page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, params};
use s3s::S3ErrorCode;
use s3s::dto::{CommonPrefix, ETag, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object};

use super::buckets;
use super::error::{Error, refuse};
use super::timestamp;

/// The last character there is, which no key is expected to contain: what follows every key that starts alike.
const LAST: char = '\u{10ffff}';

/// Characters that stay as they are in a listing with `encoding-type=url`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// How many rows are read at once.
const ROWS: i64 = 1000;

/// Lists a page. The continuation token is the point in the order of keys after which the next page begins.
///
/// Costs one step in the index for each key and each common prefix that is returned: the keys below a common prefix
/// are passed over.
///
/// # Errors
///
/// `NoSuchBucket`; `InvalidArgument` for a token that is not one.
pub(crate) fn page(connection: &Connection, input: ListObjectsV2Input) -> Result<ListObjectsV2Output, Error> {
    buckets::check(connection, &input.bucket)?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let limit = input
        .max_keys
        .map_or(1000, |keys| usize::try_from(keys).unwrap_or(0).min(1000));
    let after = match &input.continuation_token {
        Some(token) => read_token(token)?,
        None => input.start_after.clone().unwrap_or_default(),
    };
    let found = collect(connection, &input.bucket, prefix, delimiter, after, limit)?;

    let url = input
        .encoding_type
        .as_ref()
        .is_some_and(|kind| kind.as_str() == EncodingType::URL);
    let encode = |text: String| {
        if url {
            utf8_percent_encode(&text, ENCODED).to_string()
        } else {
            text
        }
    };
    let keys = found.objects.len() + found.prefixes.len();
    let contents = found.objects.into_iter().map(|mut object| {
        object.key = object.key.map(encode);
        object
    });
    let prefixes = found.prefixes.into_iter().map(|prefix| CommonPrefix {
        prefix: Some(encode(prefix)),
    });
    Ok(ListObjectsV2Output {
        key_count: i32::try_from(keys).ok(),
        max_keys: i32::try_from(limit).ok(),
        is_truncated: Some(found.next.is_some()),
        contents: Some(contents.collect()),
        common_prefixes: Some(prefixes.collect()),
        next_continuation_token: found.next.map(|next| URL_SAFE_NO_PAD.encode(next)),
        continuation_token: input.continuation_token,
        prefix: input.prefix.map(encode),
        delimiter: input.delimiter.map(encode),
        start_after: input.start_after.map(encode),
        encoding_type: input.encoding_type,
        name: Some(input.bucket),
        ..Default::default()
    })
}

#[derive(Default)]
struct Found {
    objects: Vec<Object>,
    prefixes: Vec<String>,
    /// Where the next page begins, if there is one.
    next: Option<String>,
}

fn collect(
    connection: &Connection,
    bucket: &str,
    prefix: &str,
    delimiter: Option<&str>,
    mut after: String,
    limit: usize,
) -> Result<Found, Error> {
    let mut found = Found::default();
    if limit == 0 {
        return Ok(found);
    }
    let mut statement = connection.prepare_cached(
        "SELECT key, etag, size, modified_ms FROM object
         WHERE bucket = ?1 AND key >= ?2 AND key < ?3 AND key > ?4 ORDER BY key LIMIT ?5",
    )?;
    let end = format!("{prefix}{LAST}");
    loop {
        let mut rows = statement.query(params![bucket, prefix, end, after, ROWS])?;
        let mut read = 0;
        let mut skipped = false;
        while let Some(row) = rows.next()? {
            read += 1;
            if found.objects.len() + found.prefixes.len() == limit {
                found.next = Some(after);
                return Ok(found);
            }
            let key: String = row.get(0)?;
            if let Some(common) = common_prefix(&key, prefix, delimiter) {
                after = format!("{common}{LAST}");
                found.prefixes.push(common.to_owned());
                skipped = true;
                break;
            }
            found.objects.push(Object {
                e_tag: Some(ETag::Strong(row.get(1)?)),
                size: row.get(2)?,
                last_modified: Some(timestamp(row.get(3)?)),
                key: Some(key.clone()),
                ..Default::default()
            });
            after = key;
        }
        if !skipped && read < ROWS {
            return Ok(found);
        }
    }
}

/// What `key` is listed under, if `delimiter` occurs in it after `prefix`: up to and with the delimiter.
fn common_prefix<'a>(key: &'a str, prefix: &str, delimiter: Option<&str>) -> Option<&'a str> {
    let delimiter = delimiter?;
    let position = key.get(prefix.len()..)?.find(delimiter)?;
    key.get(..prefix.len() + position + delimiter.len())
}

fn read_token(token: &str) -> Result<String, Error> {
    let text = URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    match text {
        Some(text) => Ok(text),
        None => refuse(S3ErrorCode::InvalidArgument),
    }
}
