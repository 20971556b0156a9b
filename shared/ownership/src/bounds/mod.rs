//! What one owner holds of everyone below: the share, or bounds of it where stakes have bounds.
//!
//! **One owner at a time.** With `x[j] = V[u][j]` for an owner u, `x (I - W) = e_u` says that `x[u]` begins with 1 and
//! that `x[j] = sum_i x[i] W[i][j]`. So x follows from the owner downwards, companies in topological order, and nobody is
//! looked at who is not below u ([`below`]). That is the way to take where few owners are asked for; for all pairs it
//! walks the same stakes over and over, and [`crate::pairs`] is.
//!
//! **Bounds.** Of the stakes in some companies only `l[i][j] <= W[i][j] <= u[i][j]` is known, and that each column sums to
//! at most one, the rest being held by others. Shares in different columns are chosen independently of each other.
//!
//! *Lower.* V is a sum of products of entries of W, so it rises with every entry. All entries at their lower bounds are a
//! possible choice, therefore `V(l)` is the least, and nothing greater is.
//!
//! *Upper.* All entries at their upper bounds are not a possible choice where a column would sum to more than one. But what
//! u holds of j is at most one linear program away from what it holds of j's holders:
//!
//! ```text
//! h[u] = 1,   h[j] = max { sum_i w[i] h[i] : l[i][j] <= w[i] <= u[i][j], sum_i w[i] <= 1 }
//! ```
//!
//! The maximum gives every holder its lower bound, and what is left of the company to those of whom u holds most
//! ([`column::most`]). The least solution h is the largest probability with which a walk from j upwards comes to u, in a
//! Markov decision process whose actions are the choices of columns: there is one choice that attains it for all j at once
//! (Puterman 1994, theorem 7.2.10; for intervals: Givan, Leach, Dean 2000). So h is what u can hold of j before cycles lead
//! back to u, with those it is `h[j] / (1 - r)`, where r is the same maximum for u's own column. Nothing less is an upper
//! bound: it is attained.
//!
//! In a ring, where h is on both sides, it is approached from above: if `h >= T h` for the right-hand side T then every
//! further step is a bound too, whenever one stops ([`ring`]). Where the ranges allow companies to own each other entirely
//! the approach can end above the least solution, or V has no upper bound at all; then the bound is infinite.
//!
//! Columns that sum to more than one are dirty data, and known exactly: nothing is chosen there. A ring with such a column
//! and a range has no upper bound here.
//!
//! **Closed groups** are those of the shares that stand for the ranges ([`crate::Resolvent`]); whatever is chosen, they
//! count as one owner.

mod below;
mod column;
mod ring;

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::names::to_u32;
use crate::{Error, Network, Progress, Resolvent};

pub(crate) use below::{Below, Held};

/// Owners followed between two calls of the progress callback.
const BATCH: usize = 1 << 10;

/// What an owner holds at least and at most of a company, whatever shares are chosen within the ranges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShareBounds {
    /// The company.
    pub company: u32,
    /// The owner: a company, or from `network.len()` on a closed group.
    pub owner: u32,
    /// The least integrated share, `T = V - I`.
    pub lower: f64,
    /// The largest one; infinite where the ranges allow companies to own each other entirely.
    pub upper: f64,
}

/// The bounds of all pairs that ranges make uncertain and whose upper bound is at least `floor`, in the order of companies
/// and then of owners.
///
/// Pairs that are not listed are exact, or below the floor. Bounds are what is possible and nothing wider, but in rings as
/// the module says.
///
/// # Arguments
///
/// * `wanted`: whether pairs of an owner are asked for.
/// * `limit`: the most pairs, 24 bytes each.
/// * `progress`: called often with the part of owners that is done.
///
/// # Errors
///
/// [`Error::TooManyPairs`] past the limit, [`Error::Stopped`] when `progress` says so.
///
/// # Cost
///
/// For each owner above a range the stakes of everyone below it, and in rings with ranges as many times that as it takes
/// to converge. 12 bytes a company for each thread.
///
/// # Example
///
/// P holds between a quarter and a half of H, which holds 80% of T:
///
/// ```
/// use ownership::*;
///
/// let share = |text| Share::parse(text, Unit::Fraction);
/// let mut stakes = Batch::default();
/// stakes.push_range("P", "H", share("0.25")?, share("0.5")?, 1);
/// stakes.push("H", "T", share("0.8")?, 2);
/// let mut builder = NetworkBuilder::new(Policies::default());
/// builder.append(&mut stakes)?;
/// let network = builder.finish()?;
/// let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(()))?;
/// let bounds = share_bounds(&network, &resolvent, &|_| true, 0.0, 1_000, &mut |_| Ok(()))?;
/// let of_t = bounds.iter().find(|pair| network.name(pair.company) == "T").unwrap();
/// assert_eq!((network.name(of_t.owner), of_t.lower, of_t.upper), ("P", 0.2, 0.4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn share_bounds(
    network: &Network,
    resolvent: &Resolvent,
    wanted: &(dyn Fn(u32) -> bool + Sync),
    floor: f64,
    limit: usize,
    progress: &mut Progress<'_>,
) -> Result<Vec<ShareBounds>, Error> {
    if !network.has_ranges() {
        return Ok(Vec::new());
    }
    let below = Below::of_bounds(network, resolvent);
    let owners: Vec<u32> = below
        .uncertain_owners()
        .into_iter()
        .filter(|&owner| wanted(owner))
        .collect();
    let mut bounds = each_owner(&below, &owners, &|_| u32::MAX, limit, progress, |owner, held, found| {
        let own = |company| f64::from(u8::from(company == owner));
        let uncertain = held.iter().filter(|held| held.lower < held.upper);
        let pairs = uncertain.map(|held| ShareBounds {
            company: held.company,
            owner,
            lower: (held.lower - own(held.company)).max(0.0),
            upper: held.upper - own(held.company),
        });
        found.extend(pairs.filter(|pair| pair.upper >= floor));
    })?;
    bounds.sort_unstable_by_key(|pair| (pair.company, pair.owner));
    Ok(bounds)
}

/// Follows each owner downwards, as far as the component `last` says, and collects what `take` finds, in no order.
///
/// # Errors
///
/// Those of [`share_bounds`].
pub(crate) fn each_owner<T: Send>(
    below: &Below<'_>,
    owners: &[u32],
    last: &(dyn Fn(u32) -> u32 + Sync),
    limit: usize,
    progress: &mut Progress<'_>,
    take: impl Fn(u32, &[Held], &mut Vec<T>) + Sync,
) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    let kept = AtomicUsize::new(0);
    for (number, batch) in owners.chunks(BATCH).enumerate() {
        progress((number * BATCH) as f64 / owners.len() as f64)?;
        let found: Vec<Vec<T>> = batch
            .par_iter()
            .fold(Vec::new, |mut found, &owner| {
                // What is past the limit is not even looked for: it could be more than fits into memory.
                if kept.load(Ordering::Relaxed) <= limit {
                    let before = found.len();
                    below.follow(owner, last(owner), |held| take(owner, held, &mut found));
                    kept.fetch_add(found.len() - before, Ordering::Relaxed);
                }
                found
            })
            .collect();
        if kept.load(Ordering::Relaxed) > limit {
            return Err(Error::TooManyPairs { limit });
        }
        all.extend(found.into_iter().flatten());
    }
    progress(1.0)?;
    Ok(all)
}

/// Companies and closed groups.
pub(crate) fn owners(network: &Network, resolvent: &Resolvent) -> std::ops::Range<u32> {
    0..to_u32(network.len() + resolvent.groups.len())
}
