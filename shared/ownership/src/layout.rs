//! Companies in the order in which [`Solver`](crate::Solver) sums them.
//!
//! Only companies that hold others need a sum; they have a *row*. Rows of those
//! that are held too, *inner* rows, come first, holdings before holders, members
//! of a component side by side; then those of owners without holders, which are
//! in nobody's sum. The stakes are in two parts:
//!
//! - stakes in companies without a row, the *leaves*, nearly all of them. What a
//!   leaf has is given, so they can be added in any order: in that of the
//!   network's columns, which reads values from first to last and needs only the
//!   row of each stake. Threads take [`SEGMENTS`] of them, each with sums of its
//!   own;
//! - stakes in inner rows, by row, added one row after another.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;

use crate::Network;
use crate::names::to_u32;
use crate::ring::Block;

/// Into how many segments stakes in leaves are divided; the result depends on it.
const SEGMENTS: usize = 4;

/// Stakes that are worth a segment.
const SEGMENT: usize = 1 << 14;

/// Companies that are gone through by one thread at a time.
pub(crate) const COMPANIES: usize = 1 << 15;

/// In the place of a row: the company has none.
const NONE: u32 = u32::MAX;

/// The rows of a network and what is in their sums.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    /// Companies of the network.
    pub(crate) companies: usize,
    /// How inner rows are summed.
    pub(crate) steps: Vec<Step<'a>>,
    /// The company of each row.
    pub(crate) rows: Vec<u32>,
    /// Rows from here on are in no other's sum.
    pub(crate) inner: usize,
    pub(crate) leaves: Leaves<'a>,
    /// Stakes in inner rows outside of the row's own component.
    pub(crate) stakes: Stakes,
    /// (company, row), by company.
    pub(crate) placed: Vec<(u32, u32)>,
}

/// Stakes in companies without a row, in the order of the network's columns.
#[derive(Debug)]
pub(crate) struct Leaves<'a> {
    /// The row of each holder; one more than there are rows for a stake in a company with one.
    rows: Vec<u32>,
    /// The company that is held.
    of: Vec<u32>,
    shares: &'a [f64],
}

/// Inner rows that are summed together.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// Rows to this one, one after another.
    Rows(usize),
    /// As many rows as the block has members.
    Ring(Block<'a>),
    /// As many rows: the members of a closed component.
    Group(usize),
}

/// What a component is to the layout.
pub(crate) enum Kind<'a> {
    Company,
    Ring(Block<'a>),
    Closed,
}

/// Stakes by row: those of row k are `starts[k]..starts[k + 1]`.
#[derive(Debug)]
pub(crate) struct Stakes {
    starts: Vec<u32>,
    of: Vec<u32>,
    shares: Vec<f64>,
}

impl<'a> Layout<'a> {
    /// In O(companies + stakes).
    ///
    /// # Arguments
    ///
    /// * `components`: those of companies that are held and hold others,
    ///   holdings before holders.
    pub(crate) fn new<'m>(network: &'a Network, components: impl Iterator<Item = (Kind<'a>, &'m [u32])>) -> Self {
        let mut steps = Vec::new();
        let mut rows: Vec<u32> = Vec::new();
        for (kind, members) in components {
            rows.extend_from_slice(members);
            match (kind, steps.last_mut()) {
                (Kind::Company, Some(Step::Rows(end))) => *end = rows.len(),
                (Kind::Company, _) => steps.push(Step::Rows(rows.len())),
                (Kind::Ring(block), _) => steps.push(Step::Ring(block)),
                (Kind::Closed, _) => steps.push(Step::Group(members.len())),
            }
        }
        let inner = rows.len();
        let companies = 0..to_u32(network.len());
        rows.extend(companies.filter(|&company| network.is_holder(company) && !network.is_held(company)));
        let mut row_of = vec![NONE; network.len()];
        for (row, &company) in (0..).zip(&rows) {
            row_of[company as usize] = row;
        }
        Self {
            companies: network.len(),
            inner,
            leaves: Leaves::new(network, &row_of, to_u32(rows.len())),
            stakes: Stakes::new(network, &steps, &rows, &row_of),
            placed: (0..).zip(row_of).filter(|&(_, row)| row != NONE).collect(),
            steps,
            rows,
        }
    }
}

