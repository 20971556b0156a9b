//! From rows of stakes to a network, with a policy for each kind of dirt.

use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use crate::finding::Tally;
use crate::names::{Interner, Names, to_u32};
use crate::network::{Lists, Over};
use crate::share::{ONE, fraction};
use crate::{Error, Finding, Network, Share};

/// Up to this sum (100.1%) a column over one is taken for rounding.
const ROUNDING: u128 = ONE as u128 + ONE as u128 / 1000;

/// What to do with a company of which more than 100.1% is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnsOver100 {
    /// Calculate with the shares as they are recorded.
    #[default]
    Keep,
    /// Divide them by their sum.
    Normalise,
    /// End with [`Error::ColumnOver100`].
    Reject,
}

/// What to do with an owner recorded more than once for the same company.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// Add the shares: they are share classes.
    #[default]
    Sum,
    /// Take the largest: they are records of the same holding.
    Max,
    /// End with [`Error::DuplicateStake`].
    Reject,
}

/// How dirty data is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policies {
    /// Companies of which more than 100.1% is held; after duplicates are resolved.
    pub columns_over_100: ColumnsOver100,
    /// Owners recorded more than once for the same company.
    pub duplicates: Duplicates,
}

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

#[derive(Clone, Copy, Debug)]
struct Stake {
    owned: u32,
    owner: u32,
    share: Share,
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
        stakes.par_sort_unstable_by_key(|stake| (stake.owned, stake.owner, stake.share.units(), stake.row));
        if policies.duplicates == Duplicates::Reject {
            reject_duplicates(&names, &stakes)?;
        }
        let mut columns = Columns::new(names, policies);
        let mut rest = stakes.as_slice();
        for company in 0..to_u32(columns.names.len()) {
            let (column, after) = rest.split_at(rest.iter().take_while(|stake| stake.owned == company).count());
            columns.push(company, column)?;
            rest = after;
        }
        Ok(columns.finish())
    }
}

