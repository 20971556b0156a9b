//! A floor leaves out what is below it and nothing else: networks whose large
//! rings and long lists make pairs be found by bounds, against power series.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test fails by panicking, and may ask for exact values"
)]

mod support;

use ownership::{
    Error, Network, NetworkBuilder, OnClosed, Pair, Policies, Resolvent, Share, Unit, integrated_ownership_within,
};
use proptest::prelude::*;
use support::{Random, Solved};

/// Makes a network from above to below: persons, a wide mesh, a ring of 40, a
/// layer, small rings, a ring of 36 held by all of these, and companies below.
struct Maker {
    random: Random,
    /// Largest sum of a column, in millionths.
    most: u64,
    stakes: Vec<(usize, usize, u64)>,
    companies: usize,
}

impl Maker {
    fn network(seed: u64, most: u64) -> Network {
        let mut maker = Self {
            random: Random(seed),
            most,
            stakes: Vec::new(),
            companies: 30,
        };
        for holders in [3, 3, 4, 3] {
            maker.layer(20, holders);
        }
        maker.ring(40);
        maker.layer(25, 2);
        for size in [2, 3, 5, 12] {
            maker.ring(size);
        }
        maker.layer(20, 3);
        maker.ring(36);
        maker.layer(60, 1);
        maker.layer(60, 4);
        maker.layer(4, 40);
        maker.build()
    }

    /// Companies that have up to `holders` among all before them.
    fn layer(&mut self, size: usize, holders: usize) {
        let above = self.companies;
        self.companies += size;
        for company in above..above + size {
            let holders = 1 + self.random.below(holders);
            let holders: Vec<usize> = (0..holders).map(|_| self.random.below(above)).collect();
            let sum = self.sum();
            self.hold(company, &holders, sum);
        }
    }

    /// A ring with chords, whose members have holders among all before them.
    fn ring(&mut self, size: usize) {
        let above = self.companies;
        self.companies += size;
        for place in 0..size {
            let next = above + (place + 1) % size;
            let chord = above + self.random.below(size);
            self.hold(above + place, &[next, chord], 600_000);
            let outside = [self.random.below(above), self.random.below(above)];
            let rest = self.random.below(300_000) as u64;
            self.hold(above + place, &outside, rest + 2);
        }
    }

    fn sum(&mut self) -> u64 {
        match self.random.below(3) {
            0 => 1_000_000,
            1 => 500_000,
            _ => self.most,
        }
    }

    fn hold(&mut self, company: usize, holders: &[usize], sum: u64) {
        let weights: Vec<u64> = holders.iter().map(|_| 1 + self.random.next() % 1_000).collect();
        let whole: u64 = weights.iter().sum();
        for (&holder, weight) in holders.iter().zip(weights) {
            let share = (sum * weight / whole).clamp(1, 1_000_000);
            self.stakes.push((holder, company, share));
        }
    }

    fn build(self) -> Network {
        let name = |company: usize| format!("{}-{company:03}", company * 7 % 10);
        let mut builder = NetworkBuilder::new(Policies::default());
        for (row, (holder, company, share)) in (1..).zip(self.stakes) {
            let share = Share::parse(
                &format!("{}.{:06}", share / 1_000_000, share % 1_000_000),
                Unit::Fraction,
            );
            builder.add(&name(holder), &name(company), share.unwrap(), row).unwrap();
        }
        builder.finish().unwrap()
    }
}

/// Column j of `T = W + W^2 + ...`: what is passed from companies to holders,
/// until nothing is.
fn series(network: &Network, company: u32) -> Vec<f64> {
    let mut sum = vec![0.0; network.len()];
    let mut power = vec![0.0; network.len()];
    power[company as usize] = 1.0;
    while power.iter().any(|&share| share > 1e-25) {
        let mut next = vec![0.0; network.len()];
        for (held, &share) in (0..).zip(&power).filter(|(_, share)| **share > 0.0) {
            for (holder, part) in network.holders(held) {
                next[holder as usize] += share * part;
            }
        }
        sum.iter_mut().zip(&next).for_each(|(sum, next)| *sum += next);
        power = next;
    }
    sum
}

fn assert_same_as_series(solved: &Solved) {
    for (company, pairs) in (0..).zip(&solved.pairs) {
        let expected = series(&solved.network, company);
        let mut found = vec![0.0; expected.len()];
        pairs
            .iter()
            .for_each(|pair| found[pair.owner as usize] = pair.integrated);
        for (owner, (&found, expected)) in found.iter().zip(expected).enumerate() {
            let close = (found - expected).abs() <= 1e-12 * expected + 1e-22;
            assert!(close, "T[{owner}][{company}]: {found:e} for {expected:e}");
        }
    }
}

