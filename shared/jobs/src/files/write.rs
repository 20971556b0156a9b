//! Writing an object as it is made, from a thread that may block.

use std::io;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::Files;
use crate::Error;
use crate::shelf::Shelf;

/// The size of a part of a large object: 8 MiB. S3 takes at most 10,000 parts, so an object ends at 80 GiB.
const PART: usize = 8 << 20;

/// A file that a job left.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Report {
    /// Its name, such as `result.csv`.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its key in the bucket.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in hex.
    pub sha256: String,
}

/// An object being written. Up to one part it is a single PUT, above it a multipart upload; either way it appears
/// whole, at [`ReportWriter::finish`], or not at all.
#[derive(Debug)]
pub struct ReportWriter {
    files: Files,
    runtime: Handle,
    name: String,
    key: String,
    content_type: String,
    buffer: Vec<u8>,
    digest: Sha256,
    size: u64,
    upload: Option<Upload>,
    /// Where a small one waits for the job's end.
    shelf: Option<Shelf>,
}

#[derive(Debug)]
struct Upload {
    id: String,
    parts: Vec<CompletedPart>,
}

impl Files {
    /// Starts an object named `name` under `key`. Write from a thread that may block, with `runtime` for the calls.
    #[must_use]
    pub fn writer(&self, runtime: Handle, name: &str, key: String, content_type: &str) -> ReportWriter {
        ReportWriter {
            files: self.clone(),
            runtime,
            name: name.to_owned(),
            key,
            content_type: content_type.to_owned(),
            buffer: Vec::new(),
            digest: Sha256::new(),
            size: 0,
            upload: None,
            shelf: None,
        }
    }
}

impl ReportWriter {
    /// The same, for a report that may wait on `shelf` for the end of its job if it is small.
    pub(crate) fn onto(self, shelf: Shelf) -> Self {
        let shelf = Some(shelf);
        Self { shelf, ..self }
    }

    /// Sends what is left. When this returns, the object is whole and durable, or will be with the end of its job.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub fn finish(mut self) -> Result<Report, Error> {
        self.digest.update(&self.buffer);
        let bytes = std::mem::take(&mut self.buffer);
        let runtime = self.runtime.clone();
        let report = Report {
            name: self.name.clone(),
            content_type: self.content_type.clone(),
            key: self.key.clone(),
            size: self.size,
            sha256: hex::encode(self.digest.clone().finalize()),
        };
        match (self.upload.take(), &self.shelf) {
            (None, Some(shelf)) => {
                if let Some(bytes) = shelf.take_report(&report, bytes) {
                    runtime.block_on(self.files.put(&self.key, &self.content_type, bytes))?;
                }
            }
            (None, None) => runtime.block_on(self.files.put(&self.key, &self.content_type, bytes))?,
            (Some(upload), _) => runtime.block_on(self.complete(upload, bytes))?,
        }
        Ok(report)
    }

    async fn send_part(&self, upload: &mut Upload, bytes: Vec<u8>) -> Result<(), Error> {
        let number = i32::try_from(upload.parts.len() + 1).unwrap_or(i32::MAX);
        let part = self
            .files
            .client
            .upload_part()
            .bucket(&self.files.bucket)
            .key(&self.key)
            .upload_id(&upload.id)
            .part_number(number)
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(Error::unavailable("store a part of an object"))?;
        upload.parts.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag)
                .build(),
        );
        Ok(())
    }

    async fn start(&self) -> Result<Upload, Error> {
        const ACTION: &str = "start a large object";
        let started = self
            .files
            .client
            .create_multipart_upload()
            .bucket(&self.files.bucket)
            .key(&self.key)
            .content_type(&self.content_type)
            .send()
            .await
            .map_err(Error::unavailable(ACTION))?;
        let id = started
            .upload_id
            .ok_or_else(|| Error::unavailable(ACTION)(io::Error::other("the answer has no upload id")))?;
        let parts = Vec::new();
        Ok(Upload { id, parts })
    }

    async fn complete(&self, mut upload: Upload, rest: Vec<u8>) -> Result<(), Error> {
        if !rest.is_empty() {
            self.send_part(&mut upload, rest).await?;
        }
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(upload.parts))
            .build();
        self.files
            .client
            .complete_multipart_upload()
            .bucket(&self.files.bucket)
            .key(&self.key)
            .upload_id(upload.id)
            .multipart_upload(parts)
            .send()
            .await
            .map_err(Error::unavailable("complete a large object"))?;
        Ok(())
    }

    fn flush_part(&mut self) -> Result<(), Error> {
        self.digest.update(&self.buffer);
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(PART));
        let runtime = self.runtime.clone();
        let mut upload = match self.upload.take() {
            Some(upload) => upload,
            None => runtime.block_on(self.start())?,
        };
        runtime.block_on(self.send_part(&mut upload, bytes))?;
        self.upload = Some(upload);
        Ok(())
    }
}

impl io::Write for ReportWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PART - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..count]);
        self.size += count as u64;
        if self.buffer.len() == PART {
            self.flush_part().map_err(io::Error::other)?;
        }
        Ok(count)
    }

    /// Parts are sent when they are full; there is nothing to hurry.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
