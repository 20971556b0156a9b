//! Job type `integrated-ownership`: who holds how much of whom, directly and through every chain and ring.

use formats::{Kind, Schema};
use jobs::{Calculation, Failure, Invalid, Outcome, Run, Stage, StageRun};
use reports::{Formula, Plot, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::STAGES;
use crate::building::{Built, build};
use crate::calculating::{Solved, solve};
use crate::common::Common;
use crate::pairs::{Mapped, map_pairs};
use crate::presentation::{Presentation, column, describe};
use crate::reporting::{Findings, report};

/// Parameters of `integrated-ownership`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct IntegratedOwnership {
    #[serde(flatten)]
    common: Common,
}

static SCHEMA: Schema = Schema {
    key: 1,
    columns: &[
        column(
            "owner",
            Kind::Text,
            "",
            "who holds: a company, a person, or a closed group",
        ),
        column("owned", Kind::Text, "", "what is held"),
        column(
            "direct",
            Kind::Number,
            "fraction",
            "the recorded stake; 0 if there is none",
        ),
        column(
            "integrated",
            Kind::Number,
            "fraction",
            "direct and indirect through every chain and ring, T = V - I",
        ),
        column(
            "corrected",
            Kind::Number,
            "fraction",
            "integrated with the owner's own loops removed, diag(V)^-1 T",
        ),
    ],
};

const PRESENTATION: Presentation = Presentation {
    title: "Integrated ownership",
    schema: &SCHEMA,
    plot: Plot::Histogram {
        column: "integrated",
        title: "How large the integrated shares are",
    },
    top_by: "integrated",
    formulas: &[
        Formula {
            name: "V",
            formula: "(I - W)^-1",
            meaning: "the resolvent, where W[i][j] is the share of j that i holds",
        },
        Formula {
            name: "integrated",
            formula: "T = V - I",
            meaning: "direct plus indirect, through every chain and ring",
        },
        Formula {
            name: "corrected",
            formula: "diag(V)^-1 T",
            meaning: "integrated with the owner's own loops removed",
        },
    ],
    references: &[
        Reference {
            text: "Brioschi, Buzzacchi, Colombo: Risk capital financing and the separation of ownership and control in business groups. Journal of Banking and Finance 13 (1989)",
            url: Some("https://doi.org/10.1016/0378-4266(89)90040-X"),
        },
        Reference {
            text: "Baldone, Brioschi, Paleari: Ownership measures among firms connected by cross-shareholdings (1998)",
            url: None,
        },
    ],
};

impl Calculation for IntegratedOwnership {
    const NAME: &'static str = "integrated-ownership";
    const SUMMARY: &'static str = "Who holds how much of whom, directly and through every chain and ring.";
    const STAGES: &'static [Stage] = STAGES;

    fn columns() -> Value {
        describe(&SCHEMA)
    }

    fn check(&self) -> Result<(), Invalid> {
        self.common.check()
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let built = run.stage("building", |stage| build(stage, &self.common))?;
        let solved = run.stage("calculating", |stage| solve(stage, &built, &self.common))?;
        let mapped = run.stage("mapping", |stage| self.map(stage, &built, &solved))?;
        let rows = run.stage("saving", |stage| mapped.table.save(stage, &SCHEMA))?;
        let findings = Findings::new(&built, &solved, &mapped.table, Some(mapped.left_out), self.common.floor);
        let reports = run.stage("reporting", |stage| {
            report(stage, &PRESENTATION, &findings, &mapped.table)
        })?;
        Ok(findings.outcome(rows, reports))
    }
}

impl IntegratedOwnership {
    fn map(&self, stage: &StageRun<'_>, built: &Built, solved: &Solved) -> Result<Mapped, Failure> {
        let network = &built.network;
        map_pairs(
            stage,
            &SCHEMA,
            built,
            solved,
            self.common.floor,
            &mut |table, company, pairs| {
                table.company(network.name(company))?;
                for pair in pairs {
                    table.numbered_row(
                        pair.owner,
                        || solved.resolvent.owner_name(network, pair.owner),
                        &[pair.direct, pair.integrated, pair.corrected],
                    )?;
                }
                Ok(())
            },
        )
    }
}
