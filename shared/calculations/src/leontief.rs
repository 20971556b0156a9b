//! Job type `leontief`: what each sector must make for a unit of another's final demand.

use formats::{Cell, Kind, Schema};
use jobs::{Calculation, Failure, Invalid, Outcome, Run, Stage, StageRun};
use ownership::{LeftOut, Pair, Stopped, integrated_ownership};
use reports::{Formula, Plot, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::STAGES;
use crate::building::{Built, build, refused};
use crate::calculating::{Solved, progress_of, solve};
use crate::common::Common;
use crate::presentation::{Presentation, column, describe};
use crate::reporting::{Findings, report};
use crate::table::{Table, TableWriter};

/// Parameters of `leontief`. The stakes are the matrix of technical coefficients A: `owner` delivers `share` of a unit
/// for each unit that `owned` makes.
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
        meaning: "A[i][j] is what j buys of i for each unit that j makes; it is given as stakes with owner i and owned j",
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

/// All rows at or above the floor, and what was below it.
#[derive(Debug, Serialize, Deserialize)]
struct Mapped {
    table: Table,
    left_out: LeftOut,
}

impl Calculation for Leontief {
    const NAME: &'static str = "leontief";
    const SUMMARY: &'static str = "What each sector must make for a unit of another's final demand.";
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

impl Leontief {
    fn map(&self, stage: &StageRun<'_>, built: &Built, solved: &Solved) -> Result<Mapped, Failure> {
        let (network, resolvent) = (&built.network, &solved.resolvent);
        let order: Vec<u32> = (0..u32::try_from(network.len()).unwrap_or(u32::MAX)).collect();
        let mut table = TableWriter::new(stage, &SCHEMA)?;
        let mut failure = None;
        let mut progress = progress_of(stage);
        let mut emit = |sector: u32, pairs: &[Pair]| {
            let mut write = || {
                table.company(network.name(sector))?;
                if let Some(own) = resolvent.amplification(sector) {
                    table.row(&[Cell::Text(network.name(sector)), Cell::Number(own)])?;
                }
                for pair in pairs.iter().filter(|pair| pair.owner != sector) {
                    let from = resolvent.owner_name(network, pair.owner);
                    table.row(&[Cell::Text(from), Cell::Number(pair.integrated)])?;
                }
                Ok(())
            };
            write().map_err(|error| {
                failure = Some(error);
                Stopped
            })
        };
        let pairs = integrated_ownership(network, resolvent, self.common.floor, &order, &mut progress, &mut emit);
        match (pairs, failure) {
            (_, Some(failure)) => Err(failure),
            (Err(error), None) => Err(refused(error)),
            (Ok(left_out), None) => Ok(Mapped {
                table: table.finish()?,
                left_out,
            }),
        }
    }
}
