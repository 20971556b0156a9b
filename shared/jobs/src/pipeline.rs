//! Running a job: claim it, run its stages, end it.

mod hold;
mod run;

pub use run::{Run, StageRun};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::{Instrument, Span};

use crate::item::Item;
use crate::protocol::{Event, Refused};
use crate::registry::Runnable;
use crate::shelf::Shelf;
use crate::{Clients, Error, Failure, JobError, JobId, Outcome, Registry, Seen, Status, Timestamp};
use hold::Hold;

/// How a pipeline runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// A stage that took less is cheaper to run again than to commit. Milliseconds; default 500.
    pub commit_after_ms: u64,
    /// How long before its deadline an invocation hands over to another, or a quarter of its time if that is less.
    /// Milliseconds; default 30,000.
    pub margin_ms: i64,
    /// The largest input in bytes, counted after decompression. Default 16 GiB.
    pub max_input_bytes: u64,
    /// The most companies of a network. Default 20 million.
    pub max_companies: u32,
    /// The most stakes of a network. Default 50 million.
    pub max_stakes: u32,
    /// The most memory that a calculation may take, in bytes. Default: as much as there is.
    pub max_memory_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            commit_after_ms: 500,
            margin_ms: 30_000,
            max_input_bytes: 16 << 30,
            max_companies: 20_000_000,
            max_stakes: 50_000_000,
            max_memory_bytes: u64::MAX,
        }
    }
}

/// How long a throttled job waits, in milliseconds; somewhere in between, so that jobs do not return together.
const THROTTLED_MS: std::ops::Range<i64> = 5_000..30_000;

/// What became of a message that said "look at this job".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Executed {
    /// The job ended so.
    Ended(Status),
    /// The job waits again; a message was sent.
    Waits,
    /// There was nothing to start: the job is over, held by another, or unknown.
    Nothing,
}

/// Claims job `id` and runs it to its end, to its next attempt, or to `deadline`. When this returns `Ok`, what became
/// of the job is durable and the message may be forgotten.
///
/// # Errors
///
/// [`Error::Unavailable`]: the store did not answer; the message should come again.
pub async fn execute(
    clients: &Clients,
    registry: &Registry,
    settings: &Settings,
    id: JobId,
    deadline: Option<Timestamp>,
) -> Result<Executed, Error> {
    let seen = match clients.store.claim(id).await {
        Ok(seen) => seen,
        Err(Error::Refused(Refused::TooEarly(until))) => {
            let wait = until.ms() - clients.store.clock().now().ms();
            clients.jobs.send(id, wait).await?;
            return Ok(Executed::Nothing);
        }
        Err(Error::Refused(_) | Error::NotFound(_)) => return Ok(Executed::Nothing),
        Err(error) => return Err(error),
    };
    let job = seen.job().clone();
    let epoch = job.state.epoch;
    let attempt = job.state.attempt;
    let hold = Arc::new(Hold::new(clients.store.clone(), seen));
    let shelf = Shelf::new(clients, &job);
    let beating = Beating::start(Arc::clone(&hold));
    let ended = match registry.get(&job.job_type).map(|found| found.stages) {
        Ok(stages) => {
            let work = registry.make(&job.job_type, &job.parameters.0);
            let (clients, hold) = (clients.clone(), Arc::clone(&hold));
            let run = Run::new(clients, hold, shelf.clone(), job, stages, *settings, deadline);
            run_on_a_thread(run, work).await
        }
        Err(error) => Err(Failure::permanent("unknown_job_type", error.to_string())),
    };
    let (ended, with) = match ended {
        Ok(outcome) => match shelf.pack(outcome).await {
            Ok((outcome, with)) => (Ok(outcome), with),
            Err(error) => (Err(error.into()), Vec::new()),
        },
        Err(failure) => (Err(failure), Vec::new()),
    };
    drop(beating);
    let Some(event) = event_of(ended, &hold, epoch, attempt) else {
        return Ok(Executed::Nothing);
    };
    match say(&hold, &event, &with).await {
        Ok(seen) => Ok(settle(clients, &seen).await),
        Err(Error::Refused(_)) => Ok(Executed::Nothing),
        Err(error) => Err(error),
    }
}

