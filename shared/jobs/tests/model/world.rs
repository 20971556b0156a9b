//! Who there is, and what each can do next.

use jobs::protocol::{Event, Limits, State, apply};
use jobs::{Committed, JobError, Outcome, Percentage, Status, Timestamp};
use stateright::{Model, Property};

use crate::rules::Rules;

/// The names of a pipeline's stages; percentages are quarters.
const STAGES: [&str; 2] = ["first", "second"];

/// Time is counted from now on: what lies behind is only that.
const NOW: Timestamp = Timestamp::from_ms(0);
const PAST: Timestamp = Timestamp::from_ms(-1);

/// More messages than workers show nothing new.
const MOST_MESSAGES: u8 = 2;

/// The protocol, or one with a part of it taken away.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    /// Writes of a holder are refused unless its epoch is the newest.
    pub(crate) epochs: bool,
    /// A write is refused if somebody wrote since the writer read.
    pub(crate) conditions: bool,
    /// The event is written with the end.
    pub(crate) transactions: bool,
    /// Somebody looks at what is due.
    pub(crate) sweeper: bool,
    /// How often something may go wrong: a worker dies without a word, a message is lost (or its sender died before it
    /// was sent), a message comes twice, an attempt fails in a way that may pass, an invocation runs into its deadline.
    pub(crate) mishaps: u8,
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            epochs: true,
            conditions: true,
            transactions: true,
            sweeper: true,
            mishaps: 3,
        }
    }
}

/// What somebody knows of the record: as it is, or as it was before somebody else wrote. What it was matters only to a
/// store that would write it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Seen {
    Newest,
    Older(Option<Box<State>>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Worker {
    Idle,
    /// Has read the record and will claim the job.
    Claiming(Seen),
    /// Computes stage `stage`, and has said that it is half through it or not.
    Holding {
        epoch: u64,
        stage: usize,
        half: bool,
        seen: Seen,
    },
    /// Wrote the end and has yet to write the event: only without transactions.
    Telling,
}

impl Worker {
    /// An order, so that two workers who stand the other way round are no other world.
    fn rank(&self) -> (u8, u64, usize, bool, bool) {
        match self {
            Self::Idle => (0, 0, 0, false, false),
            Self::Telling => (1, 0, 0, false, false),
            Self::Claiming(seen) => (2, 0, 0, false, *seen == Seen::Newest),
            Self::Holding {
                epoch,
                stage,
                half,
                seen,
            } => (3, *epoch, *stage, *half, *seen == Seen::Newest),
        }
    }
}

/// Somebody who changes the job once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Once {
    NotYet,
    Changing(Seen),
    Done,
    Refused,
}

/// All there is: one job and everybody who has to do with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// The job's record.
    pub(crate) record: State,
    /// Completion events in the store.
    pub(crate) events: u8,
    messages: u8,
    workers: [Worker; 2],
    sweeper: Option<Seen>,
    revoker: Once,
    /// What can still go wrong.
    mishaps: u8,
    pub(crate) rules: Rules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// A worker takes a message and reads the record.
    Take(usize),
    /// It writes what it has to.
    Claim(usize),
    Progress(usize),
    Commit(usize),
    Continue(usize),
    Retry(usize),
    Fail(usize),
    Succeed(usize),
    Tell(usize),
    Crash(usize),
    ReadToSweep,
    Sweep,
    ReadToRevoke,
    Revoke,
    LoseMessage,
    DoubleMessage,
    /// The clock comes to the next moment that matters.
    Tick,
}

impl Action {
    /// Whether it happens by itself if nothing goes wrong.
    pub(crate) const fn is_fair(self) -> bool {
        matches!(
            self,
            Self::Take(_)
                | Self::Claim(_)
                | Self::Commit(_)
                | Self::Succeed(_)
                | Self::Tell(_)
                | Self::ReadToSweep
                | Self::Sweep
                | Self::Tick
        )
    }
}

/// Two attempts; a lease of two ticks, which keeps the record's moments few.
const LIMITS: Limits = Limits {
    max_attempts: 2,
    lease_ms: 2,
    grace_ms: 1,
};

/// What became of a write.
enum Wrote {
    Done,
    /// Somebody else was faster: the writer knows the newest record now, and will decide anew.
    Lost,
    Refused,
}

