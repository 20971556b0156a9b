//! Companies and stakes in the order in which [`Solver`](crate::Solver) sums them.
//!
//! Only companies that hold others need a sum. Those that are held too, *inner*
//! ones, have a *row*, holdings before holders, members of a component side by
//! side; what they hold of each other is added one row after another. All else
//! is added in any order, so by companies next to each other, [`COMPANIES`] at
//! a time, each such [`Chunk`] by one thread:
//!
//! - what is held of *leaves*, companies that hold nothing: nearly all stakes.
//!   Holders of as many leaves are side by side, so that the processor need not
//!   guess how long each sum is;
//! - what owners whom nobody holds have of inner companies.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::Network;
use crate::names::to_u32;
use crate::ring::Block;

/// Companies whose values and sums fit into a core's cache.
pub(crate) const COMPANIES: usize = 1 << 15;

/// Sums of up to so many leaves have code of their own.
const SHORT: usize = 8;

/// In the place of a row: the company has none.
const NONE: u32 = u32::MAX;

/// The rows of a network and what is in all sums.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    /// Companies of the network.
    pub(crate) companies: usize,
    /// How rows are summed.
    pub(crate) steps: Vec<Step<'a>>,
    /// The company of each row.
    pub(crate) rows: Vec<u32>,
    /// What rows hold of rows outside of their own component.
    pub(crate) stakes: Stakes,
    /// The rest, by companies.
    pub(crate) chunks: Vec<Chunk>,
}

/// Rows that are summed together.
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

/// Stakes by holder: those of number k are `starts[k]..starts[k + 1]`.
#[derive(Debug)]
pub(crate) struct Stakes {
    starts: Vec<u32>,
    of: Vec<u32>,
    shares: Vec<f64>,
}

/// What [`COMPANIES`] companies hold of leaves, and those whom nobody holds of rows.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Holders of 1 to [`SHORT`] leaves, by how many, then those of more.
    leaves: [Held; SHORT + 1],
    /// Whom nobody holds, with stakes in rows, in the order of ids.
    owners: Vec<u32>,
    above: Stakes,
}

/// Stakes of some holders, one holder's after another's.
#[derive(Debug, Default)]
struct Held {
    /// Where in the chunk each holder is.
    holders: Vec<u32>,
    /// How many stakes each has; empty where all have as many.
    counts: Vec<u32>,
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
    pub(crate) fn new<'m>(network: &Network, components: impl Iterator<Item = (Kind<'a>, &'m [u32])>) -> Self {
        let mut steps = Vec::new();
        let mut rows: Vec<u32> = Vec::new();
        let mut is_closed = Vec::new();
        for (kind, members) in components {
            rows.extend_from_slice(members);
            is_closed.resize(rows.len(), matches!(kind, Kind::Closed));
            match (kind, steps.last_mut()) {
                (Kind::Company, Some(Step::Rows(end))) => *end = rows.len(),
                (Kind::Company, _) => steps.push(Step::Rows(rows.len())),
                (Kind::Ring(block), _) => steps.push(Step::Ring(block)),
                (Kind::Closed, _) => steps.push(Step::Group(members.len())),
            }
        }
        let mut row_of = vec![NONE; network.len()];
        for (row, &company) in (0..).zip(&rows) {
            row_of[company as usize] = row;
        }
        let chunks = (0..network.len().div_ceil(COMPANIES)).into_par_iter();
        let chunk = |number| {
            let first = number * COMPANIES;
            let companies = first..network.len().min(first + COMPANIES);
            Chunk::new(network, companies, &row_of, &is_closed)
        };
        Self {
            companies: network.len(),
            stakes: Stakes::between(network, &steps, &rows, &row_of),
            chunks: chunks.map(chunk).collect(),
            steps,
            rows,
        }
    }
}

impl Chunk {
    fn new(network: &Network, companies: std::ops::Range<usize>, row_of: &[u32], is_closed: &[bool]) -> Self {
        let mut chunk = Self {
            leaves: Default::default(),
            owners: Vec::new(),
            above: Stakes::new(),
        };
        let (mut of, mut shares) = (Vec::new(), Vec::new());
        for (at, company) in (0..).zip(to_u32(companies.start)..to_u32(companies.end)) {
            let is_owner = !network.is_held(company);
            of.clear();
            shares.clear();
            for (owned, share) in network.holdings(company) {
                let row = row_of[owned as usize];
                if row == NONE {
                    of.push(owned);
                    shares.push(share);
                } else if is_owner && !is_closed[row as usize] {
                    // Nobody else has a claim on what a closed component has.
                    chunk.above.push(row, share);
                }
            }
            if let Some(last) = of.len().checked_sub(1) {
                chunk.leaves[last.min(SHORT)].push(at, &of, &shares, last >= SHORT);
            }
            if chunk.above.end() {
                chunk.owners.push(at);
            }
        }
        chunk
    }

