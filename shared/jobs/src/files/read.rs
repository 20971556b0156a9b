//! Reading an object as it streams, from a thread that may block.

use std::io;

use aws_sdk_s3::primitives::ByteStream;
use bytes::{Buf, Bytes};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::Files;
use crate::Error;

/// An object being read. Counts and digests what passes, and remembers whether the service broke off, so that a
/// broken connection is not taken for a broken file.
#[derive(Debug)]
pub struct InputStream {
    runtime: Handle,
    body: ByteStream,
    chunk: Bytes,
    digest: Sha256,
    bytes: u64,
    broken: Option<String>,
}

impl Files {
    /// Opens an object. Call from within the runtime; read from a thread that may block.
    ///
    /// # Errors
    ///
    /// [`Error::NoObject`] or [`Error::Unavailable`].
    pub async fn open(&self, key: &str) -> Result<InputStream, Error> {
        Ok(InputStream {
            runtime: Handle::current(),
            body: self.body(key).await?,
            chunk: Bytes::new(),
            digest: Sha256::new(),
            bytes: 0,
            broken: None,
        })
    }
}

impl InputStream {
    /// The same for bytes that are here.
    pub(crate) fn of(runtime: Handle, text: &str) -> Self {
        Self {
            runtime,
            body: ByteStream::default(),
            chunk: Bytes::copy_from_slice(text.as_bytes()),
            digest: Sha256::new(),
            bytes: 0,
            broken: None,
        }
    }

    /// Why the service broke off, if it did. What was read until then must not be used.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Reads what is left, then gives the number of bytes and their SHA-256 in hex.
    ///
    /// # Errors
    ///
    /// The service broke off.
    pub fn finish(mut self) -> io::Result<(u64, String)> {
        io::copy(&mut self, &mut io::sink())?;
        Ok((self.bytes, hex::encode(self.digest.finalize())))
    }
}

impl io::Read for InputStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.body.next()) {
                None => return Ok(0),
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(error)) => {
                    self.broken = Some(error.to_string());
                    return Err(io::Error::other(error));
                }
            }
        }
        let count = buffer.len().min(self.chunk.len());
        buffer[..count].copy_from_slice(&self.chunk[..count]);
        self.digest.update(&buffer[..count]);
        self.chunk.advance(count);
        self.bytes += count as u64;
        Ok(count)
    }
}
