//! What can go wrong, by what the caller does next.

use crate::protocol::Refused;
use crate::{JobError, JobId};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failed call to the store, the queue or the files. Texts complete "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such job.
    #[error("find job {0}")]
    NotFound(JobId),
    /// The job's state does not allow this change.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// An idempotency key was used with another body.
    #[error("reuse an idempotency key for another request")]
    KeyReused,
    /// A request with the same idempotency key is being answered at this moment.
    #[error("answer while a request with the same idempotency key is in flight")]
    KeyInFlight,
    /// The cursor did not come from this list.
    #[error("continue from this cursor")]
    BadCursor,
    /// An object is not there.
    #[error("find object {0}")]
    NoObject(String),
    /// The service did not do it, though it may when asked again.
    #[error("{action}")]
    Unavailable {
        /// What was tried.
        action: &'static str,
        /// What the service said.
        #[source]
        source: Source,
    },
    /// What was stored cannot be read back. A defect, or a hand in the table.
    #[error("read {what}")]
    Corrupt {
        /// Which item or object.
        what: String,
        /// Why.
        #[source]
        source: Source,
    },
}

impl Error {
    pub(crate) fn unavailable<E>(action: &'static str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |source| Self::Unavailable {
            action,
            source: Box::new(source),
        }
    }

    pub(crate) fn corrupt<E>(what: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let what = what.into();
        move |source| Self::Corrupt {
            what,
            source: Box::new(source),
        }
    }

    /// The error with all that caused it, for the log. Never for a client: sources may name internals.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

/// The work is not wanted any more: the job was revoked, or another worker holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("go on: the job was revoked or taken over")]
pub struct Stopped;

/// Why a calculation did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Trying again would fail the same way: the job becomes a FAILURE with this reason.
    #[error("calculate: {}", .0.message)]
    Permanent(JobError),
    /// Trying again may help: throttling, a broken connection, a crash.
    #[error("calculate for now: {0}")]
    Transient(String),
    /// The work is not wanted any more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The invocation is near its deadline; what was done is committed and another goes on.
    #[error("finish before the deadline")]
    Continue,
}

impl Failure {
    /// A failure that names no place in the input.
    #[must_use]
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Permanent(JobError::new(code, message))
    }
}

/// Services fail for a while, so their errors are transient; a refused write means that the job is no longer ours.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(_) => Self::Stopped(Stopped),
            other => Self::Transient(other.with_causes()),
        }
    }
}
