//! Components, their numbers, and the bow-tie.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use ownership::{ComponentsSummary, Structure, places, structure};
use support::Solved;

fn row(solved: &Solved, name: &str) -> Structure {
    structure(&solved.network, &solved.resolvent)[solved.network.find(name).unwrap() as usize]
}

/// A core of three with every kind of place around it.
fn bow_tie() -> Solved {
    Solved::of(&[
        ("c1", "c2", "0.5"),
        ("c2", "c3", "0.5"),
        ("c3", "c1", "0.5"),
        ("in1", "c1", "0.1"),
        ("in2", "in1", "0.1"),
        ("c2", "out1", "0.1"),
        ("out1", "out2", "0.1"),
        ("in2", "tube1", "0.1"),
        ("tube1", "tube2", "0.1"),
        ("tube2", "out2", "0.1"),
        ("in1", "tendril_down", "0.1"),
        ("tendril_down", "tendril_end", "0.1"),
        ("tendril_up", "out1", "0.1"),
        ("beside", "tendril_down", "0.1"),
        ("far", "away", "0.1"),
        ("away", "far", "0.1"),
    ])
}

#[test]
fn every_place_of_the_bow_tie_is_found() {
    let solved = bow_tie();
    for (name, position) in [
        ("c1", "scc"),
        ("c2", "scc"),
        ("c3", "scc"),
        ("in1", "in"),
        ("in2", "in"),
        ("out1", "out"),
        ("out2", "out"),
        ("tube1", "tube"),
        ("tube2", "tube"),
        ("tendril_down", "tendril"),
        ("tendril_end", "tendril"),
        ("tendril_up", "tendril"),
        ("beside", "other"),
        ("far", "other"),
        ("away", "other"),
    ] {
        assert_eq!(row(&solved, name).position.as_str(), position, "{name}");
    }
}

#[test]
fn components_are_numbered_by_size_and_then_by_name() {
    let solved = bow_tie();
    let place = |name| (row(&solved, name).component, row(&solved, name).component_size);
    assert_eq!([place("c1"), place("c3")], [(1, 3), (1, 3)]);
    assert_eq!([place("away"), place("far")], [(2, 2), (2, 2)]);
    assert_eq!(place("beside"), (3, 1), "the first name of the companies in no ring");
    let summary = solved.resolvent.components();
    assert_eq!((summary.count, summary.largest), (2, 3));
}

#[test]
fn of_equal_rings_the_one_with_the_first_name_is_the_core() {
    let solved = Solved::of(&[
        ("x", "y", "0.5"),
        ("y", "x", "0.5"),
        ("b", "z", "0.5"),
        ("z", "b", "0.5"),
    ]);
    assert_eq!(row(&solved, "z").position.as_str(), "scc");
    assert_eq!(row(&solved, "x").position.as_str(), "other");
}

#[test]
fn without_a_ring_every_place_is_other() {
    let solved = Solved::of(&[("a", "b", "1"), ("b", "b2", "0.5"), ("own", "own", "0.5")]);
    assert!(
        structure(&solved.network, &solved.resolvent)
            .iter()
            .all(|row| row.position.as_str() == "other")
    );
    assert_eq!(solved.resolvent.components().largest, 1);
}

#[test]
fn members_of_a_closed_component_have_no_undisclosed_share() {
    let solved = Solved::of(&[("a", "b", "1"), ("b", "a", "1"), ("a", "below", "0.75")]);
    let (member, below) = (row(&solved, "a"), row(&solved, "below"));
    assert_eq!(
        (member.undisclosed, member.amplification, member.column_sum),
        (None, None, 1.0)
    );
    assert_eq!(
        (below.undisclosed, below.amplification, below.column_sum),
        (Some(0.25), Some(1.0), 0.75)
    );
}

#[test]
fn a_deep_chain_needs_no_deep_stack() {
    let names: Vec<String> = (0..200_000).map(|level| format!("{level:06}")).collect();
    let chain = names.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str(), "1"));
    let network = support::network(chain);
    let resolvent = ownership::Resolvent::new(&network, ownership::OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let balance = resolvent.balance(&network);
    assert_eq!((balance.largest_error, balance.checked), (0.0, 199_999));
    let mut owners = 0;
    let mut emit = |_, pairs: &[ownership::Pair]| {
        owners = pairs.len();
        Ok(())
    };
    ownership::integrated_ownership(&network, &resolvent, 0.5, &[199_999], &mut |_| Ok(()), &mut emit).unwrap();
    assert_eq!(owners, 199_999);
}

#[test]
fn places_need_no_inverse() {
    let stakes = [
        ("P", "A", "0.3"),
        ("A", "B", "0.5"),
        ("B", "A", "0.6"),
        ("B", "C", "0.2"),
        ("C", "C", "0.1"),
    ];
    let solved = Solved::of(&stakes);
    let places = places(&solved.network);
    for (place, whole) in places.into_iter().zip(structure(&solved.network, &solved.resolvent)) {
        assert_eq!((place.undisclosed, place.amplification), (None, None));
        let undisclosed = whole.undisclosed;
        let amplification = whole.amplification;
        assert!(amplification.is_some());
        assert_eq!(
            Structure {
                undisclosed,
                amplification,
                ..place
            },
            whole
        );
    }
    let components = ComponentsSummary::of(&solved.network);
    assert_eq!(components, solved.resolvent.components());
}
