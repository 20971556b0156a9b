//! Factors of a component most of whose companies hold few others.
//!
//! Eliminating company k joins those who hold it with those that it holds, and
//! costs as many additions as there are such pairs. In real rings most
//! companies hold one other or two, so they are eliminated one by one, always
//! one with the fewest pairs (Markowitz 1957), until what is left is so dense
//! that [`crate::factors`] is faster. The equations are those of
//! [`crate::gth`]: nothing is subtracted, and every x keeps its small relative
//! error.
//!
//! With `p` the pivot of k and all shares as they are when k is eliminated,
//!
//! ```text
//! down:  b[i] += a[i][k] / p b[k]               for who holds k
//! up:    x[k]  = (b[k] + sum a[k][j] x[j]) / p  over what k holds
//! ```

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use nalgebra::DMatrix;

use crate::Stopped;
use crate::factors::Factors;
use crate::gth::pivot;
use crate::names::to_u32;

/// How many times faster an addition is in a dense block.
const DENSE: usize = 32;

/// Companies eliminated between two calls of `step`.
const STEP: usize = 256;

/// The factors of `I - W`, one component's.
#[derive(Clone, Debug, Default)]
pub(crate) struct SparseFactors {
    /// In the order of elimination.
    eliminated: Vec<Eliminated>,
    /// Of each eliminated company `(i, a[i][k] / p)`, then `(j, a[k][j])`.
    entries: Vec<(u32, f64)>,
    /// Companies that are left, and their factors.
    core: Vec<u32>,
    dense: Option<Factors>,
}

#[derive(Clone, Copy, Debug)]
struct Eliminated {
    company: u32,
    pivot: f64,
    /// Where holders and holdings end in the entries.
    holders: u32,
    holdings: u32,
}

impl SparseFactors {
    /// Factors `I - W`, or says that it has no inverse without negative entries.
    ///
    /// # Arguments
    ///
    /// * `shares`: (holder, held, share), each pair once; own shares are not read.
    /// * `leaks`: for each company `1 - sum` of its shares, the own one included.
    /// * `step`: called with the operations done since the last call.
    ///
    /// # Errors
    ///
    /// What `step` returns.
    pub(crate) fn new(
        shares: &[(u32, u32, f64)],
        leaks: Vec<f64>,
        step: &mut dyn FnMut(f64) -> Result<(), Stopped>,
    ) -> Result<Option<Self>, Stopped> {
        let mut elimination = Elimination::new(shares, leaks);
        let mut factors = Self::default();
        while let Some(company) = elimination.next() {
            if !elimination.eliminate(company, &mut factors) {
                return Ok(None);
            }
            if factors.eliminated.len().is_multiple_of(STEP) {
                step(0.0)?;
            }
        }
        let (core, shares, leaks) = elimination.rest();
        factors.core = core;
        if !leaks.is_empty() {
            let Some(dense) = Factors::new(shares, leaks, step)? else {
                return Ok(None);
            };
            factors.dense = Some(dense);
        }
        Ok(Some(factors))
    }

    /// Puts `V b` in the place of b. `scratch` is memory that is used again.
    pub(crate) fn solve(&self, x: &mut [f64], scratch: &mut Vec<f64>) {
        let mut begin = 0;
        for company in &self.eliminated {
            let value = x[company.company as usize];
            for &(holder, share) in &self.entries[begin..company.holders as usize] {
                x[holder as usize] += share * value;
            }
            begin = company.holdings as usize;
        }
        if let Some(dense) = &self.dense {
            scratch.clear();
            scratch.extend(self.core.iter().map(|&company| x[company as usize]));
            dense.solve(scratch);
            for (&company, &value) in self.core.iter().zip(&*scratch) {
                x[company as usize] = value;
            }
        }
        for company in self.eliminated.iter().rev() {
            let holdings = &self.entries[company.holders as usize..company.holdings as usize];
            let held: f64 = holdings.iter().map(|&(owned, share)| share * x[owned as usize]).sum();
            let value = &mut x[company.company as usize];
            *value = (*value + held) / company.pivot;
        }
    }
}

