//! Job type `katz`: how central each company is among those that are held.

use formats::{Cell, Kind, Schema};
use jobs::{Calculation, Failure, Invalid, Outcome, Run, Stage, StageRun};
use ownership::katz;
use reports::{Formula, Plot, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::STAGES;
use crate::building::{Built, build};
use crate::calculating::{Solved, solve_network};
use crate::common::Common;
use crate::presentation::{Presentation, column, describe};
use crate::reporting::{Findings, report_with};
use crate::saving::save;
use crate::survey::outline;
use crate::table::{Table, TableWriter};

/// A column is over one beyond this.
const ROUNDING: f64 = 1e-3;

/// Parameters of `katz`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Katz {
    /// By how much centrality fades with each stake. Alpha times the sum of the stakes in any company is at most 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    alpha: f64,
    #[serde(flatten)]
    common: Common,
}

impl Default for Katz {
    fn default() -> Self {
        Self {
            alpha: 0.1,
            common: Common::default(),
        }
    }
}

static SCHEMA: Schema = Schema {
    key: 0,
    columns: &[
        column("company", Kind::Text, "", "the company"),
        column(
            "centrality",
            Kind::Number,
            "",
            "1 of its own and alpha times the centrality of each holder, in proportion to the stake; empty in a closed group",
        ),
    ],
};

const PRESENTATION: Presentation = Presentation {
    title: "Katz centrality",
    schema: &SCHEMA,
    plot: Plot::Histogram {
        column: "centrality",
        title: "How central companies are",
    },
    top_by: "centrality",
    formulas: &[Formula {
        name: "centrality",
        formula: "(I - alpha W^T)^-1 1",
        meaning: "holders count, their holders too, each step alpha times less",
    }],
    references: &[Reference {
        text: "Katz: A new status index derived from sociometric analysis. Psychometrika 18 (1953)",
        url: Some("https://doi.org/10.1007/BF02289026"),
    }],
};

impl Calculation for Katz {
    const NAME: &'static str = "katz";
    const SUMMARY: &'static str = "How central each company is: its holders count, and theirs, each step less.";
    const STAGES: &'static [Stage] = STAGES;

    fn columns() -> Value {
        describe(&SCHEMA)
    }

    fn check(&self) -> Result<(), Invalid> {
        if !(0.0..=1.0).contains(&self.alpha) {
            return Err(Invalid {
                field: "alpha",
                problem: format!("{} is not a fraction from 0 to 1", self.alpha),
            });
        }
        self.common.check()
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let built = run.stage("building", |stage| build(stage, &self.common))?;
        let solved = run.stage("calculating", |stage| self.solve(stage, &built))?;
        let table = run.stage("mapping", |stage| self.map(stage, &built, &solved))?;
        let saved = run.stage("saving", |stage| save(stage, &table, &SCHEMA, &built.network))?;
        let findings = Findings::new(&built, &solved, &table, None, self.common.floor);
        let reports = run.stage("reporting", |stage| {
            let survey = outline(&built.network, &solved.resolvent);
            report_with(stage, &PRESENTATION, &findings, &table, &survey)
        })?;
        Ok(findings.outcome(saved, reports))
    }
}

impl Katz {
    /// Solves the faded network. Only where columns are over one can its chains outgrow the fading.
    fn solve(&self, stage: &StageRun<'_>, built: &Built) -> Result<Solved, Failure> {
        let network = built.network.scaled(self.alpha);
        let solved = solve_network(stage, &network, &self.common)?;
        let components = solved.resolvent.components();
        let mut closed = components.closed.iter();
        let is_over = |name: &String| {
            network
                .find(name)
                .is_some_and(|member| network.column_sum(member) > 1.0 + ROUNDING)
        };
        match closed.find(|group| group.members.iter().any(is_over)) {
            None => Ok(solved),
            Some(group) => Err(Failure::permanent(
                "alpha_too_large",
                format!(
                    "failed to sum over chains with alpha {}: in the ring of {} they grow faster than alpha makes them \
                     fade; a smaller alpha, or columns_over_100=normalise, will do",
                    self.alpha,
                    group.members.first().map_or("", String::as_str),
                ),
            )),
        }
    }

    fn map(&self, stage: &StageRun<'_>, built: &Built, solved: &Solved) -> Result<Table, Failure> {
        let network = built.network.scaled(self.alpha);
        let mut table = TableWriter::new(stage, &SCHEMA)?;
        for (company, centrality) in (0_u32..).zip(katz(&network, &solved.resolvent)) {
            if company % 4096 == 0 {
                stage.progress(0.5)?;
            }
            table.company(network.name(company))?;
            let defined = solved.resolvent.amplification(company).is_some();
            table.row(&[Cell::Number(if defined { centrality } else { f64::NAN })])?;
        }
        table.finish()
    }
}
