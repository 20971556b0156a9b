//! From an owner down, companies in topological order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Mutex;

use super::column::{most, product, stakes};
use super::ring::{Member, greatest, least};
use crate::components::Components;
use crate::control::group;
use crate::names::to_u32;
use crate::network::Column;
use crate::share::{ONE, fraction};
use crate::{Network, Resolvent};

/// What the owner holds of a company, `V[u][j]`; equal where it is certain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) company: u32,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// A network to be followed downwards.
pub(crate) struct Below<'a> {
    network: &'a Network,
    resolvent: &'a Resolvent,
    /// Whether ranges are looked at.
    ranges: bool,
    /// The stakes that there can be, where those that stand for ranges are fewer.
    possible: Option<(Network, Components)>,
    workspaces: Mutex<Vec<Workspace>>,
}

/// What one thread computes with; clean between owners.
struct Workspace {
    /// Where each company is in `held`; `NONE` if nothing is held of it.
    place: Vec<u32>,
    held: Vec<Held>,
    /// Components to be come to, and which are.
    next: BinaryHeap<Reverse<u32>>,
}

const NONE: u32 = u32::MAX;

impl<'a> Below<'a> {
    /// By the shares that stand for ranges: lower and upper are the share.
    pub(crate) fn of_shares(network: &'a Network, resolvent: &'a Resolvent) -> Self {
        Self {
            network,
            resolvent,
            ranges: false,
            possible: None,
            workspaces: Mutex::default(),
        }
    }

    /// By the bounds of stakes.
    pub(crate) fn of_bounds(network: &'a Network, resolvent: &'a Resolvent) -> Self {
        let ranges = network.ranges();
        let is_missing = |&company: &u32| {
            let possible = ranges.of(company).map_or(0, |stakes| stakes.len());
            possible > network.holder_ids(company).len()
        };
        // A stake that can be nothing may have nothing standing for it.
        let possible = ranges.companies().iter().any(is_missing).then(|| {
            let possible = network.with_stakes(|company, held| match ranges.of(company) {
                None => Column::AsBefore,
                Some(stakes) => {
                    held.clear();
                    held.extend(stakes.clone().map(|stake| (stake.owner, fraction(stake.upper.into()))));
                    let sum = stakes.map(|stake| u128::from(stake.upper)).sum::<u128>();
                    Column::Undisclosed(fraction(u128::from(ONE).saturating_sub(sum)))
                }
            });
            let components = Components::of(&possible);
            (possible, components)
        });
        Self {
            ranges: true,
            possible,
            ..Self::of_shares(network, resolvent)
        }
    }

    /// The stakes that there can be.
    fn graph(&self) -> &Network {
        self.possible.as_ref().map_or(self.network, |(network, _)| network)
    }

    fn components(&self) -> &Components {
        let possible = self.possible.as_ref().map(|(_, components)| components);
        possible.unwrap_or(&self.resolvent.components)
    }

    /// Where a company comes in the order in which owners are followed.
    pub(crate) fn component_of(&self, company: u32) -> u32 {
        self.components().of[company as usize]
    }

    /// Owners, companies and closed groups, that hold directly or not of a company with a range.
    pub(crate) fn uncertain_owners(&self) -> Vec<u32> {
        let graph = self.graph();
        let mut is_above = vec![false; self.network.len()];
        let mut waiting = self.network.ranges().companies().to_vec();
        while let Some(company) = waiting.pop() {
            for &holder in graph.holder_ids(company) {
                if !std::mem::replace(&mut is_above[holder as usize], true) {
                    waiting.push(holder);
                }
            }
        }
        let members = |group: u32| self.members_of(group - to_u32(self.network.len()));
        super::owners(self.network, self.resolvent)
            .filter(|&owner| match is_above.get(owner as usize) {
                Some(&is_above) => is_above && group(self.resolvent, owner).is_none(),
                None => members(owner).iter().any(|&member| is_above[member as usize]),
            })
            .collect()
    }

    /// The members of a closed group.
    fn members_of(&self, group: u32) -> &[u32] {
        let mut groups = self.resolvent.closed.iter();
        let component = groups
            .find(|&(_, number)| number == group)
            .map(|(component, _)| component);
        component.map_or(&[], |component| self.resolvent.components.members(component))
    }

