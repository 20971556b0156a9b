//! Katz centrality: the resolvent of a network whose stakes fade.

use crate::network::Column;
use crate::share::ONE;
use crate::{Network, Resolvent};

impl Network {
    /// The same companies with every stake multiplied by `factor`, from 0 to 1.
    ///
    /// What a column lacks to one counts as undisclosed. O(stakes + companies).
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        self.with_stakes(|company, stakes| {
            let over = self.over(company).map(|units| times(units, factor));
            stakes.iter_mut().for_each(|(_, share)| *share *= factor);
            if let Some(units) = over
                && units.iter().sum::<u128>() > u128::from(ONE)
            {
                return Column::Over(units);
            }
            stakes.retain(|&(_, share)| share > 0.0);
            if stakes.is_empty() {
                return Column::Undisclosed(0.0);
            }
            // 1 - factor (1 - u), without taking what is nearly 1 from 1 where u is small.
            let excess = factor * (self.column_sum(company) - 1.0).max(0.0);
            let missing = 1.0 - factor + factor * self.undisclosed(company) - excess;
            Column::Undisclosed(missing.clamp(0.0, 1.0))
        })
    }
}

/// Units of `1e-18`, each times `factor` as a double has it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a factor from 0 to 1 makes no unit larger; a double holds them to a part in 1e16"
)]
fn times(units: &[u128], factor: f64) -> Vec<u128> {
    units
        .iter()
        .map(|&unit| (unit as f64 * factor).round() as u128)
        .collect()
}

/// Katz centrality of every company, `(I - alpha W^T)^-1 1`, in the order of ids:
/// 1 of its own and `alpha` times the centrality of each holder, in proportion
/// to the stake (Katz 1953).
///
/// `network` and `resolvent` are those of [`Network::scaled`] by alpha. 0 in a
/// closed component, where it is undefined: with alpha 1, or where chains grow
/// faster than alpha makes them fade, which takes columns over one.
///
/// Cost: O(companies + stakes), and a product with each block.
///
/// # Example
///
/// ```
/// use ownership::*;
///
/// let mut builder = NetworkBuilder::new(Policies::default());
/// builder.add("P", "H", Share::parse("0.5", Unit::Fraction)?, 1)?;
/// builder.add("H", "T", Share::parse("1", Unit::Fraction)?, 2)?;
/// let network = builder.finish()?.scaled(0.5);
/// let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(()))?;
/// assert_eq!(katz(&network, &resolvent), [1.25, 1.0, 1.625]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn katz(network: &Network, resolvent: &Resolvent) -> Vec<f64> {
    resolvent.sweep(network, |_| 1.0, 0.0)
}
