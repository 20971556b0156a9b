//! What every holder holds together with all that it controls.
//!
//! Holders are independent of each other, so they are followed side by side,
//! each from its own stakes on. Cost: the stakes of all that each controls.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use super::ControlEdges;
use super::votes::{Votes, Workspace};
use crate::{Error, Network, Progress, Resolvent, Share};

/// Holders followed between two calls of the progress callback.
const BATCH: u32 = 1 << 14;

/// Which joint holdings are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// More than this part of the votes is control.
    pub(crate) control: Share,
    /// Whether control without a share is control.
    pub(crate) edges: ControlEdges,
    /// Holdings that are not control are wanted from this part of the votes on.
    pub(crate) interest: Option<Interest>,
}

/// A part that counts as an interest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interest {
    pub(crate) part: Share,
    /// Whether exactly that part is enough.
    pub(crate) inclusive: bool,
}

/// What a holder and all that it controls hold of a company together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Joint {
    pub(crate) holder: u32,
    pub(crate) company: u32,
    /// The part of the votes; 0 where there is control without a share.
    pub(crate) share: f64,
    /// Whether that is control.
    pub(crate) controls: bool,
    /// Whether that is an interest of the rule.
    pub(crate) is_interest: bool,
    /// Whether a part of it is held by companies that the holder controls.
    pub(crate) through_others: bool,
}

/// All joint holdings that the rule asks for, in the order of companies and then of holders.
///
/// Errors and cost are those of [`super::company_control`].
pub(crate) fn joint_holdings(
    network: &Network,
    resolvent: &Resolvent,
    rule: Rule,
    limit: usize,
    progress: &mut Progress<'_>,
) -> Result<Vec<Joint>, Error> {
    let votes = Votes::new(network, resolvent);
    let workspaces: Mutex<Vec<Workspace>> = Mutex::default();
    let holders = votes.holders();
    let mut joint: Vec<Joint> = Vec::new();
    let kept = AtomicUsize::new(0);
    for start in (0..holders).step_by(BATCH as usize) {
        progress(f64::from(start) / f64::from(holders))?;
        let batch = start..holders.min(start + BATCH);
        let found: Vec<Vec<Joint>> = batch
            .into_par_iter()
            .with_min_len(256)
            .fold(Vec::new, |mut found, holder| {
                // What is past the limit is not even looked for: it could be more than fits into memory.
                if kept.load(Ordering::Relaxed) > limit {
                    return found;
                }
                let before = found.len();
                let mut work = pool(&workspaces).pop().unwrap_or_else(|| Workspace::new(network.len()));
                votes.follow(&mut work, holder, rule, &mut found);
                pool(&workspaces).push(work);
                kept.fetch_add(found.len() - before, Ordering::Relaxed);
                found
            })
            .collect();
        if kept.load(Ordering::Relaxed) > limit {
            return Err(Error::TooManyPairs { limit });
        }
        joint.extend(found.into_iter().flatten());
    }
    joint.sort_unstable_by_key(|pair| (pair.company, pair.holder));
    progress(1.0)?;
    Ok(joint)
}

fn pool(workspaces: &Mutex<Vec<Workspace>>) -> std::sync::MutexGuard<'_, Vec<Workspace>> {
    workspaces.lock().expect("no thread panics while it holds the pool")
}
