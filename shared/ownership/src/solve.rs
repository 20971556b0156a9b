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
//! **Layout.** Companies without holdings, most of a network, need no sum and
//! have no row. Rows of the others lie in the order in which they are summed,
//! those of owners without holders last. Each sum has two parts:
//!
//! - over holdings without a row, whose `x` is their value: all rows in parallel;
//! - over holdings with a row, which are few, and whose `x` lie side by side:
//!   one row after another, but for the last ones, since none of those is in
//!   the sum of another.

use std::borrow::Cow;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use crate::closed::OnClosed;
use crate::components::Components;
use crate::factors::Factors;
use crate::names::to_u32;
use crate::resolvent::{closed_error, cyclic, for_each_cyclic};
use crate::ring::{Block, Ring};
use crate::{Error, Network, Progress, Resolvent};

/// Rows that one thread sums at a time.
const ROWS: usize = 2048;

/// In the place of a row: the company has none.
const NONE: u32 = u32::MAX;

/// In the place of a row: others have no claim on the company, because its component is closed.
const CLOSED: u32 = u32::MAX - 1;

/// Solves `(I - W) x = v` again and again.
///
/// 12 bytes a stake and 16 for each company with holdings; of [`Solver::direct`]
/// also up to 8 for each pair of companies in the same component.
#[derive(Debug)]
pub struct Solver<'a> {
    companies: usize,
    /// Of components with cycles.
    blocks: Vec<Block<'a>>,
    /// What is summed before ultimate owners, holdings first.
    steps: Vec<Step>,
    /// Companies with a row; ultimate owners from `inner` on.
    rows: Vec<u32>,
    inner: usize,
    /// The stakes of [`ROWS`] rows each.
    parts: Vec<Part>,
}

/// The stakes of some rows.
#[derive(Debug)]
struct Part {
    /// In companies without a row, by company.
    values: Stakes,
    /// In companies with a row, by row.
    sums: Stakes,
}

/// Stakes by rows: of row k they are `starts[k]..starts[k + 1]`.
#[derive(Debug)]
struct Stakes {
    starts: Vec<u32>,
    of: Vec<u32>,
    shares: Vec<f64>,
}

/// Rows that are summed together.
#[derive(Debug)]
enum Step {
    /// Rows to this one, one after another.
    Rows(usize),
    /// As many rows as the block, by number, has members.
    Ring(usize),
    /// As many rows: the members of a closed component.
    Group(usize),
}

/// What a component is to the layout.
enum Kind<'a> {
    Company,
    Ring(Block<'a>),
    Closed,
}

impl<'a> Solver<'a> {
    /// In O(companies + stakes).
    #[must_use]
    pub fn new(network: &Network, resolvent: &'a Resolvent) -> Self {
        let mut rings = resolvent.rings.iter().rev().peekable();
        Self::lay_out(network, &resolvent.components, |component| {
            if let Some(ring) = rings.next_if(|ring| ring.component == component) {
                Kind::Ring(Block::Inverse(Cow::Borrowed(ring)))
            } else if resolvent.closed.group(component).is_some() {
                Kind::Closed
            } else {
                Kind::Company
            }
        })
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
    pub fn direct(
        network: &Network,
        on_closed: OnClosed,
        progress: &mut Progress<'_>,
    ) -> Result<Solver<'static>, Error> {
        progress(0.0)?;
        let components = Components::of(network);
        let cyclic = cyclic(network, &components);
        let factored = for_each_cyclic(
            &components,
            &cyclic,
            Factors::operations,
            progress,
            |component, step| Ring::factor(network, &components, component, step),
        )?;
        if on_closed == OnClosed::Fail {
            let closed = factored.iter().filter(|(_, block)| block.is_none());
            closed_error(network, &components, closed.map(|&(component, _)| component).collect())?;
        }
        let mut factored = factored.into_iter().rev().peekable();
        let solver = Solver::lay_out(network, &components, |component| {
            match factored.next_if(|&(cyclic, _)| cyclic == component) {
                Some((_, Some(block))) => Kind::Ring(block),
                Some((_, None)) => Kind::Closed,
                None => Kind::Company,
            }
        });
        progress(1.0)?;
        Ok(solver)
    }

