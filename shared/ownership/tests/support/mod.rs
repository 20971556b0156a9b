//! What the tests of the whole crate share.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

pub mod reference;

use ownership::{
    LeftOut, Network, NetworkBuilder, OnClosed, Pair, Policies, Resolvent, Share, Unit, integrated_ownership,
};

/// A network of `(owner, owned, share as text)`.
pub fn network<'a>(stakes: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> Network {
    network_with(stakes, Policies::default()).unwrap()
}

pub fn network_with<'a>(
    stakes: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    policies: Policies,
) -> Result<Network, ownership::Error> {
    let mut builder = NetworkBuilder::new(policies);
    for (row, (owner, owned, share)) in (1..).zip(stakes) {
        builder.add(owner, owned, Share::parse(share, Unit::Fraction).unwrap(), row)?;
    }
    builder.finish()
}

/// A network with everything that was computed from it.
pub struct Solved {
    pub network: Network,
    pub resolvent: Resolvent,
    /// For each company, its pairs.
    pub pairs: Vec<Vec<Pair>>,
    pub left_out: LeftOut,
}

impl Solved {
    pub fn new(network: Network, floor: f64) -> Self {
        let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
        let order: Vec<u32> = (0..u32::try_from(network.len()).unwrap()).collect();
        let mut pairs = Vec::new();
        let mut emit = |company: u32, found: &[Pair]| {
            assert_eq!(company as usize, pairs.len(), "companies come in the order asked for");
            pairs.push(found.to_vec());
            Ok(())
        };
        let left_out = integrated_ownership(&network, &resolvent, floor, &order, &mut |_| Ok(()), &mut emit).unwrap();
        assert_eq!(pairs.len(), network.len(), "every company is emitted");
        Self {
            network,
            resolvent,
            pairs,
            left_out,
        }
    }

    pub fn of(stakes: &[(&str, &str, &str)]) -> Self {
        Self::new(network(stakes.iter().copied()), 0.0)
    }

    /// The pair of an owner, who may be a closed group, and a company.
    pub fn pair(&self, owner: &str, owned: &str) -> Option<Pair> {
        let company = self.network.find(owned).unwrap();
        let name = |pair: &Pair| self.resolvent.owner_name(&self.network, pair.owner) == owner;
        self.pairs[company as usize].iter().copied().find(name)
    }

    pub fn integrated(&self, owner: &str, owned: &str) -> f64 {
        self.pair(owner, owned).map_or(0.0, |pair| pair.integrated)
    }

    pub fn corrected(&self, owner: &str, owned: &str) -> f64 {
        self.pair(owner, owned).map_or(0.0, |pair| pair.corrected)
    }
}

#[track_caller]
pub fn assert_close(found: f64, expected: f64, relative: f64) {
    let difference = (found - expected).abs();
    assert!(
        difference <= relative * expected.abs(),
        "found {found:e}, expected {expected:e}"
    );
}

/// A small generator of repeatable numbers (SplitMix64: Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}
