//! Linear DebtRank: how far a loss of equity goes through a network of claims.
//!
//! Creditor i has the equity `E[i]` and lent `A[i][j]` to j. With
//! `L[i][j] = A[i][j] / E[i]` and `h` the relative loss of equity, a loss of a
//! debtor devalues what it owes in proportion, and its creditors pass on what
//! they lose (Bardoscia, Battiston, Caccioli, Caldarelli 2015, equation 7):
//!
//! ```text
//! h[i](t + 1) = min(1, h[i](t) + sum over j of L[i][j] (h[j](t) - h[j](t - 1)))
//! ```
//!
//! with `h(0)` the shock and `h(-1) = 0`. Losses never shrink and are at most 1,
//! so they converge. Sums telescope: `h(t + 1) = min(1, h(0) + L h(t))`, and the
//! limit is the least solution of `h = min(1, h(0) + L h)`. What is computed up
//! to any round is a lower bound of it, and rises with the shock.

use serde::{Deserialize, Serialize};

use crate::names::to_u32;
use crate::{Amounts, Error, Progress};

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DebtRankRules {
    /// Losses have converged once none grew by more than this in a round.
    pub tolerance: f64,
    /// The most rounds.
    pub max_rounds: u32,
}

/// Relative losses of equity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DebtRank {
    /// `h` of every party after the last round, from 0 to 1, in the order of ids.
    pub loss: Vec<f64>,
    /// Rounds after the shock.
    pub rounds: u32,
    /// The most that a loss grew in the last round. 0 where losses have ended, as they do without rings.
    pub last_change: f64,
    /// Whether that is within the tolerance.
    pub converged: bool,
}

/// Passes a shock on to creditors, round by round.
///
/// # Arguments
///
/// * `claims`: amounts of creditors (owners) to debtors (owned).
/// * `equity`: of each party; must be positive for creditors, and is not looked at for others.
/// * `shock`: `h(0)` of each party, from 0 to 1.
///
/// # Errors
///
/// [`Error::NoEquity`] for the first creditor, by name, without a positive one, and [`Error::Stopped`].
///
/// # Panics
///
/// If `equity` or `shock` has not one value for each party.
///
/// # Cost
///
/// A round goes through the claims on debtors whose loss grew in the round before. Their number falls in proportion to
/// the largest eigenvalue of L among parties that are not lost yet: 0.9 takes about 260 rounds to 1e-12.
///
/// # Example
///
/// ```
/// use ownership::*;
///
/// let mut builder = AmountsBuilder::new(Duplicates::Sum, ToItself::Drop, Limits::default());
/// builder.add("Lender", "Borrower", 50.0, 1)?;
/// let claims = builder.finish()?;
/// // Of Borrower and Lender: half of the Lender's equity is lent to the Borrower, who loses all.
/// let rules = DebtRankRules { tolerance: 0.0, max_rounds: 10 };
/// let found = debtrank(&claims, &[100.0, 100.0], &[1.0, 0.0], rules, &mut |_| Ok(()))?;
/// assert_eq!((found.loss, found.rounds), (vec![1.0, 0.5], 2));
/// # Ok::<(), ownership::Error>(())
/// ```
pub fn debtrank(
    claims: &Amounts,
    equity: &[f64],
    shock: &[f64],
    rules: DebtRankRules,
    progress: &mut Progress<'_>,
) -> Result<DebtRank, Error> {
    assert_eq!(equity.len(), claims.len(), "an equity for each party");
    assert_eq!(shock.len(), claims.len(), "a shock for each party");
    let parties = 0..to_u32(claims.len());
    for creditor in parties.clone().filter(|&party| claims.claims_of(party).len() > 0) {
        let known = equity[creditor as usize];
        if !(known > 0.0 && known.is_finite()) {
            return Err(Error::NoEquity {
                company: claims.name(creditor).to_owned(),
            });
        }
    }
    let mut loss = shock.to_vec();
    let mut gain = vec![0.0; claims.len()];
    // Debtors whose loss grew, and by how much.
    let mut grown: Vec<(u32, f64)> = parties.map(|party| (party, shock[party as usize])).collect();
    grown.retain(|&(_, change)| change > 0.0);
    let mut reached: Vec<u32> = Vec::new();
    let mut last_change = largest(&grown);
    let (mut rounds, mut passed) = (0, 0_u64);
    // The shock is no change that was passed on, so it says nothing of the end.
    while !grown.is_empty() && (rounds == 0 || last_change > rules.tolerance) && rounds < rules.max_rounds {
        for &(debtor, change) in &grown {
            let creditors = claims.debts_of(debtor);
            passed += creditors.len() as u64;
            for (creditor, amount) in creditors {
                let gain = &mut gain[creditor as usize];
                // Nobody loses more than all, so there is no need to ask again.
                if *gain <= 0.0 && loss[creditor as usize] < 1.0 {
                    reached.push(creditor);
                }
                *gain += amount / equity[creditor as usize] * change;
            }
            if passed > PASSED {
                passed = 0;
                progress(f64::from(rounds) / f64::from(rules.max_rounds))?;
            }
        }
        grown.clear();
        for creditor in reached.drain(..) {
            let (before, gain) = (loss[creditor as usize], std::mem::take(&mut gain[creditor as usize]));
            let after = (before + gain).min(1.0);
            if after > before {
                loss[creditor as usize] = after;
                grown.push((creditor, after - before));
            }
        }
        last_change = largest(&grown);
        rounds += 1;
    }
    progress(1.0)?;
    Ok(DebtRank {
        loss,
        rounds,
        last_change,
        converged: last_change <= rules.tolerance,
    })
}

/// Claims gone through between two calls of the progress callback: some hundredths of a second.
const PASSED: u64 = 1 << 22;

fn largest(grown: &[(u32, f64)]) -> f64 {
    grown.iter().map(|&(_, change)| change).fold(0.0, f64::max)
}
