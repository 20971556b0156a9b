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
//! have no row. Rows of the others lie in the order in which they are summed, their
//! stakes side by side. Owners without holders come last: none of them is in
//! the sum of another, so they are summed in parallel.

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::names::to_u32;
use crate::ring::Ring;
use crate::{Network, Resolvent};

/// Rows of a block that one thread multiplies at a time.
const ROWS: usize = 256;

/// Rows of ultimate owners that one thread sums at a time, at least.
const OWNERS: usize = 2048;

/// Solves `(I - W) x = v` again and again.
///
/// 12 bytes a stake and 8 for each company with holdings.
#[derive(Debug)]
pub struct Solver<'a> {
    resolvent: &'a Resolvent,
    companies: usize,
    /// What is summed before ultimate owners, holdings first.
    steps: Vec<Step>,
    /// Companies with a row; ultimate owners from `inner` on.
    rows: Vec<u32>,
    inner: usize,
    /// Row k has the stakes `starts[k]..starts[k + 1]`.
    starts: Vec<u32>,
    ids: Vec<u32>,
    shares: Vec<f64>,
}

/// Rows that are summed together.
#[derive(Debug)]
enum Step {
    /// Rows to this one, one after another.
    Rows(usize),
    /// As many rows as the ring, by number, has members.
    Ring(usize),
    /// As many rows as the closed component has members.
    Group(u32),
}

impl<'a> Solver<'a> {
    /// In O(companies + stakes).
    #[must_use]
    pub fn new(network: &Network, resolvent: &'a Resolvent) -> Self {
        let mut solver = Self {
            resolvent,
            companies: network.len(),
            steps: Vec::new(),
            rows: Vec::new(),
            inner: 0,
            starts: vec![0],
            ids: Vec::with_capacity(network.stakes()),
            shares: Vec::with_capacity(network.stakes()),
        };
        let components = &resolvent.components;
        let mut rings = (0..resolvent.rings.len()).rev().peekable();
        let mut ultimate = Vec::new();
        for component in (0..to_u32(components.len())).rev() {
            let members = components.members(component);
            let ring = rings.next_if(|&number| resolvent.rings[number].component == component);
            if ring.is_none() && resolvent.closed.group(component).is_none() {
                let company = members[0];
                if network.holdings(company).len() == 0 {
                } else if network.holder_ids(company).is_empty() {
                    ultimate.push(company);
                } else {
                    solver.push(network, company);
                    match solver.steps.last_mut() {
                        Some(Step::Rows(end)) => *end = solver.rows.len(),
                        _ => solver.steps.push(Step::Rows(solver.rows.len())),
                    }
                }
                continue;
            }
            members.iter().for_each(|&member| solver.push(network, member));
            solver.steps.push(ring.map_or(Step::Group(component), Step::Ring));
        }
        solver.inner = solver.rows.len();
        ultimate.iter().for_each(|&company| solver.push(network, company));
        solver
    }

    /// Adds the row of a company: its stakes outside of its component, but none
    /// in closed components, which others have no claim on.
    fn push(&mut self, network: &Network, company: u32) {
        let Resolvent { components, closed, .. } = self.resolvent;
        let own = components.of[company as usize];
        if self.resolvent.groups.is_empty() && self.resolvent.ring(own).is_none() {
            let (ids, shares) = network.holding_lists(company);
            self.ids.extend_from_slice(ids);
            self.shares.extend_from_slice(shares);
        } else {
            for (owned, share) in network.holdings(company) {
                let component = components.of[owned as usize];
                if component != own && closed.group(component).is_none() {
                    self.ids.push(owned);
                    self.shares.push(share);
                }
            }
        }
        self.rows.push(company);
        self.starts.push(to_u32(self.ids.len()));
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
        x.clear();
        x.extend_from_slice(values);
        let (mut row, mut inflow) = (0, Vec::new());
        for step in &self.steps {
            match step {
                Step::Rows(end) => {
                    for row in row..*end {
                        let company = self.rows[row] as usize;
                        x[company] += self.sum(row, x);
                    }
                    row = *end;
                }
                Step::Ring(number) => {
                    let ring = &self.resolvent.rings[*number];
                    self.inflow(row..row + ring.size(), x, &mut inflow);
                    let product = multiply(ring, &inflow);
                    for (&company, product) in self.rows[row..].iter().zip(product) {
                        x[company as usize] = product;
                    }
                    row += ring.size();
                }
                Step::Group(component) => {
                    let members = self.resolvent.components.members(*component);
                    self.inflow(row..row + members.len(), x, &mut inflow);
                    let whole: f64 = inflow.iter().sum();
                    members.iter().for_each(|&member| x[member as usize] = whole);
                    row += members.len();
                }
            }
        }
        let ultimate = self.rows[self.inner..].par_iter().zip(self.inner..self.rows.len());
        let sums: Vec<f64> = ultimate
            .with_min_len(OWNERS)
            .map(|(&company, row)| x[company as usize] + self.sum(row, x))
            .collect();
        for (&company, sum) in self.rows[self.inner..].iter().zip(sums) {
            x[company as usize] = sum;
        }
    }

    fn inflow(&self, rows: std::ops::Range<usize>, x: &[f64], inflow: &mut Vec<f64>) {
        inflow.clear();
        inflow.extend(rows.map(|row| x[self.rows[row] as usize] + self.sum(row, x)));
    }

    #[inline]
    fn sum(&self, row: usize, x: &[f64]) -> f64 {
        let range = self.starts[row] as usize..self.starts[row + 1] as usize;
        let stakes = self.ids[range.clone()].iter().zip(&self.shares[range]);
        stakes.map(|(&owned, share)| share * x[owned as usize]).sum()
    }
}

/// A block times a vector, rows in parallel.
fn multiply(ring: &Ring, b: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; b.len()];
    product.par_chunks_mut(ROWS).enumerate().for_each(|(chunk, product)| {
        let rows = chunk * ROWS..chunk * ROWS + product.len();
        for (j, &b) in b.iter().enumerate() {
            for (product, v) in product.iter_mut().zip(&ring.column(j)[rows.clone()]) {
                *product += v * b;
            }
        }
    });
    product
}
