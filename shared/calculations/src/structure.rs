//! Job type `structure`: where each company stands in the network.

use formats::{Cell, Kind, Schema};
use jobs::{Calculation, Failure, Invalid, Outcome, Run, Stage, StageRun};
use ownership::{ComponentsSummary, Finding, OnClosed};
use reports::{Formula, Plot, Reference, ResultSize, Summary, Survey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::STAGES;
use crate::building::{Built, build};
use crate::calculating::{Solved, solve};
use crate::common::Common;
use crate::presentation::{Presentation, column, describe};
use crate::reporting::{Findings, report_with, told};
use crate::saving::save;
use crate::survey::{Wanted, survey};
use crate::table::{Table, TableWriter};

/// Parameters of `structure`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Structure {
    #[serde(flatten)]
    common: Common,
}

static SCHEMA: Schema = Schema {
    key: 0,
    columns: &[
        column("company", Kind::Text, "", "the company"),
        column(
            "component",
            Kind::Count,
            "",
            "its strongly connected component, the largest first, from 1",
        ),
        column(
            "component_size",
            Kind::Count,
            "companies",
            "companies in that component",
        ),
        column(
            "position",
            Kind::Text,
            "",
            "its place in the bow-tie: in, scc, out, tube, tendril, other",
        ),
        column("column_sum", Kind::Number, "fraction", "the sum of its recorded stakes"),
        column(
            "undisclosed",
            Kind::Number,
            "fraction",
            "held by nobody known, directly or through its holders; empty in a closed group, and where a ring is too large to be inverted",
        ),
        column(
            "amplification",
            Kind::Number,
            "",
            "V[i][i], how much rings multiply what is held of it; empty in a closed group, and where a ring is too large to be inverted",
        ),
    ],
};

const PRESENTATION: Presentation = Presentation {
    title: "Structure of the network",
    schema: &SCHEMA,
    plot: Plot::Counts {
        column: "position",
        title: "Companies by their place in the bow-tie",
    },
    top_by: "amplification",
    formulas: &[
        Formula {
            name: "undisclosed",
            formula: "m V",
            meaning: "what nobody known holds, where m[j] is 1 less the sum of the stakes in j",
        },
        Formula {
            name: "amplification",
            formula: "V[i][i], V = (I - W)^-1",
            meaning: "how much rings multiply what is held of a company",
        },
    ],
    references: &[Reference {
        text: "Vitali, Glattfelder, Battiston: The network of global corporate control. PLoS ONE 6 (2011)",
        url: Some("https://doi.org/10.1371/journal.pone.0025995"),
    }],
};

/// What its report shows of the network.
const WANTED: Wanted<'static> = Wanted {
    holders: None,
    share: "share",
    rows: ("Its place", &["component", "position"]),
};

impl Calculation for Structure {
    const NAME: &'static str = "structure";
    const SUMMARY: &'static str =
        "Rings of cross-holdings, places in the bow-tie, undisclosed shares and amplification by rings.";
    const STAGES: &'static [Stage] = STAGES;

    fn columns() -> Value {
        describe(&SCHEMA)
    }

    fn check(&self) -> Result<(), Invalid> {
        self.common.check()
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let built = run.stage("building", |stage| build(stage, &self.common))?;
        let solved = run.stage("calculating", |stage| self.solve(stage, &built))?;
        let table = run.stage("mapping", |stage| map(stage, &built, &solved))?;
        let saved = run.stage("saving", |stage| save(stage, &table, &SCHEMA, &built.network))?;
        let findings = match &solved {
            Inverse::Known(solved) => Findings::new(&built, solved, &table, None, self.common.floor),
            Inverse::TooLarge(finding) => unsolved(&built, &table, finding),
        };
        let reports = run.stage("reporting", |stage| match &solved {
            Inverse::Known(solved) => {
                let survey = survey(stage, &built.network, &solved.resolvent, WANTED)?;
                report_with(stage, &PRESENTATION, &findings, &table, &survey)
            }
            Inverse::TooLarge(_) => report_with(stage, &PRESENTATION, &findings, &table, &Survey::default()),
        })?;
        Ok(findings.outcome(saved, reports))
    }
}

/// What stage `calculating` leaves.
#[derive(Debug, Serialize, Deserialize)]
enum Inverse {
    Known(Box<Solved>),
    /// A ring is too large to be inverted, as the finding says.
    TooLarge(Finding),
}

impl Structure {
    /// Inverts the components. Where they are too large for the memory there is, components and positions can be told
    /// all the same, unless a closed component is to be refused, which only the inverse shows.
    fn solve(&self, stage: &StageRun<'_>, built: &Built) -> Result<Inverse, Failure> {
        match solve(stage, built, &self.common) {
            Ok(solved) => Ok(Inverse::Known(Box::new(solved))),
            Err(Failure::Permanent(error))
                if error.code == "not_enough_memory" && self.common.on_closed_component == OnClosed::RingFence =>
            {
                Ok(Inverse::TooLarge(Finding {
                    code: "ring_too_large".to_owned(),
                    count: 1,
                    examples: vec![error.message],
                    action: "undisclosed and amplification are empty, and closed components were not looked for"
                        .to_owned(),
                }))
            }
            Err(failure) => Err(failure),
        }
    }
}

/// What there is to say without an inverse.
fn unsolved<'n>(built: &'n Built, table: &Table, finding: &Finding) -> Findings<'n> {
    let network = &built.network;
    let found = [
        built.findings.as_slice(),
        network.findings(),
        std::slice::from_ref(finding),
    ]
    .concat();
    let summary = Summary {
        input: built.input(),
        components: told(ComponentsSummary::of(network)),
        residual: f64::NAN,
        result: ResultSize {
            rows: table.rows,
            companies: table.companies,
        },
        ..Summary::default()
    };
    Findings::of(summary, found).about(&built.network)
}

fn map(stage: &StageRun<'_>, built: &Built, solved: &Inverse) -> Result<Table, Failure> {
    let mut table = TableWriter::new(stage, &SCHEMA)?;
    let places = match solved {
        Inverse::Known(solved) => ownership::structure(&built.network, &solved.resolvent),
        Inverse::TooLarge(_) => ownership::places(&built.network),
    };
    // In the order of ids, which is the order of names.
    for place in places {
        if place.company % 4096 == 0 {
            stage.progress(0.5)?;
        }
        table.company(built.network.name(place.company))?;
        table.row(&[
            Cell::Count(u64::from(place.component)),
            Cell::Count(u64::from(place.component_size)),
            Cell::Text(place.position.as_str()),
            Cell::Number(place.column_sum),
            Cell::Number(place.undisclosed.unwrap_or(f64::NAN)),
            Cell::Number(place.amplification.unwrap_or(f64::NAN)),
        ])?;
    }
    table.finish()
}
