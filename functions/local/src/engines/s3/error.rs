//! What can go wrong in the store, and how the protocol says so.

use s3s::{S3Error, S3ErrorCode};

use crate::engines::sqlite;

/// Why an operation was refused or failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request cannot be done, for the reason that the code gives.
    #[error("do that: {}", .0.as_str())]
    Refused(S3ErrorCode),
    #[error(transparent)]
    Index(#[from] sqlite::Error),
    #[error("use the store's files: {0}")]
    Files(#[from] std::io::Error),
    #[error("read the index: {0}")]
    Damaged(#[from] serde_json::Error),
    #[error("finish the change: it was interrupted")]
    Interrupted,
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Index(error.into())
    }
}

impl From<Error> for S3Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(code) => Self::new(code),
            other => {
                tracing::error!(error = %other, "an S3 operation failed");
                Self::new(S3ErrorCode::InternalError)
            }
        }
    }
}

/// `Err` with a code of the protocol.
pub(crate) fn refuse<T>(code: S3ErrorCode) -> Result<T, Error> {
    Err(Error::Refused(code))
}
