//! What can go wrong in a queue, and how the protocol says so.

use http::StatusCode;

use crate::engines::json::{self, Failure};
use crate::engines::sqlite;

/// Why an operation was refused or failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("use queue {0}: the specified queue does not exist")]
    QueueDoesNotExist(String),
    #[error("create queue {0}: it exists with other attributes")]
    QueueNameExists(String),
    #[error("use the receipt handle: it is not one of this queue")]
    ReceiptHandleIsInvalid,
    #[error("change the visibility of a message: it is not in flight")]
    MessageNotInflight,
    #[error("use value {value} for parameter {parameter}: {reason}")]
    InvalidParameter {
        parameter: &'static str,
        value: String,
        reason: &'static str,
    },
    #[error("find the parameter {0}: the request must contain it")]
    MissingParameter(&'static str),
    #[error("use attribute {0}: there is no such attribute, or it cannot be set")]
    InvalidAttributeName(String),
    #[error("use value {value} for attribute {attribute}")]
    InvalidAttributeValue { attribute: String, value: String },
    #[error("accept the message: it holds a character that XML does not allow")]
    InvalidMessageContents,
    #[error("run the batch: it has no entries")]
    EmptyBatch,
    #[error("run the batch: it has {0} entries, more than 10")]
    TooManyEntries(usize),
    #[error("run the batch: the id {0} occurs twice")]
    EntryIdsNotDistinct(String),
    #[error("run the batch: {0} is not 1 to 80 letters, digits, hyphens and underscores")]
    InvalidEntryId(String),
    #[error("run the batch: its messages are {0} bytes, more than the queue takes at once")]
    BatchTooLong(usize),
    #[error("do that: {0}")]
    Unsupported(&'static str),
    #[error("read the request: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("find the operation that X-Amz-Target names")]
    UnknownOperation,
    #[error(transparent)]
    Database(#[from] sqlite::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Error {
    /// The code of the query protocol, which SDKs show and batch entries carry.
    pub(crate) fn code(&self) -> &'static str {
        self.names().1
    }

    /// Whether the caller is at fault.
    pub(crate) fn is_senders_fault(&self) -> bool {
        !matches!(self, Self::Database(_))
    }

    /// The shape's name and the query protocol's code.
    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::QueueDoesNotExist(_) => ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
            Self::QueueNameExists(_) => ("QueueNameExists", "QueueAlreadyExists"),
            Self::ReceiptHandleIsInvalid => ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
            Self::MessageNotInflight => ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
            Self::InvalidParameter { .. } => ("InvalidParameterValueException", "InvalidParameterValue"),
            Self::MissingParameter(_) => ("MissingRequiredParameterException", "MissingParameter"),
            Self::InvalidAttributeName(_) => ("InvalidAttributeName", "InvalidAttributeName"),
            Self::InvalidAttributeValue { .. } => ("InvalidAttributeValue", "InvalidAttributeValue"),
            Self::InvalidMessageContents => ("InvalidMessageContents", "InvalidMessageContents"),
            Self::EmptyBatch => ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
            Self::TooManyEntries(_) => (
                "TooManyEntriesInBatchRequest",
                "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            ),
            Self::EntryIdsNotDistinct(_) => (
                "BatchEntryIdsNotDistinct",
                "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            ),
            Self::InvalidEntryId(_) => ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
            Self::BatchTooLong(_) => ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
            Self::Unsupported(_) => ("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"),
            Self::Malformed(_) => ("SerializationException", "MalformedInput"),
            Self::UnknownOperation => ("UnknownOperationException", "InvalidAction"),
            Self::Database(_) => ("InternalFailure", "InternalFailure"),
        }
    }

    /// The error as the protocol sends it. Logs it if the engine is at fault.
    pub(crate) fn into_failure(self) -> Failure {
        if matches!(self, Self::UnknownOperation) {
            return json::unknown_operation();
        }
        let (shape, code) = self.names();
        let mut failure = Failure {
            status: StatusCode::BAD_REQUEST,
            shape: format!("com.amazonaws.sqs#{shape}"),
            query_code: Some(code),
            message: self.to_string(),
        };
        if !self.is_senders_fault() {
            tracing::error!(error = %self, "a queue operation failed");
            failure.status = StatusCode::INTERNAL_SERVER_ERROR;
            failure.message = "an internal error".into();
        }
        failure
    }
}
