//! The ownership matrix, built and checked column by column.

use crate::builder::Stake;
use crate::finding::Tally;
use crate::names::{Names, to_u32};
use crate::network::{Lists, Over};
use crate::policies::{ColumnsOver100, Duplicates, Policies};
use crate::share::{ONE, fraction};
use crate::{Error, Finding, Network};

/// Up to this sum (100.1%) a column over one is taken for rounding.
const ROUNDING: u128 = ONE as u128 + ONE as u128 / 1000;

/// The matrix, column by column.
pub(crate) struct Columns {
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
    pub(crate) fn new(names: Names, policies: Policies) -> Self {
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
    pub(crate) fn push(&mut self, company: u32, column: &[Stake]) -> Result<(), Error> {
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

    /// The network, with all findings.
    pub(crate) fn finish(self) -> Network {
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
