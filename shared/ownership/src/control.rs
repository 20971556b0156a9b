//! Who controls whom: majorities of votes, through chains, jointly and in cycles.
//!
//! A holder x controls a company y if x and all that x controls together hold
//! more than a threshold of the votes of y. "All that x controls" is defined
//! by itself, so it is taken as the least set that satisfies the rule: nothing
//! is controlled but what follows from x's own stakes (the company control
//! problem of Ceri, Gottlob, Tanca 1990; Bellomarini, Sallinger, Gottlob 2018).
//!
//! The set grows step by step. Start with x. Whenever someone is taken in, add
//! their stakes to a sum for each company held; a company whose sum passes the
//! threshold is taken in next. Sums only grow, and each member's stakes are
//! added once, so this ends with the least set in O(stakes of its members),
//! whatever order is followed. Companies that the set holds nothing of are
//! never looked at, so the whole costs what the result and its edge are long,
//! not companies times companies.
//!
//! **Votes.** A company has no votes in itself: its own shares are neither
//! counted as held nor among the votes that there are (Directive (EU)
//! 2017/1132, Art. 63; Directive 2013/34/EU, Art. 22(5), for own shares). So a
//! share here is a part of the votes others can have.
//!
//! **Exact.** Sums and the threshold are decimals in units of `1e-18`, so that
//! 0.3 and 0.2 are never more than 0.5.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::names::to_u32;
use crate::share::{ONE, decimal};
use crate::{Error, Network, Progress, Resolvent, Share};

/// Holders followed between two calls of the progress callback.
const BATCH: u32 = 1 << 14;

/// One company controlled by one holder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// Who controls: a company, or from `network.len()` on a closed group.
    pub controller: u32,
    /// What is controlled.
    pub company: u32,
    /// The part of its votes that the controller and all that it controls hold.
    pub share: f64,
    /// Whether nobody else controls the controller. Members of a ring of majorities control each other, so none of them is.
    pub ultimate: bool,
}

/// Every pair of a controller and a company that it controls, in the order of
/// companies and then of controllers.
///
/// A holder doesn't control itself, even where its own subsidiaries hold the
/// majority of it. A closed group (see [`Resolvent`]) is one holder, its members
/// are neither holders nor companies here.
///
/// # Arguments
///
/// * `threshold`: more than this part of the votes is control. Below one half
///   a company can have several controllers that don't control each other.
/// * `limit`: the most pairs, 24 bytes each.
/// * `progress`: called often with the part of holders that is done.
///
/// # Errors
///
/// [`Error::TooManyPairs`] past the limit, [`Error::Stopped`] when `progress`
/// says so.
///
/// # Cost
///
/// For each holder with a majority of something, the stakes of all it controls:
/// near linear where chains of majorities are short. A chain of n companies has
/// `n^2 / 2` pairs. 24 bytes a company for each thread.
///
/// # Example
///
/// Half of T and 20% more make a majority only together:
///
/// ```
/// use ownership::*;
///
/// let mut builder = NetworkBuilder::new(Policies::default());
/// for (row, (owner, owned, share)) in (1..).zip([("P", "H", "0.6"), ("H", "T", "0.5"), ("P", "T", "0.2")]) {
///     builder.add(owner, owned, Share::parse(share, Unit::Fraction)?, row)?;
/// }
/// let network = builder.finish()?;
/// let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(()))?;
/// let half = Share::parse("0.5", Unit::Fraction)?;
/// let pairs = company_control(&network, &resolvent, half, 1_000, &mut |_| Ok(()))?;
/// let shown: Vec<_> = pairs.iter().map(|pair| (network.name(pair.controller), network.name(pair.company), pair.share)).collect();
/// assert_eq!(shown, [("P", "H", 0.6), ("P", "T", 0.7)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn company_control(
    network: &Network,
    resolvent: &Resolvent,
    threshold: Share,
    limit: usize,
    progress: &mut Progress<'_>,
) -> Result<Vec<Control>, Error> {
    let rule = Rule {
        control: threshold,
        interest: None,
    };
    let joint = joint_holdings(network, resolvent, rule, limit, progress)?;
    let mut controlled = vec![false; network.len() + resolvent.groups.len()];
    joint.iter().for_each(|pair| controlled[pair.company as usize] = true);
    Ok(joint
        .into_iter()
        .map(|pair| Control {
            controller: pair.holder,
            company: pair.company,
            share: pair.share,
            ultimate: !controlled[pair.holder as usize],
        })
        .collect())
}

/// Which joint holdings are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// More than this part of the votes is control.
    pub(crate) control: Share,
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
    /// The part of the votes.
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
/// Errors and cost are those of [`company_control`].
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

/// What one thread computes with; clean between holders.
struct Workspace {
    /// What the set holds of each company, in units.
    held: Vec<u128>,
    /// Companies of which the set holds something.
    touched: Vec<u32>,
    /// The set, in the order in which it grew.
    members: Vec<u32>,
    is_member: Vec<bool>,
}

