//! Parameters that every job type has.

use formats::OnBadRecord;
use jobs::{Failure, Invalid};
use ownership::{ColumnsOver100, Duplicates, ImputedShare, OnClosed, Policies, Share, Unit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How input that is not clean is treated, and what is too small to be told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Common {
    /// Pairs whose integrated share is below this fraction are not emitted; what they sum to is stated.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(crate) floor: f64,
    /// What to do with a company of which more than 100.1% is held.
    #[schemars(with = "String", extend("enum" = ["keep", "normalise", "reject"]))]
    pub(crate) columns_over_100: ColumnsOver100,
    /// What to do with a stake that is recorded more than once.
    #[schemars(with = "String", extend("enum" = ["sum", "max", "reject"]))]
    pub(crate) duplicates: Duplicates,
    /// Which share stands for a stake of which only bounds are known.
    #[schemars(with = "String", extend("enum" = ["midpoint", "lower", "upper"]))]
    pub(crate) ranges: ImputedShare,
    /// What to do with a ring of companies that nobody outside it holds a share of: its inverse does not exist.
    #[schemars(with = "String", extend("enum" = ["ring-fence", "fail"]))]
    pub(crate) on_closed_component: OnClosed,
    /// What to do with a record that cannot be used.
    #[schemars(with = "String", extend("enum" = ["fail", "skip"]))]
    pub(crate) on_bad_record: OnBadRecord,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            floor: 0.0001,
            columns_over_100: ColumnsOver100::default(),
            duplicates: Duplicates::default(),
            ranges: ImputedShare::default(),
            on_closed_component: OnClosed::default(),
            on_bad_record: OnBadRecord::default(),
        }
    }
}

impl Common {
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        if (0.0..=1.0).contains(&self.floor) {
            return Ok(());
        }
        Err(Invalid {
            field: "floor",
            problem: format!("{} is not a fraction from 0 to 1", self.floor),
        })
    }

    pub(crate) const fn policies(&self) -> Policies {
        Policies {
            columns_over_100: self.columns_over_100,
            duplicates: self.duplicates,
            ranges: self.ranges,
        }
    }
}

/// Checks a threshold that must be exceeded, so that it can't be the whole.
pub(crate) fn check_majority(field: &'static str, threshold: f64) -> Result<(), Invalid> {
    if (0.0..1.0).contains(&threshold) {
        return Ok(());
    }
    Err(Invalid {
        field,
        problem: format!("{threshold} is not a fraction from 0 to less than 1"),
    })
}

/// A parameter as the exact decimal that was written.
pub(crate) fn fraction(field: &'static str, value: f64) -> Result<Share, Failure> {
    Share::from_f64(value, Unit::Fraction)
        .map_err(|error| Failure::permanent("invalid_parameter", format!("failed to use parameter {field}: {error}")))
}
