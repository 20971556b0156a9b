//! One column of V: what everyone holds of one company.

use crate::pairs::LeftOut;
use crate::pairs::large::take_block;
use crate::pairs::upstream::{OPEN, Upstream};

/// A sparse vector over slots that is added to in any order, and the
/// companies in it that wait to be expanded. Its memory is reused for every
/// column.
#[derive(Debug)]
pub(crate) struct Column {
    /// What is held by each slot's owner.
    held: Vec<f64>,
    /// Slots whose `held` is not zero, in the order in which they became so.
    touched: Vec<u32>,
    /// What waits at each slot to be expanded.
    waiting: Vec<f64>,
    /// Slots at which something waits.
    queue: Queue,
    /// Large components that were expanded; their slots are not in `touched`.
    expanded: Vec<u32>,
    /// The product of a block and what waits at its members.
    product: Vec<f64>,
    /// Multiplications of blocks so far.
    operations: usize,
}

impl Column {
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            held: vec![0.0; slots],
            touched: Vec::new(),
            waiting: vec![0.0; slots],
            queue: Queue::new(slots),
            expanded: Vec::new(),
            product: Vec::new(),
            operations: 0,
        }
    }

    /// Adds to a slot, or to what waits there if it is marked [`OPEN`].
    #[inline]
    pub(crate) fn add(&mut self, target: u32, share: f64) {
        if target & OPEN == 0 {
            let held = &mut self.held[target as usize];
            if *held == 0.0 && share > 0.0 {
                self.touched.push(target);
            }
            *held += share;
        } else {
            let slot = target & !OPEN;
            let waiting = &mut self.waiting[slot as usize];
            if *waiting == 0.0 {
                self.queue.push(slot);
            }
            *waiting += share;
        }
    }

    /// Adds a list, times a share.
    #[inline]
    pub(crate) fn add_list(&mut self, targets: &[u32], parts: &[f64], share: f64) {
        for (&target, &part) in targets.iter().zip(parts) {
            self.add(target, part * share);
        }
    }

    /// Expands what waits, owners last, until nothing does.
    ///
    /// The last in topological order goes first: all that could still be added
    /// to it came from companies after it.
    pub(crate) fn expand(&mut self, upstream: &Upstream<'_>) {
        while let Some(slot) = self.queue.pop_last() {
            let share = std::mem::take(&mut self.waiting[slot as usize]);
            if share == 0.0 {
                continue;
            }
            match upstream.ring(slot) {
                None => {
                    self.add(slot, share);
                    let (targets, parts) = upstream.list(slot);
                    self.add_list(targets, parts, share);
                }
                Some((number, first)) => {
                    self.waiting[slot as usize] = share;
                    self.expand_ring(upstream, number, first);
                }
            }
        }
    }

    /// Multiplies what waits at the members of a component by its block, and
    /// passes it on.
    fn expand_ring(&mut self, upstream: &Upstream<'_>, number: u32, first: u32) {
        let ring = &upstream.resolvent.rings[number as usize];
        let mut product = std::mem::take(&mut self.product);
        product.clear();
        product.resize(ring.size(), 0.0);
        let waiting = &mut self.waiting[first as usize..first as usize + ring.size()];
        for (position, waiting) in waiting.iter_mut().enumerate() {
            let share = std::mem::take(waiting);
            if share > 0.0 {
                self.operations += ring.size();
                add_scaled(&mut product, ring.column(position), share);
            }
        }
        if let Some(large) = upstream.large(number) {
            large.add(&product, &mut self.held);
            large.open(&product).for_each(|(target, share)| self.add(target, share));
            self.expanded.push(number);
        } else {
            for (member, &share) in (first..).zip(&product) {
                self.add(member, share);
                let (targets, parts) = upstream.list(member);
                self.add_list(targets, parts, share);
            }
        }
        self.product = product;
    }

    /// Multiplications of blocks since this was last asked.
    pub(crate) fn take_operations(&mut self) -> usize {
        std::mem::take(&mut self.operations)
    }

    /// What a slot's owner holds.
    pub(crate) fn get(&self, slot: u32) -> f64 {
        self.held[slot as usize]
    }

    /// Slots whose entry is positive, unless large components were expanded.
    pub(crate) fn touched(&self) -> &[u32] {
        &self.touched
    }

    /// Takes what waits, the last slot first.
    pub(crate) fn take_waiting(&mut self, mut take: impl FnMut(u32, f64)) {
        while let Some(slot) = self.queue.pop_last() {
            let share = std::mem::take(&mut self.waiting[slot as usize]);
            if share > 0.0 {
                take(slot, share);
            }
        }
    }

    /// Takes what is held, which is positive.
    pub(crate) fn take_held(&mut self, mut take: impl FnMut(u32, f64)) {
        for slot in self.touched.drain(..) {
            take(slot, std::mem::take(&mut self.held[slot as usize]));
        }
    }

    /// Sets an entry that is positive.
    pub(crate) fn replace(&mut self, slot: u32, held: f64) {
        self.held[slot as usize] = held;
    }

    /// Gives each entry at or above the floor to `keep`, counts the others, and
    /// leaves the column empty. Nothing may wait.
    pub(crate) fn drain(&mut self, upstream: &Upstream<'_>, floor: f64, keep: &mut impl FnMut(u32, f64)) -> LeftOut {
        let mut left_out = LeftOut::default();
        let mut slots = std::mem::take(&mut self.touched);
        for number in self.expanded.drain(..) {
            let Some(large) = upstream.large(number) else { continue };
            let members = large.first as usize..large.first as usize + large.size;
            take_block(&mut self.held[members], large.first, floor, &mut left_out, keep);
            take_slots(&mut self.held, &large.slots, floor, &mut left_out, keep);
        }
        take_slots(&mut self.held, &slots, floor, &mut left_out, keep);
        slots.clear();
        self.touched = slots;
        left_out
    }

    /// Takes what was added as it is, without expanding, in the order of slots.
    pub(crate) fn take_entries(&mut self, entries: &mut Vec<(u32, f64)>) {
        entries.clear();
        while let Some(slot) = self.queue.pop_last() {
            entries.push((slot | OPEN, std::mem::take(&mut self.waiting[slot as usize])));
        }
        entries.extend(
            self.touched
                .drain(..)
                .map(|slot| (slot, std::mem::take(&mut self.held[slot as usize]))),
        );
        entries.sort_unstable_by_key(|&(slot, _)| slot);
    }
}

