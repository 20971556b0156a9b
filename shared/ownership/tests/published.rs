//! Networks whose answers are published or can be worked out by hand.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use support::{Solved, assert_close};

/// Vitali, Glattfelder, Battiston 2011, "The network of global corporate
/// control", supporting information 3.4.
const SIX_FIRMS: [(&str, &str, &str); 12] = [
    ("1", "2", "0.1"),
    ("2", "3", "0.5"),
    ("2", "4", "0.5"),
    ("2", "5", "0.2"),
    ("3", "2", "0.3"),
    ("3", "5", "0.2"),
    ("4", "2", "0.3"),
    ("4", "5", "0.6"),
    ("5", "2", "0.3"),
    ("5", "3", "0.5"),
    ("5", "4", "0.5"),
    ("5", "6", "1.0"),
];

#[test]
fn six_firms_of_vitali_glattfelder_battiston() {
    let solved = Solved::of(&SIX_FIRMS);
    // Rows are owners. The network value of firm 5 is 1 + the sum of its row.
    let integrated = [
        [0.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        [0.0, 9.0, 10.0, 10.0, 10.0, 10.0],
        [0.0, 5.0, 31.0 / 6.0, 31.0 / 6.0, 16.0 / 3.0, 16.0 / 3.0],
        [0.0, 9.0, 9.5, 9.5, 10.0, 10.0],
        [0.0, 10.0, 65.0 / 6.0, 65.0 / 6.0, 32.0 / 3.0, 35.0 / 3.0],
        [0.0; 6],
    ];
    let amplification = [1.0, 10.0, 37.0 / 6.0, 10.5, 35.0 / 3.0, 1.0];
    for (i, row) in integrated.iter().enumerate() {
        for (j, &expected) in row.iter().enumerate() {
            let (owner, owned) = ((i + 1).to_string(), (j + 1).to_string());
            assert_close(solved.integrated(&owner, &owned), expected, 1e-13);
            assert_close(solved.corrected(&owner, &owned), expected / amplification[i], 1e-13);
        }
    }
    let total: f64 = (1..=6).map(|owned| solved.integrated("5", &owned.to_string())).sum();
    assert_close(1.0 + total, 55.0, 1e-13);
}

#[test]
fn ring_with_five_percent_outside_belongs_to_the_outsider() {
    // The network `simple_cycle` of CSI-ADS/OptimControl.
    let solved = Solved::of(&[
        ("0", "1", "0.05"),
        ("1", "2", "0.15"),
        ("2", "3", "0.15"),
        ("3", "1", "0.1"),
        ("1", "3", "0.85"),
        ("3", "2", "0.85"),
        ("2", "1", "0.85"),
    ]);
    for owned in ["1", "2", "3"] {
        assert_close(solved.integrated("0", owned), 1.0, 1e-13);
    }
    for (owned, amplification) in [("1", 20.0), ("2", 20.974_212_034_383_96), ("3", 20.0)] {
        let company = solved.network.find(owned).unwrap();
        assert_close(solved.resolvent.amplification(company).unwrap(), amplification, 1e-13);
    }
}

#[test]
fn chain_multiplies() {
    // The network `simple_chain` of CSI-ADS/OptimControl.
    let solved = Solved::of(&[
        ("0", "1", "0.9"),
        ("1", "2", "0.51"),
        ("2", "3", "0.3"),
        ("2", "4", "0.9"),
    ]);
    for (owner, owned, share) in [
        ("0", "2", 0.459),
        ("0", "3", 0.1377),
        ("0", "4", 0.4131),
        ("1", "3", 0.153),
        ("1", "4", 0.459),
    ] {
        assert_close(solved.integrated(owner, owned), share, 1e-15);
    }
    assert_eq!(solved.pair("0", "2").unwrap().direct, 0.0);
    assert_eq!(solved.pair("3", "4"), None);
}

#[test]
fn chains_add_up() {
    // "Multiple indirect ownership 2" of the Beneficial Ownership Data Standard.
    let solved = Solved::of(&[("P", "B", "1"), ("P", "C", "1"), ("B", "A", "0.4"), ("C", "A", "0.2")]);
    assert_close(solved.integrated("P", "A"), 0.6, 1e-15);
}

#[test]
fn treasury_shares_count_for_the_other_owners() {
    // Brioschi, Buzzacchi, Colombo 1989: own shares on the diagonal of W.
    let solved = Solved::of(&[("P", "F", "0.9"), ("F", "F", "0.1")]);
    assert_close(solved.integrated("P", "F"), 1.0, 1e-15);
    assert_close(solved.integrated("F", "F"), 1.0 / 9.0, 1e-15);
    assert_close(solved.corrected("F", "F"), 0.1, 1e-15);
    assert_close(
        solved
            .resolvent
            .amplification(solved.network.find("F").unwrap())
            .unwrap(),
        1.0 / 0.9,
        1e-15,
    );
}

#[test]
fn what_a_company_holds_of_itself_through_a_weak_cycle_is_not_lost() {
    // 1e-9 of each other: of itself 1e-18, which 1 + 1e-18 can't show.
    let solved = Solved::of(&[("A", "B", "1e-9"), ("B", "A", "1e-9")]);
    assert_close(solved.integrated("A", "A"), 1e-18, 1e-15);
}

#[test]
fn cycle_of_pycon_my_2015() {
    // Shulhi Sapli, "Who owns what? Graph theory application".
    let solved = Solved::of(&[
        ("A", "Foo", "0.33"),
        ("Bar", "Foo", "0.34"),
        ("C", "Foo", "0.33"),
        ("Foo", "Bar", "0.5"),
        ("B", "Bar", "0.5"),
    ]);
    let cycle = 1.0 / (1.0 - 0.34 * 0.5);
    assert_close(solved.integrated("A", "Bar"), 0.33 * 0.5 * cycle, 1e-14);
    assert_close(solved.integrated("C", "Bar"), 0.33 * 0.5 * cycle, 1e-14);
    assert_close(solved.integrated("B", "Foo"), 0.5 * 0.34 * cycle, 1e-14);
    assert_close(solved.integrated("A", "Bar"), 0.198_795_18, 1e-8);
    assert_close(solved.integrated("B", "Foo"), 0.204_819_28, 1e-7);
}

#[test]
fn five_companies_with_a_cycle_below_two_persons() {
    let solved = Solved::of(&[
        ("alice", "H", "0.6"),
        ("bob", "H", "0.4"),
        ("H", "B", "0.7"),
        ("G", "B", "0.1"),
        ("bob", "B", "0.2"),
        ("B", "G", "0.8"),
        ("H", "G", "0.2"),
    ]);
    assert_close(solved.integrated("bob", "B"), 0.530_434_782_609, 1e-12);
    assert_close(solved.integrated("alice", "G"), 0.495_652_173_913, 1e-12);
    let balance = solved.resolvent.balance(&solved.network);
    assert!(balance.largest_error < 1e-15 && balance.checked == 3 && balance.unchecked == 0);
    let components = solved.resolvent.components();
    assert_eq!(
        (components.count, components.largest, components.closed.len()),
        (1, 2, 0)
    );
}

#[test]
fn undisclosed_shares_are_inherited() {
    let network = support::network([("P", "H", "0.6"), ("H", "T", "0.5")]);
    let solved = Solved::new(network, 0.0);
    let undisclosed = |name: &str| {
        let company = solved.network.find(name).unwrap();
        ownership::structure(&solved.network, &solved.resolvent)[company as usize]
            .undisclosed
            .unwrap()
    };
    assert_close(undisclosed("H"), 0.4, 1e-15);
    assert_close(undisclosed("T"), 0.7, 1e-15);
    assert_eq!(undisclosed("P"), 0.0);
    assert_close(solved.integrated("P", "T"), 0.3, 1e-15);
}

/// It is printed as it is, and `-0` would be.
#[test]
fn who_holds_nothing_directly_holds_zero() {
    let solved = Solved::of(&[("A", "Foo", "0.33"), ("Bar", "Foo", "0.34"), ("Foo", "Bar", "0.5")]);
    let direct = solved.pair("A", "Bar").unwrap().direct;
    assert_eq!(direct.to_bits(), 0.0_f64.to_bits());
}
