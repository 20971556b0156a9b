//! Bounds of integrated shares, against every share that could be chosen.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use ownership::*;
use proptest::prelude::*;
use support::reference::{self, Double, Matrix};
use support::{Random, Solved, assert_close};

const SIZE: usize = 5;
/// A whole company, in the units of these tests.
const WHOLE: u64 = 1_000;

/// Owner, company, and the bounds of the stake in thousandths.
type Range = (usize, usize, u64, u64);

fn share(thousandths: u64) -> Share {
    Share::parse(&format!("{thousandths}e-3"), Unit::Fraction).unwrap()
}

fn network(stakes: &[Range], ranges: ImputedShare) -> Network {
    let mut batch = Batch::default();
    let name = |company: usize| company.to_string();
    (0..SIZE).for_each(|company| batch.push(&name(company), &name(company), Share::default(), 0));
    for &(owner, owned, lower, upper) in stakes {
        batch.push_range(&name(owner), &name(owned), share(lower), share(upper), 1);
    }
    let mut builder = NetworkBuilder::new(Policies {
        ranges,
        ..Policies::default()
    });
    builder.append(&mut batch).unwrap();
    builder.finish().unwrap()
}

/// (lower, upper) of every pair of an owner and a company.
fn bounds(solved: &Solved) -> Vec<Vec<(f64, f64)>> {
    let (network, resolvent) = (&solved.network, &solved.resolvent);
    let mut all = vec![vec![(0.0, 0.0); SIZE]; SIZE];
    for (company, pairs) in solved.pairs.iter().enumerate() {
        for pair in pairs {
            all[pair.owner as usize][company] = (pair.integrated, pair.integrated);
        }
    }
    let found = share_bounds(network, resolvent, &|_| true, 0.0, usize::MAX, &mut |_| Ok(())).unwrap();
    assert!(found.is_sorted_by_key(|pair| (pair.company, pair.owner)));
    for pair in found {
        all[pair.owner as usize][pair.company as usize] = (pair.lower, pair.upper);
    }
    all
}

/// Stakes whose lower bounds leave something of every company.
fn possible(stakes: BTreeMap<(usize, usize), (u64, u64)>) -> Vec<Range> {
    let sum = |column: usize| {
        stakes
            .iter()
            .filter(|((_, j), _)| *j == column)
            .map(|(_, ends)| ends.0.min(ends.1))
            .sum::<u64>()
    };
    let scaled = |j: usize, end: u64| end * (WHOLE - 50) / sum(j).max(WHOLE);
    stakes
        .iter()
        .map(|(&(i, j), &(a, b))| (i, j, scaled(j, a.min(b)), if a == b { scaled(j, a) } else { a.max(b) }))
        .collect()
}

/// The matrix of a choice: of each column, what its stakes have more than their lower bounds, by order of preference.
fn matrix(stakes: &[Range], more: impl Fn(usize, &[Range]) -> Vec<u64>) -> Matrix {
    let mut w = vec![vec![Double::ZERO; SIZE]; SIZE];
    for company in stakes.iter().map(|stake| stake.1).collect::<BTreeSet<_>>() {
        let column: Vec<Range> = stakes.iter().copied().filter(|stake| stake.1 == company).collect();
        for (&(owner, _, lower, _), more) in column.iter().zip(more(company, &column)) {
            w[owner][company] = Double::units((lower + more) * 1_000_000_000_000_000);
        }
    }
    w
}

/// T of a matrix, unless some companies own each other entirely.
fn integrated(w: &Matrix) -> Option<Vec<Vec<f64>>> {
    let v = reference::resolvent(w)?;
    let entry = |i: usize, j: usize| v[i][j].0 - f64::from(u8::from(i == j));
    let t: Vec<Vec<f64>> = (0..SIZE).map(|i| (0..SIZE).map(|j| entry(i, j)).collect()).collect();
    t.iter()
        .flatten()
        .all(|&entry| (-1e-15..1e9).contains(&entry))
        .then_some(t)
}

fn room(column: &[Range]) -> u64 {
    WHOLE - column.iter().map(|stake| stake.2).sum::<u64>()
}

/// What each stake has more if they are filled up in this order.
fn filled(column: &[Range], order: &[usize]) -> Vec<u64> {
    let mut more = vec![0; column.len()];
    let mut room = room(column);
    for &at in order {
        more[at] = (column[at].3 - column[at].2).min(room);
        room -= more[at];
    }
    more
}

