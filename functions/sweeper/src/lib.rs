//! The sweeper: finds what was lost, and wakes it.
//!
//! A job that waits without a message, a job whose worker fell silent, a completion event that was not delivered: the
//! index of due things lists them. Sweeping is idempotent and safe to run twice at once, since all it does is ask the
//! state machine and send messages, and a message is only a reason to look.

use jobs::pipeline::settle;
use jobs::protocol::Event;
use jobs::{Clients, Due, Error, JobId, Status};
use tracing::{Instrument, Span};

/// How many things of each shard one sweep looks at.
const PAGE: i32 = 250;

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

/// Looks at what is due now. What cannot be looked at is logged, stays due, and does not keep the rest waiting.
///
/// # Errors
///
/// [`Error::Unavailable`]: it is not known what is due.
pub async fn sweep(clients: &Clients) -> Result<Swept, Error> {
    let now = clients.store.clock().now();
    let due = clients.store.due(now, PAGE).await?;
    Ok(sweep_all(clients, due).await)
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
    Ok(sweep_all(clients, unsettled).await)
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

async fn sweep_all(clients: &Clients, things: Vec<Due>) -> Swept {
    let mut swept = Swept::default();
    for thing in things {
        match thing {
            Due::Job(id) => log_failure(id, sweep_job(clients, id, &mut swept).instrument(span(id)).await),
            Due::Completion(id) => {
                log_failure(id, sweep_completion(clients, id, &mut swept).instrument(span(id)).await)
            }
        }
    }
    swept
}

/// A refusal means that somebody was faster, and a record that is not there has expired: nothing is wrong then.
fn log_failure<T>(id: JobId, done: Result<T, Error>) {
    match done {
        Ok(_) | Err(Error::Refused(_) | Error::NotFound(_)) => {}
        Err(error) => tracing::error!(job_id = %id, error = error.with_causes(), "left for the next sweep"),
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
