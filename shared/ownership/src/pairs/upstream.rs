//! What a share in a company means for everyone above it.

use crate::closed::ClosedComponents;
use crate::names::to_u32;
use crate::pairs::column::Column;
use crate::pairs::large::Large;
use crate::{Error, Network, Progress, Resolvent};

/// In an entry, marks a company that stands for all that is above it too.
pub(crate) const OPEN: u32 = 1 << 31;

/// No slot: a company that holds nothing.
const NONE: u32 = u32::MAX;

/// Lists up to this length are copied into the lists below them.
const SHORT: usize = 64;

/// Components above this size are laid out for many expansions.
const LARGE: usize = 32;

/// Companies between two calls of the progress callback.
const STEP: usize = 4096;

/// Owners, numbered so that a column can be made without searching.
///
/// A *slot* is an owner's number here. First come owners without holders
/// (closed groups, and ultimate owners by falling number of holdings, so that
/// busy ones lie together), then all others in topological order, so that
/// members of a component lie side by side.
pub(crate) struct Upstream<'a> {
    pub(crate) network: &'a Network,
    pub(crate) resolvent: &'a Resolvent,
    /// The slot of each company, its group's slot for a member of a closed one.
    slots: Vec<u32>,
    /// Slots from here on have a list.
    pub(crate) inner: usize,
    /// The owner of each slot.
    owners: Vec<u32>,
    /// `V[i][i]` of each slot's owner.
    pub(crate) amplification: Vec<f64>,
    /// For each slot from `inner` on, the ring it is in or `NONE`.
    rings: Vec<u32>,
    /// The first slot of each ring.
    ring_slots: Vec<u32>,
    /// Slots in the order of owners' names, and its inverse.
    pub(crate) by_name: Vec<u32>,
    pub(crate) name_rank: Vec<u32>,
    /// List of slot `inner + k`: entries `starts[k]..starts[k + 1]`.
    starts: Vec<usize>,
    targets: Vec<u32>,
    parts: Vec<f64>,
    /// Rings of more than [`LARGE`] companies, by number.
    large: Vec<(u32, Large)>,
}

impl<'a> Upstream<'a> {
    /// In O(companies + stakes) memory and, with [`SHORT`] for a factor, time.
    pub(crate) fn new(
        network: &'a Network,
        resolvent: &'a Resolvent,
        progress: &mut Progress<'_>,
    ) -> Result<Self, Error> {
        let mut upstream = Self::numbered(network, resolvent);
        upstream.fill_lists(progress)?;
        upstream.large = upstream.lay_out_large();
        Ok(upstream)
    }

    pub(crate) fn slots(&self) -> usize {
        self.owners.len()
    }

    pub(crate) fn owner(&self, slot: u32) -> u32 {
        self.owners[slot as usize]
    }

