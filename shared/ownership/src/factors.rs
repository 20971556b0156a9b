//! `I - W = L U` of a component, subtraction-free: what a few vectors need.
//!
//! Eliminating company after company as in [`crate::gth`] takes a third of the
//! operations of an inverse. With `p[k]` the pivots, L has ones on its diagonal
//! and `-a[i][k] / p[k]` below, U has the pivots on its diagonal and `-a[k][j]`
//! above, all a as they are when k is eliminated. `x = V b` follows by two
//! substitutions which add what is not negative, so x is exact entry by entry
//! where b is not negative and neither are the leaks.
//!
//! Columns are divided in halves, again and again. When the left half is
//! eliminated, what that does to the right half is nearly all a matrix product:
//!
//! ```text
//! U12  = inverse(L11) A12      A22' = A22 + (-L21) U12      d2' = d2 + U12^T (d1 / p1)
//! ```
//!
//! Cost: `2/3 n^3` operations; a solution takes `2 n^2`.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::Stopped;
use crate::gth::{panel, pivot};

/// Up to so many columns are eliminated one after another: blocks would cost more than they save.
pub(crate) const UNBLOCKED: usize = 32;

/// The factors of `I - W`, one component's.
#[derive(Clone, Debug)]
pub(crate) struct Factors {
    /// `-L` below the diagonal and `-U` above, column by column.
    entries: Vec<f64>,
    /// The diagonal of U.
    pivots: Vec<f64>,
}

impl Factors {
    /// Factors `I - W`, or says that it has no inverse without negative entries.
    ///
    /// # Arguments
    ///
    /// * `shares`: W, n x n; its diagonal is not read.
    /// * `leaks`: for each column `1 - sum`, the diagonal included in the sum.
    /// * `step`: called with the operations done since the last call.
    ///
    /// # Errors
    ///
    /// What `step` returns.
    pub(crate) fn new(
        shares: DMatrix<f64>,
        leaks: Vec<f64>,
        step: &mut dyn FnMut(f64) -> Result<(), Stopped>,
    ) -> Result<Option<Self>, Stopped> {
        let size = leaks.len();
        let mut elimination = Elimination::new(shares.data.into(), leaks);
        let is_done = elimination.eliminate(0, size, step)?;
        Ok(is_done.then(|| elimination.factors()))
    }

    /// [`Factors::new`] of no more than [`UNBLOCKED`] companies, W column by column.
    pub(crate) fn of_few(shares: Vec<f64>, leaks: Vec<f64>) -> Option<Self> {
        let size = leaks.len();
        debug_assert!(size <= UNBLOCKED);
        let mut elimination = Elimination::new(shares, leaks);
        elimination.eliminate_few(0, size).then(|| elimination.factors())
    }

    /// Operations of the factors of a matrix of that size.
    pub(crate) fn operations(size: usize) -> f64 {
        (size as f64).powi(3) * 2.0 / 3.0
    }

    pub(crate) fn size(&self) -> usize {
        self.pivots.len()
    }

    /// Puts `V b` in the place of b.
    pub(crate) fn solve(&self, x: &mut [f64]) {
        self.solve_from(0, x);
    }

    /// The same where b is zero before `first`.
    fn solve_from(&self, first: usize, x: &mut [f64]) {
        let size = self.size();
        let columns = || self.entries.chunks_exact(size).enumerate();
        for (k, column) in columns().skip(first) {
            let (above, below) = x.split_at_mut(k + 1);
            add(below, above[k], &column[k + 1..]);
        }
        for (k, column) in columns().rev() {
            let (above, below) = x.split_at_mut(k);
            below[0] /= self.pivots[k];
            add(above, below[0], &column[..k]);
        }
    }

    /// Calls `take` with each column of V.
    pub(crate) fn unit_solutions(&self, mut take: impl FnMut(usize, &[f64])) {
        let mut x = vec![0.0; self.size()];
        for column in 0..self.size() {
            x.fill(0.0);
            x[column] = 1.0;
            self.solve_from(column, &mut x);
            take(column, &x);
        }
    }
}

/// `sum += factor * column`.
fn add(sum: &mut [f64], factor: f64, column: &[f64]) {
    for (sum, entry) in sum.iter_mut().zip(column) {
        *sum += factor * entry;
    }
}

struct Elimination {
    size: usize,
    entries: Vec<f64>,
    leaks: Vec<f64>,
    pivots: Vec<f64>,
    /// `d[k] / p[k]` of eliminated companies.
    ratios: Vec<f64>,
}

impl Elimination {
    fn new(shares: Vec<f64>, leaks: Vec<f64>) -> Self {
        let size = leaks.len();
        Self {
            size,
            entries: shares,
            leaks,
            pivots: Vec::with_capacity(size),
            ratios: Vec::with_capacity(size),
        }
    }

    fn factors(self) -> Factors {
        Factors {
            entries: self.entries,
            pivots: self.pivots,
        }
    }

    /// Eliminates the companies `first..end`, all before being done; false if a pivot is not positive.
    fn eliminate(
        &mut self,
        first: usize,
        end: usize,
        step: &mut dyn FnMut(f64) -> Result<(), Stopped>,
    ) -> Result<bool, Stopped> {
        let width = end - first;
        if width <= UNBLOCKED {
            return Ok(self.eliminate_few(first, end));
        }
        let middle = first + (width / 2).next_multiple_of(8);
        Ok(self.eliminate(first, middle, step)? && {
            self.update(first, middle, end, step)?;
            self.eliminate(middle, end, step)?
        })
    }

