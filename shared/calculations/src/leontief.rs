//! Job type `leontief`: what each sector must make for a unit of another's final demand.

use formats::{Cell, Kind, Schema};
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
        let floor = self.common.floor;
        // A sector's own row is there whatever the floor: V has it where T is below.
        let (mut own_pairs, mut own_mass) = (0, 0.0);
        let mut mapped = map_pairs(stage, &SCHEMA, built, solved, floor, &mut |table, sector, pairs| {
            table.company(network.name(sector))?;
            if let Some(own) = resolvent.amplification(sector) {
                table.row(&[Cell::Text(network.name(sector)), Cell::Number(own)])?;
                let by_loops = own - 1.0;
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
