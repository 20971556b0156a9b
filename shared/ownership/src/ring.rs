//! One component with cycles: its block of the resolvent, or that there is none.

use std::borrow::Cow;

use nalgebra::{DMatrix, DVector};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;
use serde::{Deserialize, Serialize};

use crate::factors::Factors;
use crate::names::to_u32;
use crate::share::{ONE, fraction};
use crate::sparse::SparseFactors;
use crate::{Network, Stopped, parallel};

/// Where columns over one were kept, an amplification above this can't be told
/// from a component without an inverse.
const DIRTY_LIMIT: f64 = 1e12;

/// Where columns over one were kept, a residual above this means the same.
const DIRTY_RESIDUAL: f64 = 1e-8;

/// Columns of a block that one thread multiplies at a time.
const COLUMNS: usize = 128;

/// Additions of a residual between two calls of the callback, on each thread.
const RESIDUAL_BATCH: usize = 1 << 27;

/// Columns whose residuals one thread finds at a time.
const PART: usize = 16;

/// Up to so many companies dense factors take less time than lists do.
const FEW: usize = 24;

/// The block of V of one component.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ring {
    /// The component, counted in topological order.
    pub(crate) component: u32,
    /// Column by column: `V[i][j]` of members i and j is `inverse[j * size + i]`.
    pub(crate) inverse: Vec<f64>,
    /// `T[j][j]`, what each member holds of itself through all cycles. It is
    /// `sum_k W[j][k] V[k][j]`, because `V[j][j] - 1` would lose small ones.
    pub(crate) loops: Vec<f64>,
    /// How far the block is from solving its equations; see [`Ring::solve`].
    pub(crate) residual: f64,
}

impl Ring {
    /// Inverts `I - W` of a component; `None` if the component is closed.
    ///
    /// It is closed where no member leaks: then every column of the component
    /// sums to one or more, and so does its spectral radius. This is decided on
    /// exact decimals. Without columns over one, any other component has an
    /// inverse. With them, the elimination finds out (see [`crate::gth`]).
    ///
    /// The residual is `max |(I - W) V - I| / ((I + W) V + I)`, entry by entry:
    /// near `1e-16` for an inverse as good as its numbers.
    ///
    /// # Errors
    ///
    /// What `step` returns; it is called with the operations done.
    pub(crate) fn solve(
        network: &Network,
        component: u32,
        members: &[u32],
        step: &mut dyn FnMut(f64) -> Result<(), Stopped>,
    ) -> Result<Option<Self>, Stopped> {
        let inside = Inside::new(network, members);
        if inside.leaks.iter().all(|&leak| leak <= 0.0) {
            return Ok(None);
        }
        let dirty = inside.leaks.iter().any(|&leak| leak < 0.0);
        let leaks = DVector::from_column_slice(&inside.leaks);
        let Some(v) = crate::gth::inverse(inside.dense(), leaks, step)? else {
            return Ok(None);
        };
        if !v.iter().all(|entry| entry.is_finite() && *entry >= 0.0) {
            return Ok(None);
        }
        let residual = inside.residual(&v, step)?;
        if dirty && (residual > DIRTY_RESIDUAL || v.diagonal().max() > DIRTY_LIMIT) {
            return Ok(None);
        }
        let loops = inside.loops(&v);
        Ok(Some(Self {
            component,
            inverse: v.data.into(),
            loops,
            residual,
        }))
    }

    /// The factors of `I - W` of a component; `None` if the component is closed, by the same rules.
    ///
    /// Where columns over one were kept only an inverse tells; then it is that.
    ///
    /// # Errors
    ///
    /// What `step` returns.
    pub(crate) fn factor(
        network: &Network,
        component: u32,
        members: &[u32],
        step: &mut dyn FnMut(f64) -> Result<(), Stopped>,
    ) -> Result<Option<Block<'static>>, Stopped> {
        let inside = Inside::new(network, members);
        if inside.leaks.iter().all(|&leak| leak <= 0.0) {
            return Ok(None);
        }
        if inside.leaks.iter().any(|&leak| leak < 0.0) {
            let ring = Self::solve(network, component, members, step)?;
            return Ok(ring.map(|ring| Block::Inverse(Cow::Owned(ring.inverse))));
        }
        if members.len() <= FEW {
            let dense = inside.dense().data.into();
            return Ok(Factors::of_few(dense, inside.leaks).map(Block::Dense));
        }
        Ok(SparseFactors::new(&inside.stakes, inside.leaks, step)?.map(Block::Sparse))
    }

    pub(crate) fn size(&self) -> usize {
        self.loops.len()
    }

    /// Column j of the block.
    pub(crate) fn column(&self, j: usize) -> &[f64] {
        &self.inverse[j * self.size()..(j + 1) * self.size()]
    }

    /// `V[j][j]`: by how much cycles multiply what is held of member j.
    pub(crate) fn amplification(&self, j: usize) -> f64 {
        self.inverse[j * self.size() + j]
    }
}

/// What a component's part of `V b` is computed with.
#[derive(Clone, Debug)]
pub(crate) enum Block<'a> {
    /// Column by column.
    Inverse(Cow<'a, [f64]>),
    Dense(Factors),
    Sparse(SparseFactors),
}

