//! Bytes on their way from one stage to the next: in memory while they are few, in the bucket when they are many.

use std::io::{self, Cursor, Read, Write};

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::{Files, ReportWriter};
use crate::Error;

/// Up to this many bytes a spool needs no object of its own: 4 MiB.
const IN_MEMORY: usize = 4 << 20;

/// Bytes that a stage left for later ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spool {
    /// Few enough to travel with the stage's output.
    Memory(Vec<u8>),
    /// An object.
    Object {
        /// Its key.
        key: String,
    },
}

/// A spool being written.
#[derive(Debug)]
pub struct SpoolWriter {
    memory: Vec<u8>,
    object: ReportWriter,
    spilled: bool,
}

impl Files {
    /// Starts a spool that becomes the object `key` if it grows large.
    #[must_use]
    pub fn spool(&self, runtime: Handle, key: String) -> SpoolWriter {
        SpoolWriter {
            memory: Vec::new(),
            object: self
                .writer(runtime, "spool", key, "application/octet-stream")
                .undigested(),
            spilled: false,
        }
    }

    /// Reads a spool from its start, on a thread that may block.
    ///
    /// # Errors
    ///
    /// [`Error::NoObject`] or [`Error::Unavailable`].
    pub fn read_spool<'s>(&self, runtime: &Handle, spool: &'s Spool) -> Result<Box<dyn Read + 's>, Error> {
        match spool {
            Spool::Memory(bytes) => Ok(Box::new(Cursor::new(bytes))),
            Spool::Object { key } => Ok(Box::new(runtime.block_on(self.open(key))?)),
        }
    }
}

impl SpoolWriter {
    /// The spool, readable from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub fn finish(self) -> Result<Spool, Error> {
        if self.spilled {
            let key = self.object.finish_undigested()?;
            return Ok(Spool::Object { key });
        }
        Ok(Spool::Memory(self.memory))
    }
}

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.spilled {
            if self.memory.len() + bytes.len() <= IN_MEMORY {
                self.memory.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            self.spilled = true;
            self.object.write_all(&std::mem::take(&mut self.memory))?;
        }
        self.object.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.object.flush()
    }
}
