//! Columns of the resolvent for open companies, and which of them can matter.
//!
//! A company j that is not open has, by its list, for every owner i
//!
//! ```text
//! T[i][j] = e[i] + sum over open o of x[o] V[i][o]
//! ```
//!
//! with few owners in e and few companies in x. Where the columns of V of all
//! open companies fit into memory they are kept here, one row for each owner
//! above any of them, and the sum is a look-up.
//!
//! **Pruning.** Let `X = sum of x`. If i is not in e, then
//!
//! ```text
//! T[i][j] = sum x[o] V[i][o] <= X max over o of V[i][o]
//! ```
//!
//! so i reaches the floor in j only if it has `floor / X` or more of some o in
//! x: it is in e, or among the first of a list of the owners of o by falling
//! share. These are all candidates; each is then evaluated in full. This uses
//! nothing but that x is not negative. With columns of W at most one, X is at
//! most one too, so lists end at the floor; where columns over one make X more
//! than that, every owner is a candidate. The bound is lowered by [`SLACK`], far
//! more than rounding can move either side.
//!
//! Each value is the sum above in the order of open companies, whichever
//! candidates there are, so the floor changes no bit of it.
//!
//! Cost: a column of V for each open company; then, for each company j,
//! candidates times open companies in x.

use std::ops::Range;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::names::to_u32;
use crate::pairs::LeftOut;
use crate::pairs::column::Column;
use crate::pairs::upstream::{NONE, OPEN, Upstream};
use crate::{Error, Progress};

/// How much the bound on candidates is lowered, as a part of it.
const SLACK: f64 = 1e-9;

/// The table is made if it has at most this many entries for each company and
/// stake, and [`LEAST`]: it must not outweigh the network.
const ENTRIES: usize = 16;

/// See [`ENTRIES`]: 256 MiB.
const LEAST: usize = 1 << 25;

/// Bytes an entry takes: its value, and its place among owners at the floor.
const BYTES: u64 = 24;

/// Columns made between two calls of the progress callback.
const STEP: usize = 64;

/// Columns of V of all open companies.
pub(crate) struct Table {
    /// The slot of each row: open companies, then those above them.
    slots: Vec<u32>,
    /// The row of each slot, or `NONE`.
    rows: Vec<u32>,
    /// For each open company, `V[i][o]` of all rows i.
    values: Vec<f64>,
    /// For each open company, owners from the floor on.
    owners: Vec<Owners>,
}

/// Who holds an open company.
#[derive(Clone, Debug, Default)]
struct Owners {
    /// (share, row) at or above the floor, by falling share.
    top: Vec<(f64, u32)>,
    /// The sum of all shares, also those below the floor.
    mass: f64,
    /// One bit for each row: whether its share is positive.
    positive: Vec<u64>,
}

/// Memory to evaluate a company with.
#[derive(Default)]
pub(crate) struct Candidates {
    /// (position of an open company, x).
    open: Vec<(u32, f64)>,
    rows: Vec<u32>,
    values: Vec<f64>,
    is_marked: Vec<bool>,
    positive: Vec<u64>,
}

impl Table {
    /// The table, unless it would be too large or lists are cut.
    pub(crate) fn new(
        upstream: &Upstream<'_>,
        floor: f64,
        memory: u64,
        progress: &mut Progress<'_>,
    ) -> Result<Option<Self>, Error> {
        if upstream.lists.cut {
            return Ok(None);
        }
        let mut slots = upstream.open_slots();
        let open = slots.len();
        let mut rows = vec![NONE; upstream.slots()];
        for (row, &slot) in (0..).zip(&slots) {
            rows[slot as usize] = row;
        }
        for position in 0..open {
            for &target in upstream.list(slots[position]).0 {
                if target & OPEN == 0 && rows[target as usize] == NONE {
                    rows[target as usize] = to_u32(slots.len());
                    slots.push(target);
                }
            }
        }
        let size = upstream.network.len() + upstream.network.stakes();
        let entries = open.saturating_mul(slots.len());
        if entries > LEAST.max(ENTRIES * size) || BYTES.saturating_mul(entries as u64) > memory {
            return Ok(None);
        }
        let mut table = Self {
            values: vec![0.0; open * slots.len()],
            owners: vec![Owners::default(); open],
            slots,
            rows,
        };
        table.fill(upstream, floor, progress)?;
        Ok(Some(table))
    }

    fn fill(&mut self, upstream: &Upstream<'_>, floor: f64, progress: &mut Progress<'_>) -> Result<(), Error> {
        let (slots, height) = (&self.slots, self.slots.len().max(1));
        let columns = self.values.chunks_mut(STEP * height).zip(self.owners.chunks_mut(STEP));
        for (batch, (values, owners)) in columns.enumerate() {
            progress(0.0)?;
            let opens = &slots[batch * STEP..][..owners.len()];
            values
                .par_chunks_mut(height)
                .zip(owners)
                .zip(opens.par_iter())
                .for_each_init(
                    || Column::new(upstream.slots()),
                    |column, ((values, owners), &slot)| {
                        column.add(slot | OPEN, 1.0);
                        column.expand(upstream);
                        for (value, &slot) in values.iter_mut().zip(slots) {
                            *value = column.get(slot);
                        }
                        column.drain(upstream, f64::INFINITY, &mut |_, _| ());
                        *owners = Owners::of(values, floor);
                    },
                );
        }
        Ok(())
    }

