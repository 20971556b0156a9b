//! The job types, one file each, and the registry that is their factory.
//!
//! All of them walk the same stages over an ownership network: `building` reads the stakes and makes W, `calculating`
//! inverts its components, `mapping` turns that into rows, `saving` puts the rows into the database, `reporting`
//! writes the files. A job type differs in its parameters, its columns and its rows, so that is all its file says.
//!
//! ```
//! let registry = calculations::registry();
//! let names: Vec<&str> = registry.types().map(|job_type| job_type.name).collect();
//! assert!(names.contains(&"integrated-ownership"));
//! // Parameters are checked when a job is submitted, and every default is filled in.
//! let parameters = registry.check("integrated-ownership", &serde_json::json!({"floor": 0.01})).expect("valid");
//! assert_eq!(parameters["duplicates"], "sum");
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop at the first surprise"))]

mod amounts;
mod beneficial_owners;
mod building;
mod calculating;
mod clearing;
mod common;
mod company_control;
mod debtrank;
mod integrated_ownership;
mod katz;
mod leontief;
mod network_control;
mod pages;
mod pairs;
mod presentation;
mod reporting;
mod saving;
mod searching;
mod streaming;
mod structure;
mod survey;
mod table;
mod values;

use jobs::{Registry, Stage};

/// Every job type. A new one is a file of its own, its `mod` line, and a line here.
#[must_use]
pub fn registry() -> Registry {
    Registry::default()
        .with::<beneficial_owners::BeneficialOwners>()
        .with::<clearing::Clearing>()
        .with::<company_control::CompanyControl>()
        .with::<debtrank::DebtRank>()
        .with::<integrated_ownership::IntegratedOwnership>()
        .with::<katz::Katz>()
        .with::<leontief::Leontief>()
        .with::<network_control::NetworkControl>()
        .with::<structure::Structure>()
}

/// The steps of every job type here. What `saving` leaves expires with its job, so a retry saves anew.
const STAGES: &[Stage] = &[
    stage("building", 25, true),
    stage("calculating", 25, true),
    stage("mapping", 30, true),
    stage("saving", 10, false),
    stage("reporting", 10, false),
];

const fn stage(name: &'static str, weight: u8, carries: bool) -> Stage {
    Stage { name, weight, carries }
}

#[cfg(test)]
mod tests {
    /// On AWS the role of the API may write below a job what has an ending: reports.
    #[test]
    fn no_stage_is_named_like_a_report() {
        for job_type in super::registry().types() {
            assert!(
                job_type.stages.iter().all(|stage| !stage.name.contains('.')),
                "{}",
                job_type.name
            );
        }
    }
}