    fn eliminate_few(&mut self, first: usize, end: usize) -> bool {
        (first..end).all(|k| self.eliminate_one(k, end))
    }

    fn eliminate_one(&mut self, k: usize, end: usize) -> bool {
        let size = self.size;
        let (left, right) = self.entries.split_at_mut((k + 1) * size);
        let column = &mut left[k * size + k + 1..];
        let Some(pivot) = pivot(self.leaks[k], column.iter().sum()) else {
            return false;
        };
        column.iter_mut().for_each(|entry| *entry /= pivot);
        let ratio = self.leaks[k] / pivot;
        for (j, other) in (k + 1..end).zip(right.chunks_exact_mut(size)) {
            let (above, below) = other.split_at_mut(k + 1);
            self.leaks[j] += ratio * above[k];
            add(below, above[k], column);
        }
        self.pivots.push(pivot);
        self.ratios.push(ratio);
        true
    }

    /// What the elimination of `first..middle` does to the columns `middle..end`, panels of these in parallel.
    fn update(
        &mut self,
        first: usize,
        middle: usize,
        end: usize,
        step: &mut dyn FnMut(f64) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        let size = self.size;
        let (left, right) = self.entries.split_at_mut(middle * size);
        let right = &mut right[..(end - middle) * size];
        let (count, columns) = (middle - first, end - middle);
        let threads = rayon::current_num_threads();
        let width = panel((size - first) * count, columns, threads);
        let ratios = &self.ratios[first..middle];
        let groups = right.chunks_mut(size * width * threads);
        let leaks = self.leaks[middle..end].chunks_mut(width * threads);
        for (right, leaks) in groups.zip(leaks) {
            let panels = right.par_chunks_mut(size * width).zip(leaks.par_chunks_mut(width));
            panels.for_each(|(panel, leaks)| {
                let mut panel = DMatrixViewMut::from_slice(panel, size, leaks.len());
                apply(
                    &DMatrixView::from_slice(left, size, middle),
                    &mut panel,
                    first,
                    middle,
                    size,
                );
                for (leak, column) in leaks.iter_mut().zip(panel.column_iter()) {
                    let shares = column.rows_range(first..middle);
                    *leak += shares
                        .iter()
                        .zip(ratios)
                        .map(|(share, ratio)| share * ratio)
                        .sum::<f64>();
                }
            });
            step(2.0 * (size - middle) as f64 * (count * leaks.len()) as f64)?;
        }
        Ok(())
    }
}

/// Applies the elimination of `first..middle` to the rows of a panel from `first` to `end`.
fn apply(left: &DMatrixView<'_, f64>, panel: &mut DMatrixViewMut<'_, f64>, first: usize, middle: usize, end: usize) {
    let count = middle - first;
    if count <= UNBLOCKED {
        for mut column in panel.column_iter_mut() {
            for k in first..middle {
                let share = column[k];
                let holders = left.column(k);
                column
                    .rows_range_mut(k + 1..middle)
                    .axpy(share, &holders.rows_range(k + 1..middle), 1.0);
            }
        }
    } else {
        let half = first + (count / 2).next_multiple_of(8);
        apply(left, panel, first, half, middle);
        apply(left, panel, half, middle, middle);
    }
    if middle < end {
        let eliminated = panel.rows_range(first..middle).into_owned();
        let holders = left.view((middle, first), (end - middle, count));
        panel.rows_range_mut(middle..end).gemm(1.0, &holders, &eliminated, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense_resolvent;

    fn ring(size: usize, leak: f64) -> (DMatrix<f64>, Vec<f64>) {
        let entry = |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * j) % 1000) as f64;
        let mut shares = DMatrix::from_fn(size, size, |i, j| if i == j { 0.0 } else { entry(i, j) });
        let mut leaks = Vec::new();
        for (j, mut column) in shares.column_iter_mut().enumerate() {
            let leak = if j % 50 == 3 { leak } else { 0.0 };
            let sum = column.sum();
            column *= (1.0 - leak) / sum;
            leaks.push(leak);
        }
        (shares, leaks)
    }

    /// Entry by entry, however close to closed the ring is.
    #[test]
    fn factors_solve_what_the_inverse_does() {
        for (size, leak) in [(5, 0.1), (33, 1e-3), (64, 0.2), (200, 1e-12), (331, 0.4)] {
            let (shares, leaks) = ring(size, leak);
            let v = dense_resolvent(shares.data.clone().into(), leaks.clone(), &mut |_| Ok(()))
                .unwrap()
                .unwrap();
            let b: Vec<f64> = (0..size).map(|i| (i % 7) as f64).collect();
            let mut x = b.clone();
            Factors::new(shares, leaks, &mut |_| Ok(()))
                .unwrap()
                .unwrap()
                .solve(&mut x);
            for (i, x) in x.iter().enumerate() {
                let expected: f64 = (0..size).map(|j| v[j * size + i] * b[j]).sum();
                assert!((x - expected).abs() <= 2e-13 * expected, "{size}: {x} and {expected}");
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let factors = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (shares, leaks) = ring(300, 0.01);
            pool.install(|| Factors::new(shares, leaks, &mut |_| Ok(())).unwrap().unwrap().entries)
        };
        let one = factors(1);
        assert!([2, 3, 7].into_iter().all(|threads| factors(threads) == one));
    }

    #[test]
    fn a_closed_ring_has_no_factors() {
        let (shares, leaks) = ring(100, 0.0);
        assert!(Factors::new(shares, leaks, &mut |_| Ok(())).unwrap().is_none());
    }
}
