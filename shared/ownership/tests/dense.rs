//! Agreement with a dense inverse in twice the precision.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use ownership::{Network, NetworkBuilder, Policies, Share, Unit};
use proptest::prelude::*;
use support::reference::{Expected, Matrix, matrix};
use support::{Random, Solved};

const ONE: u64 = 1_000_000_000_000_000_000;

/// Stakes with shares in units of `1e-18`.
type Stakes = Vec<(String, String, u64)>;

fn build(stakes: &Stakes) -> Network {
    let mut builder = NetworkBuilder::new(Policies::default());
    for (row, (owner, owned, units)) in (1..).zip(stakes) {
        let text = format!("{}.{:018}", units / ONE, units % ONE);
        builder
            .add(owner, owned, Share::parse(&text, Unit::Fraction).unwrap(), row)
            .unwrap();
    }
    builder.finish().unwrap()
}

fn dense(network: &Network, stakes: &Stakes) -> Matrix {
    matrix(
        network,
        stakes
            .iter()
            .map(|(owner, owned, units)| (owner.as_str(), owned.as_str(), *units)),
    )
}

/// Compares every entry of T, and that no other pair is emitted.
fn assert_agrees(solved: &Solved, expected: &Expected) {
    let companies = solved.network.len();
    let largest = expected.v.iter().flatten().map(|entry| entry.0).fold(1.0, f64::max);
    // Leaks below zero are subtracted from; everything else is right entry by entry.
    let tolerance = if expected.dirty { 1e-13 * largest } else { 1e-12 };
    for (j, pairs) in solved.pairs.iter().enumerate() {
        if expected.group[j].is_some() {
            assert!(pairs.is_empty(), "a member of a closed component has no owners");
            continue;
        }
        let mut found = vec![(0.0, 0.0); expected.v.len()];
        for pair in pairs {
            found[pair.owner as usize] = (pair.integrated, pair.corrected);
        }
        for (i, row) in expected.v.iter().enumerate() {
            let t = if i == j { row[j].0 - 1.0 } else { row[j].0 };
            // What is computed without subtraction here is a difference there,
            // with a rest of its rounding where it ought to be 0.
            let slack = if i == j { 1e-14 * row[j].0 } else { 1e-28 * largest };
            let (integrated, corrected) = found[i];
            assert!(
                (integrated - t).abs() <= tolerance * t.abs() + slack,
                "T[{i}][{j}]: {integrated:e} for {t:e}"
            );
            let ratio = t / expected.v[i][i].0;
            assert!(
                (corrected - ratio).abs() <= 2.0 * tolerance * ratio.abs() + slack,
                "corrected[{i}][{j}]"
            );
        }
        for owner in (0..companies).filter(|&owner| expected.group[owner].is_some()) {
            assert_eq!(found[owner].0, 0.0, "a member of a closed component owns as its group");
        }
    }
}

fn name(company: usize) -> String {
    // Names whose order is not that of their numbers.
    format!("{}-{company}", company * 7 % 10)
}

/// Splits `total` units by weights, exactly.
fn split(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u64 = weights.iter().sum();
    let part = |weight: u64| u64::try_from(u128::from(total) * u128::from(weight) / u128::from(sum)).unwrap();
    let mut parts: Vec<u64> = weights.iter().map(|&weight| part(weight)).collect();
    let rest = total - parts.iter().sum::<u64>();
    *parts.last_mut().unwrap() += rest;
    parts
}

