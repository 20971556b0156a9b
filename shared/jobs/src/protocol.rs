//! The life of a job: one pure function lists every legal change.
//!
//! ```text
//!              claim                       succeed
//!  PENDING ───────────────▶ PROGRESS ───────────────▶ SUCCESS
//!     │  ◀───────────────── │  │  ▲ │
//!     │    retry, continue  │  │  └─┘ progress, commit, claim after the lease ran out
//!     │                     │  └────────────────────▶ FAILURE   fail; retry or sweep when no attempt is left
//!     └──────────▶ REVOKED ◀┘ revoke
//! ```
//!
//! Every event but [`Event::Claim`], [`Event::Revoke`] and [`Event::Sweep`] carries the epoch of the worker that sends
//! it, and is refused unless that is the newest. A state that has ended refuses everything.

use serde::{Deserialize, Serialize};

use crate::{Committed, JobError, Outcome, Percentage, Status, Timestamp};

/// The bounds of a job's life. All times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How often a job may be started. Default 5.
    pub max_attempts: u32,
    /// How long a claim holds without being renewed. Default 60,000.
    pub lease_ms: i64,
    /// How long the sweeper leaves a waiting job alone before it sends another message; doubles each time. Default 60,000.
    pub grace_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            lease_ms: 60_000,
            grace_ms: 60_000,
        }
    }
}

/// Where a job is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// The word.
    pub status: Status,
    /// The current stage, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// How far. Never falls within an attempt, never moves after the end.
    pub percentage: Percentage,
    /// How often it was started.
    pub attempt: u32,
    /// Grows at every claim. Only the holder of the newest may write.
    pub epoch: u64,
    /// Until when the claimer holds it without renewing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// A waiting job may not be claimed before this; nothing once it was.
    #[serde(default)]
    pub not_before: Timestamp,
    /// The last invocation ran into its deadline; the next claim goes on with the same attempt.
    #[serde(default)]
    pub continued: bool,
    /// How often the sweeper sent another message since the job began to wait.
    #[serde(default)]
    pub wakes: u32,
    /// When the sweeper must look at it; absent once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When it was first claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Why it failed, or why the last attempt did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
    /// Outputs of stages that need not run again, in the order of the stages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub committed: Vec<Committed>,
    /// What a successful job left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

impl State {
    /// A job just accepted.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            status: Status::Pending,
            stage: None,
            percentage: Percentage::ZERO,
            attempt: 0,
            epoch: 0,
            lease_until: None,
            not_before: now,
            continued: false,
            wakes: 0,
            due_at: Some(now),
            started_at: None,
            finished_at: None,
            error: None,
            committed: Vec::new(),
            outcome: None,
        }
    }

    /// A job just accepted that the sweeper leaves alone for the time of grace.
    #[must_use]
    pub fn accepted(now: Timestamp, limits: &Limits) -> Self {
        Self {
            due_at: Some(now.plus_ms(limits.grace_ms)),
            ..Self::new(now)
        }
    }
}

/// Something that happens to a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// A worker wants it.
    Claim,
    /// The holder is alive, and this far.
    Progress {
        /// The holder's.
        epoch: u64,
        /// The stage it works at.
        stage: String,
        /// How far the whole job is; a smaller value than the stored one changes nothing.
        percentage: Percentage,
    },
    /// The holder stored the output of a stage.
    Commit {
        /// The holder's.
        epoch: u64,
        /// What it stored.
        output: Committed,
    },
    /// Nothing is wrong with the job, but this invocation cannot go on: it nears its deadline, or a service it needs is
    /// throttled. Another one goes on with the same attempt.
    Continue {
        /// The holder's.
        epoch: u64,
        /// How long to wait before that.
        delay_ms: i64,
        /// What it waits for, if not for its turn.
        error: Option<JobError>,
    },
    /// The attempt failed in a way that may pass.
    Retry {
        /// The holder's.
        epoch: u64,
        /// Why.
        reason: String,
        /// How long to wait before the next attempt.
        delay_ms: i64,
    },
    /// The calculation came to its end.
    Succeed {
        /// The holder's.
        epoch: u64,
        /// The stage it came to.
        stage: String,
        /// What it left.
        outcome: Outcome,
    },
    /// The calculation cannot succeed.
    Fail {
        /// The holder's.
        epoch: u64,
        /// The stage it came to.
        stage: String,
        /// Why.
        error: JobError,
    },
    /// Somebody asked to stop it.
    Revoke,
    /// The sweeper looks at it because it is due.
    Sweep,
    /// All workers that could hold it are known to be gone, as when the one process that runs them starts again.
    Release,
}

/// Why an event was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is over.
    #[error("change a job that ended as {0}")]
    Ended(Status),
    /// Only a job in progress can do this.
    #[error("do this to a job that is {0}")]
    NotInProgress(Status),
    /// Another claim is newer.
    #[error("write with epoch {held} after epoch {newest}")]
    Stale {
        /// The epoch of the event.
        held: u64,
        /// The newest epoch.
        newest: u64,
    },
    /// A worker holds it.
    #[error("claim a job that is held until {0}")]
    Held(Timestamp),
    /// It waits before the next attempt.
    #[error("claim a job that waits until {0}")]
    TooEarly(Timestamp),
    /// It was started as often as allowed.
    #[error("start a job after {0} attempts")]
    NoAttemptLeft(u32),
    /// There is nothing to repair yet.
    #[error("repair a job that is not due")]
    NotDue,
}

