//! Technical coefficients: from flows between sectors to a matrix to invert.

use crate::finding::Tally;
use crate::names::to_u32;
use crate::network::Column;
use crate::share::{ONE, decimal};
use crate::{Amounts, ColumnsOver100, Error, Network};

/// Inputs that exceed the output by up to this part of it are rounded figures.
const ROUNDING: f64 = 1e-3;

impl Amounts {
    /// `A = Z diag(x)^-1` of flows Z and outputs x: what a sector takes of another for each unit that it makes
    /// (Leontief 1936; Miller, Blair 2009, section 2.2).
    ///
    /// The result is a network whose resolvent is the total requirements `L = (I - A)^-1`. What a column lacks to one
    /// is value added, and carried along as `1 - sum Z / x` without taking a rounded sum from 1 twice.
    ///
    /// # Arguments
    ///
    /// * `output`: x of each sector; must be positive for those that take anything, and is not looked at for others.
    /// * `over`: what to do with a sector whose inputs are over 100.1% of its output.
    ///
    /// # Errors
    ///
    /// [`Error::NoOutput`] for the first sector, by name, without a positive one, and [`Error::ColumnOver100`].
    ///
    /// # Panics
    ///
    /// If `output` has not one value for each sector.
    ///
    /// # Example
    ///
    /// ```
    /// use ownership::*;
    ///
    /// let mut flows = AmountsBuilder::new(Duplicates::Sum, ToItself::Keep, Limits::default());
    /// flows.add("1", "1", 150.0, 1)?;
    /// flows.add("2", "1", 200.0, 2)?;
    /// let network = flows.finish()?.coefficients(&[1000.0, 2000.0], ColumnsOver100::Keep)?;
    /// assert_eq!(network.holders(0).collect::<Vec<_>>(), [(0, 0.15), (1, 0.2)]);
    /// assert_eq!(network.undisclosed(0), 0.65);
    /// # Ok::<(), ownership::Error>(())
    /// ```
    pub fn coefficients(&self, output: &[f64], over: ColumnsOver100) -> Result<Network, Error> {
        assert_eq!(output.len(), self.len(), "an output for each sector");
        let (mut rounded, mut over_100) = (Tally::default(), Tally::default());
        for sector in 0..to_u32(self.len()) {
            let inputs = self.debts_of(sector);
            let x = output[sector as usize];
            if inputs.len() == 0 {
                continue;
            }
            let company = || self.name(sector).to_owned();
            if !(x > 0.0 && x.is_finite()) {
                return Err(Error::NoOutput { company: company() });
            }
            let sum = self.inputs(sector) / x;
            if sum <= 1.0 + self.doubt(sector) {
                continue;
            }
            let example = || format!("{}: its inputs are {sum} of its output", company());
            if sum <= 1.0 + ROUNDING {
                rounded.note(1, example);
            } else if over == ColumnsOver100::Reject {
                return Err(Error::ColumnOver100 {
                    company: company(),
                    sum,
                });
            } else {
                over_100.note(1, example);
            }
        }
        let kept = match over {
            ColumnsOver100::Normalise => "the inputs were divided by their sum",
            ColumnsOver100::Keep | ColumnsOver100::Reject => "the inputs were kept as recorded",
        };
        let findings = [
            over_100.into_finding("column_over_100", kept),
            rounded.into_finding("column_rounded", "nothing was changed: up to 0.1% over 1 is rounding"),
        ];
        let network = self.graph().with_stakes(|sector, inputs| {
            let x = output[sector as usize];
            let sum = self.inputs(sector) / x;
            let is_over = sum > 1.0 + ROUNDING;
            let whole = if is_over && over == ColumnsOver100::Normalise {
                self.inputs(sector)
            } else {
                x
            };
            inputs.iter_mut().for_each(|(_, input)| *input /= whole);
            inputs.retain(|&(_, input)| input > 0.0);
            // What is a billion times over is over by any count.
            let units: Vec<u128> = inputs.iter().map(|&(_, input)| decimal(input.min(1e9))).collect();
            let is_whole = (sum - 1.0).abs() <= self.doubt(sector);
            if inputs.is_empty() || is_whole || (is_over && over == ColumnsOver100::Normalise) {
                Column::Undisclosed(0.0)
            } else if sum < 1.0 {
                Column::Undisclosed(((x - self.inputs(sector)) / x).clamp(0.0, 1.0))
            } else if units.iter().sum::<u128>() > u128::from(ONE) {
                Column::Over(units)
            } else {
                Column::Undisclosed(0.0)
            }
        });
        Ok(network.with_findings(findings.into_iter().flatten()))
    }

    fn inputs(&self, sector: u32) -> f64 {
        self.debts_of(sector).map(|(_, amount)| amount).sum()
    }

    /// By how much a sum of decimals may miss, in parts of it.
    fn doubt(&self, sector: u32) -> f64 {
        2.0 * f64::EPSILON * self.debts_of(sector).len() as f64
    }
}
