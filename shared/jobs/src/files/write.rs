//! Writing an object as it is made, from a thread that may block.

use std::io;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::Files;
use crate::Error;
use crate::shelf::Shelf;

/// The size of a part of a large object: 8 MiB. S3 takes at most 10,000 parts, so an object ends at 80 GiB.
const PART: usize = 8 << 20;

/// Parts on their way at once, while the next is filled. A store syncs each to its disk before it answers.
const AT_ONCE: usize = 3;

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
    /// None where nobody asks for it.
    digest: Option<Sha256>,
    size: u64,
    upload: Option<Upload>,
    /// Where a small one waits for the job's end.
    shelf: Option<Shelf>,
}

#[derive(Debug)]
struct Upload {
    id: String,
    /// The parts that were begun.
    count: i32,
    /// Those on their way; they are given up with the writer.
    sending: JoinSet<Result<CompletedPart, Error>>,
    /// Those that arrived, in any order.
    parts: Vec<CompletedPart>,
}

impl Upload {
    /// Waits until at most `most` parts are on their way.
    async fn wait(&mut self, most: usize) -> Result<(), Error> {
        while self.sending.len() > most {
            match self.sending.join_next().await {
                Some(Ok(part)) => self.parts.push(part?),
                Some(Err(error)) => return Err(Error::unavailable(SEND)(error)),
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

const SEND: &str = "store a part of an object";

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
            digest: Some(Sha256::new()),
            size: 0,
            upload: None,
            shelf: None,
        }
    }
}

impl ReportWriter {
    /// The same for bytes that nobody is told the digest of.
    pub(super) fn undigested(self) -> Self {
        Self { digest: None, ..self }
    }

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
        self.update_digest();
        let digest = self.digest.take().unwrap_or_default();
        let report = Report {
            name: self.name.clone(),
            content_type: self.content_type.clone(),
            key: self.key.clone(),
            size: self.size,
            sha256: hex::encode(digest.finalize()),
        };
        if let (None, Some(shelf)) = (&self.upload, &self.shelf) {
            match shelf.take_report(&report, std::mem::take(&mut self.buffer)) {
                Some(bytes) => self.buffer = bytes,
                None => return Ok(report),
            }
        }
        self.store()?;
        Ok(report)
    }

    /// The same for bytes that nobody is told the digest of; gives the key.
    pub(super) fn finish_undigested(mut self) -> Result<String, Error> {
        self.store()?;
        Ok(self.key)
    }

    fn store(&mut self) -> Result<(), Error> {
        let bytes = std::mem::take(&mut self.buffer);
        let runtime = self.runtime.clone();
        match self.upload.take() {
            None => runtime.block_on(self.files.put(&self.key, &self.content_type, bytes)),
            Some(upload) => runtime.block_on(self.complete(upload, bytes)),
        }
    }

    /// Begins to send a part.
    fn send_part(&self, upload: &mut Upload, bytes: Vec<u8>) {
        upload.count += 1;
        let number = upload.count;
        let request = self
            .files
            .client
            .upload_part()
            .bucket(&self.files.bucket)
            .key(&self.key)
            .upload_id(&upload.id)
            .part_number(number)
            .body(ByteStream::from(bytes))
            .customize()
            // The checksum that goes along is proof enough of what arrived.
            .disable_payload_signing();
        let send = async move {
            let part = request.send().await.map_err(Error::unavailable(SEND))?;
            Ok(CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag)
                .build())
        };
        upload.sending.spawn_on(send, &self.runtime);
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
        Ok(Upload {
            id,
            count: 0,
            sending: JoinSet::new(),
            parts: Vec::new(),
        })
    }

    async fn complete(&self, mut upload: Upload, rest: Vec<u8>) -> Result<(), Error> {
        if !rest.is_empty() {
            self.send_part(&mut upload, rest);
        }
        upload.wait(0).await?;
        let mut parts = std::mem::take(&mut upload.parts);
        parts.sort_unstable_by_key(CompletedPart::part_number);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
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
        self.update_digest();
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(PART));
        let runtime = self.runtime.clone();
        let mut upload = match self.upload.take() {
            Some(upload) => upload,
            None => runtime.block_on(self.start())?,
        };
        runtime.block_on(upload.wait(AT_ONCE - 1))?;
        self.send_part(&mut upload, bytes);
        self.upload = Some(upload);
        Ok(())
    }

    fn update_digest(&mut self) {
        if let Some(digest) = &mut self.digest {
            digest.update(&self.buffer);
        }
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
