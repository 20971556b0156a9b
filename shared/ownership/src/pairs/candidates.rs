//! Who can reach the floor in a company, and what they hold.
//!
//! By the [table](super::table), `T[i][j] = e[i] + sum x[o] V[i][o]` over the open companies o in
//! the list of j.
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
//! **What is left out** need not be gone through. The column of T sums to `sum
//! e + sum x[o] (sum of column o of V)`; from that the owners kept are taken
//! away, so the rest is exact up to rounding of the whole. How many owners it
//! has, sets of rows say: everyone with a positive share of some o in x.
//!
//! Cost: for each company, candidates times open companies in x.

use crate::names::to_u32;
use crate::pairs::LeftOut;
use crate::pairs::column::Column;
use crate::pairs::table::{SLACK, Table, listed_from};
use crate::pairs::upstream::NONE;

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

    /// Collects the rows that may reach the floor, each with what it holds; see
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
        let is_listed = bound > 0.0 && bound >= listed_from(floor);
        if let (&[(open, x)], true) = (open.as_slice(), is_listed) {
            // The list says what these hold; only owners in e are looked up.
            let column = self.column(open);
            for (value, &row) in values.iter_mut().zip(rows.iter()) {
                *value += x * column[row as usize];
            }
            let top = self.owners[open as usize].top.iter();
            for &(share, row) in top.take_while(|&&(share, _)| share >= bound) {
                if !std::mem::replace(&mut is_marked[row as usize], true) {
                    rows.push(row);
                    values.push(x * share);
                }
            }
            return;
        }
        if is_listed {
            for &(open, _) in open.iter() {
                let top = self.owners[open as usize].top.iter();
                top.take_while(|&&(share, _)| share >= bound)
                    .for_each(|&(_, row)| add(row, 0.0));
            }
        } else {
            (0..to_u32(self.slots.len())).for_each(|row| add(row, 0.0));
        }
        self.evaluate(work);
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

fn note(slot: u32, held: f64, floor: f64, left_out: &mut LeftOut, keep: &mut impl FnMut(u32, f64)) {
    if held >= floor {
        keep(slot, held);
    } else {
        left_out.pairs += 1;
        left_out.mass += held;
    }
}
