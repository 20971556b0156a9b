//! The protocol of jobs, checked exhaustively: every order in which two workers, a sweeper and somebody who revokes can
//! read and write one job, with crashes, lost and doubled messages, and time that passes at any moment.
//!
//! The model calls [`jobs::protocol::apply`], the function that the store calls. What it models itself is what stands
//! around that function: writes on the condition that nobody wrote in between, the queue, and the clock.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod rules;
mod search;
mod world;

use stateright::{Checker, Expectation, HasDiscoveries, Model};
use world::{Protocol, World};

/// The first rule that a protocol is found to break.
fn broken(protocol: Protocol) -> Vec<&'static str> {
    let checker = protocol.checker().finish_when(HasDiscoveries::AnyFailures);
    let found = checker.spawn_bfs().join().discoveries();
    let is_rule = |name: &&str| protocol_rules().contains(name);
    found.into_keys().filter(is_rule).collect()
}

fn protocol_rules() -> Vec<&'static str> {
    let properties = Protocol::default().properties().into_iter();
    let rules = properties.filter(|property| property.expectation == Expectation::Always);
    rules.map(|property| property.name).collect()
}

#[test]
fn the_protocol_holds_whatever_dies_and_in_whatever_order() {
    let checker = Protocol::default().checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.is_done());
}

#[test]
fn every_job_can_still_end_whatever_happened_to_it() {
    let stuck = search::stuck(&Protocol {
        mishaps: 2,
        ..Protocol::default()
    });
    assert_eq!(stuck, None, "nobody but somebody who revokes could end this job");
}

#[test]
fn without_the_epoch_a_late_worker_writes() {
    let broken = broken(Protocol {
        epochs: false,
        ..Protocol::default()
    });
    assert_eq!(broken, ["the holder"]);
}

#[test]
fn without_the_condition_on_writes_changes_are_lost() {
    let broken = broken(Protocol {
        conditions: false,
        ..Protocol::default()
    });
    assert!(broken.contains(&"the winner"), "{broken:?}");
}

#[test]
fn without_the_transaction_an_end_can_go_without_its_event() {
    let protocol = Protocol {
        transactions: false,
        ..Protocol::default()
    };
    assert_eq!(broken(protocol), ["the event"]);
}

#[test]
fn without_the_sweeper_a_lost_message_leaves_a_job_for_ever() {
    let stuck: Option<World> = search::stuck(&Protocol {
        sweeper: false,
        ..Protocol::default()
    });
    assert!(!stuck.unwrap().record.status.is_terminal());
}
