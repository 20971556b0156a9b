//! The stakes in one company, and the most that can be made of them.

use crate::Network;
use crate::share::{ONE, fraction};

/// A stake with its bounds; exact where these are equal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) owner: u32,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// Calls `take` with each stake in a company, and returns what the lower bounds leave of it.
///
/// # Arguments
///
/// * `ranges`: whether they are looked at, or the shares that stand for them.
pub(super) fn stakes(network: &Network, company: u32, ranges: bool, mut take: impl FnMut(Bound)) -> f64 {
    let bounds = if ranges { network.ranges().of(company) } else { None };
    let Some(bounds) = bounds else {
        network.holders(company).for_each(|(owner, share)| {
            take(Bound {
                owner,
                lower: share,
                upper: share,
            });
        });
        return 0.0;
    };
    let lower: u128 = bounds.clone().map(|stake| u128::from(stake.lower)).sum();
    for stake in bounds {
        take(Bound {
            owner: stake.owner,
            lower: fraction(stake.lower.into()),
            upper: fraction(stake.upper.into()),
        });
    }
    fraction(u128::from(ONE) - lower)
}

/// `max { sum w h : lower <= w <= upper, sum w <= sum lower + room }`.
///
/// # Arguments
///
/// * `stakes`: h of each holder of whom anything is held, with the bounds of its stake; reordered.
///
/// Cost: O(stakes log stakes) where anything is left to choose.
pub(super) fn most(stakes: &mut [(f64, Bound)], mut room: f64) -> f64 {
    let lower = stakes.iter().map(|(h, stake)| product(*h, stake.lower)).sum();
    if room <= 0.0 {
        return lower;
    }
    stakes.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.owner.cmp(&b.1.owner)));
    let mut most: f64 = lower;
    for (h, stake) in stakes {
        let more = (stake.upper - stake.lower).min(room);
        if more > 0.0 {
            most += product(*h, more);
            room -= more;
        }
    }
    most
}

/// A product in which nothing of what is infinite is nothing.
pub(super) fn product(h: f64, share: f64) -> f64 {
    if share > 0.0 { h * share } else { 0.0 }
}