/// The state after `event` at `now`, or why it is refused. Pure; the store makes it durable.
///
/// # Errors
///
/// [`Refused`] for every pair of state and event that the diagram of this module does not show.
pub fn apply(state: &State, event: &Event, now: Timestamp, limits: &Limits) -> Result<State, Refused> {
    if state.status.is_terminal() {
        return Err(Refused::Ended(state.status));
    }
    let mut next = state.clone();
    match event {
        Event::Claim => claim(&mut next, now, limits)?,
        Event::Progress {
            epoch,
            stage,
            percentage,
        } => {
            held(state, *epoch)?;
            next.stage = Some(stage.clone());
            next.percentage = state.percentage.max(*percentage);
            renew(&mut next, now, limits);
        }
        Event::Commit { epoch, output } => {
            held(state, *epoch)?;
            next.committed.retain(|old| old.stage != output.stage);
            next.committed.push(output.clone());
            renew(&mut next, now, limits);
        }
        Event::Continue { epoch, delay_ms, error } => {
            held(state, *epoch)?;
            wait(&mut next, now, *delay_ms, limits);
            next.error.clone_from(error);
            next.continued = true;
        }
        Event::Retry {
            epoch,
            reason,
            delay_ms,
        } => {
            held(state, *epoch)?;
            if state.attempt >= limits.max_attempts {
                end(&mut next, Status::Failure, now);
                next.error = Some(exhausted(state.attempt, reason));
            } else {
                wait(&mut next, now, *delay_ms, limits);
                next.error = Some(JobError::new("attempt_failed", reason.clone()));
            }
        }
        Event::Succeed { epoch, stage, outcome } => {
            held(state, *epoch)?;
            next.stage = Some(stage.clone());
            end(&mut next, Status::Success, now);
            next.percentage = Percentage::FULL;
            next.error = None;
            next.outcome = Some(outcome.clone());
        }
        Event::Fail { epoch, stage, error } => {
            held(state, *epoch)?;
            next.stage = Some(stage.clone()).filter(|stage| !stage.is_empty());
            end(&mut next, Status::Failure, now);
            next.error = Some(error.clone());
        }
        Event::Revoke => {
            end(&mut next, Status::Revoked, now);
            next.error = None;
        }
        Event::Sweep => sweep(&mut next, now, limits)?,
        Event::Release => release(&mut next, now)?,
    }
    Ok(next)
}

fn held(state: &State, epoch: u64) -> Result<(), Refused> {
    if state.status != Status::Progress {
        return Err(Refused::NotInProgress(state.status));
    }
    if state.epoch != epoch {
        return Err(Refused::Stale {
            held: epoch,
            newest: state.epoch,
        });
    }
    Ok(())
}

fn claim(next: &mut State, now: Timestamp, limits: &Limits) -> Result<(), Refused> {
    match (next.status, next.lease_until) {
        (Status::Progress, Some(until)) if until > now => return Err(Refused::Held(until)),
        (Status::Pending, _) if next.not_before > now => {
            return Err(Refused::TooEarly(next.not_before));
        }
        _ => {}
    }
    if !next.continued {
        if next.attempt >= limits.max_attempts {
            return Err(Refused::NoAttemptLeft(next.attempt));
        }
        next.attempt += 1;
        next.percentage = Percentage::ZERO;
    }
    next.continued = false;
    next.status = Status::Progress;
    next.not_before = Timestamp::default();
    next.epoch += 1;
    next.wakes = 0;
    next.started_at = next.started_at.or(Some(now));
    renew(next, now, limits);
    Ok(())
}

/// The index moves only each half lease, so that most progress writes leave it alone.
fn renew(next: &mut State, now: Timestamp, limits: &Limits) {
    let until = now.plus_ms(limits.lease_ms);
    let grid = (limits.lease_ms / 2).max(1);
    let due = until.ms().div_euclid(grid).saturating_add(1) * grid;
    next.lease_until = Some(until);
    next.due_at = Some(Timestamp::from_ms(due));
}

fn wait(next: &mut State, now: Timestamp, delay_ms: i64, limits: &Limits) {
    next.status = Status::Pending;
    next.lease_until = None;
    next.not_before = now.plus_ms(delay_ms);
    next.wakes = 0;
    next.due_at = Some(next.not_before.plus_ms(limits.grace_ms));
}

fn end(next: &mut State, status: Status, now: Timestamp) {
    next.status = status;
    next.finished_at = Some(now);
    next.lease_until = None;
    next.due_at = None;
}

fn sweep(next: &mut State, now: Timestamp, limits: &Limits) -> Result<(), Refused> {
    if next.due_at.is_none_or(|due| due > now) {
        return Err(Refused::NotDue);
    }
    let expired = next.lease_until.is_some_and(|until| until <= now);
    if next.status == Status::Progress && !expired {
        return Err(Refused::NotDue);
    }
    if !next.continued && next.attempt >= limits.max_attempts {
        let reason = "the worker stopped without a word";
        next.error = Some(exhausted(next.attempt, reason));
        end(next, Status::Failure, now);
        return Ok(());
    }
    let pause = limits.grace_ms << next.wakes.min(6);
    next.wakes += 1;
    next.due_at = Some(now.plus_ms(pause));
    Ok(())
}

/// The lease is void and the sweeper must look at once.
fn release(next: &mut State, now: Timestamp) -> Result<(), Refused> {
    if next.status == Status::Progress {
        if next.lease_until.is_none_or(|until| until <= now) {
            return Err(Refused::NotDue);
        }
        next.lease_until = Some(now);
    }
    next.due_at = Some(now);
    Ok(())
}

fn exhausted(attempts: u32, reason: &str) -> JobError {
    JobError::new(
        "attempts_exhausted",
        format!("gave up after {attempts} attempts; the last one failed: {reason}"),
    )
}

#[cfg(test)]
mod tests;
