//! What a share in a company means for everyone above it.

use crate::closed::ClosedComponents;
use crate::names::to_u32;
use crate::pairs::column::Column;
use crate::pairs::large::Large;
use crate::pairs::lists::Lists;
use crate::{Error, Network, Progress, Resolvent};

/// In an entry, marks a company that stands for all that is above it too.
pub(crate) const OPEN: u32 = 1 << 31;

/// No slot: a company that holds nothing.
pub(crate) const NONE: u32 = u32::MAX;

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
    owners: Vec<Owner>,
    /// For each slot from `inner` on, the ring it is in; `NONE` outside of rings
    /// and where the list says what the ring does.
    pub(crate) rings: Vec<u32>,
    /// The first slot of each ring.
    pub(crate) ring_slots: Vec<u32>,
    /// List of slot `inner + k`.
    pub(crate) lists: Lists,
    /// Large rings that stay open, by number.
    pub(crate) large: Vec<(u32, Large)>,
}

/// What a pair says of its owner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// A company, or from `network.len()` on a closed group.
    pub(crate) id: u32,
    /// Where it stands in the order of owners' names.
    pub(crate) name_rank: u32,
    /// `V[i][i]`.
    pub(crate) amplification: f64,
}

impl<'a> Upstream<'a> {
    /// In O(companies + stakes) memory and, with the length of a short list for
    /// a factor, time.
    pub(crate) fn new(
        network: &'a Network,
        resolvent: &'a Resolvent,
        progress: &mut Progress<'_>,
    ) -> Result<Self, Error> {
        let mut upstream = Self::numbered(network, resolvent);
        upstream.fill_lists(progress)?;
        Ok(upstream)
    }

    pub(crate) fn slots(&self) -> usize {
        self.owners.len()
    }

    #[inline]
    pub(crate) fn owner(&self, slot: u32) -> &Owner {
        &self.owners[slot as usize]
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
        self.lists.get(slot as usize - self.inner)
    }

    /// The slot of a company that is neither in a closed component nor without
    /// holdings.
    pub(crate) fn slot(&self, company: u32) -> Option<u32> {
        Some(self.slots[company as usize]).filter(|&slot| slot != NONE)
    }

    /// The slot of any owner: a company, or the group of a closed one.
    pub(crate) fn holder_slot(&self, company: u32) -> u32 {
        self.slots[company as usize]
    }

    /// All slots that stay open, in topological order.
    pub(crate) fn open_slots(&self) -> Vec<u32> {
        let inner = to_u32(self.inner)..to_u32(self.slots());
        inner.filter(|&slot| self.is_open(slot)).collect()
    }

    /// Whether a slot from `inner` on stays open: lists name it, and don't copy
    /// its list.
    pub(crate) fn is_open(&self, slot: u32) -> bool {
        let k = slot as usize - self.inner;
        self.rings[k] != NONE || !self.lists.is_short(k)
    }

    /// Gives a column what a stake of `share` held by `slot` means.
    pub(crate) fn add_holder(&self, column: &mut Column, slot: u32, share: f64) {
        if (slot as usize) < self.inner {
            column.add(slot, share);
        } else if !self.is_open(slot) {
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
        let name_rank = name_order(network, resolvent, &owners);
        let owners = owners.into_iter().zip(name_rank).zip(amplification);
        let owners = owners.map(|((id, name_rank), amplification)| Owner {
            id,
            name_rank,
            amplification,
        });
        Self {
            network,
            resolvent,
            slots,
            inner,
            owners: owners.collect(),
            rings,
            ring_slots,
            lists: Lists::default(),
            large: Vec::new(),
        }
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

/// The rank of each slot in the order of owners' names.
fn name_order(network: &Network, resolvent: &Resolvent, owners: &[u32]) -> Vec<u32> {
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
    rank
}