impl Workspace {
    fn new(companies: usize) -> Self {
        Self {
            held: vec![0; companies],
            touched: Vec::new(),
            members: Vec::new(),
            is_member: vec![false; companies],
        }
    }
}

/// A network as its votes see it.
struct Votes<'a> {
    network: &'a Network,
    resolvent: &'a Resolvent,
    /// The votes of each company, in units: all but its own; none in a closed group.
    of: Vec<u64>,
    /// The component of each closed group.
    groups: Vec<u32>,
}

impl<'a> Votes<'a> {
    fn new(network: &'a Network, resolvent: &'a Resolvent) -> Self {
        let of = (0..to_u32(network.len())).map(|company| {
            if group(resolvent, company).is_some() {
                return 0;
            }
            match network.holder_ids(company).binary_search(&company) {
                Err(_) => ONE,
                Ok(position) => {
                    let own = network.holders(company).nth(position).map_or(0.0, |(_, share)| share);
                    u64::try_from(u128::from(ONE).saturating_sub(decimal(own))).unwrap_or(0)
                }
            }
        });
        let mut groups = vec![0; resolvent.groups.len()];
        for (component, group) in resolvent.closed.iter() {
            groups[group as usize] = component;
        }
        Self {
            network,
            resolvent,
            of: of.collect(),
            groups,
        }
    }

    /// Companies and closed groups.
    fn holders(&self) -> u32 {
        to_u32(self.network.len() + self.resolvent.groups.len())
    }

    /// Finds all that `holder` controls, and adds what the rule asks for to `found`.
    fn follow(&self, work: &mut Workspace, holder: u32, rule: Rule, found: &mut Vec<Joint>) {
        self.take_in_first(work, holder, rule);
        let mut next = 0;
        while let Some(&member) = work.members.get(next) {
            self.add_stakes(work, member, holder, rule);
            next += 1;
        }
        for company in work.touched.drain(..) {
            let held = std::mem::take(&mut work.held[company as usize]);
            let controls = std::mem::take(&mut work.is_member[company as usize]);
            let is_interest = rule
                .interest
                .is_some_and(|Interest { part, inclusive }| self.is_over(part, company, held, !inclusive));
            if controls || is_interest {
                let direct = self.direct(holder, company);
                found.push(Joint {
                    holder,
                    company,
                    share: held as f64 / self.of[company as usize] as f64,
                    controls,
                    is_interest,
                    through_others: held > direct,
                });
            }
        }
        work.members.clear();
    }

    /// Adds the stakes of the holder itself: one company, or the members of a closed group.
    fn take_in_first(&self, work: &mut Workspace, holder: u32, rule: Rule) {
        match (holder as usize).checked_sub(self.network.len()) {
            None if group(self.resolvent, holder).is_none() => self.add_stakes(work, holder, holder, rule),
            None => {}
            Some(number) => {
                for &member in self.resolvent.components.members(self.groups[number]) {
                    self.add_stakes(work, member, holder, rule);
                }
            }
        }
    }

    /// Adds one member's stakes, and takes in what this brings over the threshold.
    fn add_stakes(&self, work: &mut Workspace, member: u32, holder: u32, rule: Rule) {
        for (company, share) in self.network.holdings(member) {
            if company == member || company == holder || self.of[company as usize] == 0 {
                continue;
            }
            let held = &mut work.held[company as usize];
            if *held == 0 {
                work.touched.push(company);
            }
            *held += decimal(share);
            let is_member = &mut work.is_member[company as usize];
            if !*is_member && self.is_over(rule.control, company, *held, true) {
                *is_member = true;
                work.members.push(company);
            }
        }
    }

    /// Whether `held` is more than a part of the votes, or at least that part.
    fn is_over(&self, part: Share, company: u32, held: u128, strictly: bool) -> bool {
        // Shares of one company are far fewer than the 1e20 wholes that 128 bits hold.
        let (held, needed) = (
            held * u128::from(ONE),
            u128::from(part.units()) * u128::from(self.of[company as usize]),
        );
        if strictly { held > needed } else { held >= needed }
    }

    /// What the holder has of a company by itself, in units.
    fn direct(&self, holder: u32, company: u32) -> u128 {
        let stakes = self.network.holders(company);
        match (holder as usize).checked_sub(self.network.len()) {
            None => {
                let position = self.network.holder_ids(company).binary_search(&holder);
                position.map_or(0, |position| {
                    stakes.clone().nth(position).map_or(0, |(_, share)| decimal(share))
                })
            }
            Some(number) => stakes
                .filter(|&(owner, _)| group(self.resolvent, owner) == Some(to_u32(number)))
                .map(|(_, share)| decimal(share))
                .sum(),
        }
    }
}

/// The closed group that a company belongs to.
pub(crate) fn group(resolvent: &Resolvent, company: u32) -> Option<u32> {
    resolvent.closed.group(resolvent.components.of[company as usize])
}