    /// Hands out what `owner` holds of everyone below, itself or the members of its group among them, as far as the
    /// component `last`.
    ///
    /// Cost: the stakes in everyone below, a product with each block of an exact ring, and steps in the others.
    pub(crate) fn follow<T>(&self, owner: u32, last: u32, take: impl FnOnce(&[Held]) -> T) -> T {
        let free = self.pool().pop();
        let mut work = free.unwrap_or_else(|| Workspace {
            place: vec![NONE; self.network.len()],
            held: Vec::new(),
            next: BinaryHeap::new(),
        });
        self.begin(&mut work, owner);
        while let Some(Reverse(component)) = work.next.pop() {
            while work.next.peek() == Some(&Reverse(component)) {
                work.next.pop();
            }
            if component > last {
                break;
            }
            self.come_to(&mut work, component, owner);
        }
        let taken = take(&work.held);
        for held in work.held.drain(..) {
            work.place[held.company as usize] = NONE;
        }
        work.next.clear();
        self.pool().push(work);
        taken
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Vec<Workspace>> {
        self.workspaces
            .lock()
            .expect("no thread panics while it holds the pool")
    }

    fn begin(&self, work: &mut Workspace, owner: u32) {
        match (owner as usize).checked_sub(self.network.len()) {
            Some(number) => {
                for &member in self.members_of(to_u32(number)) {
                    self.hold(work, member, 1.0, 1.0);
                }
            }
            None if group(self.resolvent, owner).is_some() => {}
            None if self.is_ring(self.components().of[owner as usize]) => {
                work.next.push(Reverse(self.components().of[owner as usize]));
            }
            None => self.hold(work, owner, 1.0, 1.0),
        }
    }

    /// Notes what is held of a company, and that those it holds are next.
    fn hold(&self, work: &mut Workspace, company: u32, lower: f64, upper: f64) {
        if upper <= 0.0 {
            return;
        }
        work.place[company as usize] = to_u32(work.held.len());
        let upper = upper.max(lower);
        work.held.push(Held { company, lower, upper });
        let components = self.components();
        let here = components.of[company as usize];
        // Members of closed groups hold for the group, and nobody holds of them.
        let in_group = group(self.resolvent, company).is_some();
        for (owned, _) in self.graph().holdings(company) {
            let component = components.of[owned as usize];
            if component != here || in_group {
                work.next.push(Reverse(component));
            }
        }
    }

    fn is_ring(&self, component: u32) -> bool {
        match self.components().members(component) {
            &[company] => self.graph().holder_ids(company).binary_search(&company).is_ok(),
            _ => true,
        }
    }

    fn come_to(&self, work: &mut Workspace, component: u32, owner: u32) {
        let members = self.components().members(component);
        if self.is_ring(component) {
            return self.come_to_ring(work, component, owner);
        }
        let company = members[0];
        if work.place[company as usize] != NONE || group(self.resolvent, company).is_some() {
            return;
        }
        let (mut lower, mut found) = (0.0, Vec::new());
        let room = stakes(self.network, company, self.ranges, |stake| {
            if let Some(held) = work.of(stake.owner) {
                lower += product(held.lower, stake.lower);
                found.push((held.upper, stake));
            }
        });
        let upper = most(&mut found, room);
        self.hold(work, company, lower, upper);
    }

    fn come_to_ring(&self, work: &mut Workspace, component: u32, owner: u32) {
        let members: Vec<u32> = self.components().members(component).to_vec();
        let free: Vec<u32> = members
            .iter()
            .copied()
            .filter(|&member| group(self.resolvent, member).is_none() && work.place[member as usize] == NONE)
            .collect();
        let own = free.iter().position(|&member| member == owner);
        let ring: Vec<Member> = free.iter().map(|&member| self.member(work, &free, member)).collect();
        if own.is_none() && ring.iter().all(|member| member.outside.is_empty()) {
            return;
        }
        if free.is_empty() {
            return;
        }
        // Where all that is possible is a larger ring, a block is a part of it.
        let block = self.resolvent.components.of[free[0] as usize];
        let is_block = self.resolvent.components.members(block) == free;
        let is_exact = |&member: &u32| !self.ranges || self.network.ranges().of(member).is_none();
        let (lower, upper) = if is_block && free.iter().all(is_exact) {
            self.multiply(&free, &ring, own)
        } else {
            (least(&ring, own), greatest(&ring, own))
        };
        for (&member, (lower, upper)) in free.iter().zip(lower.into_iter().zip(upper)) {
            self.hold(work, member, lower, upper);
        }
    }

    /// The stakes in a member of a ring, `free` being those that are not known yet.
    fn member(&self, work: &Workspace, free: &[u32], company: u32) -> Member {
        let mut member = Member {
            over: self.network.over(company).is_some(),
            ..Member::default()
        };
        member.room = stakes(self.network, company, self.ranges, |stake| {
            if let Some(held) = work.of(stake.owner) {
                member.outside.push((held.lower, held.upper, stake));
            } else if let Ok(position) = free.binary_search(&stake.owner) {
                member.inside.push((position, stake));
            }
        });
        member
    }

    /// `b V` in the block of a ring without ranges, where b comes from outside and, if it is a member, from the owner.
    fn multiply(&self, free: &[u32], ring: &[Member], own: Option<usize>) -> (Vec<f64>, Vec<f64>) {
        let component = self.resolvent.components.of[free[0] as usize];
        let Some(block) = self.resolvent.ring(component) else {
            return (vec![0.0; free.len()], vec![0.0; free.len()]);
        };
        let mut inflow = Vec::new();
        for (position, member) in ring.iter().enumerate() {
            let source = f64::from(u8::from(own == Some(position)));
            let sum = |end: fn(&(f64, f64, super::column::Bound)) -> f64| {
                let parts = member.outside.iter().map(|stake| product(end(stake), stake.2.lower));
                source + parts.sum::<f64>()
            };
            let (lower, upper) = (sum(|stake| stake.0), sum(|stake| stake.1));
            if upper > 0.0 {
                inflow.push((position, lower, upper));
            }
        }
        let times = |end: fn(&(usize, f64, f64)) -> f64| {
            let column = |j| {
                let column = block.column(j);
                inflow.iter().map(|from| product(end(from), column[from.0])).sum()
            };
            (0..free.len()).map(column).collect()
        };
        (times(|from| from.1), times(|from| from.2))
    }
}

impl Workspace {
    /// What is held of a company, if anything is.
    fn of(&self, company: u32) -> Option<Held> {
        self.held.get(self.place[company as usize] as usize).copied()
    }
}
