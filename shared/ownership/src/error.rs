//! What can go wrong.

use thiserror::Error;

use crate::Stopped;

/// Why a network could not be built or solved.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// There was no row at all.
    #[error("build the network: the input has no stakes")]
    EmptyInput,
    /// A stake is recorded twice and the policy is [`Duplicates::Reject`](crate::Duplicates::Reject).
    #[error("accept row {row}: the stake of {owner:?} in {owned:?} was recorded before (policy duplicates=reject)")]
    DuplicateStake {
        /// Row of the repetition, as given to the builder.
        row: u64,
        /// Who holds the stake.
        owner: String,
        /// The company that is held.
        owned: String,
    },
    /// An amount is recorded twice and the policy is [`Duplicates::Reject`](crate::Duplicates::Reject).
    #[error("accept row {row}: an amount of {owner:?} and {owned:?} was recorded before (policy duplicates=reject)")]
    DuplicateAmount {
        /// Row of the repetition, as given to the builder.
        row: u64,
        /// The creditor, or who delivers.
        owner: String,
        /// The debtor, or who takes.
        owned: String,
    },
    /// Amounts sum to more than the largest number.
    #[error("add up the amounts: their sum is larger than numbers go; scale them down")]
    AmountsTooLarge,
    /// A creditor has no equity that losses could be compared with.
    #[error("compare losses with the equity of {company:?}: it has claims, and an equity over 0 is not given")]
    NoEquity {
        /// The creditor.
        company: String,
    },
    /// A sector takes inputs, and has no output that they could be compared with.
    #[error("divide the inputs of {company:?} by its output: an output over 0 is not given")]
    NoOutput {
        /// The sector.
        company: String,
    },
    /// More than 100.1% of a company is held and the policy is [`ColumnsOver100::Reject`](crate::ColumnsOver100::Reject).
    #[error("accept the stakes in {company:?}: they sum to {sum}, over 1 (policy columns_over_100=reject)")]
    ColumnOver100 {
        /// The company that is held.
        company: String,
        /// The sum of its recorded stakes, as a fraction.
        sum: f64,
    },
    /// A closed component was found and the policy is [`OnClosed::Fail`](crate::OnClosed::Fail).
    #[error(
        "solve {name}: its {} members own each other entirely, so their ultimate owners are undefined: {}{} (policy on_closed_component=fail)",
        members.len(),
        members.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", "),
        if members.len() > 5 { ", ..." } else { "" }
    )]
    ClosedComponent {
        /// `closed-group:<k>`.
        name: String,
        /// Its companies, in the order of names.
        members: Vec<String>,
    },
    /// More companies than the builder's limit.
    #[error("build the network: it has more than {limit} companies")]
    TooManyCompanies {
        /// The limit that was passed.
        limit: u32,
    },
    /// More stakes than the builder's limit.
    #[error("build the network: it has more than {limit} stakes")]
    TooManyStakes {
        /// The limit that was passed.
        limit: u32,
    },
    /// The names of all companies together are longer than 4 GiB.
    #[error("build the network: the names of its companies are longer than 4 GiB together")]
    NamesTooLong,
    /// A step needs more memory than it may take.
    #[error("{what}: it needs {} MiB of memory, and may take {} MiB", needed.div_ceil(1 << 20), available >> 20)]
    NotEnoughMemory {
        /// The step, as it follows "failed to".
        what: String,
        /// Bytes that would do.
        needed: u64,
        /// Bytes that it may take.
        available: u64,
    },
    /// More pairs than the caller can hold.
    #[error(
        "find who controls or owns whom: there are more than {limit} pairs, which is what fits into memory; a higher threshold has fewer"
    )]
    TooManyPairs {
        /// The limit that was passed.
        limit: usize,
    },
    /// A callback asked for the work to end.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Error {
    /// A name that stays the same across versions, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyInput => "empty_input",
            Self::DuplicateStake { .. } => "duplicate_stake",
            Self::DuplicateAmount { .. } => "duplicate_amount",
            Self::AmountsTooLarge => "amounts_too_large",
            Self::NoEquity { .. } => "missing_equity",
            Self::NoOutput { .. } => "missing_output",
            Self::ColumnOver100 { .. } => "column_over_100",
            Self::ClosedComponent { .. } => "closed_component",
            Self::TooManyCompanies { .. } => "too_many_companies",
            Self::TooManyStakes { .. } => "too_many_stakes",
            Self::NamesTooLong => "names_too_long",
            Self::NotEnoughMemory { .. } => "not_enough_memory",
            Self::TooManyPairs { .. } => "too_many_pairs",
            Self::Stopped(_) => "stopped",
        }
    }
}