/// Takes entries out of a column, as [`take_block`] does. A slot that is listed
/// twice is empty the second time.
fn take_slots(held: &mut [f64], slots: &[u32], floor: f64, left_out: &mut LeftOut, keep: &mut impl FnMut(u32, f64)) {
    for &slot in slots {
        let held = std::mem::take(&mut held[slot as usize]);
        if held >= floor && held > 0.0 {
            keep(slot, held);
        } else if held > 0.0 {
            left_out.pairs += 1;
            left_out.mass += held;
        }
    }
}

/// `y += factor x`.
fn add_scaled(y: &mut [f64], x: &[f64], factor: f64) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// A set of slots from which the last is taken: one bit a slot, and one bit
/// for each 64 of these. Slots below the last one taken may be put in.
#[derive(Debug)]
struct Queue {
    bits: Vec<u64>,
    words: Vec<u64>,
    /// No bit is set in `words` from here on.
    end: usize,
}

impl Queue {
    fn new(slots: usize) -> Self {
        let bits = slots.div_ceil(64);
        Self {
            bits: vec![0; bits],
            words: vec![0; bits.div_ceil(64)],
            end: 0,
        }
    }

    #[inline]
    fn push(&mut self, slot: u32) {
        let slot = slot as usize;
        self.bits[slot / 64] |= 1 << (slot % 64);
        self.words[slot / 4096] |= 1 << (slot / 64 % 64);
        self.end = self.end.max(slot / 4096 + 1);
    }

    #[inline]
    fn pop_last(&mut self) -> Option<u32> {
        while self.end > 0 {
            let Some(word) = self.words[self.end - 1].checked_ilog2() else {
                self.end -= 1;
                continue;
            };
            let word = (self.end - 1) * 64 + word as usize;
            let bit = self.bits[word].ilog2();
            self.bits[word] &= !(1 << bit);
            if self.bits[word] == 0 {
                self.words[self.end - 1] &= !(1 << (word % 64));
            }
            return Some(crate::names::to_u32(word * 64) + bit);
        }
        None
    }
}
