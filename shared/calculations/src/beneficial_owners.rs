//! Job type `beneficial-owners`: who counts as a beneficial owner by Regulation (EU) 2024/1624, and why.

use std::fmt::Write;

use formats::{Cell, Kind, Schema};
use jobs::{Calculation, Failure, Invalid, Outcome, Run, Stage, StageRun};
use ownership::{
    Basis, BeneficialOwner, BeneficialRules, Chain, ChainLimits, Chains, Finding, Network, PairLimits, Resolvent,
};
use reports::{Formula, Plot, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::STAGES;
use crate::building::{Built, build, refused};
use crate::calculating::{Solved, most_pairs, progress_of, solve};
use crate::common::{Common, check_majority, fraction};
use crate::presentation::{Presentation, column, describe};
use crate::reporting::{Findings, report_with};
use crate::survey::{Wanted, survey};
use crate::table::{Table, TableWriter};

/// Companies that the search for one company's chains visits: all of them for most companies, and enough for the
/// largest chains of those below a large ring.
const STEPS: usize = 128;

/// The longest text of chains, in bytes, so that a row with the longest names fits into a block.
const MAX_CHAINS_BYTES: usize = 6 << 10;

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
            chains: 5,
            common: Common::default(),
        }
    }
}

static SCHEMA: Schema = Schema {
    key: 0,
    columns: &[
        column("company", Kind::Text, "", "the company"),
        column(
            "owner",
            Kind::Text,
            "",
            "a beneficial owner: someone whom nobody is recorded to hold, or a closed group",
        ),
        column(
            "lower",
            Kind::Number,
            "fraction",
            "the least share that the recorded ranges allow; the share where stakes are exact",
        ),
        column(
            "share",
            Kind::Number,
            "fraction",
            "held through all chains and rings, multiplied along each and added up",
        ),
        column(
            "upper",
            Kind::Number,
            "fraction",
            "the largest share that the recorded ranges allow; the share where stakes are exact",
        ),
        column("basis", Kind::Text, "", "the rules that apply, with their articles"),
        column(
            "chains",
            Kind::Text,
            "",
            "the largest chains with their products, and what the others and rings add",
        ),
    ],
};

const PRESENTATION: Presentation = Presentation {
    title: "Beneficial owners",
    schema: &SCHEMA,
    plot: Plot::Histogram {
        column: "share",
        title: "How large the shares of beneficial owners are",
    },
    top_by: "share",
    formulas: &[
        Formula {
            name: "share",
            formula: "V[u][T], V = (I - W)^-1",
            meaning: "multiplied along each chain and added over chains; what goes round in rings is part of it",
        },
        Formula {
            name: "ownership (Art. 52)",
            formula: "V[u][T] >= threshold",
            meaning: "an ownership interest, direct or indirect",
        },
        Formula {
            name: "control (Art. 53)",
            formula: "u and all that u controls have more than control_threshold of the votes of T",
            meaning: "control at every level of the structure",
        },
        Formula {
            name: "control of a holder (Art. 54 (a))",
            formula: "u and all that u controls hold at least threshold of T directly, a part of it through those controlled",
            meaning: "control above, ownership below",
        },
        Formula {
            name: "interest in a controller (Art. 54 (b))",
            formula: "V[u][c] >= threshold for some c that controls T",
            meaning: "ownership above, control below",
        },
        Formula {
            name: "owners",
            formula: "W[k][u] = 0 for all k",
            meaning: "those whom nobody is recorded to hold, be they persons or companies: the stakes do not say who is a natural person",
        },
    ],
    references: &[
        Reference {
            text: "Regulation (EU) 2024/1624 on the prevention of the use of the financial system for money laundering, Articles 51 to 54",
            url: Some("https://eur-lex.europa.eu/eli/reg/2024/1624/oj"),
        },
        Reference {
            text: "Brioschi, Buzzacchi, Colombo: Risk capital financing and the separation of ownership and control in business groups. Journal of Banking and Finance 13 (1989)",
            url: Some("https://doi.org/10.1016/0378-4266(89)90040-X"),
        },
    ],
};

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
        let rows = run.stage("saving", |stage| mapped.table.save(stage, &SCHEMA))?;
        let findings = Findings::new(&built, &solved, &mapped.table, None, self.common.floor).with(&mapped.findings);
        let reports = run.stage("reporting", |stage| {
            let survey = survey(stage, &built.network, &solved.resolvent, WANTED)?;
            report_with(stage, &PRESENTATION, &findings, &mapped.table, &survey)
        })?;
        Ok(findings.outcome(rows, reports))
    }
}