fn orders(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(length - 1);
    let insert = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, length - 1);
        order
    };
    shorter
        .iter()
        .flat_map(|order| (0..length).map(move |at| insert(order, at)))
        .collect()
}

fn policy() -> impl Strategy<Value = ImputedShare> {
    prop_oneof![
        Just(ImputedShare::Midpoint),
        Just(ImputedShare::Lower),
        Just(ImputedShare::Upper)
    ]
}

fn end() -> impl Strategy<Value = (u64, u64)> {
    prop_oneof![
        3 => (0..=WHOLE).prop_map(|share| (share, share)),
        2 => (0..=WHOLE, 0..=WHOLE),
        1 => (0..=WHOLE).prop_map(|share| (0, share)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn whatever_is_chosen_is_within_the_bounds(
        stakes in prop::collection::btree_map((0..SIZE, 0..SIZE), end(), 1..14),
        policy in policy(),
        seed in any::<u64>(),
    ) {
        let stakes = possible(stakes);
        let solved = Solved::new(network(&stakes, policy), 0.0);
        prop_assume!(solved.resolvent.components().closed.is_empty());
        let bounds = bounds(&solved);
        let shares = |i: u32, j: usize| solved.pairs[j].iter().find(|pair| pair.owner == i).map_or(0.0, |pair| pair.integrated);
        let mut random = Random(seed);
        for _ in 0..4 {
            let choices: Vec<u64> = (0..SIZE * SIZE).map(|_| random.next() % (WHOLE + 1)).collect();
            let w = matrix(&stakes, |company, column| {
                let mut left = room(column);
                column.iter().enumerate().map(|(at, stake)| {
                    let more = ((stake.3 - stake.2) * choices[company * SIZE + at] / WHOLE).min(left);
                    left -= more;
                    more
                }).collect()
            });
            let Some(t) = integrated(&w) else { continue };
            for i in 0..SIZE {
                for j in 0..SIZE {
                    let ((lower, upper), found) = (bounds[i][j], t[i][j]);
                    prop_assert!(lower <= found * (1.0 + 1e-10) + 1e-13, "{i} of {j}: {found} below {lower}");
                    prop_assert!(upper >= found * (1.0 - 1e-10) - 1e-13, "{i} of {j}: {found} above {upper}");
                    let share = shares(u32::try_from(i).unwrap(), j);
                    prop_assert!(lower <= share * (1.0 + 1e-10) + 1e-13 && share <= upper * (1.0 + 1e-10) + 1e-13);
                }
            }
        }
    }

    #[test]
    fn bounds_are_attained(
        stakes in prop::collection::btree_map((0..SIZE, 0..SIZE), end(), 1..12),
        policy in policy(),
    ) {
        let mut stakes = possible(stakes);
        // Two companies whose stakes are uncertain, so that all choices can be gone through.
        for stake in &mut stakes {
            stake.3 = if stake.1 > 1 { stake.2 } else { stake.3 };
        }
        let solved = Solved::new(network(&stakes, policy), 0.0);
        prop_assume!(solved.resolvent.components().closed.is_empty());
        let bounds = bounds(&solved);
        let least = integrated(&matrix(&stakes, |_, column| vec![0; column.len()])).unwrap();
        let holders = |company: usize| stakes.iter().filter(|stake| stake.1 == company).count();
        let mut greatest = vec![vec![0.0_f64; SIZE]; SIZE];
        for first in orders(holders(0)) {
            for second in orders(holders(1)) {
                let none = Vec::new();
                let order = |company| [&first, &second].get(company).copied().unwrap_or(&none);
                let chosen = integrated(&matrix(&stakes, |company, column| filled(column, order(company))));
                prop_assume!(chosen.is_some());
                for (greatest, chosen) in greatest.iter_mut().flatten().zip(chosen.unwrap().iter().flatten()) {
                    *greatest = greatest.max(*chosen);
                }
            }
        }
        // The approach in a ring ends before it is there, where that is close to a closed one.
        let largest = greatest.iter().flatten().copied().fold(0.0, f64::max);
        let close = if largest > 20.0 { 0.1 } else { 1e-7 };
        for i in 0..SIZE {
            for j in 0..SIZE {
                let (lower, upper) = bounds[i][j];
                prop_assert!((lower - least[i][j]).abs() <= 1e-9 * least[i][j] + 1e-13, "{i} of {j}: {lower} for {}", least[i][j]);
                prop_assert!((upper - greatest[i][j]).abs() <= close * greatest[i][j] + 1e-12, "{i} of {j}: {upper} for {}", greatest[i][j]);
            }
        }
    }
}

/// `from..to` is a range.
fn solved(stakes: &[(&str, &str, &str)]) -> Solved {
    let mut batch = Batch::default();
    let share = |text: &str| Share::parse(text, Unit::Fraction).unwrap();
    for (row, (owner, owned, text)) in (1..).zip(stakes) {
        let (lower, upper) = text.split_once("..").unwrap_or((text, text));
        batch.push_range(owner, owned, share(lower), share(upper), row);
    }
    let mut builder = NetworkBuilder::new(Policies::default());
    builder.append(&mut batch).unwrap();
    Solved::new(builder.finish().unwrap(), 0.0)
}

fn between(solved: &Solved, owner: &str, owned: &str) -> Option<(f64, f64)> {
    let found = share_bounds(&solved.network, &solved.resolvent, &|_| true, 0.0, 1_000, &mut |_| {
        Ok(())
    })
    .unwrap();
    let company = solved.network.find(owned).unwrap();
    let named = |pair: &&ShareBounds| solved.resolvent.owner_name(&solved.network, pair.owner) == owner;
    let pair = found.iter().filter(|pair| pair.company == company).find(named);
    pair.map(|pair| (pair.lower, pair.upper))
}

#[test]
fn nobody_can_hold_what_the_others_hold() {
    let solved = solved(&[
        ("P", "T", "0.25..0.75"),
        ("Q", "T", "0.4"),
        ("P", "Q", "0.1..0.2"),
        ("T", "S", "0.5"),
    ]);
    assert_eq!(between(&solved, "Q", "T"), None, "its stake is known");
    let (lower, upper) = between(&solved, "P", "T").unwrap();
    assert_close(lower, 0.25 + 0.4 * 0.1, 1e-15);
    assert_close(upper, 0.6 + 0.4 * 0.2, 1e-15);
    let (lower, upper) = between(&solved, "P", "S").unwrap();
    assert_close(lower, 0.145, 1e-15);
    assert_close(upper, 0.34, 1e-15);
}

#[test]
fn what_is_left_of_a_company_goes_to_those_above_whom_the_owner_is() {
    // Together 0.5 to 1.4 of T: it can be H1 and most of H2, but not all of both.
    let solved = solved(&[
        ("H1", "T", "0.25..0.7"),
        ("H2", "T", "0.25..0.7"),
        ("P", "H1", "0.9"),
        ("P", "H2", "0.1"),
    ]);
    let (lower, upper) = between(&solved, "P", "T").unwrap();
    assert_close(lower, 0.25 * 0.9 + 0.25 * 0.1, 1e-15);
    assert_close(upper, 0.7 * 0.9 + 0.3 * 0.1, 1e-15);
}

#[test]
fn a_ring_that_may_be_closed_has_no_upper_bound_but_its_owners_have() {
    let solved = solved(&[
        ("A", "B", "0.5..1"),
        ("B", "A", "0.5..1"),
        ("P", "A", "0..0.5"),
        ("A", "T", "0.5"),
    ]);
    assert_eq!(between(&solved, "A", "T").unwrap().1, f64::INFINITY);
    let (lower, upper) = between(&solved, "P", "T").unwrap();
    assert_eq!(lower, 0.0);
    assert_close(upper, 0.5, 1e-12);
}

#[test]
fn a_closed_group_holds_between_bounds_too() {
    let solved = solved(&[
        ("A", "B", "1"),
        ("B", "A", "1"),
        ("A", "T", "0.25..0.5"),
        ("B", "T", "0.25"),
        ("T", "S", "0.5"),
    ]);
    assert_eq!(between(&solved, "closed-group:1", "T"), Some((0.5, 0.75)));
    assert_eq!(between(&solved, "closed-group:1", "S"), Some((0.25, 0.375)));
}

#[test]
fn a_search_for_bounds_stays_within_its_limit_and_can_be_stopped() {
    let solved = solved(&[("P", "T", "0.25..0.75"), ("P", "S", "0.1..0.2")]);
    let bounds = |floor, limit| {
        share_bounds(&solved.network, &solved.resolvent, &|_| true, floor, limit, &mut |_| {
            Ok(())
        })
    };
    assert_eq!(bounds(0.0, 1), Err(Error::TooManyPairs { limit: 1 }));
    assert_eq!(bounds(0.5, 1).unwrap().len(), 1, "the other is below the floor");
    let stopped = share_bounds(&solved.network, &solved.resolvent, &|_| true, 0.0, 9, &mut |_| {
        Err(Stopped)
    });
    assert_eq!(stopped, Err(Error::Stopped(Stopped)));
}
