//! The sweeper: finds what was lost, and wakes it.
//!
//! A job that waits without a message, a job whose worker fell silent, a completion event that was not delivered: the
//! index of due things lists them. Sweeping is idempotent and safe to run twice at once, since all it does is ask the
//! state machine and send messages, and a message is only a reason to look.

use futures::future::join_all;
use jobs::pipeline::settle;
use jobs::protocol::Event;
use jobs::{Clients, Due, DuePages, Error, JobId, Status};
use tracing::{Instrument, Span};

/// How long a record that cannot be read is left alone, so that it keeps nothing else waiting. One hour.
const UNREADABLE_MS: i64 = 3_600_000;

/// How much one sweep looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many things a page has. Default 250.
    pub page: i32,
    /// How many pages of each shard are looked at. Default 4. What is due after that is due first in the next sweep.
    pub pages: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { page: 250, pages: 4 }
    }
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Jobs for which a message was sent.
    pub woken: usize,
    /// Jobs that were out of attempts and ended.
    pub ended: usize,
    /// Completion events for which a message was sent.
    pub events: usize,
}

/// Looks at what is due now, all shards side by side. What cannot be looked at is logged, stays due or is put off, and
/// does not keep the rest waiting.
///
/// # Errors
///
/// [`Error::Unavailable`]: it is not known what is due, in a shard at least.
pub async fn sweep(clients: &Clients) -> Result<Swept, Error> {
    sweep_within(clients, &Bounds::default()).await
}

/// As [`sweep`], within other bounds.
///
/// # Errors
///
/// Those of [`sweep`].
pub async fn sweep_within(clients: &Clients, bounds: &Bounds) -> Result<Swept, Error> {
    let now = clients.store.clock().now();
    let shards = clients.store.due(now, bounds.page).into_iter();
    let shards = join_all(shards.map(|pages| sweep_shard(clients, pages, bounds.pages))).await;
    shards.into_iter().try_fold(Swept::default(), |sum, shard| {
        let shard = shard?;
        Ok(Swept {
            woken: sum.woken + shard.woken,
            ended: sum.ended + shard.ended,
            events: sum.events + shard.events,
        })
    })
}

async fn sweep_shard(clients: &Clients, mut pages: DuePages, most: usize) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    for _ in 0..most {
        let Some(page) = pages.next().await? else { break };
        sweep_all(clients, page, &mut swept).await;
    }
    Ok(swept)
}

/// Wakes every unfinished job, when it is known that no worker can hold any: the one process that runs them just
/// started.
///
/// # Errors
///
/// [`Error::Unavailable`]: it is not known what is unfinished.
pub async fn recover(clients: &Clients) -> Result<Swept, Error> {
    let unsettled = clients.store.unsettled().await?;
    for thing in &unsettled {
        if let Due::Job(id) = thing {
            // Refused where nobody holds it any more; such a job is due soon by itself.
            log_failure(*id, clients.store.change(*id, &Event::Release).await);
        }
    }
    let mut swept = Swept::default();
    sweep_all(clients, unsettled, &mut swept).await;
    Ok(swept)
}

/// Hands every held job back without counting its attempt, when it is known that its worker has just been stopped.
///
/// # Errors
///
/// [`Error::Unavailable`]: it is not known what is unfinished.
pub async fn hand_back(clients: &Clients) -> Result<(), Error> {
    for thing in clients.store.unsettled().await? {
        let Due::Job(id) = thing else { continue };
        let Ok(job) = clients.store.get(id).await else {
            continue;
        };
        if job.state.status == Status::Progress {
            let event = Event::Continue {
                epoch: job.state.epoch,
                delay_ms: 0,
                error: None,
            };
            log_failure(id, clients.store.change(id, &event).await);
        }
    }
    Ok(())
}

async fn sweep_all(clients: &Clients, things: Vec<Due>, swept: &mut Swept) {
    for thing in things {
        let (Due::Job(id) | Due::Completion(id)) = thing;
        let look = async {
            let looked = match thing {
                Due::Job(id) => sweep_job(clients, id, swept).await,
                Due::Completion(id) => sweep_completion(clients, id, swept).await,
            };
            if let Err(Error::Corrupt { .. }) = looked {
                let later = clients.store.clock().now().plus_ms(UNREADABLE_MS);
                log_failure(id, clients.store.postpone_unreadable(thing, later).await);
            }
            log_failure(id, looked);
        };
        look.instrument(span(id)).await;
    }
}

/// A refusal means that somebody was faster, and a record that is not there has expired: nothing is wrong then.
fn log_failure<T>(id: JobId, done: Result<T, Error>) {
    match done {
        Ok(_) | Err(Error::Refused(_) | Error::NotFound(_)) => {}
        Err(error) => tracing::error!(job_id = %id, error = error.with_causes(), "left for a later sweep"),
    }
}

/// Each line of the log names the job.
fn span(id: JobId) -> Span {
    tracing::info_span!("job", job_id = %id)
}

async fn sweep_job(clients: &Clients, id: JobId, swept: &mut Swept) -> Result<(), Error> {
    let seen = clients.store.change(id, &Event::Sweep).await?;
    if seen.job().state.status == Status::Failure {
        settle(clients, &seen).await;
        swept.ended += 1;
    } else {
        clients.jobs.send(id, 0).await?;
        swept.woken += 1;
    }
    tracing::info!(status = %seen.job().state.status, "swept");
    Ok(())
}

async fn sweep_completion(clients: &Clients, id: JobId, swept: &mut Swept) -> Result<(), Error> {
    let now = clients.store.clock().now();
    let next_look = now.plus_ms(clients.store.limits().grace_ms);
    clients.store.postpone_completion(id, next_look).await?;
    clients.callbacks.send(id, 0).await?;
    swept.events += 1;
    Ok(())
}
