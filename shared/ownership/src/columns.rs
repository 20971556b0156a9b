//! The ownership matrix, built and checked column by column.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::builder::Stake;
use crate::finding::Tally;
use crate::lists::Lists;
use crate::names::{Names, to_u32};
use crate::network::Over;
use crate::policies::{ColumnsOver100, Duplicates, Policies};
use crate::share::{ONE, fraction};
use crate::{Error, Finding, Network, parallel};

/// Up to this sum (100.1%) a column over one is taken for rounding.
const ROUNDING: u128 = ONE as u128 + ONE as u128 / 1000;

/// Into how many ranges companies are divided at most.
const RANGES: usize = 64;

/// Makes a network of stakes whose ids are put in order by `rank`.
///
/// Stakes are dealt out to ranges of companies and sorted in these, so that what is sorted fits into a cache. Ranges are
/// independent of each other, and put together in order.
pub(crate) fn network(
    names: Names,
    rank: &[AtomicU32],
    stakes: Vec<Vec<Stake>>,
    policies: Policies,
) -> Result<Network, Error> {
    // A power of two, because a shift takes less time than a division.
    let width = names.len().div_ceil(RANGES).next_power_of_two();
    let shift = width.ilog2();
    let rank = |id: u32| rank[id as usize].load(Ordering::Relaxed);
    let deal = |stakes: Vec<Stake>| {
        let mut ranges: Vec<Vec<Stake>> = (0..RANGES).map(|_| Vec::with_capacity(stakes.len() / RANGES)).collect();
        for stake in stakes {
            let owned = rank(stake.owned);
            let owner = rank(stake.owner);
            ranges[(owned >> shift) as usize].push(Stake { owned, owner, ..stake });
        }
        ranges
    };
    let work = stakes.iter().map(Vec::len).sum();
    let dealt: Vec<Vec<Vec<Stake>>> = parallel::map(stakes, work, deal);
    let columns = parallel::map(0..RANGES, work, |range| {
        let first = (range * width).min(names.len());
        let companies = first..(first + width).min(names.len());
        let stakes = sort(companies.clone(), dealt.iter().map(|ranges| ranges[range].as_slice()));
        let mut columns = Columns::new(&names, policies);
        let mut rest = stakes.as_slice();
        let pushed = (to_u32(companies.start)..to_u32(companies.end)).try_for_each(|company| {
            let (column, after) = rest.split_at(rest.iter().take_while(|stake| stake.owned == company).count());
            rest = after;
            columns.push(company, column)
        });
        pushed.map(|()| columns)
    });
    drop(dealt);
    let columns = columns.into_iter().collect::<Result<Vec<_>, _>>()?;
    let Parts {
        lists,
        undisclosed,
        over,
        findings,
    } = Columns::join(columns, Columns::new(&names, policies)).finish();
    Ok(Network::new(names, lists, undisclosed, over, findings))
}

/// Stakes in order, those of a range of companies.
fn sort<'s>(companies: std::ops::Range<usize>, parts: impl Iterator<Item = &'s [Stake]> + Clone) -> Vec<Stake> {
    let mut starts = vec![0_u32; companies.len() + 1];
    let mut count = 0;
    for stake in parts.clone().flatten() {
        starts[stake.owned as usize - companies.start + 1] += 1;
        count += 1;
    }
    let mut sorted = vec![Stake::default(); count];
    for company in 0..companies.len() {
        starts[company + 1] += starts[company];
    }
    let mut next = starts.clone();
    for stake in parts.flatten() {
        let at = &mut next[stake.owned as usize - companies.start];
        sorted[*at as usize] = *stake;
        *at += 1;
    }
    for bounds in starts.windows(2) {
        sorted[bounds[0] as usize..bounds[1] as usize].sort_unstable_by_key(|stake| {
            let share = stake.share;
            (stake.owner, share.units(), share.value().to_bits())
        });
    }
    sorted
}

/// Columns of the matrix, one after another.
struct Columns<'n> {
    names: &'n Names,
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

/// Where the columns of some companies go.
struct Target<'w> {
    /// Stakes before them.
    begin: u32,
    starts: &'w mut [u32],
    ids: &'w mut [u32],
    shares: &'w mut [f64],
    undisclosed: &'w mut [f64],
}