impl Block<'_> {
    /// Puts `V b` in the place of b. `scratch` is memory that is used again.
    pub(crate) fn solve(&self, b: &mut [f64], scratch: &mut Vec<f64>) {
        match self {
            Self::Inverse(inverse) => {
                scratch.clear();
                scratch.resize(b.len(), 0.0);
                multiply(inverse, b, scratch);
                b.copy_from_slice(scratch);
            }
            Self::Dense(factors) => factors.solve(b),
            Self::Sparse(factors) => factors.solve(b, scratch),
        }
    }
}

/// Adds `V b`. Sums over a fixed number of columns are added up, so that the result doesn't depend on who computes which.
fn multiply(inverse: &[f64], b: &[f64], product: &mut [f64]) {
    let size = b.len();
    let add = |columns: &[f64], b: &[f64], sum: &mut [f64]| {
        for (column, b) in columns.chunks_exact(size).zip(b) {
            for (sum, v) in sum.iter_mut().zip(column) {
                *sum += v * b;
            }
        }
    };
    if size <= COLUMNS {
        return add(inverse, b, product);
    }
    let columns = inverse.par_chunks(size * COLUMNS).zip(b.par_chunks(COLUMNS));
    let sums = columns.map(|(columns, b)| {
        let mut part = vec![0.0; size];
        add(columns, b, &mut part);
        part
    });
    for part in sums.collect::<Vec<_>>() {
        product.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
}

/// What a component holds of itself, with members counted from 0.
struct Inside {
    /// (holder, held, share), column by column.
    stakes: Vec<(u32, u32, f64)>,
    leaks: Vec<f64>,
}

impl Inside {
    /// `members` in the order of ids.
    fn new(network: &Network, members: &[u32]) -> Self {
        let place = |company: u32| members.binary_search(&company).ok();
        let stakes = members.iter().map(|&member| {
            let holders = network.holder_ids(member).iter();
            holders.filter(|&&holder| place(holder).is_some()).count()
        });
        let mut inside = Self {
            stakes: Vec::with_capacity(stakes.sum()),
            leaks: Vec::with_capacity(members.len()),
        };
        for (held, &member) in (0..).zip(members) {
            let mut outside = 0.0;
            for (holder, share) in network.holders(member) {
                match place(holder) {
                    Some(holder) => inside.stakes.push((to_u32(holder), held, share)),
                    None => outside += share,
                }
            }
            inside.leaks.push(match network.over(member) {
                None => outside + network.undisclosed(member),
                Some(units) => {
                    let holders = network.holders(member).map(|(holder, _)| holder);
                    let held: u128 = holders
                        .zip(units)
                        .filter(|&(holder, _)| place(holder).is_some())
                        .map(|(_, &units)| units)
                        .sum();
                    let one = u128::from(ONE);
                    if held <= one {
                        fraction(one - held)
                    } else {
                        -fraction(held - one)
                    }
                }
            });
        }
        inside
    }

    fn dense(&self) -> DMatrix<f64> {
        let size = self.leaks.len();
        let mut dense = DMatrix::zeros(size, size);
        for &(holder, held, share) in &self.stakes {
            dense[(holder as usize, held as usize)] = share;
        }
        dense
    }

    /// In O(stakes inside * members); `step` is called several times a second.
    fn residual(&self, v: &DMatrix<f64>, step: &mut dyn FnMut(f64) -> Result<(), Stopped>) -> Result<f64, Stopped> {
        let size = self.leaks.len();
        let batch = (RESIDUAL_BATCH / (self.stakes.len() + size)).max(1) * rayon::current_num_threads();
        let mut worst = 0.0_f64;
        for first in (0..size).step_by(batch) {
            let end = size.min(first + batch);
            let parts: Vec<usize> = (first..end).step_by(PART).collect();
            let residuals = parallel::map(parts, size * size, |first| {
                let (mut difference, mut scale) = (vec![0.0; size], vec![0.0; size]);
                let columns = first..end.min(first + PART);
                let residual = |j| self.column_residual(j, v.column(j).as_slice(), &mut difference, &mut scale);
                columns.map(residual).fold(0.0, f64::max)
            });
            worst = residuals.into_iter().fold(worst, f64::max);
            step(0.0)?;
        }
        Ok(worst)
    }

    fn column_residual(&self, j: usize, column: &[f64], difference: &mut [f64], scale: &mut [f64]) -> f64 {
        difference.copy_from_slice(column);
        scale.copy_from_slice(column);
        difference[j] -= 1.0;
        scale[j] += 1.0;
        for &(holder, held, share) in &self.stakes {
            let through = share * column[held as usize];
            difference[holder as usize] -= through;
            scale[holder as usize] += through;
        }
        let entries = difference.iter().zip(scale).filter(|(_, scale)| **scale > 0.0);
        entries.fold(0.0, |worst: f64, (difference, scale)| {
            worst.max(difference.abs() / *scale)
        })
    }

    fn loops(&self, v: &DMatrix<f64>) -> Vec<f64> {
        let mut loops = vec![0.0; self.leaks.len()];
        for &(holder, held, share) in &self.stakes {
            loops[holder as usize] += share * v[(held as usize, holder as usize)];
        }
        loops
    }
}