impl BeneficialOwners {
    fn rules(&self) -> Result<BeneficialRules, Failure> {
        Ok(BeneficialRules {
            interest: fraction("threshold", self.threshold)?,
            inclusive: self.inclusive,
            control: fraction("control_threshold", self.control_threshold)?,
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
        let owners = owners.map_err(refused)?;
        let mut writer = Rows {
            network,
            resolvent,
            table: TableWriter::new(stage, &SCHEMA)?,
            next: 0,
        };
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
            findings: without_owner(network, resolvent, &owners).into_iter().collect(),
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

/// The rows of the result; every company is in it, with or without owners.
struct Rows<'n> {
    network: &'n Network,
    resolvent: &'n Resolvent,
    table: TableWriter,
    /// The next company to begin.
    next: u32,
}

impl Rows<'_> {
    fn write(&mut self, owner: &BeneficialOwner, chains: &Chains) -> Result<(), Failure> {
        self.begin_up_to(owner.company + 1)?;
        let share = Cell::Number(owner.share);
        self.table.row(&[
            Cell::Text(self.resolvent.owner_name(self.network, owner.owner)),
            share,
            share,
            share,
            Cell::Text(&basis(owner.basis)),
            Cell::Text(&self.told(owner.share, chains)),
        ])
    }

    fn begin_up_to(&mut self, end: u32) -> Result<(), Failure> {
        for company in self.next..end {
            self.table.company(self.network.name(company))?;
        }
        self.next = self.next.max(end);
        Ok(())
    }

    fn finish(mut self) -> Result<Table, Failure> {
        let companies = u32::try_from(self.network.len()).unwrap_or(u32::MAX);
        self.begin_up_to(companies)?;
        self.table.finish()
    }

    /// Chains by the names on them, the largest first. Those from several members of a closed group are one: to whatever
    /// is below it, the group is one owner.
    fn named(&self, chains: &[Chain]) -> Vec<(String, f64)> {
        let mut named: Vec<(String, f64)> = Vec::with_capacity(chains.len());
        for chain in chains {
            let path = chain.path.iter();
            let names: Vec<&str> = path.map(|&id| self.resolvent.owner_name(self.network, id)).collect();
            let names = names.join(" > ");
            match named.iter_mut().find(|(same, _)| *same == names) {
                Some((_, product)) => *product += chain.product,
                None => named.push((names, chain.product)),
            }
        }
        named.sort_by(|a, b| b.1.total_cmp(&a.1));
        named
    }

    /// The chains in words: `P > H1 > T 0.18; P > H2 > T 0.1; through cycles 0.002`.
    fn told(&self, share: f64, chains: &Chains) -> String {
        let mut text = String::new();
        let (mut shown, mut listed) = (0, 0.0);
        let best = self.named(&chains.best);
        for (names, product) in &best {
            let next = format!("{names} {}", rounded(*product));
            if text.len() + next.len() > MAX_CHAINS_BYTES {
                break;
            }
            join(&mut text, &next);
            (shown, listed) = (shown + 1, listed + product);
        }
        let cut = &best[shown..];
        let more = cut.len() as u64 + chains.further.0;
        let found = listed + cut.iter().map(|(_, product)| product).sum::<f64>() + chains.further.1;
        // Less than this is what rounding leaves.
        let least = 1e-12 * share;
        if !chains.complete {
            if share - listed > least {
                let through = if chains.cycles { "chains and cycles" } else { "chains" };
                join(
                    &mut text,
                    &format!("through further {through} {}", rounded(share - listed)),
                );
            }
            return text;
        }
        if more > 0 {
            let chains = if more == 1 { "chain" } else { "chains" };
            join(
                &mut text,
                &format!("{more} further {chains} {}", rounded(found - listed)),
            );
        }
        if chains.cycles && share - found > least {
            join(&mut text, &format!("through cycles {}", rounded(share - found)));
        }
        text
    }
}

fn join(text: &mut String, part: &str) {
    let separator = if text.is_empty() { "" } else { "; " };
    write!(text, "{separator}{part}").expect("writing to a string does not fail");
}

/// Ten significant digits: enough to see, without the noise of the last ones.
fn rounded(number: f64) -> String {
    format!("{number:.9e}").parse::<f64>().unwrap_or(number).to_string()
}

fn basis(basis: Basis) -> String {
    let rules = [
        (basis.ownership, "ownership (Art. 52)"),
        (basis.control, "control (Art. 53)"),
        (basis.control_of_holder, "control of a holder (Art. 54 (a))"),
        (basis.interest_in_controller, "interest in a controller (Art. 54 (b))"),
    ];
    let applied: Vec<&str> = rules.iter().filter(|rule| rule.0).map(|rule| rule.1).collect();
    applied.join("; ")
}

fn without_owner(network: &Network, resolvent: &Resolvent, owners: &[BeneficialOwner]) -> Option<Finding> {
    const EXAMPLES: usize = 10;
    let (count, examples) = ownership::without_owner(network, resolvent, owners, EXAMPLES);
    (count > 0).then(|| Finding {
        code: "no_beneficial_owner".to_owned(),
        count,
        examples: examples
            .into_iter()
            .map(|company| network.name(company).to_owned())
            .collect(),
        action: "no row: nobody known meets a rule, and Article 63 then asks for the senior managing officials"
            .to_owned(),
    })
}