impl Protocol {
    /// Applies `event` as the store does: to what the writer saw, on the condition that it is still so. A writer that
    /// loses reads again.
    fn write(&self, world: &mut World, seen: &Seen, event: Event) -> Wrote {
        let old = world.record.clone();
        let known = match seen {
            Seen::Newest => &old,
            Seen::Older(Some(state)) => state,
            Seen::Older(None) => return Wrote::Lost,
        };
        let held = epoch_of(&event);
        let event = if self.epochs {
            event
        } else {
            with_epoch(event, known.epoch)
        };
        let Ok(new) = apply(known, &event, NOW, &LIMITS) else {
            return Wrote::Refused;
        };
        world.rules.check(&old, &new, &event, held, LIMITS.max_attempts);
        world.make_older(&old, self.conditions);
        let ended = new.status.is_terminal();
        world.record = normal(new, 0);
        // Without transactions, it is workers that write the event afterwards.
        if ended && (self.transactions || held.is_none()) {
            world.events += 1;
        }
        Wrote::Done
    }

    fn claim(&self, world: &mut World, worker: usize, seen: &Seen) {
        world.workers[worker] = match self.write(world, seen, Event::Claim) {
            Wrote::Done => {
                let stage = world.record.committed.len();
                world.rules.begin(stage);
                Worker::Holding {
                    epoch: world.record.epoch,
                    stage,
                    half: false,
                    seen: Seen::Newest,
                }
            }
            Wrote::Lost => Worker::Claiming(Seen::Newest),
            Wrote::Refused => {
                // Too early: the message is sent again, to come later.
                if world.record.status == Status::Pending && world.record.not_before > NOW {
                    world.send();
                }
                Worker::Idle
            }
        };
    }

    fn hold(&self, world: &mut World, action: Action, worker: usize) -> Option<()> {
        let Worker::Holding {
            epoch,
            stage,
            half,
            seen,
        } = world.workers[worker].clone()
        else {
            return None;
        };
        let event = event_of(action, epoch, stage);
        let wrote = self.write(world, &seen, event);
        let holding = |stage, half, seen| Worker::Holding {
            epoch,
            stage,
            half,
            seen,
        };
        world.workers[worker] = match (wrote, action) {
            (Wrote::Lost, _) => holding(stage, half, Seen::Newest),
            (Wrote::Refused, _) => Worker::Idle,
            (Wrote::Done, Action::Progress(_)) => holding(stage, true, Seen::Newest),
            (Wrote::Done, Action::Commit(_)) => holding(stage + 1, false, Seen::Newest),
            (Wrote::Done, _) => {
                if world.record.status == Status::Pending {
                    world.send();
                }
                if world.record.status.is_terminal() && !self.transactions {
                    Worker::Telling
                } else {
                    Worker::Idle
                }
            }
        };
        Some(())
    }

    fn sweep(&self, world: &mut World, seen: &Seen) {
        world.sweeper = match self.write(world, seen, Event::Sweep) {
            Wrote::Done => {
                if !world.record.status.is_terminal() {
                    world.send();
                }
                None
            }
            Wrote::Lost => Some(Seen::Newest),
            Wrote::Refused => None,
        };
    }

    fn revoke(&self, world: &mut World, seen: &Seen) {
        world.revoker = match self.write(world, seen, Event::Revoke) {
            Wrote::Done => Once::Done,
            Wrote::Lost => Once::Changing(Seen::Newest),
            Wrote::Refused => Once::Refused,
        };
    }

