//! The sweeper: finds what was lost, and wakes it.
//!
//! A job that waits without a message, a job whose worker fell silent, a completion event that was not delivered: the
//! index of due things lists them. Sweeping is idempotent and safe to run twice at once, since all it does is ask the
//! state machine and send messages, and a message is only a reason to look.

use jobs::pipeline::settle;
use jobs::protocol::Event;
use jobs::{Clients, Due, Error, JobId, Status};

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

/// Looks at what is due now.
///
/// # Errors
///
/// [`Error::Unavailable`]; what was not looked at stays due.
pub async fn sweep(clients: &Clients) -> Result<Swept, Error> {
    let now = clients.store.clock().now();
    let due = clients.store.due(now, PAGE).await?;
    let mut swept = Swept::default();
    for thing in due {
        match thing {
            Due::Job(id) => sweep_job(clients, id, &mut swept).await?,
            Due::Completion(id) => sweep_completion(clients, id, &mut swept).await?,
        }
    }
    Ok(swept)
}

/// Wakes every unfinished job, when it is known that no worker can hold any: the one process that runs them just
/// started.
///
/// # Errors
///
/// [`Error::Unavailable`].
pub async fn recover(clients: &Clients) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    for thing in clients.store.unsettled().await? {
        match thing {
            Due::Job(id) => {
                // Refused where the lease is over already; the sweep below finds it all the same.
                match clients.store.change(id, &Event::Release).await {
                    Ok(_) | Err(Error::Refused(_) | Error::NotFound(_)) => {}
                    Err(error) => return Err(error),
                }
                sweep_job(clients, id, &mut swept).await?;
            }
            Due::Completion(id) => sweep_completion(clients, id, &mut swept).await?,
        }
    }
    Ok(swept)
}

async fn sweep_job(clients: &Clients, id: JobId, swept: &mut Swept) -> Result<(), Error> {
    let seen = match clients.store.change(id, &Event::Sweep).await {
        Ok(seen) => seen,
        // Somebody was faster, or the record expired.
        Err(Error::Refused(_) | Error::NotFound(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    if seen.job().state.status == Status::Failure {
        settle(clients, &seen).await?;
        swept.ended += 1;
    } else {
        clients.jobs.send(id, 0).await?;
        swept.woken += 1;
    }
    tracing::info!(job_id = %id, status = %seen.job().state.status, "swept");
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