/// What an invocation has to say when its work is over; nothing if the job is not its own any more.
fn event_of(ended: Result<Outcome, Failure>, hold: &Hold, epoch: u64, attempt: u32) -> Option<Event> {
    let stage = hold.stage();
    Some(match ended {
        Ok(outcome) => Event::Succeed { epoch, stage, outcome },
        Err(Failure::Permanent(error)) => {
            let error = error.bounded();
            Event::Fail { epoch, stage, error }
        }
        Err(Failure::Throttled(reason)) => {
            tracing::warn!(code = "throttled", attempt, reason, "a service is throttled");
            let text = "a service it needs is asked too much; the job waits and goes on by itself";
            Event::Continue {
                epoch,
                delay_ms: rand::random_range(THROTTLED_MS),
                error: Some(JobError::new("throttled", text)),
            }
        }
        // Once may be bad luck, such as a slow service.
        Err(Failure::TooLong(stage)) if attempt > 1 => Event::Fail {
            epoch,
            stage: stage.to_owned(),
            error: JobError::new("too_long", too_long(stage)),
        },
        Err(Failure::TooLong(stage)) => Event::Retry {
            epoch,
            reason: too_long(stage),
            delay_ms: 0,
        },
        Err(Failure::Transient(reason)) => {
            tracing::warn!(attempt, reason, "attempt failed");
            Event::Retry {
                epoch,
                reason: "a service it needs did not answer, or the calculation broke off".to_owned(),
                delay_ms: backoff_ms(attempt),
            }
        }
        Err(Failure::Continue) => Event::Continue {
            epoch,
            delay_ms: 0,
            error: None,
        },
        Err(Failure::Stopped(_)) => return None,
    })
}

fn too_long(stage: &str) -> String {
    format!(
        "stage {stage} did not finish within one invocation of the worker; a higher floor makes it shorter, more memory \
         for the worker makes it faster"
    )
}

/// Writes what an invocation has to say. A store that is throttled or away at this moment is asked a few times more:
/// what is not said costs the next worker an attempt.
async fn say(hold: &Hold, event: &Event, with: &[Item]) -> Result<Seen, Error> {
    for pause in [500, 1_000, 2_000, 4_000] {
        match hold.change_with(event, with).await {
            Err(Error::Unavailable { .. }) => sleep(Duration::from_millis(pause)).await,
            said => return said,
        }
    }
    hold.change_with(event, with).await
}

/// The heart of a held job. When it is dropped, as when the whole process stops, the calculation is told to stop too.
struct Beating {
    hold: Arc<Hold>,
    beat: JoinHandle<()>,
}

impl Beating {
    fn start(hold: Arc<Hold>) -> Self {
        let beat = tokio::spawn(Arc::clone(&hold).beat().in_current_span());
        Self { hold, beat }
    }
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.hold.stop();
        self.beat.abort();
    }
}

async fn run_on_a_thread(mut run: Run, work: Result<Runnable, Failure>) -> Result<Outcome, Failure> {
    let work = work?;
    let span = Span::current();
    let thread = Handle::current().spawn_blocking(move || {
        let _entered = span.entered();
        catch_unwind(AssertUnwindSafe(|| work(&mut run))).unwrap_or_else(|panic| {
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            let said = said.unwrap_or("without a word");
            Err(Failure::Transient(format!("the calculation panicked: {said}")))
        })
    });
    thread
        .await
        .unwrap_or_else(|error| Err(Failure::Transient(error.to_string())))
}

/// Sends the message that follows a change of a job: to the notifier at its end, to a worker when it waits. The store
/// already knows; a message that is lost here is sent again by the sweeper.
pub async fn settle(clients: &Clients, seen: &Seen) -> Executed {
    let job = seen.job();
    let sent = match job.state.status {
        status if status.is_terminal() && (job.callback_url.is_some() || clients.bus.is_some()) => {
            clients.callbacks.send(job.id, 0).await
        }
        Status::Pending => {
            let wait = job.state.not_before.ms() - clients.store.clock().now().ms();
            clients.jobs.send(job.id, wait).await
        }
        _ => Ok(()),
    };
    if let Err(error) = sent {
        tracing::warn!(job_id = %job.id, error = error.with_causes(), "left to the sweeper");
    }
    if job.state.status.is_terminal() {
        let code = job.state.error.as_ref().map(|error| error.code.as_str());
        tracing::info!(job_id = %job.id, status = %job.state.status, code, attempt = job.state.attempt, "job ended");
        return Executed::Ended(job.state.status);
    }
    Executed::Waits
}

/// Exponential from one second, at most a minute, with jitter so that jobs that failed together do not return together.
fn backoff_ms(attempt: u32) -> i64 {
    let most = 1_000_i64 << attempt.saturating_sub(1).min(6);
    let most = most.min(60_000);
    rand::random_range(most / 2..=most)
}