    fn column(&self, open: u32) -> &[f64] {
        &self.values[self.range(open)]
    }

    fn range(&self, open: u32) -> Range<usize> {
        let height = self.slots.len();
        open as usize * height..(open as usize + 1) * height
    }

    /// Gives each entry of a column at or above the floor to `keep`, counts the
    /// others, and leaves the column empty. Open companies may wait in it.
    pub(crate) fn drain(
        &self,
        column: &mut Column,
        work: &mut Candidates,
        floor: f64,
        keep: &mut impl FnMut(u32, f64),
    ) -> LeftOut {
        work.open.clear();
        column.take_waiting(|slot, share| work.open.push((self.rows[slot as usize], share)));
        let mut left_out = LeftOut::default();
        if work.open.is_empty() {
            column.take_held(|slot, held| note(slot, held, floor, &mut left_out, keep));
            return left_out;
        }
        self.find_candidates(column, work, floor);
        self.evaluate(work);
        let (mut pairs, mut total) = (self.count(work), 0.0);
        total += work
            .open
            .iter()
            .map(|&(open, share)| share * self.owners[open as usize].mass)
            .sum::<f64>();
        let (mut kept, mut kept_mass) = (0, 0.0);
        let mut keep = |slot, share| {
            kept += 1;
            kept_mass += share;
            keep(slot, share);
        };
        for (&row, &value) in work.rows.iter().zip(&work.values) {
            work.is_marked[row as usize] = false;
            if value >= floor && value > 0.0 {
                keep(self.slots[row as usize], value);
            }
        }
        column.take_held(|slot, held| {
            total += held;
            let row = self.rows[slot as usize];
            if row == NONE || work.positive[row as usize / 64] >> (row % 64) & 1 == 0 {
                pairs += 1;
            }
            if row == NONE && held >= floor {
                keep(slot, held);
            }
        });
        left_out.pairs = pairs - kept;
        if left_out.pairs > 0 {
            left_out.mass = (total - kept_mass).max(0.0);
        }
        left_out
    }

    /// Collects the rows that may reach the floor, each with its part in e; see
    /// the [module](self).
    fn find_candidates(&self, column: &Column, work: &mut Candidates, floor: f64) {
        let Candidates {
            open,
            rows,
            values,
            is_marked,
            ..
        } = work;
        is_marked.resize(self.slots.len(), false);
        rows.clear();
        values.clear();
        let mut add = |row: u32, held: f64| {
            if !std::mem::replace(&mut is_marked[row as usize], true) {
                rows.push(row);
                values.push(held);
            }
        };
        for &slot in column.touched() {
            let row = self.rows[slot as usize];
            if row != NONE {
                add(row, column.get(slot));
            }
        }
        let whole: f64 = open.iter().map(|&(_, share)| share).sum();
        let bound = floor / whole * (1.0 - SLACK);
        if bound > 0.0 && bound >= listed_from(floor) {
            for &(open, _) in open.iter() {
                let top = self.owners[open as usize].top.iter();
                top.take_while(|&&(share, _)| share >= bound)
                    .for_each(|&(_, row)| add(row, 0.0));
            }
        } else {
            (0..to_u32(self.slots.len())).for_each(|row| add(row, 0.0));
        }
    }

    /// Adds `sum x[o] V[i][o]` to each candidate.
    fn evaluate(&self, work: &mut Candidates) {
        for &(open, share) in &work.open {
            let column = self.column(open);
            for (value, &row) in work.values.iter_mut().zip(&work.rows) {
                *value += share * column[row as usize];
            }
        }
    }

    /// How many rows have a positive share of some open company in x.
    fn count(&self, work: &mut Candidates) -> u64 {
        work.positive.clear();
        work.positive.resize(self.slots.len().div_ceil(64), 0);
        for &(open, _) in &work.open {
            let positive = &self.owners[open as usize].positive;
            for (all, &bits) in work.positive.iter_mut().zip(positive) {
                *all |= bits;
            }
        }
        work.positive.iter().map(|bits| u64::from(bits.count_ones())).sum()
    }
}

impl Owners {
    fn of(values: &[f64], floor: f64) -> Self {
        let mut top: Vec<(f64, u32)> = values
            .iter()
            .copied()
            .zip(0..)
            .filter(|&(share, _)| share >= listed_from(floor) && floor > 0.0)
            .collect();
        top.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut positive = vec![0; values.len().div_ceil(64)];
        for (row, _) in values.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            positive[row / 64] |= 1 << (row % 64);
        }
        Self {
            top,
            mass: values.iter().sum(),
            positive,
        }
    }
}

/// Owners of open companies are listed from this share on. It leaves room for
/// an X that is one but for rounding.
fn listed_from(floor: f64) -> f64 {
    floor * (1.0 - 2.0 * SLACK)
}

fn note(slot: u32, held: f64, floor: f64, left_out: &mut LeftOut, keep: &mut impl FnMut(u32, f64)) {
    if held >= floor {
        keep(slot, held);
    } else {
        left_out.pairs += 1;
        left_out.mass += held;
    }
}
