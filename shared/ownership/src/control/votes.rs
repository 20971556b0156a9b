//! A network as its votes see it, and the set that a holder controls.
//!
//! The set is grown by a work-list: each member's stakes are added once to a
//! sum for each company held, in O(stakes of the members).

use super::joint::{Interest, Joint, Rule};
use super::{ControlEdges, group};
use crate::names::to_u32;
use crate::share::{ONE, decimal};
use crate::{Network, Resolvent, Share};

/// What one thread computes with; clean between holders.
pub(super) struct Workspace {
    /// What the set holds of each company, in units.
    held: Vec<u128>,
    /// Companies of which the set holds something, or that it controls.
    touched: Vec<u32>,
    /// The set, in the order in which it grew.
    members: Vec<u32>,
    is_member: Vec<bool>,
}

impl Workspace {
    pub(super) fn new(companies: usize) -> Self {
        Self {
            held: vec![0; companies],
            touched: Vec::new(),
            members: Vec::new(),
            is_member: vec![false; companies],
        }
    }
}

/// A network as its votes see it.
pub(super) struct Votes<'a> {
    network: &'a Network,
    resolvent: &'a Resolvent,
    /// The votes of each company, in units: all but its own; none in a closed group.
    of: Vec<u64>,
    /// The component of each closed group.
    groups: Vec<u32>,
}

impl<'a> Votes<'a> {
    pub(super) fn new(network: &'a Network, resolvent: &'a Resolvent) -> Self {
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
    pub(super) fn holders(&self) -> u32 {
        to_u32(self.network.len() + self.resolvent.groups.len())
    }

    /// Finds all that `holder` controls, and adds what the rule asks for to `found`.
    pub(super) fn follow(&self, work: &mut Workspace, holder: u32, rule: Rule, found: &mut Vec<Joint>) {
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
                    share: self.part(held, company),
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
            let is_member = &mut work.is_member[company as usize];
            if *held == 0 && !*is_member {
                work.touched.push(company);
            }
            *held += decimal(share);
            if !*is_member && self.is_over(rule.control, company, *held, true) {
                *is_member = true;
                work.members.push(company);
            }
        }
        if rule.edges == ControlEdges::Use {
            self.take_in_controlled(work, member, holder);
        }
    }

    /// Takes in whom a member controls without a share.
    fn take_in_controlled(&self, work: &mut Workspace, member: u32, holder: u32) {
        for &(_, company) in self.network.control_edges_of(member) {
            let is_member = &mut work.is_member[company as usize];
            if company == holder || *is_member || group(self.resolvent, company).is_some() {
                continue;
            }
            *is_member = true;
            work.members.push(company);
            if work.held[company as usize] == 0 {
                work.touched.push(company);
            }
        }
    }

    /// Which part of the votes that is.
    fn part(&self, held: u128, company: u32) -> f64 {
        if held == 0 {
            0.0
        } else {
            held as f64 / self.of[company as usize] as f64
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
