//! The files that hold the bytes of objects.
//!
//! A blob is written once, under a random name, and never changed. A reader *pins* the blobs of its object; one that
//! is removed meanwhile is deleted when its last reader is done.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};
use uuid::Uuid;

use super::error::Error;

/// How much is gathered before it is written: the trip to the blocking threads costs more than copying this.
const WRITE_BYTES: usize = 256 * 1024;

/// A blob's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct BlobId(Uuid);

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// A folder of blobs.
#[derive(Clone)]
pub(crate) struct Blobs(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    readers: Mutex<HashMap<BlobId, Readers>>,
}

#[derive(Default)]
struct Readers {
    count: usize,
    /// Delete the file when the last of them is done.
    removed: bool,
}

impl Blobs {
    /// Opens the folder, or makes it and those above it.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder)?;
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            readers: Mutex::default(),
        })))
    }

    /// Starts a blob that is deleted again unless it is [kept](Draft::keep).
    pub(crate) async fn create(&self) -> Result<Draft, Error> {
        let id = BlobId(Uuid::new_v4());
        let file = File::create_new(self.0.path(id)).await?;
        Ok(Draft {
            id,
            blobs: self.clone(),
            file: BufWriter::with_capacity(WRITE_BYTES, file),
            size: 0,
            kept: false,
        })
    }

    /// Opens a blob for reading.
    pub(crate) async fn read(&self, id: BlobId) -> io::Result<File> {
        File::open(self.0.path(id)).await
    }

    /// Keeps `ids` readable for as long as the pin lives. To be called in the transaction that found them in the
    /// index, or they may be gone.
    pub(crate) fn pin(&self, ids: impl Iterator<Item = BlobId>) -> Pin {
        let ids: Vec<BlobId> = ids.collect();
        let mut readers = self.0.readers();
        for id in &ids {
            readers.entry(*id).or_default().count += 1;
        }
        drop(readers);
        Pin {
            blobs: self.clone(),
            ids,
        }
    }

    /// Deletes `ids`, or leaves that to their last reader.
    pub(crate) async fn remove(&self, ids: Vec<BlobId>) {
        let free = self.0.unread(ids);
        if !free.is_empty() {
            let inner = Arc::clone(&self.0);
            let delete = move || free.into_iter().for_each(|id| inner.delete(id));
            drop(tokio::task::spawn_blocking(delete).await);
        }
    }

    /// Deletes every file that is not one of `kept`.
    pub(crate) async fn retain(&self, kept: HashSet<BlobId>) -> Result<(), Error> {
        let inner = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || {
            for entry in fs::read_dir(&inner.folder)? {
                let entry = entry?;
                let id = entry.file_name().to_str().and_then(|name| Uuid::try_parse(name).ok());
                if id.is_some_and(|id| !kept.contains(&BlobId(id))) {
                    tracing::info!(file = %entry.path().display(), "removing what a stopped process left behind");
                    fs::remove_file(entry.path())?;
                }
            }
            Ok(())
        });
        task.await.map_err(|_| Error::Interrupted)?
    }
}

impl Inner {
    fn path(&self, id: BlobId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<BlobId, Readers>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of `ids` that nobody reads; the others are marked for deletion.
    fn unread(&self, mut ids: Vec<BlobId>) -> Vec<BlobId> {
        let mut readers = self.readers();
        ids.retain(|id| match readers.get_mut(id) {
            Some(readers) => {
                readers.removed = true;
                false
            }
            None => true,
        });
        ids
    }

    fn delete(&self, id: BlobId) {
        // A file that stays costs space until the next start and nothing else.
        if let Err(error) = fs::remove_file(self.path(id)) {
            tracing::warn!(%error, blob = %id.0, "a blob could not be deleted");
        }
    }
}

/// Readers of some blobs; they are done when it is dropped.
pub(crate) struct Pin {
    blobs: Blobs,
    ids: Vec<BlobId>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let inner = &self.blobs.0;
        let mut readers = inner.readers();
        let mut unused = Vec::new();
        for id in &self.ids {
            if let Some(entry) = readers.get_mut(id) {
                entry.count -= 1;
                if entry.count == 0 && readers.remove(id).is_some_and(|entry| entry.removed) {
                    unused.push(*id);
                }
            }
        }
        drop(readers);
        unused.into_iter().for_each(|id| inner.delete(id));
    }
}

/// A blob that is being written, or that the index does not know yet.
pub(crate) struct Draft {
    id: BlobId,
    blobs: Blobs,
    file: BufWriter<File>,
    size: u64,
    kept: bool,
}

impl Draft {
    /// The blob's name.
    pub(crate) fn id(&self) -> BlobId {
        self.id
    }

    /// Its length so far, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Appends `bytes`.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).await?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Returns once what was written, and the file's name, are on the disk.
    pub(crate) async fn sync(&mut self) -> Result<(), Error> {
        self.file.flush().await?;
        self.file.get_ref().sync_all().await?;
        File::open(&self.blobs.0.folder).await?.sync_all().await?;
        Ok(())
    }

    /// The index knows the blob now: it stays.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            self.blobs.0.delete(self.id);
        }
    }
}