/// Puts names in order and gives stakes the ids of that order.
fn sort_names(names: Names, stakes: &mut [Stake]) -> Result<Names, Error> {
    let mut order: Vec<u32> = (0..to_u32(names.len())).collect();
    order.par_sort_unstable_by(|&a, &b| names.get(a).cmp(names.get(b)));
    let mut sorted = Names::default();
    let mut rank = vec![0_u32; names.len()];
    for (new, &old) in (0..).zip(&order) {
        sorted.push(names.get(old))?;
        rank[old as usize] = new;
    }
    for stake in stakes {
        stake.owner = rank[stake.owner as usize];
        stake.owned = rank[stake.owned as usize];
    }
    Ok(sorted)
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

/// The matrix, column by column.
struct Columns {
    names: Names,
    policies: Policies,
    lists: Lists,
    undisclosed: Vec<f64>,
    over: Vec<Over>,
    units: Vec<u128>,
    zeros: Tally,
    duplicates: Tally,
    selves: Tally,
    rounded: Tally,
    over_100: Tally,
    incomplete: Tally,
}

impl Columns {
    fn new(names: Names, policies: Policies) -> Self {
        Self {
            lists: Lists {
                starts: vec![0],
                ..Lists::default()
            },
            undisclosed: Vec::with_capacity(names.len()),
            over: Vec::new(),
            units: Vec::new(),
            zeros: Tally::default(),
            duplicates: Tally::default(),
            selves: Tally::default(),
            rounded: Tally::default(),
            over_100: Tally::default(),
            incomplete: Tally::default(),
            names,
            policies,
        }
    }

    /// Adds the stakes in one company, sorted by owner.
    fn push(&mut self, company: u32, column: &[Stake]) -> Result<(), Error> {
        self.units.clear();
        let start = self.lists.ids.len();
        for same in column.chunk_by(|a, b| a.owner == b.owner) {
            self.push_stake(company, same);
        }
        self.lists.starts.push(to_u32(self.lists.ids.len()));
        let undisclosed = self.check_sum(company, start)?;
        self.undisclosed.push(undisclosed);
        Ok(())
    }

    /// Adds what one owner holds of one company: one stake or several, the
    /// smallest first.
    fn push_stake(&mut self, company: u32, same: &[Stake]) {
        let owner = self.names.get(same[0].owner);
        let owned = self.names.get(company);
        let zeros = same.iter().take_while(|stake| stake.share.units() == 0).count();
        if zeros > 0 {
            self.zeros.note(zeros as u64, || format!("{owner} holds 0 of {owned}"));
        }
        let Some(largest) = same[zeros..].last() else { return };
        let same = &same[zeros..];
        let (units, share) = match self.policies.duplicates {
            Duplicates::Sum if same.len() > 1 => sum(same),
            _ => (u128::from(largest.share.units()), largest.share.value()),
        };
        if same.len() > 1 {
            self.duplicates.note(same.len() as u64 - 1, || {
                let shares: Vec<_> = same.iter().map(|stake| stake.share.value().to_string()).collect();
                format!("{owner} holds {} of {owned}: taken as {share}", shares.join(" and "))
            });
        }
        if same[0].owner == company {
            self.selves.note(1, || format!("{owned} holds {share} of itself"));
        }
        self.lists.ids.push(same[0].owner);
        self.lists.shares.push(share);
        self.units.push(units);
    }

    /// Compares the column with one and returns its undisclosed share.
    fn check_sum(&mut self, company: u32, start: usize) -> Result<f64, Error> {
        if self.units.is_empty() {
            return Ok(0.0);
        }
        let sum: u128 = self.units.iter().sum();
        let name = self.names.get(company);
        let example = || format!("{name}: its stakes sum to {}", fraction(sum));
        if let Some(missing) = u128::from(ONE).checked_sub(sum) {
            if missing > 0 {
                self.incomplete
                    .note(1, || format!("{name}: {} undisclosed", fraction(missing)));
            }
            return Ok(fraction(missing));
        }
        if sum <= ROUNDING {
            self.rounded.note(1, example);
        } else {
            match self.policies.columns_over_100 {
                ColumnsOver100::Reject => {
                    return Err(Error::ColumnOver100 {
                        company: name.to_owned(),
                        sum: fraction(sum),
                    });
                }
                ColumnsOver100::Keep => self.over_100.note(1, example),
                ColumnsOver100::Normalise => {
                    self.over_100.note(1, example);
                    let whole = fraction(sum);
                    self.lists.shares[start..].iter_mut().for_each(|share| *share /= whole);
                    return Ok(0.0);
                }
            }
        }
        self.over.push(Over {
            company,
            units: self.units.clone(),
        });
        Ok(0.0)
    }

    fn finish(self) -> Network {
        let duplicates = match self.policies.duplicates {
            Duplicates::Sum => "the shares were added up",
            Duplicates::Max | Duplicates::Reject => "the largest share was taken",
        };
        let over_100 = match self.policies.columns_over_100 {
            ColumnsOver100::Normalise => "the shares were divided by their sum",
            ColumnsOver100::Keep | ColumnsOver100::Reject => "the shares were kept as recorded",
        };
        let findings: Vec<Finding> = [
            self.zeros
                .into_finding("zero_share", "the stake was dropped, its companies were kept"),
            self.duplicates.into_finding("duplicate_stake", duplicates),
            self.selves.into_finding(
                "self_holding",
                "the stake was kept: a company's own shares multiply its owners' shares",
            ),
            self.over_100.into_finding("column_over_100", over_100),
            self.rounded
                .into_finding("column_rounded", "nothing was changed: up to 0.1% over 1 is rounding"),
            self.incomplete.into_finding(
                "undisclosed_share",
                "the rest was treated as held by undisclosed owners",
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        Network::new(self.names, self.lists, self.undisclosed, self.over, findings)
    }
}

/// The sum of stakes, from their exact decimals where these say all.
fn sum(stakes: &[Stake]) -> (u128, f64) {
    let units = stakes.iter().map(|stake| u128::from(stake.share.units())).sum();
    let decimal = stakes
        .iter()
        .all(|stake| fraction(stake.share.units().into()).to_bits() == stake.share.value().to_bits());
    let value = if decimal {
        fraction(units)
    } else {
        stakes.iter().map(|stake| stake.share.value()).sum()
    };
    (units, value)
}
