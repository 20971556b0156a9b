//! The queue that wakes: a message says which job, and nothing else.

use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};

use crate::{Error, JobId};

/// The body of every message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The job to look at. All else stands in the store.
    pub job_id: JobId,
}

/// A queue to send to.
#[derive(Debug, Clone)]
pub struct Queue {
    pub(crate) client: Client,
    url: String,
}

/// SQS delays a message by at most 15 minutes; what must wait longer is woken by the sweeper.
const MAX_DELAY_S: i64 = 900;

impl Queue {
    /// The queue at `url`.
    #[must_use]
    pub const fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Asks for a look at a job, after `delay_ms`. When this returns, the message is durable.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn send(&self, job_id: JobId, delay_ms: i64) -> Result<(), Error> {
        let body = format!("{{\"job_id\":\"{job_id}\"}}");
        // Rounded up: a message that comes early finds a job that may not be claimed yet.
        let delay = delay_ms.saturating_add(999).div_euclid(1000).clamp(0, MAX_DELAY_S);
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(i32::try_from(delay).unwrap_or(0))
            .send()
            .await
            .map_err(Error::unavailable("send a message"))?;
        Ok(())
    }
}
