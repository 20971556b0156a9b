//! The check that nothing of a company is lost or invented.

use serde::{Deserialize, Serialize};

use crate::names::to_u32;
use crate::{Network, Resolvent};

/// How well the owners of each company add up to the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// The largest difference from 1.
    pub largest_error: f64,
    /// Held companies for which the sum must be 1.
    pub checked: u64,
    /// Held companies for which it need not: members of closed components, and
    /// companies whose stakes, or those of an owner above, sum to more than one.
    pub unchecked: u64,
}

impl Resolvent {
    /// Adds up, for each company, the integrated shares of its ultimate owners
    /// (companies without holders, and closed groups) and its undisclosed
    /// share.
    ///
    /// The sum is 1 because each column of W and its undisclosed part are: with
    /// `u` 1 for ultimate owners and `m` the undisclosed shares,
    /// `u + m = 1 (I - W)`, hence `(u + m) V = 1`.
    ///
    /// Cost: two sweeps, O(companies + stakes) and a product with each block.
    #[must_use]
    pub fn balance(&self, network: &Network) -> Balance {
        let is_held = |company: u32| !network.holder_ids(company).is_empty();
        let source = |company| {
            if is_held(company) {
                network.undisclosed(company)
            } else {
                1.0
            }
        };
        let sums = self.sweep(network, source, 1.0);
        let spoilt = self.sweep(
            network,
            |company| f64::from(u8::from(network.over(company).is_some())),
            0.0,
        );
        let mut balance = Balance {
            largest_error: 0.0,
            checked: 0,
            unchecked: 0,
        };
        for company in (0..to_u32(network.len())).filter(|&company| is_held(company)) {
            let closed = self.closed.group(self.components.of[company as usize]).is_some();
            if closed || spoilt[company as usize] > 0.0 {
                balance.unchecked += 1;
            } else {
                balance.checked += 1;
                balance.largest_error = balance.largest_error.max((sums[company as usize] - 1.0).abs());
            }
        }
        balance
    }
}
