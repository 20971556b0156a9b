//! Reading objects.

use std::collections::VecDeque;
use std::io::{self, SeekFrom};
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures::Stream;
use s3s::S3ErrorCode;
use s3s::dto::{
    ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, StreamingBlob,
};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::blobs::{Blobs, Pin};
use super::error::{Error, refuse};
use super::objects::{self, Object, Segment};
use super::{Store, timestamp};

/// How much is read at once.
const READ_BYTES: usize = 128 * 1024;

impl Store {
    /// Headers and bytes of an object, or of a range of it.
    pub(super) async fn get(&self, input: GetObjectInput) -> Result<GetObjectOutput, Error> {
        let (object, pin) = self.find(input.bucket, input.key).await?;
        check(&object, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let range = stretch(input.range.as_ref(), object.size())?;
        let content_range = input.range.map(|_| content_range(&range, object.size()));
        let reader = Reader::open(self.blobs.clone(), pin, &object.segments, range.clone()).await?;
        Ok(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(StreamingBlob::wrap(reader.stream())),
            content_length: i64::try_from(range.end - range.start).ok(),
            content_range,
            content_type: Some(object.headers.content_type()),
            metadata: object.headers.metadata(),
            content_encoding: object.headers.content_encoding,
            content_disposition: object.headers.content_disposition,
            content_language: object.headers.content_language,
            cache_control: object.headers.cache_control,
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(timestamp(object.modified_ms)),
            ..Default::default()
        })
    }

    /// Headers of an object.
    pub(super) async fn head(&self, input: HeadObjectInput) -> Result<HeadObjectOutput, Error> {
        let (object, _) = self.find(input.bucket, input.key).await?;
        check(&object, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let range = stretch(input.range.as_ref(), object.size())?;
        Ok(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(range.end - range.start).ok(),
            content_range: input.range.map(|_| content_range(&range, object.size())),
            content_type: Some(object.headers.content_type()),
            metadata: object.headers.metadata(),
            content_encoding: object.headers.content_encoding,
            content_disposition: object.headers.content_disposition,
            content_language: object.headers.content_language,
            cache_control: object.headers.cache_control,
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(timestamp(object.modified_ms)),
            ..Default::default()
        })
    }

    /// An object, its blobs pinned.
    pub(super) async fn find(&self, bucket: String, key: String) -> Result<(Object, Pin), Error> {
        let blobs = self.blobs.clone();
        self.index
            .run(move |connection| {
                let object = objects::get(connection, &bucket, &key)?;
                let pin = blobs.pin(object.segments.iter().map(|segment| segment.blob));
                Ok((object, pin))
            })
            .await
    }
}

/// The conditions of RFC 9110, section 13.1, on reading.
pub(super) fn check(
    object: &Object,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> Result<(), Error> {
    let etag = ETag::Strong(object.etag.clone());
    let is = |condition: &ETagCondition| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.weak_cmp(&etag),
    };
    if if_match.is_some_and(|condition| !is(condition)) {
        return refuse(S3ErrorCode::PreconditionFailed);
    }
    if if_none_match.is_some_and(is) {
        return refuse(S3ErrorCode::NotModified);
    }
    Ok(())
}

fn stretch(range: Option<&s3s::dto::Range>, size: u64) -> Result<Range<u64>, Error> {
    match range.map(|range| range.check(size)) {
        None => Ok(0..size),
        Some(Ok(range)) => Ok(range),
        Some(Err(_)) => refuse(S3ErrorCode::InvalidRange),
    }
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

/// Reads a range of an object, one blob after the other.
pub(super) struct Reader {
    blobs: Blobs,
    /// Held until everything has been read.
    _pin: Pin,
    /// What is still to be read: blob, offset, length.
    rest: VecDeque<(Segment, u64, u64)>,
    open: Option<(File, u64)>,
}

impl Reader {
    /// Opens the first blob of the range; a file that is missing is an error here and not in the middle of an answer.
    pub(super) async fn open(blobs: Blobs, pin: Pin, segments: &[Segment], range: Range<u64>) -> Result<Self, Error> {
        let mut rest = VecDeque::new();
        let mut start = 0;
        for segment in segments {
            let end = start + segment.size;
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                rest.push_back((segment.clone(), from - start, to - from));
            }
            start = end;
        }
        let mut reader = Self {
            blobs,
            _pin: pin,
            rest,
            open: None,
        };
        reader.advance().await?;
        Ok(reader)
    }

    async fn advance(&mut self) -> io::Result<()> {
        self.open = match self.rest.pop_front() {
            Some((segment, offset, length)) => {
                let mut file = self.blobs.read(segment.blob).await?;
                if offset > 0 {
                    file.seek(SeekFrom::Start(offset)).await?;
                }
                Some((file, length))
            }
            None => None,
        };
        Ok(())
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while let Some((file, left)) = &mut self.open {
            if *left == 0 {
                self.advance().await?;
                continue;
            }
            let most = usize::try_from(*left).map_or(READ_BYTES, |left| left.min(READ_BYTES));
            let mut bytes = BytesMut::zeroed(most);
            let read = file.read(&mut bytes).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes.truncate(read);
            *left -= read as u64;
            return Ok(Some(bytes.freeze()));
        }
        Ok(None)
    }

    fn stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
        futures::stream::try_unfold(self, |mut reader| async move {
            let bytes = reader.next().await?;
            Ok(bytes.map(|bytes| (bytes, reader)))
        })
    }
}
