//! Clearing payments: what everyone pays when not everyone can pay in full.
//!
//! Party i has the assets `e[i]` from outside and owes `pbar[i]` in all, of
//! which `P[i][j]` is the part owed to j. What it pays is all that it has, at
//! most what it owes, and is shared out in proportion (Eisenberg, Noe 2001):
//!
//! ```text
//! p = min(pbar, e + P^T p)
//! ```
//!
//! The greatest solution is computed, in a finite number of steps:
//!
//! - Components of the graph are taken debtors first, so that what comes in
//!   from other components is known. A party in no ring pays the lesser of what
//!   it has and owes.
//! - In a ring everybody is first taken to pay in full. Who can't then is in
//!   default; payments of those in default are the solution of the linear system
//!   `p = b + P^T p` among them, where `b` is what they have and what others pay
//!   them; then more may be unable to pay. This is the *fictitious default
//!   algorithm*: payments fall from round to round and stay above the greatest
//!   solution, so that they reach it, in at most as many rounds as the ring
//!   has members.
//!
//! `P^T` among those in default is an ownership matrix: its columns sum to at
//! most one, and what they lack is owed to others. So the linear system is that
//! of [`Solver::direct`], without subtraction, and it can be solved: those in
//! default can't owe everything to each other, because then what they have in
//! all would be what they owe in all.

use serde::{Deserialize, Serialize};

use crate::components::Components;
use crate::lists::Lists;
use crate::names::{Names, to_u32};
use crate::resolvent::cyclic;
use crate::{Amounts, Error, Network, OnClosed, Progress, Solver, memory};

/// Who lacks no more than this part of what it owes pays in full: sums of decimals are rounded.
const ROUNDING: f64 = 1e-12;

/// What everyone pays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clearing {
    /// Payments of every party, in the order of ids; of the unit of the claims.
    pub payment: Vec<f64>,
    /// What every party owes in all, `pbar`.
    pub owed: Vec<f64>,
    /// Whether a party pays less than it owes.
    pub defaulted: Vec<bool>,
    /// Rounds of the algorithm in the ring that took the most; 0 without rings.
    pub rounds: u32,
    /// The largest `|p - min(pbar, e + P^T p)| / pbar`.
    pub residual: f64,
}

/// The greatest clearing vector.
///
/// # Arguments
///
/// * `claims`: amounts of creditors (owners) to debtors (owned), none to oneself.
/// * `assets`: `e` of each party, from 0.
/// * `memory`: bytes that may be taken, those of the claims among them.
///
/// # Errors
///
/// [`Error::NotEnoughMemory`] if a ring is too large, and [`Error::Stopped`].
///
/// # Panics
///
/// If `assets` has not one value for each party.
///
/// # Cost
///
/// O(parties + claims), and for each round in a ring its claims and what [`Solver::direct`] takes for those in default.
///
/// # Example
///
/// ```
/// use ownership::*;
///
/// let mut builder = AmountsBuilder::new(Duplicates::Sum, ToItself::Drop, Limits::default());
/// builder.add("Creditor", "Debtor", 100.0, 1)?;
/// let claims = builder.finish()?;
/// // Of Creditor and Debtor.
/// let found = clearing(&claims, &[0.0, 40.0], u64::MAX, &mut |_| Ok(()))?;
/// assert_eq!((found.payment, found.defaulted), (vec![0.0, 40.0], vec![false, true]));
/// # Ok::<(), ownership::Error>(())
/// ```
pub fn clearing(claims: &Amounts, assets: &[f64], memory: u64, progress: &mut Progress<'_>) -> Result<Clearing, Error> {
    assert_eq!(assets.len(), claims.len(), "assets for each party");
    progress(0.0)?;
    let components = claims.sorted();
    // From 0: a sum of nothing is -0.
    let sum = |party: u32| claims.debts_of(party).fold(0.0, |sum, (_, amount)| sum + amount);
    let owed: Vec<f64> = (0..to_u32(claims.len())).map(sum).collect();
    let mut state = State {
        claims,
        assets,
        memory: memory.saturating_sub(memory::of_network(claims.graph())),
        payment: owed.clone(),
        defaulted: vec![false; claims.len()],
        place: vec![NONE; claims.len()],
        owed,
    };
    let (mut rounds, mut done) = (0, 0_usize);
    for component in (0..to_u32(components.len())).rev() {
        let members = components.members(component);
        match *members {
            [party] => state.settle(party),
            _ => {
                let start = done as f64 / claims.len() as f64;
                let part = members.len() as f64 / claims.len() as f64;
                let mut step = |fraction: f64| progress(start + part * fraction);
                rounds = rounds.max(state.settle_ring(members, &mut step)?);
            }
        }
        done += members.len();
        if done.is_multiple_of(1 << 16) {
            progress(done as f64 / claims.len() as f64)?;
        }
    }
    progress(1.0)?;
    let residual = state.residual();
    let State {
        payment,
        owed,
        defaulted,
        ..
    } = state;
    Ok(Clearing {
        payment,
        owed,
        defaulted,
        rounds,
        residual,
    })
}

/// In the place of a party in default: it is not.
const NONE: u32 = u32::MAX;

struct State<'a> {
    claims: &'a Amounts,
    assets: &'a [f64],
    /// Left for the systems of rings.
    memory: u64,
    /// In full until it is known to be less.
    payment: Vec<f64>,
    owed: Vec<f64>,
    defaulted: Vec<bool>,
    /// Of those in default in the ring at hand, their places in its system.
    place: Vec<u32>,
}

