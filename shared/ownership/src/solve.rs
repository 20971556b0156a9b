//! The resolvent times vectors: what everyone holds of all that has a value.
//!
//! `x = V v` solves `x = v + W x`: a company is worth what it has itself and
//! its shares of what the companies that it holds are worth. With holdings
//! before holders,
//!
//! ```text
//! x[i] = v[i] + sum over holdings j of W[i][j] x[j]
//! ```
//!
//! is one sum after another. For a component with cycles the sum over holdings
//! outside gives `b`, and `x = V b` in its block.
//!
//! Which sums are needed and in what order, says the [layout](crate::layout).

use std::borrow::Cow;
use std::ops::Range;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use crate::closed::{ClosedGroup, OnClosed};
use crate::cycles::Between;
use crate::factors::Factors;
use crate::layout::{COMPANIES, Chunk, Kind, Layout, Step};
use crate::resolvent::{cyclic, fail, for_each_cyclic};
use crate::ring::{Block, Ring};
use crate::{Error, Network, Progress, Resolvent, memory, parallel};

/// Solves `(I - W) x = v` again and again.
///
/// 12 bytes a stake, 24 a company with holdings; of [`Solver::direct`] also up
/// to 24 for each pair of companies in the same component.
#[derive(Debug)]
pub struct Solver<'a> {
    layout: Layout<'a>,
}

impl<'a> Solver<'a> {
    /// In O(companies + stakes).
    #[must_use]
    pub fn new(network: &'a Network, resolvent: &'a Resolvent) -> Self {
        let mut rings = resolvent.rings.iter().rev().peekable();
        let components = resolvent.components.iter().rev().filter_map(|(component, members)| {
            let kind = if let Some(ring) = rings.next_if(|ring| ring.component == component) {
                Kind::Ring(Block::Inverse(Cow::Borrowed(&ring.inverse[..])))
            } else if resolvent.closed.group(component).is_some() {
                Kind::Closed
            } else if network.is_inner(members[0]) {
                Kind::Company
            } else {
                return None;
            };
            Some((kind, members))
        });
        Self {
            layout: Layout::new(network, Chunk::all(network), components),
        }
    }

