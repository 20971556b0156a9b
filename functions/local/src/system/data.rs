//! The data folder, and the secret that stays in it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use webhooks::{Secret, Secrets};

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

    /// What completion events are signed with: `webhook-secret`, made once and readable by its owner alone, and beside it
    /// `webhook-secret-previous`, if it is there. So renaming the one to the other starts a rotation, and removing the
    /// other ends it.
    pub(super) fn webhook_secrets(&self) -> Result<Secrets, SystemError> {
        let current = match self.read_secret("webhook-secret")? {
            Some(secret) => secret,
            None => self.make_secret("webhook-secret")?,
        };
        Ok(Secrets::new(current, self.read_secret("webhook-secret-previous")?))
    }

    fn read_secret(&self, name: &str) -> Result<Option<Secret>, SystemError> {
        let path = self.path.join(name);
        let secret = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        secret.map_err(|error| SystemError::Folder(path, error))
    }

    fn make_secret(&self, name: &str) -> Result<Secret, SystemError> {
        let path = self.path.join(name);
        let partial = path.with_extension("new");
        let secret = Secret::new(&rand::random::<[u8; 32]>()).expect("32 bytes are enough");
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&partial)?;
            writeln!(file, "{}", secret.reveal())?;
            file.sync_all()?;
            fs::rename(&partial, &path)
        };
        write().map_err(|error| SystemError::Folder(path.clone(), error))?;
        Ok(secret)
    }
}
