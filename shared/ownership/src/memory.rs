//! What is kept in memory, counted before it is allocated.
//!
//! | step | bytes |
//! |---|---|
//! | a network | 24 a stake, 28 a company, and names |
//! | its resolvent | 36 a company, 8 n^2 for each ring of n, 16 n^2 more while the largest is inverted |
//! | a solver without one | 72 a company, 40 a stake, 24 n^2 + 640 for each ring of n |
//! | pairs | 60 a company, 60 a stake, 24 an owner and thread, 16 n^2 for each large ring, and [`CHUNKS`] |
//!
//! Pairs are handed out while they are computed, so their number, and with it
//! the floor, doesn't matter.

use crate::{Error, Network, Resolvent};

/// Pairs on their way: 128 MiB.
const CHUNKS: u64 = 1 << 27;

/// Fails unless `needed` bytes are at most `available`.
pub(crate) fn check(what: impl FnOnce() -> String, needed: u64, available: u64) -> Result<(), Error> {
    if needed <= available {
        return Ok(());
    }
    Err(Error::NotEnoughMemory {
        what: what(),
        needed,
        available,
    })
}

/// Of a network.
pub(crate) fn of_network(network: &Network) -> u64 {
    24 * network.stakes() as u64 + 28 * network.len() as u64 + network.name_bytes()
}

/// Of a resolvent with components of these sizes, while it is made.
pub(crate) fn of_resolvent(network: &Network, rings: impl Iterator<Item = usize> + Clone) -> u64 {
    let block = |size: usize| (size as u64).saturating_pow(2).saturating_mul(8);
    let largest = rings.clone().map(block).max().unwrap_or(0);
    let blocks = rings.map(block).fold(0, u64::saturating_add);
    (36 * network.len() as u64)
        .saturating_add(blocks)
        .saturating_add(largest.saturating_mul(2))
}

/// Of a solver that factors components of these sizes itself, with its network.
pub(crate) fn of_solver(network: &Network, rings: impl Iterator<Item = usize>) -> u64 {
    // A small ring is mostly what says where its factors are.
    let factors = rings.map(|size| (size as u64).saturating_pow(2).saturating_mul(24).saturating_add(640));
    let layout = 72 * network.len() as u64 + 40 * network.stakes() as u64;
    factors.fold(of_network(network).saturating_add(layout), u64::saturating_add)
}

/// Of everything that pairs are made with, but the table of open companies.
pub(crate) fn of_pairs(network: &Network, resolvent: &Resolvent) -> u64 {
    let (companies, stakes) = (network.len() as u64, network.stakes() as u64);
    let blocks: u64 = resolvent.rings.iter().map(|ring| 8 * (ring.size() as u64).pow(2)).sum();
    let threads = rayon::current_num_threads() as u64;
    of_network(network) + 36 * companies + blocks + 60 * (companies + stakes) + 24 * threads * companies + CHUNKS
}
