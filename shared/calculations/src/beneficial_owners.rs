//! Job type `beneficial-owners`: who counts as a beneficial owner by Regulation (EU) 2024/1624, and why.

mod findings;
mod presentation;
mod rows;

use jobs::{Calculation, Failure, Invalid, Outcome, Run, Stage, StageRun};
use ownership::{BeneficialOwner, BeneficialRules, ChainLimits, ControlEdges, Finding, PairLimits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::STAGES;
use crate::building::{Built, build, refused};
use crate::calculating::{Solved, most_pairs, progress_of, solve};
use crate::common::{Common, check_majority, fraction};
use crate::presentation::describe;
use crate::reporting::{Findings, report_with};
use crate::saving::save;
use crate::survey::{Wanted, survey};
use crate::table::Table;
use findings::{choose, without_owner};
use presentation::{PRESENTATION, SCHEMA};
use rows::Rows;

/// Companies that the search for one company's chains visits: all of them for most companies, and enough for the
/// largest chains of those below a large ring.
const STEPS: usize = 128;

/// Owners explained between two calls of progress.
const BATCH: usize = 8192;

/// Parameters of `beneficial-owners`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct BeneficialOwners {
    /// The part of a company that is an ownership interest (Article 52; 0.15 for sectors of higher risk).
    #[schemars(range(min = 0.001, max = 1.0))]
    threshold: f64,
    /// Whether exactly the threshold is enough.
    inclusive: bool,
    /// More than this fraction of a company's votes controls it (Article 53).
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    control_threshold: f64,
    /// Whether control that is stated without a share, such as the right to appoint a board, is control (Article 53).
    #[schemars(with = "String", extend("enum" = ["ignore", "use"]))]
    control_edges: ControlEdges,
    /// Whether everybody whom nobody is recorded to hold is an owner, or natural persons only, as far as the input says
    /// who is none.
    #[schemars(with = "String", extend("enum" = ["ultimate", "natural-persons"]))]
    owners: Owners,
    /// The most chains that are written out for each owner; the others are counted and summed.
    #[schemars(range(min = 1, max = 50))]
    chains: usize,
    #[serde(flatten)]
    common: Common,
}

impl Default for BeneficialOwners {
    fn default() -> Self {
        Self {
            threshold: 0.25,
            inclusive: true,
            control_threshold: 0.5,
            control_edges: ControlEdges::default(),
            owners: Owners::default(),
            chains: 5,
            common: Common::default(),
        }
    }
}

/// Who can be an owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Owners {
    /// Everybody whom nobody is recorded to hold.
    #[default]
    Ultimate,
    /// Those of them who are not known to be something else.
    NaturalPersons,
}

/// All rows, and who has none.
#[derive(Debug, Serialize, Deserialize)]
struct Mapped {
    table: Table,
    findings: Vec<Finding>,
}

/// What its report shows of the network.
const WANTED: Wanted<'static> = Wanted {
    holders: None,
    share: "share",
    rows: (
        "Beneficial owners by Regulation (EU) 2024/1624",
        &["owner", "lower", "share", "upper", "basis"],
    ),
};

impl Calculation for BeneficialOwners {
    const NAME: &'static str = "beneficial-owners";
    const SUMMARY: &'static str =
        "Who counts as a beneficial owner of each company by Regulation (EU) 2024/1624, with the chains that show why.";
    const STAGES: &'static [Stage] = STAGES;

    fn columns() -> Value {
        describe(&SCHEMA)
    }

    fn check(&self) -> Result<(), Invalid> {
        if !(0.001..=1.0).contains(&self.threshold) {
            return Err(Invalid {
                field: "threshold",
                problem: format!("{} is not a fraction from 0.001 to 1", self.threshold),
            });
        }
        if !(1..=50).contains(&self.chains) {
            return Err(Invalid {
                field: "chains",
                problem: format!("{} is not a number from 1 to 50", self.chains),
            });
        }
        check_majority("control_threshold", self.control_threshold)?;
        self.common.check()
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let built = run.stage("building", |stage| build(stage, &self.common))?;
        let solved = run.stage("calculating", |stage| solve(stage, &built, &self.common))?;
        let mapped = run.stage("mapping", |stage| self.map(stage, &built, &solved))?;
        let saved = run.stage("saving", |stage| save(stage, &mapped.table, &SCHEMA, &built.network))?;
        let findings = Findings::new(&built, &solved, &mapped.table, None, self.common.floor)
            .with(&mapped.findings)
            .with_edges(self.control_edges);
        let reports = run.stage("reporting", |stage| {
            let survey = survey(stage, &built.network, &solved.resolvent, WANTED)?;
            report_with(stage, &PRESENTATION, &findings, &mapped.table, &survey)
        })?;
        Ok(findings.outcome(saved, reports))
    }
}

impl BeneficialOwners {
    fn rules(&self) -> Result<BeneficialRules, Failure> {
        Ok(BeneficialRules {
            interest: fraction("threshold", self.threshold)?,
            inclusive: self.inclusive,
            control: fraction("control_threshold", self.control_threshold)?,
            edges: self.control_edges,
        })
    }

    fn map(&self, stage: &StageRun<'_>, built: &Built, solved: &Solved) -> Result<Mapped, Failure> {
        let (network, resolvent) = (&built.network, &solved.resolvent);
        let mut progress = progress_of(stage);
        let mut most = |part| progress(0.7 * part);
        let limits = PairLimits {
            pairs: most_pairs(stage),
            memory: stage.settings().max_memory_bytes,
        };
        let owners = ownership::beneficial_owners(network, resolvent, self.rules()?, limits, &mut most);
        let mut owners = owners.map_err(refused)?;
        let mut findings = choose(network, resolvent, self.owners, &mut owners);
        findings.extend(without_owner(network, resolvent, &owners));
        let mut writer = Rows::new(stage, network, resolvent)?;
        let limits = ChainLimits {
            chains: self.chains,
            steps: STEPS,
        };
        let mut rest = owners.as_slice();
        while !rest.is_empty() {
            stage.progress(1.0 - 0.3 * rest.len() as f64 / owners.len() as f64)?;
            let (batch, after) = rest.split_at(whole_companies(rest));
            let explained = ownership::explain(network, resolvent, batch, limits);
            for (owner, chains) in batch.iter().zip(&explained) {
                writer.write(owner, chains)?;
            }
            rest = after;
        }
        Ok(Mapped {
            table: writer.finish()?,
            findings,
        })
    }
}

/// How many owners to take so that no company is torn apart.
fn whole_companies(owners: &[BeneficialOwner]) -> usize {
    match owners.get(BATCH) {
        None => owners.len(),
        Some(next) => {
            BATCH
                + owners[BATCH..]
                    .iter()
                    .take_while(|owner| owner.company == next.company)
                    .count()
        }
    }
}
