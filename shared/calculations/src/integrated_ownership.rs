//! Job type `integrated-ownership`: who holds how much of whom, directly and through every chain and ring.

use formats::{Column, Kind, Schema};
use jobs::{Calculation, Failure, Invalid, Outcome, Run, Stage, StageRun};
use ownership::{Finding, LeftOut, Network, Pair, Resolvent, ShareBounds, share_bounds};
use reports::{Formula, Plot, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::STAGES;
use crate::building::{Built, build, refused};
use crate::calculating::{Solved, most_pairs, progress_of, solve};
use crate::common::Common;
use crate::pairs::map_pairs;
use crate::presentation::{Presentation, bounds, column, describe};
use crate::reporting::{Findings, report_with};
use crate::saving::save;
use crate::survey::{Wanted, survey};
use crate::table::{Table, TableWriter};

/// Parameters of `integrated-ownership`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct IntegratedOwnership {
    #[serde(flatten)]
    common: Common,
}

const COLUMNS: [Column; 7] = [
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
    column(
        "lower",
        Kind::Number,
        "fraction",
        "the least integrated share that the recorded ranges allow; there only if the input has ranges",
    ),
    column(
        "upper",
        Kind::Number,
        "fraction",
        "the largest integrated share that the recorded ranges allow, nothing if they set no bound; there only if the input has ranges",
    ),
];

static SCHEMA: Schema = Schema {
    key: 1,
    columns: COLUMNS.first_chunk::<5>().expect("there are seven"),
};

/// Where stakes have ranges.
static BOUNDED: Schema = Schema {
    key: 1,
    columns: &COLUMNS,
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
        Formula {
            name: "lower, upper",
            formula: "the least and the largest T[i][j] of all W within the ranges whose columns sum to at most 1",
            meaning: "what is certain and what is possible, where the input has ranges of shares",
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

/// What its report shows of the network.
const WANTED: Wanted<'static> = Wanted {
    holders: None,
    share: "share",
    rows: (
        "All holders, those in between too",
        &["owner", "direct", "integrated", "corrected", "lower", "upper"],
    ),
};

impl Calculation for IntegratedOwnership {
    const NAME: &'static str = "integrated-ownership";
    const SUMMARY: &'static str = "Who holds how much of whom, directly and through every chain and ring.";
    const STAGES: &'static [Stage] = STAGES;

    fn columns() -> Value {
        let mut columns = describe(&BOUNDED);
        for column in columns.as_array_mut().into_iter().flatten().skip(SCHEMA.columns.len()) {
            column["when"] = "the input has ranges".into();
        }
        columns
    }

    fn check(&self) -> Result<(), Invalid> {
        self.common.check()
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let built = run.stage("building", |stage| build(stage, &self.common))?;
        let solved = run.stage("calculating", |stage| solve(stage, &built, &self.common))?;
        let mapped = run.stage("mapping", |stage| self.map(stage, &built, &solved))?;
        let schema = schema(&built.network);
        let saved = run.stage("saving", |stage| save(stage, &mapped.table, schema, &built.network))?;
        let findings = Findings::new(&built, &solved, &mapped.table, Some(mapped.left_out), self.common.floor)
            .with(&mapped.findings);
        let presentation = Presentation { schema, ..PRESENTATION };
        let reports = run.stage("reporting", |stage| {
            let survey = survey(stage, &built.network, &solved.resolvent, WANTED)?;
            report_with(stage, &presentation, &findings, &mapped.table, &survey)
        })?;
        Ok(findings.outcome(saved, reports))
    }
}

fn schema(network: &Network) -> &'static Schema {
    if network.has_ranges() { &BOUNDED } else { &SCHEMA }
}

/// All rows, what was below the floor, and what has no bound.
#[derive(Debug, Serialize, Deserialize)]
struct Mapped {
    table: Table,
    left_out: LeftOut,
    findings: Vec<Finding>,
}

impl IntegratedOwnership {
    fn map(&self, stage: &StageRun<'_>, built: &Built, solved: &Solved) -> Result<Mapped, Failure> {
        let (network, resolvent) = (&built.network, &solved.resolvent);
        let floor = self.common.floor;
        let bounds = share_bounds(
            network,
            resolvent,
            &|_| true,
            floor,
            most_pairs(stage),
            &mut progress_of(stage),
        );
        let mut rows = Rows {
            network,
            resolvent,
            bounds: bounds.map_err(refused)?,
            unbounded: (0, Vec::new()),
        };
        let mapped = map_pairs(
            stage,
            schema(network),
            built,
            solved,
            floor,
            &mut |table, company, pairs| {
                table.company(network.name(company))?;
                let start = rows.bounds.partition_point(|bounds| bounds.company < company);
                for pair in pairs {
                    rows.write(table, start, company, pair)?;
                }
                Ok(())
            },
        )?;
        Ok(Mapped {
            table: mapped.table,
            left_out: mapped.left_out,
            findings: rows.findings(),
        })
    }
}

/// Pairs on their way to rows.
struct Rows<'n> {
    network: &'n Network,
    resolvent: &'n Resolvent,
    /// Of pairs that are uncertain, in the order of companies and then of owners.
    bounds: Vec<ShareBounds>,
    /// Pairs without an upper bound, and the first of them.
    unbounded: (u64, Vec<String>),
}

impl Rows<'_> {
    /// `start` is where the bounds of the company begin.
    fn write(&mut self, table: &mut TableWriter, start: usize, company: u32, pair: &Pair) -> Result<(), Failure> {
        const EXAMPLES: usize = 10;
        let owner = || self.resolvent.owner_name(self.network, pair.owner);
        let shares = [pair.direct, pair.integrated, pair.corrected];
        if !self.network.has_ranges() {
            return table.numbered_row(pair.owner, owner, &shares);
        }
        let of_company = &self.bounds[start..];
        let found = of_company.binary_search_by_key(&(company, pair.owner), |bounds| (bounds.company, bounds.owner));
        let (lower, upper) = found.map_or((pair.integrated, pair.integrated), |at| {
            let found = of_company[at];
            bounds(found.lower, pair.integrated, found.upper)
        });
        if upper.is_infinite() {
            self.unbounded.0 += 1;
            if self.unbounded.1.len() < EXAMPLES {
                self.unbounded
                    .1
                    .push(format!("{} of {}", owner(), self.network.name(company)));
            }
        }
        let upper = if upper.is_finite() { upper } else { f64::NAN };
        let [direct, integrated, corrected] = shares;
        table.numbered_row(pair.owner, owner, &[direct, integrated, corrected, lower, upper])
    }

    fn findings(self) -> Vec<Finding> {
        let (count, examples) = self.unbounded;
        let finding = (count > 0).then(|| Finding {
            code: "no_upper_bound".to_owned(),
            count,
            examples,
            action: "upper was left empty: the ranges allow companies to own each other entirely".to_owned(),
        });
        finding.into_iter().collect()
    }
}
