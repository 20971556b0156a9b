//! Companies and stakes in the order in which [`Solver`](crate::Solver) sums them.
//!
//! Only companies that hold others need a sum. Those that are held too, *inner*
//! ones, have a *row*, holdings before holders, members of a component side by
//! side; what they hold of each other is added one row after another. The
//! others, *owners* whom nobody holds, are summed in any order. So is what
//! either hold of *leaves*, companies that hold nothing: nearly all stakes.
//! Holders of as many leaves are side by side, so that the processor need not
//! guess how long each sum is.

use crate::names::to_u32;
use crate::ring::Block;
use crate::{Network, parallel};

/// Companies whose sums fit into a core's cache.
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
    /// The place of each row's company among inner ones, in the order of ids.
    pub(crate) places: Vec<u32>,
    /// What rows hold of rows outside of their own component.
    pub(crate) stakes: Stakes,
    /// The rest, [`COMPANIES`] at a time.
    pub(crate) chunks: Vec<Chunk>,
}

/// Rows that are summed together.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// Rows to this one, one after another.
    Rows(usize),
    /// So many rows, the members of a component with cycles.
    Ring(usize, Block<'a>),
    /// So many rows, the members of a closed component.
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

/// [`COMPANIES`] companies next to each other, counted from the first.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The id of the first.
    first: usize,
    /// Inner companies.
    inner: Vec<u32>,
    /// What they hold of leaves, by their places in `inner`.
    of_inner: Leaves,
    /// What owners hold of leaves.
    of_owners: Leaves,
    /// Owners with stakes in inner companies, in the order of ids.
    owners: Vec<u32>,
    /// Where inner companies are in the order of rows.
    rows: Vec<u32>,
    /// What owners hold of rows.
    above: Stakes,
}

/// What some companies hold of leaves: holders of 1 to [`SHORT`], by how many,
/// then those of more.
#[derive(Debug, Default)]
struct Leaves([Held; SHORT + 1]);

/// Stakes of some holders, one holder's after another's.
#[derive(Debug, Default)]
struct Held {
    /// The place of each among the sums that are added to.
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
    /// * `chunks`: what [`Chunk::all`] gave.
    /// * `components`: those of inner companies, holdings before holders.
    pub(crate) fn new<'m>(
        network: &Network,
        mut chunks: Vec<Chunk>,
        components: impl Iterator<Item = (Kind<'a>, &'m [u32])>,
    ) -> Self {
        let mut steps = Vec::new();
        let mut rows: Vec<u32> = Vec::new();
        let mut is_closed = Vec::new();
        for (kind, members) in components {
            rows.extend_from_slice(members);
            is_closed.resize(rows.len(), matches!(kind, Kind::Closed));
            match (kind, steps.last_mut()) {
                (Kind::Company, Some(Step::Rows(end))) => *end = rows.len(),
                (Kind::Company, _) => steps.push(Step::Rows(rows.len())),
                (Kind::Ring(block), _) => steps.push(Step::Ring(members.len(), block)),
                (Kind::Closed, _) => steps.push(Step::Group(members.len())),
            }
        }
        let mut row_of = vec![NONE; network.len()];
        for (row, &company) in (0..).zip(&rows) {
            row_of[company as usize] = row;
        }
        let mut places = vec![0; rows.len()];
        for (place, &row) in (0..).zip(row_of.iter().filter(|&&row| row != NONE)) {
            places[row as usize] = place;
        }
        let (stakes, _) = parallel::beside(
            network.len(),
            || Stakes::between(network, &steps, &rows, &row_of),
            || {
                parallel::map(&mut chunks, network.len(), |chunk| {
                    chunk.find_rows(network, &row_of, &is_closed)
                })
            },
        );
        Self {
            companies: network.len(),
            steps,
            places,
            stakes,
            chunks,
        }
    }
}

impl Leaves {
    /// Takes what a holder has of leaves, which may be nothing.
    fn push(&mut self, holder: u32, count: usize, stakes: impl Iterator<Item = (u32, f64)>) {
        if let Some(last) = count.checked_sub(1) {
            let held = &mut self.0[last.min(SHORT)];
            held.holders.push(holder);
            if last >= SHORT {
                held.counts.push(to_u32(count));
            }
            for (of, share) in stakes {
                held.of.push(of);
                held.shares.push(share);
            }
        }
    }

    /// Adds what is held of leaves, which are worth their own values.
    fn add(&self, values: &[f64], x: &mut [f64]) {
        let [one, two, three, four, five, six, seven, eight, more] = &self.0;
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
}

impl Chunk {
    /// All of a network, rows not yet known. It takes most of the time that a layout does.
    pub(crate) fn all(network: &Network) -> Vec<Self> {
        let companies = 0..to_u32(network.len());
        let is_inner: Vec<bool> = companies.map(|company| network.is_inner(company)).collect();
        let numbers = 0..network.len().div_ceil(COMPANIES);
        let new = |number| Self::new(network, number * COMPANIES, &is_inner);
        parallel::map(numbers, network.len(), new)
    }

