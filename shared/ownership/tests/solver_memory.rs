//! A solver takes no more memory than it says before it begins.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use ownership::{Error, Network, NetworkBuilder, OnClosed, Policies, Share, Solver, Unit};
use peak_alloc::PeakAlloc;
use support::Random;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Who holds whom, by numbers, at a share of their own for each company.
fn network(stakes: impl Iterator<Item = (usize, usize)>, thousandths: f64) -> Network {
    let share = Share::from_f64(thousandths / 1e3, Unit::Fraction).unwrap();
    let mut builder = NetworkBuilder::new(Policies::default());
    for (owner, owned) in stakes {
        builder.add(&owner.to_string(), &owned.to_string(), share, 1).unwrap();
    }
    builder.finish().unwrap()
}

fn check(name: &str, stakes: impl Iterator<Item = (usize, usize)>, thousandths: f64) {
    let before = MEMORY.current_usage();
    let network = network(stakes, thousandths);
    let refused = Solver::direct_within(&network, OnClosed::Fail, 0, &mut |_| Ok(())).unwrap_err();
    let Error::NotEnoughMemory { needed, .. } = refused else {
        panic!("{name}: {refused}")
    };
    MEMORY.reset_peak_usage();
    let solver = Solver::direct(&network, OnClosed::Fail, &mut |_| Ok(())).unwrap();
    let most = (MEMORY.peak_usage() - before) as u64;
    assert!(most <= needed, "{name}: {most} bytes, where {needed} were said");
    drop(solver);
}

// One test alone: what others allocate at the same time would be counted.
#[test]
fn the_most_that_it_takes_is_within_its_bound() {
    let mut random = Random(3);
    let chains = (1..30_000).flat_map(|owned| [owned; 10]);
    check("chains", chains.map(|owned| (random.below(owned), owned)), 10.0);
    let ring = (0..600).flat_map(|owner| (0..600).map(move |owned| (owner, owned)));
    check("ring", ring, 1.0);
    check("selves", (0..50_000).map(|company| (company, company)), 250.0);
    check("pairs", (0..50_000).map(|company| (company ^ 1, company)), 250.0);
    check("leaves", (0..200_000).map(|leaf| (leaf % 1000, 1000 + leaf)), 500.0);
}
