use std::fmt::Write as _;

use super::*;

const NOW: Timestamp = Timestamp::from_ms(1_000_000);

fn limits() -> Limits {
    Limits {
        max_attempts: 2,
        lease_ms: 60_000,
        grace_ms: 10_000,
    }
}

/// One state of every kind that the protocol tells apart.
fn states() -> Vec<(&'static str, State)> {
    let pending = State::accepted(NOW.plus_ms(-300_000), &limits());
    let claimed = |state: &State, at| apply(state, &Event::Claim, at, &limits()).unwrap();
    let held = claimed(&pending, NOW);
    let expired = claimed(&pending, NOW.plus_ms(-130_000));
    let waiting = apply(&held, &retry(1, 30_000), NOW, &limits()).unwrap();
    let continued = apply(
        &held,
        &Event::Continue {
            epoch: 1,
            delay_ms: 0,
            error: None,
        },
        NOW,
        &limits(),
    )
    .unwrap();
    let mut last = claimed(&expired, NOW);
    let last_held = last.clone();
    last.lease_until = Some(NOW.plus_ms(-1));
    last.due_at = Some(NOW.plus_ms(-1));
    let mut expired_due = expired.clone();
    expired_due.due_at = Some(NOW.plus_ms(-1));
    let success = apply(&held, &succeed(1), NOW, &limits()).unwrap();
    let failure = apply(&held, &fail(1), NOW, &limits()).unwrap();
    let revoked = apply(&held, &Event::Revoke, NOW, &limits()).unwrap();
    vec![
        ("pending", pending),
        ("pending, waiting to retry", waiting),
        ("pending, continued", continued),
        ("in progress, epoch 1", held),
        ("in progress, lease over", expired_due),
        ("in progress, last attempt", last_held),
        ("in progress, last attempt, lease over", last),
        ("success", success),
        ("failure", failure),
        ("revoked", revoked),
    ]
}

fn retry(epoch: u64, delay_ms: i64) -> Event {
    Event::Retry {
        epoch,
        reason: "throttled".into(),
        delay_ms,
    }
}

fn succeed(epoch: u64) -> Event {
    Event::Succeed {
        epoch,
        stage: "reporting".into(),
        outcome: Outcome::default(),
    }
}

fn fail(epoch: u64) -> Event {
    Event::Fail {
        epoch,
        stage: "building".into(),
        error: JobError::new("share_negative", "row 2"),
    }
}

fn progress(epoch: u64, percentage: u8) -> Event {
    Event::Progress {
        epoch,
        stage: "calculating".into(),
        percentage: Percentage::new(percentage),
    }
}

fn events() -> Vec<(&'static str, Event)> {
    let output = Committed {
        stage: "building".into(),
        key: "k".into(),
        elapsed_ms: 1,
    };
    vec![
        ("claim", Event::Claim),
        ("progress 1", progress(1, 40)),
        ("progress 2", progress(2, 40)),
        ("commit 1", Event::Commit { epoch: 1, output }),
        (
            "continue 1",
            Event::Continue {
                epoch: 1,
                delay_ms: 0,
                error: None,
            },
        ),
        ("retry 1", retry(1, 5_000)),
        ("retry 2", retry(2, 5_000)),
        ("succeed 1", succeed(1)),
        ("succeed 2", succeed(2)),
        ("fail 1", fail(1)),
        ("revoke", Event::Revoke),
        ("sweep", Event::Sweep),
        ("release", Event::Release),
    ]
}

fn describe(state: &State) -> String {
    let ms = |at: Option<Timestamp>| at.map_or_else(|| "-".into(), |at| (at.ms() - NOW.ms()).to_string());
    format!(
        "{} {}% attempt {} epoch {} lease {} due {} committed {} error {}",
        state.status,
        state.percentage.value(),
        state.attempt,
        state.epoch,
        ms(state.lease_until),
        ms(state.due_at),
        state.committed.len(),
        state.error.as_ref().map_or("-", |error| error.code.as_str()),
    )
}

#[test]
fn every_state_meets_every_event() {
    let mut table = String::new();
    for (name, state) in states() {
        writeln!(table, "{name}: {}", describe(&state)).unwrap();
        for (what, event) in events() {
            let outcome = match apply(&state, &event, NOW, &limits()) {
                Ok(next) => describe(&next),
                Err(refused) => format!("refused to {refused}"),
            };
            writeln!(table, "    {what:<11} -> {outcome}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_terminal_state_refuses_everything() {
    for (_, state) in states() {
        if state.status.is_terminal() {
            for (what, event) in events() {
                let refused = apply(&state, &event, NOW, &limits());
                assert_eq!(refused, Err(Refused::Ended(state.status)), "{what}");
            }
        }
    }
}

#[test]
fn percentage_never_falls_within_an_attempt() {
    let held = apply(&State::new(NOW), &Event::Claim, NOW, &limits()).unwrap();
    let far = apply(&held, &progress(1, 60), NOW, &limits()).unwrap();
    let back = apply(&far, &progress(1, 30), NOW, &limits()).unwrap();
    assert_eq!(back.percentage.value(), 60);
    let continued = apply(
        &back,
        &Event::Continue {
            epoch: 1,
            delay_ms: 0,
            error: None,
        },
        NOW,
        &limits(),
    )
    .unwrap();
    let again = apply(&continued, &Event::Claim, NOW, &limits()).unwrap();
    assert_eq!((again.attempt, again.percentage.value()), (1, 60));
}

#[test]
fn a_job_that_only_crashes_ends() {
    let mut state = State::new(NOW);
    let mut now = NOW;
    for _ in 0..20 {
        now = now.plus_ms(10_000_000);
        if let Ok(next) = apply(&state, &Event::Sweep, now, &limits()) {
            state = next;
        }
        if let Ok(next) = apply(&state, &Event::Claim, now, &limits()) {
            state = next;
        }
    }
    assert_eq!(state.status, Status::Failure);
    assert_eq!(state.attempt, limits().max_attempts);
    assert_eq!(state.error.unwrap().code, "attempts_exhausted");
}

#[test]
fn a_claim_leaves_no_trace_of_when_a_job_was_accepted() {
    let limits = Limits::default();
    let now = Timestamp::from_ms(1_000_000);
    let claimed = |accepted: i64| {
        let state = State::accepted(Timestamp::from_ms(accepted), &limits);
        apply(&state, &Event::Claim, now, &limits).unwrap()
    };
    assert_eq!(claimed(0), claimed(1_000_000));
}