    fn new(network: &Network, first: usize, is_inner: &[bool]) -> Self {
        let mut chunk = Self {
            first,
            inner: Vec::new(),
            of_inner: Leaves::default(),
            of_owners: Leaves::default(),
            owners: Vec::new(),
            rows: Vec::new(),
            above: Stakes::new(),
        };
        let companies = to_u32(first)..to_u32(network.len().min(first + COMPANIES));
        for (at, company) in (0..).zip(companies) {
            let held = network.holdings(company);
            let leaves = held.clone().filter(|&(owned, _)| !is_inner[owned as usize]);
            let count = leaves.clone().count();
            if is_inner[company as usize] {
                chunk.of_inner.push(to_u32(chunk.inner.len()), count, leaves);
                chunk.inner.push(at);
            } else {
                chunk.of_owners.push(at, count, leaves);
                if count < held.len() {
                    chunk.owners.push(at);
                }
            }
        }
        chunk
    }

    /// Fills in what depends on rows.
    fn find_rows(&mut self, network: &Network, row_of: &[u32], is_closed: &[bool]) {
        let company = |at: u32| self.first + at as usize;
        self.rows = self.inner.iter().map(|&at| row_of[company(at)]).collect();
        for &owner in &self.owners {
            for (owned, share) in network.holdings(to_u32(company(owner))) {
                let row = row_of[owned as usize];
                // Nobody else has a claim on what a closed component has.
                if row != NONE && !is_closed[row as usize] {
                    self.above.of.push(row);
                    self.above.shares.push(share);
                }
            }
            self.above.starts.push(to_u32(self.above.of.len()));
        }
    }

    /// How many inner companies there are.
    pub(crate) fn inner(&self) -> usize {
        self.inner.len()
    }

    /// What inner companies have themselves and of leaves.
    pub(crate) fn sum_inner(&self, own: &[f64], values: &[f64], sums: &mut [f64]) {
        for (sum, &at) in sums.iter_mut().zip(&self.inner) {
            *sum = own[at as usize];
        }
        self.of_inner.add(values, sums);
    }

    /// What all have themselves, and owners of leaves.
    pub(crate) fn sum_owners(&self, own: &[f64], values: &[f64], x: &mut [f64]) {
        x.copy_from_slice(own);
        self.of_owners.add(values, x);
    }

    /// Adds what owners hold of rows, and puts rows in the places of their companies.
    pub(crate) fn take_rows(&self, rows: &[f64], x: &mut [f64]) {
        for (number, &owner) in self.owners.iter().enumerate() {
            x[owner as usize] += self.above.sum(number, rows);
        }
        for (&at, &row) in self.inner.iter().zip(&self.rows) {
            x[at as usize] = rows[row as usize];
        }
    }
}

impl Held {
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
    let ((ofs, of), (all_shares, shares)) = (of.as_chunks::<4>(), shares.as_chunks::<4>());
    let mut sums = [0.0; 4];
    for (of, shares) in ofs.iter().zip(all_shares) {
        for ((sum, &of), share) in sums.iter_mut().zip(of).zip(shares) {
            *sum += share * values[of as usize];
        }
    }
    sums.iter().sum::<f64>() + worth(of, shares, values)
}

impl Stakes {
    /// Of nobody.
    fn new() -> Self {
        Self {
            starts: vec![0],
            of: Vec::new(),
            shares: Vec::new(),
        }
    }

    /// What rows hold of each other, but for stakes that a company has in its own component, and those in closed ones:
    /// nobody else has a claim on these.
    fn between(network: &Network, steps: &[Step<'_>], rows: &[u32], row_of: &[u32]) -> Self {
        let each = |take: &mut dyn FnMut(usize, u32, f64)| {
            let mut row = 0;
            for step in steps {
                let members = row..step.end(row);
                row = members.end;
                if matches!(step, Step::Group(_)) {
                    continue;
                }
                for owned in members.clone() {
                    let is_ring = matches!(step, Step::Ring(..));
                    let own = if is_ring { members.clone() } else { owned..owned + 1 };
                    for (holder, share) in network.holders(rows[owned]) {
                        let holder = row_of[holder as usize];
                        if holder != NONE && !own.contains(&(holder as usize)) {
                            take(holder as usize, to_u32(owned), share);
                        }
                    }
                }
            }
        };
        let mut starts = vec![0_u32; rows.len() + 1];
        each(&mut |holder, _, _| starts[holder + 1] += 1);
        for holder in 0..rows.len() {
            starts[holder + 1] += starts[holder];
        }
        let stakes = starts[rows.len()] as usize;
        let (mut of, mut shares) = (vec![0; stakes], vec![0.0; stakes]);
        let mut next = starts.clone();
        each(&mut |holder, owned, share| {
            let at = &mut next[holder];
            of[*at as usize] = owned;
            shares[*at as usize] = share;
            *at += 1;
        });
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
            Self::Ring(size, _) | Self::Group(size) => first + size,
        }
    }
}
