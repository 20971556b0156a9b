//! From shares to control: which part of a company each of its holders steers.

use crate::network::Column;
use serde::{Deserialize, Serialize};

use crate::Network;
use crate::share::{ONE, decimal};

/// How shares become control (Vitali, Glattfelder, Battiston 2011, supporting
/// information; Glattfelder 2013, chapter 3).
///
/// The control matrix C takes the place of W: `C[i][j]` is the control that i
/// has over j by its own stake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlModel {
    /// One share, one vote: `C = W`.
    #[default]
    Linear,
    /// Who holds more than half of the votes has all control and the others
    /// none; where nobody does, control is linear. Where dirty data gives
    /// several holders more than half, they have all of it in proportion.
    Threshold,
    /// `C[i][j] = W[i][j]^2 / sum_k W[k][j]^2`: a stake counts by how large it is
    /// compared with the others'. All control of a held company is with its
    /// recorded holders, whatever is undisclosed.
    Relative,
}

impl ControlModel {
    /// The network of control: the same companies with C for W, in O(stakes +
    /// companies).
    ///
    /// In the models other than [`ControlModel::Linear`] a company's own shares
    /// have no votes: they hold no control of it, and half of the votes is half
    /// of the rest. Where nobody has a majority the threshold model is linear in
    /// this too and keeps them on the diagonal.
    ///
    /// Rings that some outsider has a share of can be closed in control.
    #[must_use]
    pub fn apply(self, network: &Network) -> Network {
        network.with_stakes(|company, stakes| match self {
            Self::Linear => Column::AsBefore,
            Self::Threshold => take_all(company, stakes),
            Self::Relative => compare(company, stakes),
        })
    }
}

/// Leaves only those with a majority, if there are any. Decided on exact decimals.
fn take_all(company: u32, stakes: &mut Vec<(u32, f64)>) -> Column {
    let own = stakes.iter().find(|&&(owner, _)| owner == company);
    let own = own.map_or(0, |&(_, share)| decimal(share));
    let votes = u128::from(ONE).saturating_sub(own);
    let is_majority = |&(owner, share): &(u32, f64)| owner != company && 2 * decimal(share) > votes;
    if !stakes.iter().any(is_majority) {
        return Column::AsBefore;
    }
    stakes.retain(is_majority);
    divide(stakes);
    Column::Undisclosed(0.0)
}

/// Squares the stakes of others and divides them by their sum.
fn compare(company: u32, stakes: &mut Vec<(u32, f64)>) -> Column {
    stakes.retain(|&(owner, _)| owner != company);
    // Divided by the largest first, so that small stakes do not vanish in their squares.
    let largest = stakes.iter().map(|&(_, share)| share).fold(0.0, f64::max);
    stakes
        .iter_mut()
        .for_each(|(_, share)| *share = (*share / largest).powi(2));
    divide(stakes);
    stakes.retain(|&(_, share)| share > 0.0);
    Column::Undisclosed(0.0)
}

fn divide(stakes: &mut [(u32, f64)]) {
    let sum: f64 = stakes.iter().map(|&(_, share)| share).sum();
    stakes.iter_mut().for_each(|(_, share)| *share /= sum);
}
