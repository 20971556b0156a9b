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
        with_causes(self)
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
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
    /// Trying again may help: a broken connection, a crash.
    #[error("calculate for now: {0}")]
    Transient(String),
    /// A service says that it is asked too much. The job waits, and its attempts are not counted for that.
    #[error("go on while a service is throttled: {0}")]
    Throttled(String),
    /// The stage of this name took a whole invocation, in which nothing was committed.
    #[error("finish stage {0} within one invocation")]
    TooLong(&'static str),
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

    /// The failure of a service, seen through whatever wraps it.
    #[must_use]
    pub fn of_service(error: &dyn std::error::Error) -> Self {
        let text = with_causes(error);
        if says_throttled(&text) {
            return Self::Throttled(text);
        }
        Self::Transient(text)
    }
}

/// Whether a service said that it is asked too much. The codes are those of the AWS SDK's own retries. They are looked
/// for in the text, since an error of the SDK that went through a stream has nothing else left.
fn says_throttled(text: &str) -> bool {
    const CODES: [&str; 8] = [
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "ThrottledException",
        "ThrottlingException",
        "ThrottlingError",
        "TooManyRequests",
    ];
    CODES.iter().any(|code| text.contains(code))
}

/// Services fail for a while, so their errors are transient; a refused write means that the job is no longer ours.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(_) => Self::Stopped(Stopped),
            other => Self::of_service(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn throttling_is_seen_through_a_writer() {
        let said = io::Error::other("unhandled error (SlowDown)");
        let call = Error::unavailable("store a part of an object")(said);
        let written = io::Error::other(call);
        assert!(matches!(Failure::of_service(&written), Failure::Throttled(_)));
    }

    #[test]
    fn a_broken_connection_is_not_throttling() {
        let call = Error::unavailable("read an item")(io::Error::other("connection reset"));
        assert!(matches!(Failure::from(call), Failure::Transient(_)));
    }
}
