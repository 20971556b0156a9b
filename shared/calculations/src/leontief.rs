//! Job type `leontief`: what each sector must make for a unit of another's final demand.

use formats::{AmountKind, Cell, Kind, Schema, ValueColumns};
use jobs::{Calculation, Failure, Invalid, JobError, Outcome, Run, Stage, StageRun};
use reports::{Formula, Plot, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::STAGES;
use crate::amounts::build_amounts;
use crate::building::{Built, build, refused};
use crate::calculating::{Solved, solve};
use crate::common::Common;
use crate::pairs::{Mapped, map_pairs};
use crate::presentation::{Presentation, column, describe};
use crate::reporting::{Findings, report};
use crate::saving::save;
use crate::values::Wanted;

/// Parameters of `leontief`. With values (`sector,output`) the edges are flows Z, with the header `from,to,amount`.
/// Without, they are the matrix of technical coefficients A itself, as stakes: `owner` delivers `share` of a unit for each
/// unit that `owned` makes.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Leontief {
    #[serde(flatten)]
    common: Common,
}

static SCHEMA: Schema = Schema {
    key: 1,
    columns: &[
        column("from", Kind::Text, "", "the sector that delivers"),
        column("to", Kind::Text, "", "the sector whose output is demanded"),
        column(
            "requirement",
            Kind::Number,
            "units for each unit",
            "what must be made, directly and through all other sectors, for a unit of final demand",
        ),
    ],
};

const PRESENTATION: Presentation = Presentation {
    title: "Total requirements",
    schema: &SCHEMA,
    plot: Plot::Histogram {
        column: "requirement",
        title: "How large the requirements are",
    },
    top_by: "requirement",
    formulas: &[Formula {
        name: "requirement",
        formula: "L = (I - A)^-1, A = Z diag(x)^-1",
        meaning: "Z[i][j] is what i delivers to j, and x[j] what j makes in all; A[i][j] is what j takes of i for each unit that it makes, given in the place of Z if there is no x. A sector's requirement of itself includes the unit that is demanded",
    }],
    references: &[
        Reference {
            text: "Leontief: Quantitative input and output relations in the economic system of the United States. Review of Economics and Statistics 18 (1936)",
            url: Some("https://doi.org/10.2307/1927837"),
        },
        Reference {
            text: "Miller, Blair: Input-Output Analysis. Cambridge University Press (2009), chapter 2",
            url: Some("https://doi.org/10.1017/CBO9780511626982"),
        },
    ],
};

const COLUMNS: ValueColumns = ValueColumns {
    value: &["output", "total_output", "x", "value"],
    extra: None,
};

impl Calculation for Leontief {
    const NAME: &'static str = "leontief";
    const SUMMARY: &'static str = "What each sector must make for a unit of another's final demand.";
    const STAGES: &'static [Stage] = STAGES;
    const TAKES_VALUES: bool = true;

    fn columns() -> Value {
        describe(&SCHEMA)
    }

    fn check(&self) -> Result<(), Invalid> {
        self.common.check()
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let Required { built, of_flows } = &run.stage("building", |stage| self.build(stage))?;
        let solved = run.stage("calculating", |stage| solve(stage, built, &self.common))?;
        let mapped = run.stage("mapping", |stage| self.map(stage, built, &solved))?;
        let saved = run.stage("saving", |stage| save(stage, &mapped.table, &SCHEMA, &built.network))?;
        let mut findings = Findings::new(built, &solved, &mapped.table, Some(mapped.left_out), self.common.floor);
        if *of_flows {
            findings = findings.in_amounts();
        }
        let reports = run.stage("reporting", |stage| {
            report(stage, &PRESENTATION, &findings, &mapped.table)
        })?;
        Ok(findings.outcome(saved, reports))
    }
}

/// What stage `building` leaves.
#[derive(Debug, Serialize, Deserialize)]
struct Required {
    built: Built,
    /// Whether A was made of flows.
    of_flows: bool,
}

impl Leontief {
    fn build(&self, stage: &StageRun<'_>) -> Result<Required, Failure> {
        if stage.input().values.is_none() {
            let built = build(stage, &self.common).map_err(point_to_values)?;
            let of_flows = false;
            return Ok(Required { built, of_flows });
        }
        let common = &self.common;
        let read = build_amounts(stage, AmountKind::Flows, common.duplicates, common.on_bad_record)?;
        let flows = &read.amounts;
        let wanted = Wanted {
            find: &|name| flows.find(name),
            companies: flows.len(),
            columns: COLUMNS,
            on_bad_record: common.on_bad_record,
            check: &|_| Ok(()),
        };
        let Some(given) = wanted.read(stage)? else {
            return Err(Failure::permanent(
                "values_needed",
                "failed to find the outputs of sectors",
            ));
        };
        let network = flows
            .coefficients(&given.values, common.columns_over_100)
            .map_err(refused)?;
        let built = Built {
            network,
            format: read.format,
            sha256: read.sha256,
            bytes: read.bytes,
            findings: [read.findings, given.findings].concat(),
        };
        Ok(Required { built, of_flows: true })
    }

    fn map(&self, stage: &StageRun<'_>, built: &Built, solved: &Solved) -> Result<Mapped, Failure> {
        let (network, resolvent) = (&built.network, &solved.resolvent);
        let floor = self.common.floor;
        // A sector's own row is there whatever the floor: V has it where T is below.
        let (mut own_pairs, mut own_mass) = (0, 0.0);
        let mut mapped = map_pairs(stage, &SCHEMA, built, solved, floor, &mut |table, sector, pairs| {
            table.company(network.name(sector))?;
            if let Some(own) = resolvent.amplification(sector) {
                table.row(&[Cell::Text(network.name(sector)), Cell::Number(own)])?;
                let by_loops = resolvent.loops(sector).unwrap_or_default();
                if by_loops > 0.0 && pairs.iter().all(|pair| pair.owner != sector) {
                    own_pairs += 1;
                    own_mass += by_loops;
                }
            }
            for pair in pairs.iter().filter(|pair| pair.owner != sector) {
                let from = resolvent.owner_name(network, pair.owner);
                table.row(&[Cell::Text(from), Cell::Number(pair.integrated)])?;
            }
            Ok(())
        })?;
        mapped.left_out.pairs = mapped.left_out.pairs.saturating_sub(own_pairs);
        mapped.left_out.mass = (mapped.left_out.mass - own_mass).max(0.0);
        Ok(mapped)
    }
}

/// What is over 1, or no share by its name, may be a flow.
fn point_to_values(failure: Failure) -> Failure {
    match failure {
        Failure::Permanent(error) if ["share_over_one", "missing_column"].contains(&error.code.as_str()) => {
            Failure::Permanent(JobError {
                message: format!(
                    "{}; if they are flows, give a file of sector,output as values",
                    error.message
                ),
                ..error
            })
        }
        other => other,
    }
}