    fn actions_of(&self, worker: usize, world: &World, actions: &mut Vec<Action>) {
        match &world.workers[worker] {
            Worker::Idle if world.messages > 0 => actions.push(Action::Take(worker)),
            Worker::Idle => return,
            Worker::Claiming(_) => actions.push(Action::Claim(worker)),
            Worker::Telling => actions.push(Action::Tell(worker)),
            Worker::Holding { stage, half, .. } => {
                if *stage < STAGES.len() {
                    actions.push(Action::Commit(worker));
                    actions.push(Action::Fail(worker));
                    if !half {
                        actions.push(Action::Progress(worker));
                    }
                    if world.mishaps > 0 {
                        actions.extend([Action::Retry(worker), Action::Continue(worker)]);
                    }
                } else {
                    actions.push(Action::Succeed(worker));
                }
            }
        }
        if world.mishaps > 0 && world.workers[worker] != Worker::Idle {
            actions.push(Action::Crash(worker));
        }
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            record: normal(State::accepted(NOW, &LIMITS), 0),
            events: 0,
            messages: 1,
            workers: [Worker::Idle, Worker::Idle],
            sweeper: None,
            revoker: Once::NotYet,
            mishaps: self.mishaps,
            rules: Rules::default(),
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for worker in 0..world.workers.len() {
            self.actions_of(worker, world, actions);
        }
        if self.sweeper {
            match &world.sweeper {
                None if world.record.due_at.is_some_and(|due| due <= NOW) => actions.push(Action::ReadToSweep),
                None => {}
                Some(_) => actions.push(Action::Sweep),
            }
        }
        match &world.revoker {
            Once::NotYet => actions.push(Action::ReadToRevoke),
            Once::Changing(_) => actions.push(Action::Revoke),
            Once::Done | Once::Refused => {}
        }
        if world.messages > 0 && world.mishaps > 0 {
            actions.push(Action::LoseMessage);
        }
        if world.messages > 0 && world.messages < MOST_MESSAGES && world.mishaps > 0 {
            actions.push(Action::DoubleMessage);
        }
        if world.next_moment().is_some() {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Take(worker) => {
                world.messages -= 1;
                world.workers[worker] = Worker::Claiming(Seen::Newest);
            }
            Action::Claim(worker) => {
                let Worker::Claiming(seen) = before.workers[worker].clone() else {
                    return None;
                };
                self.claim(&mut world, worker, &seen);
            }
            Action::Progress(worker) | Action::Commit(worker) | Action::Fail(worker) | Action::Succeed(worker) => {
                self.hold(&mut world, action, worker)?;
            }
            Action::Continue(worker) => {
                world.mishaps -= 1;
                self.hold(&mut world, action, worker)?;
            }
            Action::Retry(worker) => {
                world.mishaps -= 1;
                self.hold(&mut world, action, worker)?;
            }
            Action::Tell(worker) => {
                world.events += 1;
                world.workers[worker] = Worker::Idle;
            }
            Action::Crash(worker) => {
                // Its message comes again.
                world.mishaps -= 1;
                world.workers[worker] = Worker::Idle;
                world.send();
            }
            Action::ReadToSweep => world.sweeper = Some(Seen::Newest),
            Action::Sweep => self.sweep(&mut world, before.sweeper.as_ref()?),
            Action::ReadToRevoke => world.revoker = Once::Changing(Seen::Newest),
            Action::Revoke => {
                let Once::Changing(seen) = &before.revoker else {
                    return None;
                };
                self.revoke(&mut world, seen);
            }
            Action::LoseMessage => {
                world.mishaps -= 1;
                world.messages -= 1;
            }
            Action::DoubleMessage => {
                world.mishaps -= 1;
                world.messages += 1;
            }
            Action::Tick => world.tick(),
        }
        // Workers are alike.
        world.workers.sort_by_key(Worker::rank);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("the arcs", |_, world: &World| !world.rules.other_arc),
            Property::always("the end", |_, world: &World| !world.rules.changed_after_end),
            Property::always("the holder", |_, world: &World| !world.rules.written_by_another),
            Property::always("the percentage", |_, world: &World| !world.rules.percentage_fell),
            Property::always("the stages", |_, world: &World| !world.rules.stage_ran_again),
            Property::always("the attempts", |_, world: &World| !world.rules.attempts_miscounted),
            Property::always("the winner", |_, world: &World| {
                world.revoker != Once::Done || world.record.status == Status::Revoked
            }),
            Property::always("the event", |_, world: &World| {
                let told = world.workers.contains(&Worker::Telling);
                world.events == u8::from(world.record.status.is_terminal() && !told)
            }),
            // What the model must be able to show, or it shows nothing.
            Property::sometimes("a worker takes over from another", |_, world: &World| {
                world.record.epoch == 2 && world.record.status == Status::Success
            }),
            Property::sometimes("two workers believe that they hold the job", |_, world: &World| {
                world
                    .workers
                    .iter()
                    .all(|worker| matches!(worker, Worker::Holding { .. }))
            }),
            Property::sometimes("a revoke comes too late", |_, world: &World| {
                world.revoker == Once::Refused
            }),
            Property::sometimes("no attempt is left", |_, world: &World| {
                let error = world.record.error.as_ref();
                error.is_some_and(|error| error.code == "attempts_exhausted")
            }),
        ]
    }
}