/// What is left of a component.
struct Elimination {
    /// Who holds each company, in no order.
    holders: Vec<Vec<(u32, f64)>>,
    /// What each company holds, in no order.
    holdings: Vec<Vec<u32>>,
    leaks: Vec<f64>,
    is_left: Vec<bool>,
    left: usize,
    /// Pairs of each company, as they were once.
    queue: BinaryHeap<Reverse<(usize, u32)>>,
    /// Where in the list of holders at hand each holder is, plus one.
    places: Vec<u32>,
}

impl Elimination {
    fn new(shares: &[(u32, u32, f64)], leaks: Vec<f64>) -> Self {
        let size = leaks.len();
        let mut elimination = Self {
            holders: vec![Vec::new(); size],
            holdings: vec![Vec::new(); size],
            leaks,
            is_left: vec![true; size],
            left: size,
            queue: BinaryHeap::with_capacity(2 * size),
            places: vec![0; size],
        };
        for &(holder, held, share) in shares.iter().filter(|(holder, held, _)| holder != held) {
            elimination.holders[held as usize].push((holder, share));
            elimination.holdings[holder as usize].push(held);
        }
        (0..to_u32(size)).for_each(|company| elimination.enqueue(company));
        elimination
    }

    fn pairs(&self, company: u32) -> usize {
        self.holders[company as usize].len() * self.holdings[company as usize].len()
    }

    fn enqueue(&mut self, company: u32) {
        self.queue.push(Reverse((self.pairs(company), company)));
    }

    /// A company with the fewest pairs; `None` where the rest is dense.
    fn next(&mut self) -> Option<u32> {
        while let Some(Reverse((pairs, company))) = self.queue.pop() {
            if self.is_left[company as usize] && pairs == self.pairs(company) {
                return (pairs * DENSE <= self.left * self.left).then_some(company);
            }
        }
        None
    }

    /// Eliminates a company; false if its pivot is not positive.
    fn eliminate(&mut self, company: u32, factors: &mut SparseFactors) -> bool {
        let mut holders = std::mem::take(&mut self.holders[company as usize]);
        let holdings = std::mem::take(&mut self.holdings[company as usize]);
        let leak = self.leaks[company as usize];
        let Some(pivot) = pivot(leak, holders.iter().map(|(_, share)| share).sum()) else {
            return false;
        };
        self.is_left[company as usize] = false;
        self.left -= 1;
        for (holder, share) in &mut holders {
            *share /= pivot;
            self.holdings[*holder as usize].retain(|&owned| owned != company);
        }
        factors.entries.extend_from_slice(&holders);
        let end = to_u32(factors.entries.len());
        for &owned in &holdings {
            let share = self.divide(company, owned, &holders);
            self.leaks[owned as usize] += leak / pivot * share;
            factors.entries.push((owned, share));
            self.enqueue(owned);
        }
        holders.iter().for_each(|&(holder, _)| self.enqueue(holder));
        factors.eliminated.push(Eliminated {
            company,
            pivot,
            holders: end,
            holdings: to_u32(factors.entries.len()),
        });
        true
    }

    /// Gives what a company holds of `owned` to its holders, in proportion; returns how much that is.
    fn divide(&mut self, company: u32, owned: u32, holders: &[(u32, f64)]) -> f64 {
        let list = &mut self.holders[owned as usize];
        let at = list.iter().position(|&(holder, _)| holder == company);
        let (_, share) = list.swap_remove(at.expect("it is a holder of what it holds"));
        for (place, &(holder, _)) in (1..).zip(list.iter()) {
            self.places[holder as usize] = place;
        }
        for &(holder, part) in holders.iter().filter(|&&(holder, _)| holder != owned) {
            if let Some(at) = (self.places[holder as usize] as usize).checked_sub(1) {
                list[at].1 += part * share;
            } else {
                list.push((holder, part * share));
                self.holdings[holder as usize].push(owned);
            }
        }
        list.iter().for_each(|&(holder, _)| self.places[holder as usize] = 0);
        share
    }

