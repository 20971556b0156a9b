//! The worker: each message of the queue of jobs names one job to claim and run.
//!
//! A message is only a reason to look. Whether there is anything to do, the store decides, so a message that comes
//! twice, late or for a job that is over does no harm.

use std::sync::Arc;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use jobs::pipeline::{Settings, execute};
use jobs::{Clients, Message, MissingSetting, Registry, Timestamp, setting_or};
use tracing::Instrument;

/// Everything a worker needs, made once at start.
#[derive(Debug, Clone)]
pub struct Worker {
    clients: Clients,
    registry: Arc<Registry>,
    settings: Settings,
}

impl Worker {
    /// A worker for the job types of `registry`.
    #[must_use]
    pub fn new(clients: Clients, registry: Registry, settings: Settings) -> Self {
        Self {
            clients,
            registry: Arc::new(registry),
            settings,
        }
    }

    /// Handles a batch of messages; answers with those that should come again. `deadline` is when the invocation is
    /// cut off.
    pub async fn handle(&self, event: SqsEvent, deadline: Option<Timestamp>) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            if let Err(error) = self.handle_one(&message, deadline).await {
                let message_id = message.message_id.unwrap_or_default();
                tracing::error!(message_id, error, "message should come again");
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = message_id;
                response.batch_item_failures.push(failure);
            }
        }
        response
    }

    async fn handle_one(&self, message: &SqsMessage, deadline: Option<Timestamp>) -> Result<(), String> {
        let body = message.body.as_deref().unwrap_or_default();
        let Message { job_id } = serde_json::from_str(body).map_err(|error| format!("read a message: {error}"))?;
        let look = async {
            let executed = execute(&self.clients, &self.registry, &self.settings, job_id, deadline).await;
            tracing::info!(?executed, "looked at a job");
            executed
        };
        // Each line of the log names the job.
        let executed = look.instrument(tracing::info_span!("job", %job_id)).await;
        executed.map(drop).map_err(|error| error.with_causes())
    }
}

/// Reads `COMMIT_AFTER_MS` (500), `DEADLINE_MARGIN_MS` (30000), `MAX_INPUT_BYTES` (16 GiB), `MAX_COMPANIES`
/// (20 million), `MAX_STAKES` (50 million) and `MAX_MEMORY_BYTES` (nine tenths of the function's memory; without a
/// function, of what the machine has free; where it doesn't say, no limit).
///
/// # Errors
///
/// [`MissingSetting`], naming the variable.
pub fn settings_from_env() -> Result<Settings, MissingSetting> {
    let fallback = Settings::default();
    Ok(Settings {
        commit_after_ms: setting_or("COMMIT_AFTER_MS", fallback.commit_after_ms)?,
        margin_ms: setting_or("DEADLINE_MARGIN_MS", fallback.margin_ms)?,
        max_input_bytes: setting_or("MAX_INPUT_BYTES", fallback.max_input_bytes)?,
        max_companies: setting_or("MAX_COMPANIES", fallback.max_companies)?,
        max_stakes: setting_or("MAX_STAKES", fallback.max_stakes)?,
        max_memory_bytes: setting_or("MAX_MEMORY_BYTES", memory()?.unwrap_or(fallback.max_memory_bytes))?,
    })
}

/// Bytes that a calculation may fill; a tenth is left for code and clients.
fn memory() -> Result<Option<u64>, MissingSetting> {
    let function_mib = setting_or("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 0_u64)?;
    let kib = if function_mib > 0 {
        Some(function_mib.saturating_mul(1 << 10))
    } else {
        free_kib()
    };
    Ok(kib.map(|kib| (kib / 10 * 9).saturating_mul(1 << 10)))
}

/// What the machine has free, where it says so as Linux does.
fn free_kib() -> Option<u64> {
    let memory = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse().ok()
}
