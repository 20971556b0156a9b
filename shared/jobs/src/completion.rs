//! The completion event of a job, and the attempts to deliver it.

use serde::{Deserialize, Serialize};

use crate::{Job, JobId, Status, Timestamp};

/// What is known about the delivery of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Nobody asked to be told.
    None,
    /// Not yet acknowledged.
    Pending,
    /// Acknowledged.
    Delivered,
    /// Given up; can be replayed.
    Dead,
}

/// The one completion event of a job, written in the same transaction as the job's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The identity that every delivery carries, for ever.
    pub event_id: String,
    /// The job.
    pub job_id: JobId,
    /// `job.succeeded`, `job.failed` or `job.revoked`.
    pub event_type: String,
    /// When the job ended.
    pub occurred_at: Timestamp,
    /// Where to, with `{job_id}` filled in; absent when nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How it stands.
    pub delivery: Delivery,
    /// How many attempts were made.
    pub tries: u32,
    /// How many of them since the last replay; the retry schedule counts these.
    pub round: u32,
    /// No attempt is made before this.
    #[serde(default)]
    pub not_before: Timestamp,
    /// When the sweeper must look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When its record may be forgotten.
    pub expires_at: Timestamp,
}

impl Completion {
    /// The event of a job that just ended. Absent while it has not.
    #[must_use]
    pub fn of(job: &Job, grace_ms: i64) -> Option<Self> {
        let event_type = match job.state.status {
            Status::Success => "job.succeeded",
            Status::Failure => "job.failed",
            Status::Revoked => "job.revoked",
            Status::Pending | Status::Progress => return None,
        };
        let occurred_at = job.state.finished_at.unwrap_or(job.created_at);
        let url = job
            .callback_url
            .as_ref()
            .map(|url| url.replace("{job_id}", &job.id.to_string()));
        Some(Self {
            event_id: format!("evt_{}", job.id),
            job_id: job.id,
            event_type: event_type.to_owned(),
            occurred_at,
            delivery: if url.is_some() {
                Delivery::Pending
            } else {
                Delivery::None
            },
            due_at: url.is_some().then(|| occurred_at.plus_ms(grace_ms)),
            url,
            tries: 0,
            not_before: occurred_at,
            round: 0,
            expires_at: job.expires_at,
        })
    }
}

/// One attempt to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryTry {
    /// Counts from 1.
    pub number: u32,
    /// When it was made.
    pub at: Timestamp,
    /// How long it took.
    pub elapsed_ms: u64,
    /// The receiver's HTTP status, where it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no good answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
