//! Katz centrality: the resolvent of a network whose stakes fade.

use crate::{Network, Resolvent};

impl Network {
    /// The same companies with every stake multiplied by `factor`, from 0 to 1;
    /// `None` if a column sums to more than one even so.
    ///
    /// What a column lacks to one counts as undisclosed. O(stakes + companies).
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Option<Self> {
        let mut fits = true;
        let scaled = self.with_stakes(|company, stakes| {
            stakes.iter_mut().for_each(|(_, share)| *share *= factor);
            stakes.retain(|&(_, share)| share > 0.0);
            if stakes.is_empty() {
                return Some(0.0);
            }
            // 1 - factor (1 - u), without taking what is nearly 1 from 1 where u is small.
            let excess = factor * (self.column_sum(company) - 1.0).max(0.0);
            let missing = 1.0 - factor + factor * self.undisclosed(company) - excess;
            fits &= missing >= 0.0;
            Some(missing.clamp(0.0, 1.0))
        });
        fits.then_some(scaled)
    }
}

/// Katz centrality of every company, `(I - alpha W^T)^-1 1`, in the order of ids:
/// 1 of its own and `alpha` times the centrality of each holder, in proportion
/// to the stake (Katz 1953).
///
/// `network` and `resolvent` are those of [`Network::scaled`] by alpha. 0 in a
/// closed component, where it is undefined (only with alpha 1).
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
/// let network = builder.finish()?.scaled(0.5).expect("no column is over one");
/// let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(()))?;
/// assert_eq!(katz(&network, &resolvent), [1.25, 1.0, 1.625]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn katz(network: &Network, resolvent: &Resolvent) -> Vec<f64> {
    resolvent.sweep(network, |_| 1.0, 0.0)
}
