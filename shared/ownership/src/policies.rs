//! What to do about dirty data.

use serde::{Deserialize, Serialize};

/// What to do with a company of which more than 100.1% is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnsOver100 {
    /// Calculate with the shares as they are recorded.
    #[default]
    Keep,
    /// Divide them by their sum.
    Normalise,
    /// End with [`Error::ColumnOver100`](crate::Error::ColumnOver100).
    Reject,
}

/// What to do with an owner recorded more than once for the same company.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// Add the shares: they are share classes.
    #[default]
    Sum,
    /// Take the largest: they are records of the same holding.
    Max,
    /// End with [`Error::DuplicateStake`](crate::Error::DuplicateStake).
    Reject,
}

/// Which share stands for a range of which only the bounds are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImputedShare {
    /// Half way between the bounds, or less where a company would be held by more than one.
    #[default]
    Midpoint,
    /// The lower bound.
    Lower,
    /// The upper bound, or less where a company would be held by more than one.
    Upper,
}

/// How dirty data is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policies {
    /// Companies of which more than 100.1% is held; after duplicates are resolved.
    pub columns_over_100: ColumnsOver100,
    /// Owners recorded more than once for the same company.
    pub duplicates: Duplicates,
    /// Stakes of which only bounds are known.
    pub ranges: ImputedShare,
}
