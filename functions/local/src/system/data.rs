//! The data folder, and the secret that stays in it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use webhooks::Secret;

use crate::engines;

/// Why a system does not start.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// The folder cannot be used.
    #[error("use data folder {0}")]
    Folder(PathBuf, #[source] io::Error),
    /// The address cannot be listened on.
    #[error("listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// An engine does not start.
    #[error("start the engines")]
    Engines(#[from] engines::Error),
    /// A service does not answer.
    #[error("prepare the services")]
    Services(#[from] jobs::Error),
    /// A queue or bucket cannot be made.
    #[error("{action}: {reason}")]
    Prepare {
        /// What was tried.
        action: &'static str,
        /// What the service said.
        reason: String,
    },
    /// The client that calls back, or that calls functions elsewhere, does not start.
    #[error("start an HTTP client")]
    HttpClient(#[source] reqwest::Error),
}

/// The folder. The engines see to it that one process at a time uses it.
#[derive(Debug)]
pub(super) struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// The folder; makes it if need be.
    pub(super) fn open(path: &Path) -> Result<Self, SystemError> {
        fs::create_dir_all(path).map_err(|error| SystemError::Folder(path.to_owned(), error))?;
        Ok(Self { path: path.to_owned() })
    }

    /// The secret that completion events are signed with: made once, readable by its owner alone.
    pub(super) fn webhook_secret(&self) -> Result<Secret, SystemError> {
        let path = self.path.join("webhook-secret");
        let failed = |error| SystemError::Folder(path.clone(), error);
        match fs::read_to_string(&path) {
            Ok(text) => text
                .trim()
                .parse()
                .map_err(|error| failed(io::Error::other(format!("{error}")))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secret = Secret::new(&rand::random::<[u8; 32]>()).expect("32 bytes are enough");
                let partial = self.path.join("webhook-secret.new");
                let mut file = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&partial)
                    .map_err(failed)?;
                writeln!(file, "{}", secret.reveal()).map_err(failed)?;
                file.sync_all().map_err(failed)?;
                fs::rename(&partial, &path).map_err(failed)?;
                Ok(secret)
            }
            Err(error) => Err(failed(error)),
        }
    }
}
