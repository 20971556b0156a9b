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
//! Which owners are looked up, [`candidates`](super::candidates) says.
//!
//! Cost: a column of V for each open company.

use std::ops::Range;
use std::sync::Mutex;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::names::to_u32;
use crate::pairs::column::Column;
use crate::pairs::upstream::{NONE, OPEN, Upstream};
use crate::{Error, Progress};

/// How much the bound on candidates is lowered, as a part of it.
pub(crate) const SLACK: f64 = 1e-9;

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
    pub(crate) slots: Vec<u32>,
    /// The row of each slot, or `NONE`.
    pub(crate) rows: Vec<u32>,
    /// For each open company, `V[i][o]` of all rows i.
    values: Vec<f64>,
    /// For each open company, owners from the floor on.
    pub(crate) owners: Vec<Owners>,
}

/// Who holds an open company.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners {
    /// (share, row) at or above the floor, by falling share.
    pub(crate) top: Vec<(f64, u32)>,
    /// The sum of all shares, also those below the floor.
    pub(crate) mass: f64,
    /// One bit for each row: whether its share is positive.
    pub(crate) positive: Vec<u64>,
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
        let workspaces: Mutex<Vec<Column>> = Mutex::default();
        let lock = || workspaces.lock().expect("no thread panics while it holds the pool");
        for (batch, (values, owners)) in columns.enumerate() {
            progress(0.0)?;
            let opens = &slots[batch * STEP..][..owners.len()];
            values
                .par_chunks_mut(height)
                .zip(owners)
                .zip(opens.par_iter())
                .for_each(|((values, owners), &slot)| {
                    let column = lock().pop();
                    let mut column = column.unwrap_or_else(|| Column::new(upstream.slots()));
                    column.add(slot | OPEN, 1.0);
                    column.expand(upstream);
                    for (value, &slot) in values.iter_mut().zip(slots) {
                        *value = column.get(slot);
                    }
                    column.drain(upstream, f64::INFINITY, &mut |_, _| ());
                    *owners = Owners::of(values, floor);
                    lock().push(column);
                });
        }
        Ok(())
    }

    pub(crate) fn column(&self, open: u32) -> &[f64] {
        &self.values[self.range(open)]
    }

    fn range(&self, open: u32) -> Range<usize> {
        let height = self.slots.len();
        open as usize * height..(open as usize + 1) * height
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
pub(crate) fn listed_from(floor: f64) -> f64 {
    floor * (1.0 - 2.0 * SLACK)
}