/// What a floor leaves of all pairs, to the last bit, and the sum of the rest.
fn assert_floor_keeps(all: &Solved, floor: f64) {
    let some = Solved::new(all.network.clone(), floor);
    let (mut left, mut mass, mut total) = (0, 0.0, 0.0);
    for (company, (found, whole)) in some.pairs.iter().zip(&all.pairs).enumerate() {
        let (kept, below): (Vec<Pair>, Vec<Pair>) = whole.iter().partition(|pair| pair.integrated >= floor);
        assert_eq!(*found, kept, "owners of {company} at floor {floor:e}");
        left += below.len() as u64;
        mass += below.iter().map(|pair| pair.integrated).sum::<f64>();
        total += whole.iter().map(|pair| pair.integrated).sum::<f64>();
    }
    assert_eq!(some.left_out.pairs, left);
    let error = (some.left_out.mass - mass).abs();
    assert!(error <= 1e-14 * total, "left out {} for {mass}", some.left_out.mass);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn floors_leave_out_nothing_else(seed: u64, most in prop_oneof![Just(900_000_u64), Just(1_200_000)], pick: u64) {
        let all = Solved::new(Maker::network(seed, most), 0.0);
        assert!(all.resolvent.components().largest == 40);
        assert_same_as_series(&all);
        // A pair whose share is the floor itself is kept.
        let shares: Vec<f64> = all.pairs.iter().flatten().map(|pair| pair.integrated).collect();
        let mut random = Random(pick);
        let exact = (0..3).map(|_| shares[random.below(shares.len())]);
        for floor in [1e-6, 0.001, 0.01, 0.05, 0.2, 0.5, 1.0].into_iter().chain(exact) {
            assert_floor_keeps(&all, floor);
        }
    }
}

/// Forty paths through members of a large ring, none of which carries as much
/// as the floor: together they do.
#[test]
fn parallel_paths_below_the_floor_add_up() {
    let mut stakes = Vec::new();
    for member in 0..40 {
        let place = |k: usize| format!("ring{:02}", k % 40);
        stakes.push((place(member + 1), place(member), "0.5".to_owned()));
        stakes.push(("owner".to_owned(), place(member), "0.012".to_owned()));
        stakes.push((place(member), "below".to_owned(), "0.02".to_owned()));
    }
    stakes.push(("owner".to_owned(), "below".to_owned(), "0.0001".to_owned()));
    let rows = stakes.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()));
    let network = support::network(rows);
    // The owner has 0.024 of each member, by the closed form of an even ring,
    // and 0.8 of that and its own stake of what is below.
    let share = 0.0001 + 0.8 * (0.012 / (1.0 - 0.5));
    for floor in [0.019, share * (1.0 - 1e-12)] {
        let solved = Solved::new(network.clone(), floor);
        support::assert_close(solved.integrated("owner", "below"), share, 1e-13);
    }
    let above = Solved::new(network, share * (1.0 + 1e-12));
    assert!(above.pair("owner", "below").is_none());
}

/// Pairs in so many bytes, or how many would do.
fn pairs_within(solved: &Solved, memory: u64) -> Result<Vec<Vec<Pair>>, u64> {
    let order: Vec<u32> = (0..u32::try_from(solved.network.len()).unwrap()).collect();
    let mut pairs = Vec::new();
    let mut emit = |_: u32, found: &[Pair]| {
        pairs.push(found.to_vec());
        Ok(())
    };
    let (network, resolvent) = (&solved.network, &solved.resolvent);
    match integrated_ownership_within(network, resolvent, 0.001, memory, &order, &mut |_| Ok(()), &mut emit) {
        Ok(_) => Ok(pairs),
        Err(Error::NotEnoughMemory { needed, available, .. }) => {
            assert_eq!(available, memory);
            Err(needed)
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_an_error_says_would_do_does_and_gives_the_same_pairs() {
    let solved = Solved::new(Maker::network(5, 900_000), 0.001);
    let needed = pairs_within(&solved, 1000).unwrap_err();
    assert_eq!(pairs_within(&solved, needed - 1), Err(needed));
    let tight = pairs_within(&solved, needed).unwrap();
    assert_eq!(pairs_within(&solved, u64::MAX).as_ref(), Ok(&solved.pairs));
    for (tight, whole) in tight.iter().flatten().zip(solved.pairs.iter().flatten()) {
        assert_eq!(tight.direct, whole.direct);
        support::assert_close(tight.integrated, whole.integrated, 1e-13);
    }
    assert_eq!(tight.concat().len(), solved.pairs.concat().len());
}

#[test]
fn a_ring_that_is_too_large_for_the_memory_is_refused_before_it_is_solved() {
    let network = Maker::network(6, 900_000);
    let within = |memory| Resolvent::within(&network, OnClosed::RingFence, memory, &mut |_| Ok(()));
    let Err(Error::NotEnoughMemory { needed, .. }) = within(1 << 14) else {
        panic!("16 KiB are not enough for 300 companies");
    };
    assert!(within(needed - 1).is_err() && within(needed).is_ok());
}
