//! From rows of stakes to a network, with a policy for each kind of dirt.

use rayon::slice::ParallelSliceMut;

use crate::columns::Columns;
use crate::names::{Interner, Names, to_u32};
use crate::policies::{Duplicates, Policies};
use crate::{Error, Network, Share};

/// How much a builder accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Companies; at most and by default `2^31 - 1`.
    pub companies: u32,
    /// Stakes; by default `2^32 - 1`.
    pub stakes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            companies: u32::MAX / 2,
            stakes: u32::MAX,
        }
    }
}

/// Collects stakes and makes a [`Network`] of them.
///
/// It holds 40 bytes a stake, and each name once.
#[derive(Debug, Default)]
pub struct NetworkBuilder {
    policies: Policies,
    limits: Limits,
    names: Interner,
    stakes: Vec<Stake>,
}

/// A row, with interned names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stake {
    pub(crate) owned: u32,
    pub(crate) owner: u32,
    pub(crate) share: Share,
    row: u64,
}

impl NetworkBuilder {
    /// A builder without limits but those of 32-bit ids.
    #[must_use]
    pub fn new(policies: Policies) -> Self {
        Self {
            policies,
            ..Self::default()
        }
    }

    /// A builder that refuses to grow past `limits`.
    #[must_use]
    pub fn with_limits(policies: Policies, limits: Limits) -> Self {
        let companies = limits.companies.min(Limits::default().companies);
        Self {
            policies,
            limits: Limits { companies, ..limits },
            ..Self::default()
        }
    }

    /// Adds the stake that `owner` holds in `owned`, both by name.
    ///
    /// `row` is where it was read, for errors to tell.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyCompanies`], [`Error::TooManyStakes`], [`Error::NamesTooLong`].
    pub fn add(&mut self, owner: &str, owned: &str, share: Share, row: u64) -> Result<(), Error> {
        let limit = self.limits.stakes;
        if self.stakes.len() >= limit as usize {
            return Err(Error::TooManyStakes { limit });
        }
        let owner = self.names.intern(owner, self.limits.companies)?;
        let owned = self.names.intern(owned, self.limits.companies)?;
        self.stakes.push(Stake {
            owned,
            owner,
            share,
            row,
        });
        Ok(())
    }

    /// Sorts out what was added, in O(stakes log stakes).
    ///
    /// In this order: zero shares are dropped (their companies stay),
    /// duplicates are resolved, self-holdings are noted (they stay in W), and
    /// columns are checked against one. Findings: `zero_share`,
    /// `duplicate_stake`, `self_holding`, `column_over_100`, `column_rounded`
    /// and `undisclosed_share`.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyInput`], and what the policies reject. Of several
    /// duplicates the one first repeated is named, of several columns the first
    /// by name.
    pub fn finish(self) -> Result<Network, Error> {
        let Self {
            policies,
            names,
            mut stakes,
            ..
        } = self;
        if stakes.is_empty() {
            return Err(Error::EmptyInput);
        }
        let names = sort_names(names.into_names(), &mut stakes)?;
        stakes.par_sort_unstable_by_key(|stake| {
            let Stake {
                owned,
                owner,
                share,
                row,
            } = *stake;
            (owned, owner, share.units(), share.value().to_bits(), row)
        });
        if policies.duplicates == Duplicates::Reject {
            reject_duplicates(&names, &stakes)?;
        }
        let companies = to_u32(names.len());
        let mut columns = Columns::new(names, policies);
        let mut rest = stakes.as_slice();
        for company in 0..companies {
            let (column, after) = rest.split_at(rest.iter().take_while(|stake| stake.owned == company).count());
            columns.push(company, column)?;
            rest = after;
        }
        Ok(columns.finish())
    }
}

/// Puts names in order and gives stakes the ids of that order.
fn sort_names(names: Names, stakes: &mut [Stake]) -> Result<Names, Error> {
    // Most names differ early, and what is compared then lies side by side.
    let mut order: Vec<([u64; 2], u32)> = (0..to_u32(names.len()))
        .map(|name| (prefix(names.get(name)), name))
        .collect();
    order.par_sort_unstable_by(|(start_a, a), (start_b, b)| {
        start_a.cmp(start_b).then_with(|| names.get(*a).cmp(names.get(*b)))
    });
    let mut sorted = Names::default();
    let mut rank = vec![0_u32; names.len()];
    for (new, &(_, old)) in (0..).zip(&order) {
        sorted.push(names.get(old))?;
        rank[old as usize] = new;
    }
    for stake in stakes {
        stake.owner = rank[stake.owner as usize];
        stake.owned = rank[stake.owned as usize];
    }
    Ok(sorted)
}

/// The first 16 bytes of a name, filled up with zeros: numbers whose order is
/// that of names, where they differ.
fn prefix(name: &str) -> [u64; 2] {
    let mut bytes = [0; 16];
    let length = name.len().min(16);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    let (first, second) = bytes.split_at(8);
    [first, second].map(|half| u64::from_be_bytes(half.try_into().expect("a half has eight bytes")))
}

fn reject_duplicates(names: &Names, stakes: &[Stake]) -> Result<(), Error> {
    let mut nonzero = stakes.iter().filter(|stake| stake.share.units() > 0).peekable();
    let mut first: Option<&Stake> = None;
    while let Some(stake) = nonzero.next() {
        let Some(other) = nonzero
            .peek()
            .filter(|other| (other.owner, other.owned) == (stake.owner, stake.owned))
        else {
            continue;
        };
        let repeated = if other.row > stake.row { *other } else { stake };
        if first.is_none_or(|first| repeated.row < first.row) {
            first = Some(repeated);
        }
    }
    match first {
        None => Ok(()),
        Some(stake) => Err(Error::DuplicateStake {
            row: stake.row,
            owner: names.get(stake.owner).to_owned(),
            owned: names.get(stake.owned).to_owned(),
        }),
    }
}