impl State<'_> {
    /// What a debtor pays on one of its debts.
    fn paid(&self, debtor: u32, amount: f64) -> f64 {
        let debtor = debtor as usize;
        if self.defaulted[debtor] {
            amount / self.owed[debtor] * self.payment[debtor]
        } else {
            amount
        }
    }

    /// What a party has: its assets and what it is paid.
    fn means(&self, party: u32) -> f64 {
        let paid = self.claims.claims_of(party);
        self.assets[party as usize] + paid.map(|(debtor, amount)| self.paid(debtor, amount)).sum::<f64>()
    }

    /// The part of what it owes that a party lacks; 0 if that is rounding.
    fn lack(&self, party: u32, means: f64) -> f64 {
        let owed = self.owed[party as usize];
        if means < owed * (1.0 - ROUNDING) {
            1.0 - means / owed
        } else {
            0.0
        }
    }

    fn settle(&mut self, party: u32) {
        let means = self.means(party);
        if self.lack(party, means) > 0.0 {
            self.payment[party as usize] = means;
            self.defaulted[party as usize] = true;
        }
    }

    /// Settles the members of a ring; returns how many rounds that took.
    fn settle_ring(&mut self, members: &[u32], progress: &mut Progress<'_>) -> Result<u32, Error> {
        let mut rounds = 0;
        let mut in_default: Vec<u32> = Vec::new();
        loop {
            let mut step = |_| progress(in_default.len() as f64 / members.len() as f64);
            step(0.0)?;
            let mut more: Vec<(u32, f64)> = Vec::new();
            for &party in members.iter().filter(|&&party| !self.defaulted[party as usize]) {
                let lack = self.lack(party, self.means(party));
                if lack > 0.0 {
                    more.push((party, lack));
                }
            }
            if in_default.len() + more.len() == members.len() && self.owe_nobody_else(members) {
                // What they have in all is what they owe in all, so this is rounding: who lacks least pays.
                let least = (0..more.len()).min_by(|&a, &b| more[a].1.total_cmp(&more[b].1));
                least.map(|position| more.remove(position));
            }
            if more.is_empty() {
                return Ok(rounds);
            }
            in_default.extend(more.iter().map(|&(party, _)| party));
            in_default.sort_unstable();
            more.iter()
                .for_each(|&(party, _)| self.defaulted[party as usize] = true);
            rounds += 1;
            let done = in_default.len() as f64 / members.len() as f64;
            self.solve(&in_default, &mut |_| progress(done))?;
        }
    }

    /// Whether all that parties owe is owed to one of them.
    fn owe_nobody_else(&self, members: &[u32]) -> bool {
        let is_member = |party: u32| members.binary_search(&party).is_ok();
        let mut creditors = members.iter().flat_map(|&member| self.claims.debts_of(member));
        creditors.all(|(creditor, _)| is_member(creditor))
    }

    /// Solves `p = b + P^T p` for those in default.
    fn solve(&mut self, in_default: &[u32], progress: &mut Progress<'_>) -> Result<(), Error> {
        for (place, &party) in (0..).zip(in_default) {
            self.place[party as usize] = place;
        }
        let mut columns = Lists {
            starts: vec![0],
            ..Lists::default()
        };
        let (mut names, mut elsewhere, mut means) = (Names::default(), Vec::new(), Vec::new());
        for &party in in_default {
            let owed = self.owed[party as usize];
            let mut to_others = 0.0;
            for (creditor, amount) in self.claims.debts_of(party) {
                let part = amount / owed;
                match self.place[creditor as usize] {
                    NONE => to_others += part,
                    place if part > 0.0 => {
                        columns.ids.push(place);
                        columns.shares.push(part);
                    }
                    _ => {}
                }
            }
            columns.starts.push(to_u32(columns.ids.len()));
            elsewhere.push(to_others.min(1.0));
            // A name is asked for where something is wrong, and nothing is.
            names.push("");
            let others = self.claims.claims_of(party);
            let others = others.filter(|&(debtor, _)| self.place[debtor as usize] == NONE);
            let paid: f64 = others.map(|(debtor, amount)| self.paid(debtor, amount)).sum();
            means.push(self.assets[party as usize] + paid);
        }
        let system = Network::new(names, columns, elsewhere, Vec::new(), Vec::new());
        // Those in default owe each other in smaller rings, if at all.
        let rings = Components::of(&system);
        let cyclic = cyclic(&system, rings.iter());
        let sizes = cyclic.iter().map(|(_, members)| members.len());
        let largest = sizes.clone().max().unwrap_or(0);
        let needed = memory::of_solver(&system, sizes);
        let what = || format!("clear rings of up to {largest} parties in default");
        memory::check(what, needed, self.memory)?;
        let solver = Solver::direct(&system, OnClosed::RingFence, progress)?;
        for (&party, payment) in in_default.iter().zip(solver.solve(&means)) {
            // Payments fall from round to round; what rounding adds is taken off.
            let before = &mut self.payment[party as usize];
            *before = before.min(payment);
            self.place[party as usize] = NONE;
        }
        Ok(())
    }

    fn residual(&self) -> f64 {
        let parties = (0..to_u32(self.claims.len())).filter(|&party| self.owed[party as usize] > 0.0);
        let missed = parties.map(|party| {
            let owed = self.owed[party as usize];
            (self.payment[party as usize] - self.means(party).min(owed)).abs() / owed
        });
        missed.fold(0.0, f64::max)
    }
}