    /// Straight from a network, for a few vectors: without the resolvent, of
    /// which a vector needs little.
    ///
    /// O(companies + stakes), and at most `2/3 n^3` operations for each
    /// component of n companies, a third of what [`Resolvent::new`] takes; far
    /// fewer where most of them hold few others. `progress` is called often
    /// with the part done, 0 to 1.
    ///
    /// # Errors
    ///
    /// [`Error::ClosedComponent`] with [`OnClosed::Fail`], and
    /// [`Error::Stopped`] when `progress` says so.
    ///
    /// # Example
    ///
    /// ```
    /// use ownership::*;
    ///
    /// let mut builder = NetworkBuilder::new(Policies::default());
    /// builder.add("P", "H", Share::parse("0.5", Unit::Fraction)?, 1)?;
    /// builder.add("H", "T", Share::parse("0.5", Unit::Fraction)?, 2)?;
    /// let network = builder.finish()?;
    /// let solver = Solver::direct(&network, OnClosed::RingFence, &mut |_| Ok(()))?;
    /// // Of H, P and T: half of T's 100 is H's, half of what H has is P's.
    /// assert_eq!(solver.solve(&[10.0, 0.0, 100.0]), [60.0, 30.0, 100.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn direct(network: &'a Network, on_closed: OnClosed, progress: &mut Progress<'_>) -> Result<Self, Error> {
        Self::direct_within(network, on_closed, u64::MAX, progress)
    }

    /// [`Solver::direct`] in `memory` bytes, the network's own among them.
    ///
    /// # Errors
    ///
    /// Those of [`Solver::direct`], and [`Error::NotEnoughMemory`] before it is
    /// allocated.
    pub fn direct_within(
        network: &'a Network,
        on_closed: OnClosed,
        memory: u64,
        progress: &mut Progress<'_>,
    ) -> Result<Self, Error> {
        progress(0.0)?;
        let between = Between::of(network);
        let cyclic = cyclic(network, between.iter());
        let needed = memory::of_solver(network, cyclic.iter().map(|(_, members)| members.len()));
        memory::check(|| "factor rings of companies".to_owned(), needed, memory)?;
        // Much of a large ring's factors is found by one thread.
        let (chunks, factored) = parallel::beside(
            network.len(),
            || Chunk::all(network),
            || {
                for_each_cyclic(&cyclic, Factors::operations, progress, |component, members, step| {
                    Ring::factor(network, component, members, step)
                })
            },
        );
        let factored = factored?;
        if on_closed == OnClosed::Fail {
            let closed = factored.iter().filter(|(_, block)| block.is_none());
            let mut closed: Vec<&[u32]> = closed.map(|&(component, _)| between.members(component)).collect();
            closed.sort_unstable_by_key(|members| (std::cmp::Reverse(members.len()), members[0]));
            fail(&ClosedGroup::of(network, &closed))?;
        }
        let mut factored = factored.into_iter().rev().peekable();
        let components = between.iter().rev().map(|(component, members)| {
            let kind = match factored.next_if(|&(cyclic, _)| cyclic == component) {
                Some((_, Some(block))) => Kind::Ring(block),
                Some((_, None)) => Kind::Closed,
                None => Kind::Company,
            };
            (kind, members)
        });
        let layout = Layout::new(network, chunks, components);
        progress(1.0)?;
        Ok(Self { layout })
    }

    /// `V v`: for each company its own value and its integrated shares of all
    /// others'.
    ///
    /// Members of a closed component are one owner: each gets the value of all
    /// of them and of what they hold together.
    ///
    /// Cost: O(companies + stakes), and a product with each block. The result
    /// doesn't depend on the number of threads.
    ///
    /// # Panics
    ///
    /// If `values` has not one value for each company.
    #[must_use]
    pub fn solve(&self, values: &[f64]) -> Vec<f64> {
        let mut x = Vec::new();
        self.solve_into(values, &mut x);
        x
    }

    /// [`Solver::solve`] into memory that is used again. It takes 16 bytes for each company between others besides.
    ///
    /// # Panics
    ///
    /// If `values` has not one value for each company.
    pub fn solve_into(&self, values: &[f64], x: &mut Vec<f64>) {
        assert_eq!(values.len(), self.layout.companies, "one value for each company");
        x.resize(values.len(), 0.0);
        let Layout { chunks, places, .. } = &self.layout;
        let mut inner = vec![0.0; places.len()];
        let in_order = |inner: &[f64]| places.iter().map(|&place| inner[place as usize]).collect::<Vec<f64>>();
        // So few companies are not worth waking other threads.
        if let [chunk] = chunks.as_slice() {
            chunk.sum_inner(values, values, &mut inner);
            let mut rows = in_order(&inner);
            self.sum_rows(&mut rows);
            chunk.sum_owners(values, values, x);
            return chunk.take_rows(&rows, x);
        }
        let parts = || chunks.par_iter().zip(values.par_chunks(COMPANIES));
        let mut rest = inner.as_mut_slice();
        let sums = chunks.iter().map(|chunk| {
            let sums = rest.split_off_mut(..chunk.inner());
            sums.expect("there are as many places as inner companies")
        });
        let sums = sums.collect::<Vec<_>>().into_par_iter().zip(parts());
        sums.for_each(|(sums, (chunk, own))| chunk.sum_inner(own, values, sums));
        // One row comes after another; what owners hold of leaves needs none of them.
        let (rows, ()) = rayon::join(
            || {
                let mut rows = in_order(&inner);
                self.sum_rows(&mut rows);
                rows
            },
            || {
                let x = x.par_chunks_mut(COMPANIES).zip(parts());
                x.for_each(|(x, (chunk, own))| chunk.sum_owners(own, values, x));
            },
        );
        let x = x.par_chunks_mut(COMPANIES).zip(chunks);
        x.for_each(|(x, chunk)| chunk.take_rows(&rows, x));
    }

    /// Adds to rows what they hold of each other.
    fn sum_rows(&self, sums: &mut [f64]) {
        let (mut row, mut scratch) = (0, Vec::new());
        let add = |rows: Range<usize>, sums: &mut [f64]| {
            for row in rows {
                sums[row] += self.layout.stakes.sum(row, sums);
            }
        };
        for step in &self.layout.steps {
            let members = row..step.end(row);
            row = members.end;
            add(members.clone(), sums);
            match step {
                Step::Rows(_) => {}
                Step::Ring(_, block) => block.solve(&mut sums[members], &mut scratch),
                Step::Group(_) => {
                    let whole: f64 = sums[members.clone()].iter().sum();
                    sums[members].fill(whole);
                }
            }
        }
    }
}
