//! Stakes recorded more than once, where that is an error.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::slice::ParallelSliceMut;

use crate::Error;
use crate::builder::Stake;
use crate::names::Names;

/// Fails if an owner is recorded more than once for the same company, zero shares aside.
///
/// # Arguments
///
/// * `rank`: the place of each id in the order of names.
/// * `stakes`, `rows`: part by part, with ids.
///
/// # Errors
///
/// [`Error::DuplicateStake`] with the first row that repeats another.
pub(crate) fn reject(names: &Names, rank: &[AtomicU32], stakes: &[Vec<Stake>], rows: &[Vec<u64>]) -> Result<(), Error> {
    let rank = |id: u32| rank[id as usize].load(Ordering::Relaxed);
    let mut found: Vec<(u32, u32, u64)> = stakes
        .iter()
        .flatten()
        .zip(rows.iter().flatten())
        .filter(|(stake, _)| stake.share.units() > 0)
        .map(|(stake, &row)| (rank(stake.owner), rank(stake.owned), row))
        .collect();
    found.par_sort_unstable();
    let repeated = found
        .windows(2)
        .filter(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1));
    match repeated.map(|pair| pair[1]).min_by_key(|&(.., row)| row) {
        None => Ok(()),
        Some((owner, owned, row)) => Err(Error::DuplicateStake {
            row,
            owner: names.get(owner).to_owned(),
            owned: names.get(owned).to_owned(),
        }),
    }
}