impl<'w> Target<'w> {
    /// Takes the first companies off.
    fn split_off(&mut self, companies: usize, stakes: usize) -> Target<'w> {
        let fits = "parts are as long as the whole";
        let begin = self.begin;
        self.begin += to_u32(stakes);
        Target {
            begin,
            starts: self.starts.split_off_mut(..companies).expect(fits),
            ids: self.ids.split_off_mut(..stakes).expect(fits),
            shares: self.shares.split_off_mut(..stakes).expect(fits),
            undisclosed: self.undisclosed.split_off_mut(..companies).expect(fits),
        }
    }

    fn fill(self, lists: &Lists, undisclosed: &[f64]) {
        self.ids.copy_from_slice(&lists.ids);
        self.shares.copy_from_slice(&lists.shares);
        self.undisclosed.copy_from_slice(undisclosed);
        for (start, own) in self.starts.iter_mut().zip(&lists.starts[1..]) {
            *start = self.begin + own;
        }
    }
}

/// What a network is made of, besides names.
struct Parts {
    lists: Lists,
    undisclosed: Vec<f64>,
    over: Vec<Over>,
    findings: Vec<Finding>,
}

impl<'n> Columns<'n> {
    fn new(names: &'n Names, policies: Policies) -> Self {
        Self {
            lists: Lists {
                starts: vec![0],
                ..Lists::default()
            },
            undisclosed: Vec::new(),
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

    /// Puts the columns of ranges of companies, which follow each other, together.
    fn join(mut parts: Vec<Self>, mut whole: Self) -> Self {
        let stakes = parts.iter().map(|part| part.lists.ids.len()).sum();
        let companies = parts.iter().map(|part| part.undisclosed.len()).sum();
        whole.lists.starts.resize(companies + 1, 0);
        whole.lists.ids.resize(stakes, 0);
        whole.lists.shares.resize(stakes, 0.0);
        whole.undisclosed.resize(companies, 0.0);
        let mut rest = Target {
            begin: 0,
            starts: &mut whole.lists.starts[1..],
            ids: &mut whole.lists.ids,
            shares: &mut whole.lists.shares,
            undisclosed: &mut whole.undisclosed,
        };
        let targets = parts.iter_mut().map(|part| {
            let target = rest.split_off(part.undisclosed.len(), part.lists.ids.len());
            (
                target,
                std::mem::take(&mut part.lists),
                std::mem::take(&mut part.undisclosed),
            )
        });
        let targets: Vec<_> = targets.collect();
        parallel::map(targets, stakes, |(target, lists, undisclosed)| {
            target.fill(&lists, &undisclosed)
        });
        for mut part in parts {
            whole.over.append(&mut part.over);
            whole.zeros.append(part.zeros);
            whole.duplicates.append(part.duplicates);
            whole.selves.append(part.selves);
            whole.rounded.append(part.rounded);
            whole.over_100.append(part.over_100);
            whole.incomplete.append(part.incomplete);
        }
        whole
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
        // Names lie anywhere in memory, and few are needed.
        let owner = || self.names.get(same[0].owner);
        let owned = || self.names.get(company);
        let zeros = same.iter().take_while(|stake| stake.share.units() == 0).count();
        if zeros > 0 {
            self.zeros
                .note(zeros as u64, || format!("{} holds 0 of {}", owner(), owned()));
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
                format!(
                    "{} holds {} of {}: taken as {share}",
                    owner(),
                    shares.join(" and "),
                    owned()
                )
            });
        }
        if same[0].owner == company {
            self.selves.note(1, || format!("{} holds {share} of itself", owned()));
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
        let name = || self.names.get(company);
        let example = || format!("{}: its stakes sum to {}", name(), fraction(sum));
        if let Some(missing) = u128::from(ONE).checked_sub(sum) {
            if missing > 0 {
                self.incomplete
                    .note(1, || format!("{}: {} undisclosed", name(), fraction(missing)));
            }
            return Ok(fraction(missing));
        }
        if sum <= ROUNDING {
            self.rounded.note(1, example);
        } else {
            match self.policies.columns_over_100 {
                ColumnsOver100::Reject => {
                    return Err(Error::ColumnOver100 {
                        company: name().to_owned(),
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

    fn finish(self) -> Parts {
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
        Parts {
            lists: self.lists,
            undisclosed: self.undisclosed,
            over: self.over,
            findings,
        }
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