    /// `kind` is asked for each component, the last one first.
    fn lay_out(network: &Network, components: &Components, mut kind: impl FnMut(u32) -> Kind<'a>) -> Self {
        let (mut blocks, mut steps, mut ultimate) = (Vec::new(), Vec::new(), Vec::new());
        let mut rows: Vec<u32> = Vec::new();
        let mut row_of = vec![NONE; network.len()];
        for component in (0..to_u32(components.len())).rev() {
            let members = components.members(component);
            let kind = kind(component);
            if let Kind::Company = kind {
                let company = members[0];
                if !network.is_holder(company) {
                    continue;
                }
                if !network.is_held(company) {
                    ultimate.push(company);
                    continue;
                }
            }
            for (row, &member) in (to_u32(rows.len())..).zip(members) {
                row_of[member as usize] = row;
            }
            rows.extend_from_slice(members);
            match kind {
                Kind::Company => match steps.last_mut() {
                    Some(Step::Rows(end)) => *end = rows.len(),
                    _ => steps.push(Step::Rows(rows.len())),
                },
                Kind::Ring(block) => {
                    steps.push(Step::Ring(blocks.len()));
                    blocks.push(block);
                }
                Kind::Closed => {
                    steps.push(Step::Group(members.len()));
                    members.iter().for_each(|&member| row_of[member as usize] = CLOSED);
                }
            }
        }
        let inner = rows.len();
        rows.append(&mut ultimate);
        let parts = rows
            .par_chunks(ROWS)
            .map(|rows| Part::new(network, components, &row_of, rows));
        Self {
            companies: network.len(),
            blocks,
            steps,
            inner,
            parts: parts.collect(),
            rows,
        }
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

    /// [`Solver::solve`] into memory that is used again.
    ///
    /// # Panics
    ///
    /// If `values` has not one value for each company.
    pub fn solve_into(&self, values: &[f64], x: &mut Vec<f64>) {
        assert_eq!(values.len(), self.companies, "one value for each company");
        let mut sums = vec![0.0; self.rows.len()];
        let parts = || self.parts.par_iter().zip(self.rows.par_chunks(ROWS));
        sums.par_chunks_mut(ROWS).zip(parts()).for_each(|(sums, (part, rows))| {
            for (row, (sum, &company)) in sums.iter_mut().zip(rows).enumerate() {
                *sum = values[company as usize] + part.values.sum(row, values);
            }
        });
        self.sum_inner(&mut sums);
        let (inner, ultimate) = sums.split_at_mut(self.inner);
        // Parts begin with the first row of all, so the first one of ultimate owners may be shorter.
        let (begin, rest) = ultimate.split_at_mut(ultimate.len().min(self.inner.next_multiple_of(ROWS) - self.inner));
        let add = |first: usize, ultimate: &mut [f64]| {
            for (row, sum) in (first..).zip(ultimate) {
                *sum += self.parts[row / ROWS].sums.sum(row % ROWS, inner);
            }
        };
        add(self.inner, begin);
        let first = self.inner + begin.len();
        let chunks = rest.par_chunks_mut(ROWS).enumerate();
        chunks.for_each(|(part, ultimate)| add(first + part * ROWS, ultimate));
        x.clear();
        x.extend_from_slice(values);
        for (&company, &sum) in self.rows.iter().zip(&sums) {
            x[company as usize] = sum;
        }
    }

    /// Adds to all rows but those of ultimate owners what they hold of each other.
    fn sum_inner(&self, sums: &mut [f64]) {
        let (mut row, mut b, mut scratch) = (0, Vec::new(), Vec::new());
        let add = |rows: std::ops::Range<usize>, sums: &mut [f64]| {
            for row in rows {
                sums[row] += self.parts[row / ROWS].sums.sum(row % ROWS, sums);
            }
        };
        for step in &self.steps {
            match step {
                Step::Rows(end) => {
                    add(row..*end, sums);
                    row = *end;
                }
                Step::Ring(number) => {
                    let block = &self.blocks[*number];
                    let members = row..row + block.size();
                    add(members.clone(), sums);
                    b.clear();
                    b.extend_from_slice(&sums[members.clone()]);
                    block.solve(&mut b, &mut scratch);
                    sums[members].copy_from_slice(&b);
                    row += block.size();
                }
                Step::Group(size) => {
                    let members = row..row + size;
                    add(members.clone(), sums);
                    let whole: f64 = sums[members.clone()].iter().sum();
                    sums[members].fill(whole);
                    row += size;
                }
            }
        }
    }
}

impl Part {
    /// The stakes of `rows` outside of their own components.
    fn new(network: &Network, components: &Components, row_of: &[u32], rows: &[u32]) -> Self {
        let mut part = Self {
            values: Stakes::default(),
            sums: Stakes::default(),
        };
        let stakes = rows.iter().map(|&company| network.holdings(company).len()).sum();
        part.values.reserve(stakes);
        for &company in rows {
            let component = components.of[company as usize];
            let is_alone = components.members(component).len() == 1;
            let (ids, shares) = network.holding_lists(company);
            for (&owned, &share) in ids.iter().zip(shares) {
                match row_of[owned as usize] {
                    NONE => part.values.push(owned, share),
                    CLOSED => {}
                    _ if owned == company || !is_alone && components.of[owned as usize] == component => {}
                    row => part.sums.push(row, share),
                }
            }
            part.values.end_row();
            part.sums.end_row();
        }
        part
    }
}

impl Default for Stakes {
    fn default() -> Self {
        Self {
            starts: vec![0],
            of: Vec::new(),
            shares: Vec::new(),
        }
    }
}

impl Stakes {
    fn reserve(&mut self, stakes: usize) {
        self.of.reserve(stakes);
        self.shares.reserve(stakes);
    }

    fn push(&mut self, of: u32, share: f64) {
        self.of.push(of);
        self.shares.push(share);
    }

    fn end_row(&mut self) {
        self.starts.push(to_u32(self.of.len()));
    }

    #[inline]
    fn sum(&self, row: usize, x: &[f64]) -> f64 {
        let range = self.starts[row] as usize..self.starts[row + 1] as usize;
        let stakes = self.of[range.clone()].iter().zip(&self.shares[range]);
        stakes.map(|(&of, share)| share * x[of as usize]).sum()
    }
}
