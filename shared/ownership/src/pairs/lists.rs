//! Lists: for a company, column of T in terms of owners and of open companies.
//!
//! The list of company s holds `T[i][s]` for owners i, but what comes through
//! *open* companies stands there as one entry for each of them. Owners first,
//!
//! ```text
//! list(s) = sum over holders k of W[k][s] (e_k + list(k))      k short
//!         + sum over holders k of W[k][s] open(k)              k open
//! ```
//!
//! In a small ring with block V and the lists `out(p)` of what its members'
//! outside holders mean, `list(m) = T[.][m] + sum_p V[p][m] out(p)`. Members of
//! larger rings, and companies whose list would be longer than [`SHORT`], are
//! open. In a large ring the list of a member is `out`, its outside holders only.

use crate::names::to_u32;
use crate::pairs::column::Column;
use crate::pairs::large::Large;
use crate::pairs::upstream::{NONE, OPEN, Upstream};
use crate::{Error, Progress};

/// Lists up to this length are copied into the lists below them.
const SHORT: usize = 64;

/// Rings up to this size are worked into the lists of their members; larger
/// ones are laid out for many expansions.
const LARGE: usize = 32;

/// Companies between two calls of the progress callback.
const STEP: usize = 4096;

/// An entry of a list: a slot, which may be marked [`OPEN`], and its part.
type Entry = (u32, f64);

/// Lists of companies, by position.
#[derive(Debug)]
pub(crate) struct Lists {
    /// List k has the entries `starts[k]..starts[k + 1]`.
    starts: Vec<usize>,
    targets: Vec<u32>,
    parts: Vec<f64>,
    /// Whether some lists name their direct holders only, all of them as open.
    pub(crate) cut: bool,
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            starts: vec![0],
            targets: Vec::new(),
            parts: Vec::new(),
            cut: false,
        }
    }
}

impl Lists {
    pub(crate) fn get(&self, k: usize) -> (&[u32], &[f64]) {
        let range = self.starts[k]..self.starts[k + 1];
        (&self.targets[range.clone()], &self.parts[range])
    }

    pub(crate) fn is_short(&self, k: usize) -> bool {
        self.starts[k + 1] - self.starts[k] <= SHORT
    }

    fn push(&mut self, list: &[Entry]) {
        self.targets.extend(list.iter().map(|&(target, _)| target));
        self.parts.extend(list.iter().map(|&(_, part)| part));
        self.starts.push(self.targets.len());
    }
}

/// What is needed to make one list after another.
struct Filling {
    column: Column,
    /// Entries that lists may still have besides direct holders.
    spare: usize,
    done: usize,
}

impl Upstream<'_> {
    /// Makes the lists, owners first.
    ///
    /// Once copies outweigh companies and stakes by far, the lists that follow
    /// name their direct holders only: slower to expand, and no longer than the
    /// stakes.
    pub(crate) fn fill_lists(&mut self, progress: &mut Progress<'_>) -> Result<(), Error> {
        let mut filling = Filling {
            column: Column::new(self.slots()),
            spare: 4 * (self.network.len() + self.network.stakes()) + (1 << 16),
            done: 0,
        };
        let mut slot = to_u32(self.inner);
        while (slot as usize) < self.slots() {
            if filling.done >= STEP {
                filling.done = 0;
                progress(0.0)?;
            }
            let size = self.ring(slot).map_or(1, |(number, _)| self.ring_size(number));
            filling.done += size;
            let outside: Vec<Vec<Entry>> = (slot..)
                .take(size)
                .map(|member| self.outside_list(member, &mut filling))
                .collect();
            let unrolled = self.ring(slot).filter(|_| size <= LARGE && !self.lists.cut);
            let unrolled = unrolled.and_then(|(number, first)| self.unroll(number, first, &outside, &mut filling));
            if let Some(lists) = unrolled {
                for (member, list) in (slot as usize - self.inner..).zip(&lists) {
                    self.rings[member] = NONE;
                    self.lists.push(list);
                }
            } else {
                outside.iter().for_each(|list| self.lists.push(list));
            }
            slot += to_u32(size);
        }
        self.large = self.lay_out_large();
        Ok(())
    }

    fn ring_size(&self, number: u32) -> usize {
        self.resolvent.rings[number as usize].size()
    }

    /// What holders outside of its component mean for a company.
    fn outside_list(&mut self, slot: u32, filling: &mut Filling) -> Vec<Entry> {
        let mut list = Vec::new();
        let company = self.owner(slot).id;
        let (network, resolvent) = (self.network, self.resolvent);
        let components = &resolvent.components.of;
        let component = components[company as usize];
        let holders = network.holders(company);
        let holders = holders.filter(|&(holder, _)| components[holder as usize] != component);
        let holders = holders.map(|(holder, share)| (self.holder_slot(holder), share));
        let direct = holders.clone().count();
        holders
            .clone()
            .for_each(|(holder, share)| self.add_holder(&mut filling.column, holder, share));
        filling.column.take_entries(&mut list);
        if list.len() > direct + filling.spare {
            holders.for_each(|(holder, share)| {
                let open = if (holder as usize) < self.inner { 0 } else { OPEN };
                filling.column.add(holder | open, share);
            });
            filling.column.take_entries(&mut list);
            self.lists.cut = true;
        }
        filling.spare = filling.spare.saturating_sub(list.len().saturating_sub(direct));
        list
    }

    /// The lists of a small ring's members, if all of them are short.
    fn unroll(
        &self,
        number: u32,
        first: u32,
        outside: &[Vec<Entry>],
        filling: &mut Filling,
    ) -> Option<Vec<Vec<Entry>>> {
        let ring = &self.resolvent.rings[number as usize];
        let longest = ring.size() + outside.iter().map(Vec::len).max().unwrap_or(0);
        if longest > SHORT {
            return None;
        }
        let mut lists = Vec::with_capacity(ring.size());
        for member in 0..ring.size() {
            for (position, &held) in ring.column(member).iter().enumerate() {
                let own = if position == member { ring.loops[member] } else { held };
                filling.column.add(first + to_u32(position), own);
                for &(target, part) in &outside[position] {
                    filling.column.add(target, part * held);
                }
            }
            let mut list = Vec::new();
            filling.column.take_entries(&mut list);
            lists.push(list);
        }
        let entries: usize = lists.iter().map(Vec::len).sum();
        let fits = entries <= filling.spare && lists.iter().all(|list| list.len() <= SHORT);
        filling.spare -= if fits { entries } else { 0 };
        fits.then_some(lists)
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
