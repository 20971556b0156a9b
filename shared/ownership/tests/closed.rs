//! Components that nobody outside holds anything of.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use ownership::{Error, Network, OnClosed, Resolvent};
use support::{Solved, assert_close, network};

fn on_closed(network: &Network, on_closed: OnClosed) -> Result<Resolvent, Error> {
    Resolvent::new(network, on_closed, &mut |_| Ok(()))
}

#[test]
fn a_closed_pair_is_one_owner_of_what_is_below() {
    let solved = Solved::of(&[
        ("A", "B", "1"),
        ("B", "A", "1"),
        ("A", "C", "0.3"),
        ("B", "C", "0.2"),
        ("P", "C", "0.5"),
        ("C", "D", "0.5"),
    ]);
    let group = solved.pair("closed-group:1", "C").unwrap();
    assert_eq!((group.direct, group.integrated, group.corrected), (0.5, 0.5, 0.5));
    assert_eq!(group.owner as usize, solved.network.len());
    assert_close(solved.integrated("closed-group:1", "D"), 0.25, 1e-15);
    assert_close(solved.integrated("P", "D"), 0.25, 1e-15);
    for member in ["A", "B"] {
        let company = solved.network.find(member).unwrap();
        assert!(solved.pairs[company as usize].is_empty());
        assert!(solved.pairs.iter().flatten().all(|pair| pair.owner != company));
        assert_eq!(solved.resolvent.amplification(company), None);
    }
    let closed = solved.resolvent.components().closed;
    assert_eq!(closed[0].members, ["A", "B"]);
    assert!(closed[0].outside_holders.is_empty());
    let balance = solved.resolvent.balance(&solved.network);
    assert!(
        balance.largest_error < 1e-15,
        "C and D are owned by P, the group and nobody else"
    );
    assert_eq!((balance.checked, balance.unchecked), (2, 2));
}

#[test]
fn equal_shares_are_ordered_by_the_name_of_the_group() {
    for (first, second, name) in [
        ("closed-group:1", "closed-zoo", "closed-zoo"),
        ("aaa", "closed-group:1", "aaa"),
    ] {
        let solved = Solved::of(&[("A", "B", "1"), ("B", "A", "1"), ("A", "C", "0.5"), (name, "C", "0.5")]);
        let company = solved.network.find("C").unwrap() as usize;
        let names: Vec<_> = solved.pairs[company]
            .iter()
            .map(|pair| solved.resolvent.owner_name(&solved.network, pair.owner))
            .collect();
        assert_eq!(names, [first, second]);
    }
}

#[test]
fn a_company_may_be_called_like_a_group() {
    let solved = Solved::of(&[("A", "B", "1"), ("B", "A", "1"), ("A", "closed-group:1", "0.5")]);
    assert_eq!(solved.resolvent.components().closed[0].name, "closed-group:2");
}

#[test]
fn failing_names_the_members_of_the_largest() {
    let network = network([("A", "A", "1"), ("X", "Y", "1"), ("Y", "X", "1")]);
    let error = on_closed(&network, OnClosed::Fail).unwrap_err();
    assert_eq!(error.code(), "closed_component");
    let members = vec!["X".to_owned(), "Y".to_owned()];
    assert_eq!(
        error,
        Error::ClosedComponent {
            name: "closed-group:1".to_owned(),
            members
        }
    );
}

#[test]
fn a_claim_on_a_closed_group_is_listed_and_lost() {
    // A holds itself entirely, and P claims another 40%.
    let solved = Solved::of(&[("A", "A", "1"), ("P", "A", "0.4"), ("A", "C", "1")]);
    assert_eq!(solved.pair("P", "C"), None);
    assert_eq!(solved.integrated("closed-group:1", "C"), 1.0);
    let closed = &solved.resolvent.components().closed[0];
    assert_eq!(
        (
            closed.outside_holders[0].owner.as_str(),
            closed.outside_holders[0].share
        ),
        ("P", 0.4)
    );
    let finding = &solved.resolvent.findings()[0];
    assert_eq!((finding.code.as_str(), finding.count), ("closed_component", 1));
    assert!(
        finding.examples[0].contains("0.4 of A held by P"),
        "{}",
        finding.examples[0]
    );
}

#[test]
fn thirds_written_to_sixteen_digits_leave_a_ring_open_by_what_they_lack() {
    let third = "0.3333333333333333";
    let stakes: Vec<_> = ["A", "B", "C"]
        .into_iter()
        .flat_map(|owned| ["A", "B", "C"].map(|owner| (owner, owned, third)))
        .collect();
    let solved = Solved::of(&stakes);
    let amplification = solved.resolvent.amplification(0).unwrap();
    assert_close(amplification, 1.0 + 0.333_333_333_333_333_3 / 1e-16, 1e-12);
    assert_eq!(solved.resolvent.findings()[0].code, "near_singular_component");
}

#[test]
fn columns_that_round_over_one_do_not_open_a_ring() {
    let solved = Solved::of(&[
        ("A", "B", "1"),
        ("B", "A", "0.6666666666666667"),
        ("A", "A", "0.3333333333333334"),
    ]);
    assert_eq!(solved.resolvent.components().closed.len(), 1);
}

#[test]
fn a_dirty_ring_is_closed_exactly_when_it_has_no_positive_inverse() {
    // A and B hold 0.9 of each other, B some of itself. With 0.15 of it the
    // column of B is 1.05 within the ring, but 1 - 0.15 - 0.81 is still
    // positive; with 0.2 it is not.
    for (own, amplification) in [("0.05", Some(0.95 / 0.14)), ("0.15", Some(0.85 / 0.04)), ("0.2", None)] {
        let network = network([("A", "B", "0.9"), ("B", "A", "0.9"), ("B", "B", own), ("P", "B", "0.4")]);
        let found = on_closed(&network, OnClosed::RingFence).unwrap().amplification(0);
        match amplification {
            Some(amplification) => assert_close(found.unwrap(), amplification, 1e-13),
            None => assert_eq!(found, None),
        }
    }
}

#[test]
fn an_inverse_with_negative_entries_is_no_answer() {
    // Every column is over one, or one is far over: `inv` would return numbers.
    let network = network([
        ("A", "B", "1"),
        ("B", "C", "1"),
        ("C", "A", "1"),
        ("A", "C", "1"),
        ("B", "A", "0.5"),
    ]);
    let resolvent = on_closed(&network, OnClosed::RingFence).unwrap();
    assert_eq!(resolvent.components().closed.len(), 1);
}
