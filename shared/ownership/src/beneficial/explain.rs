//! What there is to say of owners: the chains that make them so, and who has none.
//!
//! A search of chains for each company that has owners, side by side; companies
//! without are counted in one walk over all.

use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;

use super::BeneficialOwner;
use crate::chains::{ChainLimits, Chains, chains};
use crate::control::group;
use crate::names::to_u32;
use crate::{Network, Resolvent};

/// The chains of each of `owners`, in their order, which is that of companies.
///
/// Cost: a search of [`chains`] for each company, side by side.
#[must_use]
pub fn explain(
    network: &Network,
    resolvent: &Resolvent,
    owners: &[BeneficialOwner],
    limits: ChainLimits,
) -> Vec<Chains> {
    let by_company = owners.par_chunk_by(|a, b| a.company == b.company);
    let explained: Vec<Vec<Chains>> = by_company
        .map(|here| {
            let ids: Vec<u32> = here.iter().map(|owner| owner.owner).collect();
            chains(network, resolvent, here[0].company, &ids, limits)
        })
        .collect();
    explained.into_iter().flatten().collect()
}

/// How many held companies have nobody in `owners`, which are in the order of companies, and the first of them.
///
/// Members of closed groups, which have no owners, do not count.
#[must_use]
pub fn without_owner(
    network: &Network,
    resolvent: &Resolvent,
    owners: &[BeneficialOwner],
    examples: usize,
) -> (u64, Vec<u32>) {
    let mut found = (0, Vec::new());
    let mut rest = owners;
    for company in 0..to_u32(network.len()) {
        let (here, after) = rest.split_at(rest.iter().take_while(|owner| owner.company == company).count());
        rest = after;
        let is_held = !network.holder_ids(company).is_empty() && group(resolvent, company).is_none();
        if here.is_empty() && is_held {
            found.0 += 1;
            if found.1.len() < examples {
                found.1.push(company);
            }
        }
    }
    found
}
