//! What must never happen, looked for at each write by other means than the protocol's own.

use jobs::Status;
use jobs::protocol::{Event, State};

/// Which rules were broken on the way here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "one for each rule")]
pub(crate) struct Rules {
    /// A change of status that the diagram does not have.
    pub(crate) other_arc: bool,
    /// A job changed after its end.
    pub(crate) changed_after_end: bool,
    /// Somebody wrote as holder who was not the newest.
    pub(crate) written_by_another: bool,
    /// A percentage fell within an attempt.
    pub(crate) percentage_fell: bool,
    /// A stage ran after it was committed.
    pub(crate) stage_ran_again: bool,
    /// There were more attempts than allowed, or one was counted that did not start work.
    pub(crate) attempts_miscounted: bool,
    /// Stages that were ever committed.
    committed: usize,
}

impl Rules {
    /// Looks at a write by somebody who claimed at epoch `held`, if it is a holder's.
    pub(crate) fn check(&mut self, old: &State, new: &State, event: &Event, held: Option<u64>, max_attempts: u32) {
        let arc = matches!(
            (old.status, new.status),
            (Status::Pending, Status::Pending | Status::Progress | Status::Revoked) | (Status::Progress, _)
        );
        self.other_arc |= !arc && !old.status.is_terminal();
        self.changed_after_end |= old.status.is_terminal();
        self.written_by_another |= held.is_some_and(|held| held != old.epoch);
        let started = new.attempt - old.attempt.min(new.attempt);
        self.percentage_fell |= started == 0 && new.percentage < old.percentage;
        self.attempts_miscounted |=
            new.attempt < old.attempt || new.attempt > max_attempts || started > u32::from(*event == Event::Claim);
        self.committed = self.committed.max(new.committed.len());
    }

    /// A worker that just claimed the job begins with stage `stage`.
    pub(crate) const fn begin(&mut self, stage: usize) {
        self.stage_ran_again |= stage < self.committed;
    }
}