    /// Adds what is held of leaves, which are worth their own values.
    pub(crate) fn add_leaves(&self, values: &[f64], x: &mut [f64]) {
        let [one, two, three, four, five, six, seven, eight, more] = &self.leaves;
        one.add::<1>(values, x);
        two.add::<2>(values, x);
        three.add::<3>(values, x);
        four.add::<4>(values, x);
        five.add::<5>(values, x);
        six.add::<6>(values, x);
        seven.add::<7>(values, x);
        eight.add::<8>(values, x);
        more.add_more(values, x);
    }

    /// Adds what owners whom nobody holds have of rows.
    pub(crate) fn add_rows(&self, rows: &[f64], x: &mut [f64]) {
        for (number, &owner) in self.owners.iter().enumerate() {
            x[owner as usize] += self.above.sum(number, rows);
        }
    }
}

impl Held {
    fn push(&mut self, holder: u32, of: &[u32], shares: &[f64], counted: bool) {
        self.holders.push(holder);
        if counted {
            self.counts.push(to_u32(of.len()));
        }
        self.of.extend_from_slice(of);
        self.shares.extend_from_slice(shares);
    }

    /// Where all have `COUNT` stakes.
    fn add<const COUNT: usize>(&self, values: &[f64], x: &mut [f64]) {
        let (of, _) = self.of.as_chunks::<COUNT>();
        let (shares, _) = self.shares.as_chunks::<COUNT>();
        for ((&holder, of), shares) in self.holders.iter().zip(of).zip(shares) {
            x[holder as usize] += worth(of, shares, values);
        }
    }

    fn add_more(&self, values: &[f64], x: &mut [f64]) {
        let mut rest = (self.of.as_slice(), self.shares.as_slice());
        for (&holder, &count) in self.holders.iter().zip(&self.counts) {
            let (of, shares) = (rest.0.split_at(count as usize), rest.1.split_at(count as usize));
            x[holder as usize] += worth_of_many(of.0, shares.0, values);
            rest = (of.1, shares.1);
        }
    }
}

#[inline]
fn worth(of: &[u32], shares: &[f64], values: &[f64]) -> f64 {
    let stakes = of.iter().zip(shares);
    stakes.map(|(&of, share)| share * values[of as usize]).sum()
}

/// Several sums side by side, since each addition waits for the one before.
fn worth_of_many(of: &[u32], shares: &[f64], values: &[f64]) -> f64 {
    let ((ofs, of), (all_shares, shares)) = (of.as_chunks::<8>(), shares.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (of, shares) in ofs.iter().zip(all_shares) {
        for ((sum, &of), share) in sums.iter_mut().zip(of).zip(shares) {
            *sum += share * values[of as usize];
        }
    }
    sums.iter().sum::<f64>() + worth(of, shares, values)
}

impl Stakes {
    const fn new() -> Self {
        Self {
            starts: Vec::new(),
            of: Vec::new(),
            shares: Vec::new(),
        }
    }

    fn push(&mut self, of: u32, share: f64) {
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.of.push(of);
        self.shares.push(share);
    }

    /// Ends the stakes of a holder; false if there are none, and then it gets no number.
    fn end(&mut self) -> bool {
        let any = self.starts.last().is_some_and(|&start| self.of.len() > start as usize);
        if any {
            self.starts.push(to_u32(self.of.len()));
        }
        any
    }

    /// What rows hold of each other, but for stakes that a company has in its own component, and those in closed ones:
    /// nobody else has a claim on these.
    fn between(network: &Network, steps: &[Step<'_>], rows: &[u32], row_of: &[u32]) -> Self {
        let mut found: Vec<(u32, u32, f64)> = Vec::new();
        let mut add = |component: std::ops::Range<usize>| {
            for owned in component.clone() {
                for (holder, share) in network.holders(rows[owned]) {
                    let row = row_of[holder as usize];
                    if row != NONE && !component.contains(&(row as usize)) {
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

    /// By holder, in the order in which they were found.
    fn sorted(holders: usize, found: &[(u32, u32, f64)]) -> Self {
        let mut starts = vec![0_u32; holders + 1];
        found.iter().for_each(|&(holder, ..)| starts[holder as usize + 1] += 1);
        for holder in 0..holders {
            starts[holder + 1] += starts[holder];
        }
        let mut next = starts.clone();
        let (mut of, mut shares) = (vec![0; found.len()], vec![0.0; found.len()]);
        for &(holder, owned, share) in found {
            let at = &mut next[holder as usize];
            of[*at as usize] = owned;
            shares[*at as usize] = share;
            *at += 1;
        }
        Self { starts, of, shares }
    }

    /// What the stakes of a holder are worth.
    #[inline]
    pub(crate) fn sum(&self, holder: usize, x: &[f64]) -> f64 {
        let range = self.starts[holder] as usize..self.starts[holder + 1] as usize;
        worth(&self.of[range.clone()], &self.shares[range], x)
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