    /// Companies that are left, and W and leaks of these.
    fn rest(self) -> (Vec<u32>, DMatrix<f64>, Vec<f64>) {
        let core: Vec<u32> = (0..to_u32(self.leaks.len()))
            .filter(|&company| self.is_left[company as usize])
            .collect();
        let mut positions = self.places;
        for (position, &company) in (0..).zip(&core) {
            positions[company as usize] = position;
        }
        let mut shares = DMatrix::zeros(core.len(), core.len());
        for (mut column, &company) in shares.column_iter_mut().zip(&core) {
            for &(holder, share) in &self.holders[company as usize] {
                column[positions[holder as usize] as usize] = share;
            }
        }
        let leaks = core.iter().map(|&company| self.leaks[company as usize]).collect();
        (core, shares, leaks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense_resolvent;

    /// A ring with chords, a few companies holding many.
    fn ring(size: u32, chords: u32, leak: f64) -> (Vec<(u32, u32, f64)>, Vec<f64>) {
        let mut shares = Vec::new();
        let mut leaks = Vec::new();
        let mut state = 7_u64;
        for held in 0..size {
            let mut holders = vec![(held + 1) % size];
            for _ in 0..chords {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let unit = (state >> 11) as f64 / (1_u64 << 53) as f64;
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the size")]
                let holder = (f64::from(size).powf(unit) - 1.0) as u32;
                if holder != held && !holders.contains(&holder) {
                    holders.push(holder);
                }
            }
            let leak = if held % 40 == 1 { leak } else { 0.0 };
            let share = (1.0 - leak) / holders.len() as f64;
            shares.extend(holders.into_iter().map(|holder| (holder, held, share)));
            leaks.push(leak);
        }
        (shares, leaks)
    }

    /// Entry by entry, however close to closed the ring is, with a dense core and without.
    #[test]
    fn sparse_factors_solve_what_the_inverse_does() {
        for (size, chords, leak) in [
            (2, 0, 0.1),
            (3, 1, 0.5),
            (60, 0, 1e-3),
            (300, 2, 1e-12),
            (200, 9, 0.3),
            (90, 60, 1e-6),
        ] {
            let (shares, leaks) = ring(size, chords, leak);
            let count = size as usize;
            let mut dense = vec![0.0; count * count];
            for &(holder, held, share) in &shares {
                dense[held as usize * count + holder as usize] = share;
            }
            let v = dense_resolvent(dense, leaks.clone(), &mut |_| Ok(())).unwrap().unwrap();
            let b: Vec<f64> = (0..count).map(|i| (i % 7) as f64).collect();
            let mut x = b.clone();
            let factors = SparseFactors::new(&shares, leaks, &mut |_| Ok(())).unwrap().unwrap();
            factors.solve(&mut x, &mut Vec::new());
            for (i, x) in x.iter().enumerate() {
                let expected: f64 = (0..count).map(|j| v[j * count + i] * b[j]).sum();
                assert!((x - expected).abs() <= 2e-13 * expected, "{size}: {x} and {expected}");
            }
        }
    }

    #[test]
    fn companies_that_hold_few_need_no_dense_block() {
        let (shares, leaks) = ring(400, 2, 0.1);
        let factors = SparseFactors::new(&shares, leaks, &mut |_| Ok(())).unwrap().unwrap();
        assert!(factors.core.len() < 200, "{}", factors.core.len());
        assert_eq!(factors.core.len() + factors.eliminated.len(), 400);
    }

    #[test]
    fn a_closed_ring_has_no_factors() {
        for chords in [0, 3, 50] {
            let (shares, leaks) = ring(100, chords, 0.0);
            assert!(SparseFactors::new(&shares, leaks, &mut |_| Ok(())).unwrap().is_none());
        }
    }
}