impl<'a> Leaves<'a> {
    fn new(network: &'a Network, row_of: &[u32], rows: u32) -> Self {
        let (starts, ids, shares) = network.column_lists();
        let mut leaves = Self {
            rows: vec![0; ids.len()],
            of: vec![0; ids.len()],
            shares,
        };
        let mut rest = (leaves.rows.as_mut_slice(), leaves.of.as_mut_slice(), ids);
        let mut chunks = Vec::new();
        for first in (0..network.len()).step_by(COMPANIES) {
            let companies = first..network.len().min(first + COMPANIES);
            let stakes = (starts[companies.end] - starts[first]) as usize;
            let (rows, of, ids) = (
                rest.0.split_at_mut(stakes),
                rest.1.split_at_mut(stakes),
                rest.2.split_at(stakes),
            );
            chunks.push((companies, rows.0, of.0, ids.0));
            rest = (rows.1, of.1, ids.1);
        }
        chunks.into_par_iter().for_each(|(companies, row, of, ids)| {
            let mut unfilled = &mut *of;
            for company in companies {
                let stakes = (starts[company + 1] - starts[company]) as usize;
                let (filled, rest) = unfilled.split_at_mut(stakes);
                filled.fill(to_u32(company));
                unfilled = rest;
            }
            for ((row, &of), &holder) in row.iter_mut().zip(&*of).zip(ids) {
                let is_leaf = row_of[of as usize] == NONE;
                *row = if is_leaf { row_of[holder as usize] } else { rows };
            }
        });
        leaves
    }

    /// What leaves are worth to those who hold them, by row: sums of which each is to be added up, in their order.
    pub(crate) fn sums(&self, rows: usize, values: &[f64]) -> Vec<Vec<f64>> {
        let length = self.rows.len().div_ceil(SEGMENTS).max(SEGMENT);
        let segments = self.rows.par_chunks(length).zip(self.of.par_chunks(length));
        let segments = segments.zip(self.shares.par_chunks(length));
        let sum = |((rows_of, of), shares): ((&[u32], &[u32]), &[f64])| {
            let mut sums = vec![0.0; rows + 1];
            for ((&row, &leaf), share) in rows_of.iter().zip(of).zip(shares) {
                sums[row as usize] += share * values[leaf as usize];
            }
            sums
        };
        segments.map(sum).collect()
    }
}

impl Stakes {
    /// The stakes in inner rows, but those that a company has in its own component, and those in closed ones: nobody else
    /// has a claim on these.
    fn new(network: &Network, steps: &[Step<'_>], rows: &[u32], row_of: &[u32]) -> Self {
        let mut found: Vec<(u32, u32, f64)> = Vec::new();
        let mut add = |component: std::ops::Range<usize>| {
            for owned in component.clone() {
                for (holder, share) in network.holders(rows[owned]) {
                    let row = row_of[holder as usize];
                    if !component.contains(&(row as usize)) {
                        found.push((row, to_u32(owned), share));
                    }
                }
            }
        };
        let mut row = 0;
        for step in steps {
            let first = row;
            row = step.end(first);
            match step {
                Step::Rows(end) => (first..*end).for_each(|row| add(row..row + 1)),
                Step::Ring(_) => add(first..row),
                Step::Group(_) => {}
            }
        }
        Self::sorted(rows.len(), &found)
    }

    /// By row, in the order in which they were found.
    fn sorted(rows: usize, found: &[(u32, u32, f64)]) -> Self {
        let mut starts = vec![0_u32; rows + 1];
        found.iter().for_each(|&(row, ..)| starts[row as usize + 1] += 1);
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let (mut of, mut shares) = (vec![0; found.len()], vec![0.0; found.len()]);
        for &(row, owned, share) in found {
            let at = &mut next[row as usize];
            of[*at as usize] = owned;
            shares[*at as usize] = share;
            *at += 1;
        }
        Self { starts, of, shares }
    }

    /// What the row's stakes are worth.
    #[inline]
    pub(crate) fn sum(&self, row: usize, x: &[f64]) -> f64 {
        let range = self.starts[row] as usize..self.starts[row + 1] as usize;
        let stakes = self.of[range.clone()].iter().zip(&self.shares[range]);
        stakes.map(|(&of, share)| share * x[of as usize]).sum()
    }
}

impl Step<'_> {
    /// Where its rows end, which begin with `first`.
    pub(crate) fn end(&self, first: usize) -> usize {
        match self {
            Self::Rows(end) => *end,
            Self::Ring(block) => first + block.size(),
            Self::Group(size) => first + size,
        }
    }
}
