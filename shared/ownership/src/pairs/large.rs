//! Large components, laid out for many expansions.
//!
//! Whoever is held through a large component is held by all of its members and
//! by all who are above it: thousands of entries, the same for each company
//! below. Their slots are listed once, so that an expansion is a product, a
//! sum for each owner above, and no bookkeeping entry by entry.

use crate::pairs::LeftOut;
use crate::pairs::upstream::OPEN;

/// Members handled together when a column is read.
const LANES: usize = 8;

/// What the lists of a component's members say, by owner above it.
pub(crate) struct Large {
    /// The slot of the first member; the others follow.
    pub(crate) first: u32,
    pub(crate) size: usize,
    /// Slots above the component; entries of the k-th are `starts[k]..starts[k + 1]`.
    pub(crate) slots: Vec<u32>,
    starts: Vec<u32>,
    members: Vec<u32>,
    parts: Vec<f64>,
    /// Entries that stand for a list: (slot, member, part).
    open: Vec<(u32, u32, f64)>,
}

impl Large {
    /// From all entries (slot, member, part) of the members' lists.
    pub(crate) fn new(first: u32, size: usize, mut entries: Vec<(u32, u32, f64)>) -> Self {
        entries.sort_unstable_by_key(|&(slot, member, _)| (slot, member));
        let open = entries.split_off(entries.partition_point(|&(slot, ..)| slot & OPEN == 0));
        let mut large = Self {
            first,
            size,
            slots: Vec::new(),
            starts: vec![0],
            members: entries.iter().map(|&(_, member, _)| member).collect(),
            parts: entries.iter().map(|&(.., part)| part).collect(),
            open,
        };
        for same in entries.chunk_by(|a, b| a.0 == b.0) {
            large.slots.push(same[0].0);
            large
                .starts
                .push(large.starts[large.starts.len() - 1] + crate::names::to_u32(same.len()));
        }
        large
    }

    /// Adds what members hold and what is held through them by those above.
    pub(crate) fn add(&self, product: &[f64], held: &mut [f64]) {
        let first = self.first as usize;
        for (held, share) in held[first..first + self.size].iter_mut().zip(product) {
            *held += share;
        }
        for (&slot, bounds) in self.slots.iter().zip(self.starts.windows(2)) {
            let range = bounds[0] as usize..bounds[1] as usize;
            let entries = self.members[range.clone()].iter().zip(&self.parts[range]);
            held[slot as usize] += entries
                .map(|(&member, part)| product[member as usize] * part)
                .sum::<f64>();
        }
    }

    /// The entries that stand for a list, times what their members hold.
    pub(crate) fn open<'a>(&'a self, product: &'a [f64]) -> impl Iterator<Item = (u32, f64)> + 'a {
        self.open
            .iter()
            .map(|&(slot, member, part)| (slot, part * product[member as usize]))
    }
}

/// Takes entries of consecutive slots out of a column: `keep` gets those at or
/// above the floor, the others are counted.
pub(crate) fn take_block(
    held: &mut [f64],
    first: u32,
    floor: f64,
    left_out: &mut LeftOut,
    keep: &mut impl FnMut(u32, f64),
) {
    let mut mass = [0.0; LANES];
    let mut slot = first;
    for block in held.chunks_mut(LANES) {
        let mut above = false;
        for (&held, mass) in block.iter().zip(&mut mass) {
            let low = held < floor;
            *mass += if low { held } else { 0.0 };
            left_out.pairs += u64::from(low && held > 0.0);
            above |= !low && held > 0.0;
        }
        if above {
            for (slot, &held) in (slot..)
                .zip(block.iter())
                .filter(|&(_, &held)| held >= floor && held > 0.0)
            {
                keep(slot, held);
            }
        }
        block.fill(0.0);
        slot += crate::names::to_u32(block.len());
    }
    left_out.mass += mass.iter().sum::<f64>();
}
