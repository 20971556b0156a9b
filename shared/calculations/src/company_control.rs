//! Job type `company-control`: who controls whom by a majority of votes, alone or with those it controls.

use formats::{Cell, Kind, Schema};
use jobs::{Calculation, Failure, Invalid, Outcome, Run, Stage, StageRun};
use ownership::{Control, ControlEdges, company_control};
use reports::{Curve, Formula, Holders, Name, Plot, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::STAGES;
use crate::building::{Built, build, refused};
use crate::calculating::{Solved, most_pairs, progress_of, solve};
use crate::common::{Common, check_majority, fraction};
use crate::presentation::{Presentation, column, describe};
use crate::reporting::{Findings, report_with};
use crate::saving::save;
use crate::survey::{Wanted, named, rank, survey};
use crate::table::{Table, TableWriter};

/// Parameters of `company-control`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct CompanyControl {
    /// More than this fraction of a company's votes controls it. A company's own shares have no votes.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    threshold: f64,
    /// Whether control that is stated without a share, such as the right to appoint a board or being the parent that
    /// consolidates, is control.
    #[schemars(with = "String", extend("enum" = ["ignore", "use"]))]
    control_edges: ControlEdges,
    #[serde(flatten)]
    common: Common,
}

impl Default for CompanyControl {
    fn default() -> Self {
        Self {
            threshold: 0.5,
            control_edges: ControlEdges::default(),
            common: Common::default(),
        }
    }
}

static SCHEMA: Schema = Schema {
    key: 1,
    columns: &[
        column(
            "controller",
            Kind::Text,
            "",
            "who controls: a company, a person, or a closed group",
        ),
        column("company", Kind::Text, "", "what is controlled"),
        column(
            "share",
            Kind::Number,
            "fraction of votes",
            "what the controller and all that it controls hold of the company together; 0 where control is stated without a share",
        ),
        column(
            "ultimate",
            Kind::Text,
            "",
            "true if nobody controls the controller but those that it controls itself, as in a ring of majorities",
        ),
    ],
};

const PRESENTATION: Presentation = Presentation {
    title: "Control of companies",
    schema: &SCHEMA,
    plot: Plot::Counts {
        column: "controller",
        title: "Who controls the most companies",
    },
    top_by: "share",
    formulas: &[
        Formula {
            name: "control",
            formula: "x controls y if the sum of W[k][y] over x and all k that x controls is more than threshold (1 - W[y][y])",
            meaning: "the least set that satisfies this: nothing is controlled but what follows from the controller's own stakes",
        },
        Formula {
            name: "share",
            formula: "sum of W[k][y] / (1 - W[y][y]) over x and all k that x controls, k other than y",
            meaning: "the part of the votes held together; a company's own shares have none",
        },
    ],
    references: &[
        Reference {
            text: "Ceri, Gottlob, Tanca: Logic Programming and Databases. Springer (1990): the company control problem",
            url: None,
        },
        Reference {
            text: "Bellomarini, Sallinger, Gottlob: The Vadalog system: Datalog-based reasoning for knowledge graphs. PVLDB 11 (2018)",
            url: Some("https://doi.org/10.14778/3213880.3213888"),
        },
        Reference {
            text: "Directive 2013/34/EU, Article 22: the majority of voting rights, own shares not counted",
            url: Some("https://eur-lex.europa.eu/eli/dir/2013/34/oj"),
        },
    ],
};

/// All rows, and the largest groups.
#[derive(Debug, Serialize, Deserialize)]
struct Mapped {
    table: Table,
    groups: Option<Holders>,
}

impl Calculation for CompanyControl {
    const NAME: &'static str = "company-control";
    const SUMMARY: &'static str = "Who controls whom by a majority of votes, alone or with those it controls.";
    const STAGES: &'static [Stage] = STAGES;

    fn columns() -> Value {
        describe(&SCHEMA)
    }

    fn check(&self) -> Result<(), Invalid> {
        check_majority("threshold", self.threshold)?;
        self.common.check()
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let built = run.stage("building", |stage| build(stage, &self.common))?;
        let solved = run.stage("calculating", |stage| solve(stage, &built, &self.common))?;
        let mapped = run.stage("mapping", |stage| self.map(stage, &built, &solved))?;
        let saved = run.stage("saving", |stage| save(stage, &mapped.table, &SCHEMA, &built.network))?;
        let findings = Findings::new(&built, &solved, &mapped.table, None, self.common.floor);
        let findings = findings.with_edges(self.control_edges);
        let reports = run.stage("reporting", |stage| {
            let wanted = Wanted {
                holders: mapped.groups,
                share: "share",
                rows: ("Who controls it", &["controller", "share", "ultimate"]),
            };
            let survey = survey(stage, &built.network, &solved.resolvent, wanted)?;
            report_with(stage, &PRESENTATION, &findings, &mapped.table, &survey)
        })?;
        Ok(findings.outcome(saved, reports))
    }
}

impl CompanyControl {
    fn map(&self, stage: &StageRun<'_>, built: &Built, solved: &Solved) -> Result<Mapped, Failure> {
        let (network, resolvent) = (&built.network, &solved.resolvent);
        let mut progress = progress_of(stage);
        let threshold = fraction("threshold", self.threshold)?;
        let (edges, most) = (self.control_edges, most_pairs(stage));
        let pairs = company_control(network, resolvent, threshold, edges, most, &mut progress).map_err(refused)?;
        let mut rest = pairs.as_slice();
        let mut table = TableWriter::new(stage, &SCHEMA)?;
        for company in (0_u32..).take(network.len()) {
            if company % 4096 == 0 {
                stage.progress(1.0)?;
            }
            table.company(network.name(company))?;
            let (here, after) = rest.split_at(rest.partition_point(|pair| pair.company <= company));
            for pair in here {
                let controller = resolvent.owner_name(network, pair.controller);
                table.row(&row(controller, pair))?;
            }
            rest = after;
        }
        Ok(Mapped {
            table: table.finish()?,
            groups: groups(&pairs, |owner| named(network, resolvent, owner)),
        })
    }
}

fn row<'a>(controller: &'a str, pair: &Control) -> [Cell<'a>; 3] {
    [
        Cell::Text(controller),
        Cell::Number(pair.share),
        Cell::Text(if pair.ultimate { "true" } else { "false" }),
    ]
}

/// Who controls the most companies without being controlled.
fn groups(pairs: &[Control], name: impl Fn(u32) -> Name) -> Option<Holders> {
    const MOST: usize = 1000;
    let mut heads: Vec<u32> = pairs
        .iter()
        .filter(|pair| pair.ultimate)
        .map(|pair| pair.controller)
        .collect();
    heads.sort_unstable();
    let sizes = heads.chunk_by(|a, b| a == b);
    let sizes: Vec<(u32, f64)> = sizes.map(|same| (same[0], same.len() as f64)).collect();
    let curve = Curve::new(
        "How many of the controlled companies the largest groups have",
        "groups",
        sizes.iter().map(|&(_, size)| size).collect(),
    )?;
    Some(Holders {
        title: "Largest groups".to_owned(),
        explained:
            "A group is everything that one controller has by majorities, alone or with what it controls, where \
                    nobody controls the controller itself."
                .to_owned(),
        measure: "companies controlled".to_owned(),
        whole: curve.whole(),
        count: sizes.len() as u64,
        rows: rank(sizes, MOST, name),
        curve: Some(curve),
    })
}