impl World {
    fn send(&mut self) {
        self.messages = MOST_MESSAGES.min(self.messages + 1);
    }

    /// The record is about to change: what others saw is what it was.
    fn make_older(&mut self, old: &State, forget: bool) {
        for seen in self.seen() {
            if *seen == Seen::Newest {
                *seen = Seen::Older((!forget).then(|| Box::new(old.clone())));
            }
        }
    }

    fn seen(&mut self) -> impl Iterator<Item = &mut Seen> {
        let workers = self.workers.iter_mut().filter_map(|worker| match worker {
            Worker::Claiming(seen) | Worker::Holding { seen, .. } => Some(seen),
            Worker::Idle | Worker::Telling => None,
        });
        let revoker = match &mut self.revoker {
            Once::Changing(seen) => Some(seen),
            _ => None,
        };
        workers.chain(self.sweeper.as_mut()).chain(revoker)
    }

    fn next_moment(&self) -> Option<i64> {
        let record = &self.record;
        let moments = [record.lease_until, record.due_at, Some(record.not_before)];
        moments
            .into_iter()
            .flatten()
            .map(Timestamp::ms)
            .filter(|ms| *ms > 0)
            .min()
    }

    fn tick(&mut self) {
        let passed = self.next_moment().unwrap_or(0);
        self.record = normal(self.record.clone(), passed);
        for seen in self.seen() {
            if let Seen::Older(Some(state)) = seen {
                **state = normal((**state).clone(), passed);
            }
        }
    }
}

/// The state when `passed` more has passed, without what tells states apart that behave alike.
fn normal(mut state: State, passed: i64) -> State {
    let shift = |at: Timestamp| at.plus_ms(-passed).max(PAST);
    state.lease_until = state.lease_until.map(shift);
    state.due_at = state.due_at.map(shift);
    state.not_before = shift(state.not_before);
    state.started_at = state.started_at.map(|_| PAST);
    state.finished_at = state.finished_at.map(|_| PAST);
    state.wakes = state.wakes.min(1);
    state
}

fn event_of(action: Action, epoch: u64, stage: usize) -> Event {
    let name = STAGES.get(stage).copied().unwrap_or("last").to_owned();
    let percentage = |quarters: usize| Percentage::new(u8::try_from(25 * quarters).unwrap());
    match action {
        Action::Progress(_) => Event::Progress {
            epoch,
            stage: name,
            percentage: percentage(2 * stage + 1),
        },
        Action::Commit(_) => Event::Commit {
            epoch,
            output: Committed {
                stage: name,
                key: String::new(),
                elapsed_ms: 0,
            },
        },
        Action::Continue(_) => Event::Continue {
            epoch,
            delay_ms: 0,
            error: None,
        },
        Action::Retry(_) => Event::Retry {
            epoch,
            reason: String::new(),
            delay_ms: 1,
        },
        Action::Fail(_) => Event::Fail {
            epoch,
            stage: name,
            error: JobError::new("bad", ""),
        },
        _ => Event::Succeed {
            epoch,
            stage: name,
            outcome: Outcome::default(),
        },
    }
}

/// The epoch of the writer, if the event is a holder's.
const fn epoch_of(event: &Event) -> Option<u64> {
    match event {
        Event::Progress { epoch, .. }
        | Event::Commit { epoch, .. }
        | Event::Continue { epoch, .. }
        | Event::Retry { epoch, .. }
        | Event::Succeed { epoch, .. }
        | Event::Fail { epoch, .. } => Some(*epoch),
        Event::Claim | Event::Revoke | Event::Sweep | Event::Release => None,
    }
}

/// The event as if nobody looked at its epoch.
fn with_epoch(mut event: Event, newest: u64) -> Event {
    match &mut event {
        Event::Progress { epoch, .. }
        | Event::Commit { epoch, .. }
        | Event::Continue { epoch, .. }
        | Event::Retry { epoch, .. }
        | Event::Succeed { epoch, .. }
        | Event::Fail { epoch, .. } => *epoch = newest,
        Event::Claim | Event::Revoke | Event::Sweep | Event::Release => {}
    }
    event
}