/// Columns of up to 12 companies: holders with weights, and the sum in percent.
fn columns(sums: impl Strategy<Value = u64> + Clone) -> impl Strategy<Value = Stakes> {
    (2_usize..12)
        .prop_flat_map(move |companies| {
            let holders = prop::collection::vec((0..companies, 1_u64..100), 0..4);
            prop::collection::vec((holders, sums.clone()), companies)
        })
        .prop_map(|columns| {
            let mut stakes = Vec::new();
            for (company, (holders, percent)) in columns.into_iter().enumerate() {
                let weights: Vec<u64> = holders.iter().map(|&(_, weight)| weight).collect();
                if !weights.is_empty() {
                    for (&(holder, _), units) in holders.iter().zip(split(percent * (ONE / 100), &weights)) {
                        // A split may come out over one where the column is far over.
                        stakes.push((name(holder), name(company), units.min(ONE)));
                    }
                }
            }
            stakes
        })
        .prop_filter("a network has stakes", |stakes| !stakes.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Cycles, closed components, holders recorded twice and holdings of
    /// oneself all come up here, because holders are drawn freely.
    #[test]
    fn clean_networks_agree(stakes in columns(prop_oneof![Just(100_u64), 1_u64..100])) {
        let solved = Solved::new(build(&stakes), 0.0);
        assert_agrees(&solved, &Expected::of(&dense(&solved.network, &stakes)));
        let balance = solved.resolvent.balance(&solved.network);
        assert!(balance.largest_error < 1e-14, "owners sum to one: {balance:?}");
        assert!(solved.resolvent.residual() < 1e-14);
    }

    #[test]
    fn networks_with_columns_over_one_agree(stakes in columns(prop_oneof![Just(100_u64), 1_u64..100, 101_u64..160])) {
        let solved = Solved::new(build(&stakes), 0.0);
        let expected = Expected::of(&dense(&solved.network, &stakes));
        let largest = expected.v.iter().flatten().map(|entry| entry.0).fold(1.0, f64::max);
        prop_assume!(largest < 1e9);
        assert_agrees(&solved, &expected);
    }
}

/// A ring of `size` companies that hold each other entirely, but for
/// `outside` units of one, which P holds; with a few companies below and a
/// holder above P.
fn near_closed(size: usize, outside: u64, random: &mut Random) -> Stakes {
    let mut stakes = vec![
        ("P".to_owned(), "r0".to_owned(), outside),
        ("Q".to_owned(), "P".to_owned(), ONE / 4),
    ];
    for company in 0..size {
        let mut holders = vec![(company + 1) % size];
        holders.extend((0..3).map(|_| random.below(size)));
        let weights: Vec<u64> = holders.iter().map(|_| 1 + random.next() % 1000).collect();
        let total = if company == 0 { ONE - outside } else { ONE };
        for (holder, units) in holders.into_iter().zip(split(total, &weights)) {
            stakes.push((format!("r{holder}"), format!("r{company}"), units));
        }
    }
    for below in 0..3 {
        stakes.push((format!("r{}", random.below(size)), format!("s{below}"), ONE / 3));
        stakes.push((format!("r{}", random.below(size)), format!("s{below}"), ONE / 7));
    }
    stakes
}

/// One size a kind of block: closed forms, scalar elimination, one split, and
/// several.
#[test]
fn nearly_closed_rings_are_right_entry_by_entry() {
    let mut random = Random(1);
    for (size, outside) in [
        (2, 1),
        (3, 1_000_000),
        (17, 1_000_000),
        (48, 1_000),
        (49, 1_000_000),
        (230, 1_000_000),
    ] {
        let stakes = near_closed(size, outside, &mut random);
        let solved = Solved::new(build(&stakes), 0.0);
        let expected = Expected::of(&dense(&solved.network, &stakes));
        let mut entries = 0;
        for (j, pairs) in solved.pairs.iter().enumerate() {
            for pair in pairs {
                let i = pair.owner as usize;
                let v = expected.v[i][j].0;
                let t = if i == j { v - 1.0 } else { v };
                assert!(
                    (pair.integrated - t).abs() <= 1e-12 * t,
                    "{size}: T[{i}][{j}] is {:e}, not {t:e}",
                    pair.integrated
                );
                entries += 1;
            }
        }
        assert!(entries > size * size);
        assert!(
            (solved.integrated("P", "r1") - 1.0).abs() < 1e-12,
            "nobody else is outside"
        );
        assert_eq!(solved.resolvent.findings()[0].code, "near_singular_component");
    }
}

/// Rings above rings, each with its own outside holders: `sizes` from above.
fn stacked(sizes: &[usize], random: &mut Random) -> Stakes {
    let mut stakes = Vec::new();
    for (ring, &size) in sizes.iter().enumerate() {
        for company in 0..size {
            let mut holders = vec![format!("ring{ring}-{}", (company + 1) % size)];
            holders.extend((0..4).map(|_| format!("ring{ring}-{}", random.below(size))));
            holders.push(format!("person{}", random.below(40)));
            if ring > 0 && random.below(3) == 0 {
                let above = random.below(ring);
                holders.push(format!("ring{above}-{}", random.below(sizes[above])));
            }
            let weights: Vec<u64> = holders.iter().map(|_| 1 + random.next() % 1000).collect();
            let total = if random.below(2) == 0 { ONE } else { ONE / 10 * 9 };
            for (holder, units) in holders.into_iter().zip(split(total, &weights)) {
                stakes.push((holder, format!("ring{ring}-{company}"), units));
            }
        }
    }
    stakes
}

#[test]
fn several_large_rings_agree() {
    let stakes = stacked(&[60, 7, 210, 2, 55], &mut Random(2));
    let solved = Solved::new(build(&stakes), 0.0);
    assert_agrees(&solved, &Expected::of(&dense(&solved.network, &stakes)));
    assert_eq!(solved.resolvent.components().count, 5);
    assert!(solved.resolvent.residual() < 1e-14);
    assert!(solved.resolvent.balance(&solved.network).largest_error < 1e-13);
}

/// Columns over one inside a ring of several blocks: of the 150 companies every
/// fifth is over one within the ring, the others leave enough outside.
#[test]
fn a_large_ring_with_columns_over_one_agrees() {
    let mut random = Random(6);
    let mut stakes = Vec::new();
    for company in 0..150 {
        let holders = [(company + 1) % 150, random.below(150), random.below(150)];
        let total = if company % 5 == 0 {
            ONE / 100 * 104
        } else {
            ONE / 100 * 90
        };
        for (holder, units) in holders.into_iter().zip(split(total, &[500, 300, 200])) {
            stakes.push((format!("r{holder}"), format!("r{company}"), units));
        }
    }
    let solved = Solved::new(build(&stakes), 0.0);
    let expected = Expected::of(&dense(&solved.network, &stakes));
    assert!(expected.dirty && expected.group.iter().all(Option::is_none));
    assert_agrees(&solved, &expected);
    assert_eq!(solved.resolvent.balance(&solved.network).checked, 0);
}

/// Layers of companies, each held by three of the layers above: so many owners
/// that most companies can't keep a list of them.
#[test]
fn wide_and_deep_networks_without_cycles_agree() {
    let (width, depth) = (60, 60);
    let mut random = Random(8);
    let mut stakes = Vec::new();
    for company in width..width * depth {
        let layer = company / width;
        let holders: Vec<usize> = (0..3)
            .map(|k| (layer - 1 - k % layer.min(2)) * width + random.below(width))
            .collect();
        for (holder, units) in holders.iter().zip(split(ONE, &[1, 1, 1])) {
            stakes.push((format!("{holder:04}"), format!("{company:04}"), units));
        }
    }
    let network = build(&stakes);
    let solved = Solved::new(network, 0.0);
    let companies = solved.network.len();
    let name = |company: usize| solved.network.name(u32::try_from(company).unwrap());
    assert!((1..companies).all(|company| name(company - 1) < name(company)));
    // Names are in the order of layers, so owners come before what they own.
    let mut v = vec![vec![0.0; companies]; companies];
    for j in 0..companies {
        v[j][j] = 1.0;
        for (k, share) in solved.network.holders(u32::try_from(j).unwrap()) {
            let (above, below) = v.split_at_mut(j);
            above[k as usize]
                .iter()
                .zip(&mut below[0])
                .for_each(|(part, sum)| *sum += part * share);
        }
        let mut found = vec![0.0; companies];
        solved.pairs[j]
            .iter()
            .for_each(|pair| found[pair.owner as usize] = pair.integrated);
        for i in (0..companies).filter(|&i| i != j) {
            assert!(
                (found[i] - v[j][i]).abs() <= 1e-13 * v[j][i],
                "T[{i}][{j}]: {} for {}",
                found[i],
                v[j][i]
            );
        }
    }
}