    /// Direct holders of a company, as slots.
    pub(crate) fn holders(&self, company: u32) -> impl Iterator<Item = (u32, f64)> + '_ {
        self.network
            .holders(company)
            .map(|(holder, share)| (self.slots[holder as usize], share))
    }

    /// The number of the ring that a slot from `inner` on is in, with the slot
    /// of its first member.
    pub(crate) fn ring(&self, slot: u32) -> Option<(u32, u32)> {
        let number = self.rings[slot as usize - self.inner];
        (number != NONE).then(|| (number, self.ring_slots[number as usize]))
    }

    /// The layout of a large ring.
    pub(crate) fn large(&self, number: u32) -> Option<&Large> {
        let found = self.large.binary_search_by_key(&number, |&(number, _)| number);
        found.ok().map(|position| &self.large[position].1)
    }

    /// The list of a slot from `inner` on: (slots, parts). A slot marked
    /// [`OPEN`] stands for its own list too.
    pub(crate) fn list(&self, slot: u32) -> (&[u32], &[f64]) {
        let k = slot as usize - self.inner;
        let range = self.starts[k]..self.starts[k + 1];
        (&self.targets[range.clone()], &self.parts[range])
    }

    /// The slot of a company that is neither in a closed component nor without
    /// holdings.
    pub(crate) fn slot(&self, company: u32) -> Option<u32> {
        Some(self.slots[company as usize]).filter(|&slot| slot != NONE)
    }

    /// Whether a list that refers to this slot may copy its list.
    fn is_short(&self, slot: u32) -> bool {
        let k = slot as usize - self.inner;
        self.rings[k] == NONE && self.starts[k + 1] - self.starts[k] <= SHORT
    }

    /// Gives a column what a stake of `share` held by `slot` means.
    pub(crate) fn add_holder(&self, column: &mut Column, slot: u32, share: f64) {
        if (slot as usize) < self.inner {
            column.add(slot, share);
        } else if self.is_short(slot) {
            column.add(slot, share);
            let (targets, parts) = self.list(slot);
            column.add_list(targets, parts, share);
        } else {
            column.add(slot | OPEN, share);
        }
    }

    fn numbered(network: &'a Network, resolvent: &'a Resolvent) -> Self {
        let components = &resolvent.components;
        let closed = |company: u32| resolvent.closed.group(components.of[company as usize]);
        let companies = to_u32(network.len());
        let mut slots = vec![NONE; network.len()];
        let mut owners: Vec<u32> = (companies..).take(resolvent.groups.len()).collect();
        let mut ultimate: Vec<u32> = (0..companies)
            .filter(|&company| network.holder_ids(company).is_empty() && network.holdings(company).len() > 0)
            .collect();
        ultimate.sort_by_key(|&company| std::cmp::Reverse(network.holdings(company).len()));
        owners.extend(ultimate);
        let inner = owners.len();
        owners.extend(components.order.iter().copied().filter(|&company| {
            let between = !network.holder_ids(company).is_empty() && network.holdings(company).len() > 0;
            between && closed(company).is_none()
        }));
        for (slot, &owner) in (0..).zip(&owners).skip(resolvent.groups.len()) {
            slots[owner as usize] = slot;
        }
        mark_groups(&mut slots, &resolvent.closed, resolvent);

        let mut rings = vec![NONE; owners.len() - inner];
        let mut ring_slots = Vec::with_capacity(resolvent.rings.len());
        let mut amplification = vec![1.0; owners.len()];
        for (number, ring) in (0..).zip(&resolvent.rings) {
            let first = slots[components.members(ring.component)[0] as usize];
            ring_slots.push(first);
            for position in 0..ring.size() {
                rings[first as usize - inner + position] = number;
                amplification[first as usize + position] = ring.amplification(position);
            }
        }
        let (by_name, name_rank) = name_order(network, resolvent, &owners);
        Self {
            network,
            resolvent,
            slots,
            inner,
            owners,
            amplification,
            rings,
            ring_slots,
            by_name,
            name_rank,
            starts: vec![0],
            targets: Vec::new(),
            parts: Vec::new(),
            large: Vec::new(),
        }
    }

    /// Makes the lists, owners first.
    ///
    /// Once copies outweigh companies and stakes by far, the lists that follow
    /// name their direct holders only: slower to expand, and no longer than the
    /// stakes.
    fn fill_lists(&mut self, progress: &mut Progress<'_>) -> Result<(), Error> {
        let mut spare = 4 * (self.network.len() + self.network.stakes()) + (1 << 16);
        let mut column = Column::new(self.slots());
        let mut list = Vec::new();
        for slot in to_u32(self.inner)..to_u32(self.slots()) {
            if (slot as usize).is_multiple_of(STEP) {
                progress(0.0)?;
            }
            let company = self.owner(slot);
            let component = self.resolvent.components.of[company as usize];
            let outside = |holder: u32| self.resolvent.components.of[holder as usize] != component;
            let holders = self.network.holders(company).filter(|&(holder, _)| outside(holder));
            let holders = holders.map(|(holder, share)| (self.slots[holder as usize], share));
            let direct = holders.clone().count();
            holders
                .clone()
                .for_each(|(holder, share)| self.add_holder(&mut column, holder, share));
            column.take_entries(&mut list);
            if list.len() > direct + spare {
                holders.for_each(|(holder, share)| {
                    let open = if (holder as usize) < self.inner { 0 } else { OPEN };
                    column.add(holder | open, share);
                });
                column.take_entries(&mut list);
            }
            spare = spare.saturating_sub(list.len().saturating_sub(direct));
            self.targets.extend(list.iter().map(|&(target, _)| target));
            self.parts.extend(list.iter().map(|&(_, part)| part));
            self.starts.push(self.targets.len());
        }
        Ok(())
    }

    fn lay_out_large(&self) -> Vec<(u32, Large)> {
        let rings = (0..).zip(&self.resolvent.rings).filter(|(_, ring)| ring.size() > LARGE);
        rings
            .map(|(number, ring)| {
                let first = self.ring_slots[number as usize];
                let mut entries = Vec::new();
                for (member, slot) in (0..to_u32(ring.size())).zip(first..) {
                    let (targets, parts) = self.list(slot);
                    entries.extend(targets.iter().zip(parts).map(|(&target, &part)| (target, member, part)));
                }
                (number, Large::new(first, ring.size(), entries))
            })
            .collect()
    }
}

/// Gives members of closed components the slot of their group.
fn mark_groups(slots: &mut [u32], closed: &ClosedComponents, resolvent: &Resolvent) {
    for (component, group) in closed.iter() {
        for &member in resolvent.components.members(component) {
            slots[member as usize] = group;
        }
    }
}

/// Slots in the order of their owners' names, and the rank of each slot.
fn name_order(network: &Network, resolvent: &Resolvent, owners: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut by_name: Vec<u32> = (0..to_u32(owners.len())).collect();
    // Companies are numbered by name; a group stands between the companies
    // before and after its name.
    by_name.sort_by_cached_key(|&slot| {
        let owner = owners[slot as usize];
        match resolvent.groups.get((owner as usize).wrapping_sub(network.len())) {
            None => (u64::from(owner) * 2 + 1, ""),
            Some(group) => {
                let position = network.search(&group.name).unwrap_or_else(|position| position);
                (u64::from(position) * 2, group.name.as_str())
            }
        }
    });
    let mut rank = vec![0; owners.len()];
    for (name_rank, &slot) in (0..).zip(&by_name) {
        rank[slot as usize] = name_rank;
    }
    (by_name, rank)
}
