//! Stakes of which only bounds are known.

use serde::{Deserialize, Serialize};

use crate::names::to_u32;
use crate::share::ONE;

/// Companies in which at least one stake can be more than its lower bound, with all their stakes.
///
/// Lower bounds of a company sum to less than one. Upper bounds are what the others' lower bounds leave at most. Whatever
/// is chosen between them, a company's stakes sum to at most one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ranges {
    /// In order.
    companies: Vec<u32>,
    /// The stakes of the company at `k` end at `ends[k]`.
    ends: Vec<u32>,
    /// In order, for each company.
    owners: Vec<u32>,
    /// In units of `1e-18`, as the upper bounds.
    lower: Vec<u64>,
    upper: Vec<u64>,
}

/// A stake with bounds in units of `1e-18`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) owner: u32,
    pub(crate) lower: u64,
    pub(crate) upper: u64,
}

impl Ranges {
    /// Adds the stakes in a company, which come in order, unless nothing about them is left open.
    pub(crate) fn push(&mut self, company: u32, bounds: &[(u32, u64, u64)]) {
        let lower: u128 = bounds.iter().map(|&(_, lower, _)| u128::from(lower)).sum();
        let room = u64::try_from(u128::from(ONE).saturating_sub(lower)).unwrap_or(0);
        if room == 0 || bounds.iter().all(|&(_, lower, upper)| lower >= upper) {
            return;
        }
        for &(owner, lower, upper) in bounds.iter().filter(|&&(_, _, upper)| upper > 0) {
            self.owners.push(owner);
            self.lower.push(lower);
            self.upper.push(upper.min(lower + room));
        }
        self.companies.push(company);
        self.ends.push(to_u32(self.owners.len()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.companies.is_empty()
    }

    /// Companies with ranges, in order.
    pub(crate) fn companies(&self) -> &[u32] {
        &self.companies
    }

    /// All stakes in a company, if there are ranges among them.
    pub(crate) fn of(&self, company: u32) -> Option<impl ExactSizeIterator<Item = Bounds> + Clone + '_> {
        let at = self.companies.binary_search(&company).ok()?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some((start..self.ends[at] as usize).map(|at| Bounds {
            owner: self.owners[at],
            lower: self.lower[at],
            upper: self.upper[at],
        }))
    }

    /// Whether these can be ranges of a network with so many companies.
    pub(crate) fn is_valid(&self, companies: usize) -> bool {
        self.companies.len() == self.ends.len()
            && self.companies.is_sorted_by(|a, b| a < b)
            && self.companies.last().is_none_or(|&last| (last as usize) < companies)
            && self.ends.is_sorted()
            && self.ends.last().map_or(0, |&end| end as usize) == self.owners.len()
            && self.owners.len() == self.lower.len()
            && self.owners.len() == self.upper.len()
            && self
                .companies
                .iter()
                .filter_map(|&company| self.of(company))
                .all(|stakes| {
                    let sum: u128 = stakes.clone().map(|stake| u128::from(stake.lower)).sum();
                    sum < u128::from(ONE)
                        && stakes.clone().is_sorted_by(|a, b| a.owner < b.owner)
                        && stakes.clone().all(|stake| {
                            (stake.owner as usize) < companies && stake.lower <= stake.upper && stake.upper <= ONE
                        })
                })
    }
}
