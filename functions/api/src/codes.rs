//! The words by which programs tell problems apart.

use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($($name:ident = $word:literal: $meaning:literal,)+) => {
        /// A stable word for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        pub(crate) enum Code {
            $(#[doc = $meaning] #[serde(rename = $word)] $name,)+
        }

        impl Code {
            /// All of them, by their words.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            /// As it goes over the wire.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// A sentence about it.
            pub(crate) const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning),+ }
            }
        }
    };
}

codes! {
    BodyTooLarge = "body_too_large": "The body is larger than the API takes; put a large graph up with POST /uploads.",
    CompanyNotFound = "company_not_found": "The result has no such company.",
    FileExpired = "file_expired": "The file was kept for a while and is gone.",
    IdempotencyKeyInFlight = "idempotency_key_in_flight": "A request with this Idempotency-Key is being answered; ask again in a moment.",
    IdempotencyKeyReused = "idempotency_key_reused": "This Idempotency-Key came before with another body.",
    Internal = "internal": "A defect of the API, or a record that cannot be read; it was logged.",
    InvalidAfter = "invalid_after": "`after` cannot be the name of a company.",
    InvalidCallbackUrl = "invalid_callback_url": "The callback URL is not one that this API calls.",
    InvalidCursor = "invalid_cursor": "The cursor does not come from this list.",
    InvalidIdempotencyKey = "invalid_idempotency_key": "An Idempotency-Key is one header of 1 to 255 visible ASCII characters.",
    InvalidInput = "invalid_input": "The input is neither a list of stakes nor an upload, or is both.",
    InvalidJobId = "invalid_job_id": "A job id is a UUID.",
    InvalidLimit = "invalid_limit": "The limit is outside the range of this list.",
    InvalidOwner = "invalid_owner": "`owner` cannot be the name of an owner.",
    InvalidParameter = "invalid_parameter": "A parameter of the job type has a bad value.",
    InvalidPath = "invalid_path": "The path cannot be read.",
    InvalidPrefix = "invalid_prefix": "`prefix` cannot be the beginning of a company's name.",
    InvalidQuery = "invalid_query": "The query cannot be read, or has a field that this call does not know.",
    InvalidRequest = "invalid_request": "The body is JSON, but not such a request; the field at fault is named.",
    InvalidSearch = "invalid_search": "`search` is longer than a company's name, or came with `prefix`.",
    InvalidStatus = "invalid_status": "There is no such status.",
    InvalidUnit = "invalid_unit": "A unit is fraction or percent.",
    InvalidUpload = "invalid_upload": "An upload id is a UUID.",
    JobBusy = "job_busy": "The job cannot do this in its present state.",
    JobEnded = "job_ended": "The job has ended and cannot change any more.",
    JobNotFailed = "job_not_failed": "Only a FAILURE or REVOKED job is tried again.",
    JobNotFound = "job_not_found": "There is no such job, or its time to be kept is over.",
    JobNotSuccessful = "job_not_successful": "Only a SUCCESS has results.",
    MalformedJson = "malformed_json": "The body is not JSON.",
    MethodNotAllowed = "method_not_allowed": "The path does not take this method.",
    NoSuchPath = "no_such_path": "There is nothing at this path.",
    NothingToDeliver = "nothing_to_deliver": "The job has not ended, or nobody is to be told.",
    ReportNotFound = "report_not_found": "The job has no such report.",
    TooLong = "too_long": "A text is longer than a record holds.",
    Unavailable = "unavailable": "A service behind the API did not answer; ask again in a moment.",
    UnknownFormat = "unknown_format": "There is no such format of stakes; `known` lists those there are.",
    UnknownJobType = "unknown_job_type": "There is no such job type; `known` lists those there are.",
    UnknownParameter = "unknown_parameter": "The job type has no such parameter; `known` lists those it has.",
    UnreadableBody = "unreadable_body": "The body broke off.",
    UnsupportedMediaType = "unsupported_media_type": "Send JSON, with the header Content-Type: application/json.",
    UploadNotFound = "upload_not_found": "Nothing was put under this upload id yet.",
    UploadTooLarge = "upload_too_large": "The file is larger than the API takes.",
    ValuesNeeded = "values_needed": "The job type needs values of companies.",
    ValuesNotTaken = "values_not_taken": "The job type takes no values of companies.",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_as_they_are_listed_and_in_order() {
        let words: Vec<_> = Code::ALL.iter().map(|code| code.word()).collect();
        assert!(words.is_sorted_by(|a, b| a < b), "{words:?}");
        for code in Code::ALL {
            assert_eq!(serde_json::json!(code), code.word());
            assert!(code.meaning().ends_with('.'), "{code:?}");
        }
    }
}
