//! Job type `debtrank`: how much equity everyone loses when a loss is passed from debtors to creditors.

use formats::{AmountKind, Cell, CompanyValue, Kind, Schema, ValueColumns};
use jobs::{Calculation, Failure, Invalid, JobError, Outcome, Run, Stage, StageRun};
use ownership::{DebtRankRules, Finding, debtrank};
use reports::{Formula, Measure, Measures, Plot, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::STAGES;
use crate::amounts::{BuiltAmounts, DirtyClaims, build_amounts};
use crate::building::refused;
use crate::calculating::progress_of;
use crate::presentation::{Presentation, column, describe};
use crate::reporting::report;
use crate::table::{Table, TableWriter};
use crate::values::{Tally, Wanted, bad_value};

/// The most bytes of names in `shocked`: they travel in the job's record.
const MAX_SHOCKED_BYTES: usize = 64 << 10;

/// Parameters of `debtrank`. The edges are claims, with the header `creditor,debtor,amount`; the values are
/// `company,equity`, and `shock` if wanted.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct DebtRank {
    /// Companies that lose equity at the start. Others lose what column `shock` of the values says, from 0 to 1.
    #[serde(deserialize_with = "one_or_more")]
    shocked: Vec<String>,
    /// The fraction of its equity that each of `shocked` loses at the start.
    #[schemars(range(min = 0.0, max = 1.0))]
    shock: f64,
    /// Losses have converged once none grew by more than this in a round.
    #[schemars(range(min = 0.0, max = 1.0))]
    tolerance: f64,
    /// The most rounds.
    #[schemars(range(min = 1, max = 10_000_000))]
    max_iterations: u32,
    #[serde(flatten)]
    dirty: DirtyClaims,
}

impl Default for DebtRank {
    fn default() -> Self {
        Self {
            shocked: Vec::new(),
            shock: 1.0,
            tolerance: 1e-12,
            max_iterations: 10_000,
            dirty: DirtyClaims::default(),
        }
    }
}

/// A list of names, or one; a name may look like a number.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a name, or a list of names")]
    enum Name {
        Text(String),
        Number(serde_json::Number),
    }
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a name, or a list of names")]
    enum Given {
        One(Name),
        More(Vec<Name>),
    }
    let text = |name| match name {
        Name::Text(text) => text,
        Name::Number(number) => number.to_string(),
    };
    Ok(match Given::deserialize(deserializer)? {
        Given::One(name) => vec![text(name)],
        Given::More(names) => names.into_iter().map(text).collect(),
    })
}

static SCHEMA: Schema = Schema {
    key: 0,
    columns: &[
        column("company", Kind::Text, "", "the company"),
        column(
            "loss",
            Kind::Number,
            "fraction of equity",
            "how much of its equity it loses in the end, the shock included; 1 is all",
        ),
    ],
};

const PRESENTATION: Presentation = Presentation {
    title: "Losses passed on to creditors",
    schema: &SCHEMA,
    plot: Plot::Histogram {
        column: "loss",
        title: "How large the losses are",
    },
    top_by: "loss",
    formulas: &[
        Formula {
            name: "loss",
            formula: "h(t+1) = min(1, h(t) + L (h(t) - h(t-1))), L[i][j] = claim of i on j / equity of i",
            meaning: "a debtor's loss of equity devalues what it owes in proportion, round by round, from the shock h(0). Losses never shrink and are at most 1, so they converge, to the least h with h = min(1, h(0) + L h); after any number of rounds they are at most that",
        },
        Formula {
            name: "aggregate_loss",
            formula: "sum of (h(T) - h(0)) v, v = equity / sum of equity",
            meaning: "the part of all equity that is lost beyond the shock, by being passed on",
        },
    ],
    references: &[
        Reference {
            text: "Bardoscia, Battiston, Caccioli, Caldarelli: DebtRank: A microscopic foundation for shock propagation. PLoS ONE 10 (2015), equation 7",
            url: Some("https://doi.org/10.1371/journal.pone.0130406"),
        },
        Reference {
            text: "Battiston, Puliga, Kaushik, Tasca, Caldarelli: DebtRank: Too central to fail? Financial networks, the FED and systemic risk. Scientific Reports 2 (2012)",
            url: Some("https://doi.org/10.1038/srep00541"),
        },
    ],
};

const COLUMNS: ValueColumns = ValueColumns {
    value: &["equity", "capital", "value"],
    extra: Some("shock"),
};

/// What stage `building` leaves.
#[derive(Debug, Serialize, Deserialize)]
struct Shocked {
    built: BuiltAmounts,
    /// NaN where it is not known.
    equity: Vec<f64>,
    shock: Vec<f64>,
    findings: Vec<Finding>,
}

impl Calculation for DebtRank {
    const NAME: &'static str = "debtrank";
    const SUMMARY: &'static str =
        "How much equity each company loses when losses are passed from debtors to creditors.";
    const STAGES: &'static [Stage] = STAGES;
    const NEEDS_VALUES: bool = true;

    fn columns() -> Value {
        describe(&SCHEMA)
    }

    fn check(&self) -> Result<(), Invalid> {
        for (field, value) in [("shock", self.shock), ("tolerance", self.tolerance)] {
            if !(0.0..=1.0).contains(&value) {
                let problem = format!("{value} is not a fraction from 0 to 1");
                return Err(Invalid { field, problem });
            }
        }
        if !(1..=10_000_000).contains(&self.max_iterations) {
            return Err(Invalid {
                field: "max_iterations",
                problem: format!("{} is not a number from 1 to 10,000,000", self.max_iterations),
            });
        }
        if self.shocked.iter().map(String::len).sum::<usize>() > MAX_SHOCKED_BYTES {
            return Err(Invalid {
                field: "shocked",
                problem: format!("names are over {MAX_SHOCKED_BYTES} bytes; use column shock of the values"),
            });
        }
        Ok(())
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let shocked = run.stage("building", |stage| self.build(stage))?;
        let found = run.stage("calculating", |stage| {
            let rules = DebtRankRules {
                tolerance: self.tolerance,
                max_rounds: self.max_iterations,
            };
            let Shocked {
                built, equity, shock, ..
            } = &shocked;
            debtrank(&built.amounts, equity, shock, rules, &mut progress_of(stage)).map_err(refused)
        })?;
        let table = run.stage("mapping", |stage| map(stage, &shocked, &found))?;
        let rows = run.stage("saving", |stage| table.save(stage, &SCHEMA, &shocked.built.amounts))?;
        let more: Vec<Finding> = shocked.findings.iter().cloned().chain(unfinished(&found)).collect();
        let measures = measures(&shocked, &found);
        let findings = shocked.built.findings(&table, found.last_change, measures, &more);
        let reports = run.stage("reporting", |stage| report(stage, &PRESENTATION, &findings, &table))?;
        Ok(findings.outcome(rows, reports))
    }
}

impl DebtRank {
    fn build(&self, stage: &StageRun<'_>) -> Result<Shocked, Failure> {
        let dirty = self.dirty;
        let built = build_amounts(stage, AmountKind::Claims, dirty.duplicates, dirty.on_bad_record)?;
        let claims = &built.amounts;
        let wanted = Wanted {
            find: &|name| claims.find(name),
            companies: claims.len(),
            columns: COLUMNS,
            on_bad_record: dirty.on_bad_record,
            check: &check,
        };
        let Some(mut given) = wanted.read(stage)? else {
            return Err(Failure::permanent(
                "values_needed",
                "failed to find the equity of companies: give a file of company,equity as values",
            ));
        };
        let mut shock: Vec<f64> = given.extras.iter().map(|shock| shock.max(0.0)).collect();
        for name in &self.shocked {
            let Some(company) = claims.find(name) else {
                return Err(Failure::Permanent(JobError {
                    field: Some("shocked".to_owned()),
                    value: Some(name.clone()),
                    ..JobError::new(
                        "unknown_company",
                        format!("failed to shock {name:?}: it has no claim and no debt in the input"),
                    )
                }));
            };
            shock[company as usize] = self.shock;
        }
        if !shock.iter().any(|shock| *shock > 0.0) {
            return Err(Failure::permanent(
                "no_shock",
                "failed to find a shock: name companies in parameter shocked, or give the values a column shock from 0 to 1",
            ));
        }
        let mut unknown = Tally::default();
        for (company, equity) in (0..).zip(&given.values) {
            if equity.is_nan() && claims.claims_of(company).len() == 0 {
                unknown.note(claims.name(company));
            }
        }
        given.findings.extend(unknown.finding(
            "company_without_equity",
            "its loss is told, and has no weight in the aggregate loss",
        ));
        Ok(Shocked {
            equity: given.values,
            shock,
            findings: given.findings,
            built,
        })
    }
}

fn check(record: &CompanyValue<'_>) -> Result<(), Failure> {
    if record.value <= 0.0 {
        let problem = format!(
            "the equity of {:?} is 0, and a loss of nothing has no fraction; an equity is over 0",
            record.company
        );
        let value = record.value.to_string();
        return Err(bad_value(record, "equity", &value, "equity_not_positive", &problem));
    }
    match record.extra {
        Some(shock) if shock > 1.0 => {
            let problem = format!(
                "the shock of {:?} is {shock}, not a fraction from 0 to 1",
                record.company
            );
            Err(bad_value(
                record,
                "shock",
                &shock.to_string(),
                "shock_over_one",
                &problem,
            ))
        }
        _ => Ok(()),
    }
}

fn map(stage: &StageRun<'_>, shocked: &Shocked, found: &ownership::DebtRank) -> Result<Table, Failure> {
    let mut table = TableWriter::new(stage, &SCHEMA)?;
    for (company, &loss) in (0..).zip(&found.loss) {
        if company % 4096 == 0 {
            stage.progress(0.5)?;
        }
        table.company(shocked.built.amounts.name(company))?;
        table.row(&[Cell::Number(loss)])?;
    }
    table.finish()
}

/// Says that losses were still growing.
fn unfinished(found: &ownership::DebtRank) -> Option<Finding> {
    (!found.converged).then(|| Finding {
        code: "not_converged".to_owned(),
        count: 1,
        examples: vec![format!(
            "after {} rounds a loss still grew by {:e}",
            found.rounds, found.last_change
        )],
        action: "losses are those after max_iterations rounds, at most those in the end".to_owned(),
    })
}

fn measures(shocked: &Shocked, found: &ownership::DebtRank) -> Measures {
    let equity = shocked.equity.iter().map(|equity| equity.max(0.0));
    let total: f64 = equity.clone().sum();
    let weighed = |losses: &[f64]| -> f64 {
        let lost = equity.clone().zip(losses).map(|(equity, loss)| equity * loss);
        // Without any known equity nothing can be lost of it.
        if total > 0.0 { lost.sum::<f64>() / total } else { 0.0 }
    };
    let (last, first) = (weighed(&found.loss), weighed(&shocked.shock));
    let lost = found.loss.iter().filter(|loss| **loss >= 1.0).count();
    let measure = |name, value, meaning| Measure { name, value, meaning };
    Measures(vec![
        measure(
            "aggregate_loss",
            json!((last - first).max(0.0)),
            "the part of all equity that is lost beyond the shock",
        ),
        measure(
            "initial_loss",
            json!(first),
            "the part of all equity that the shock takes",
        ),
        measure("companies_lost", json!(lost), "companies that lose all of their equity"),
        measure("iterations", json!(found.rounds), "rounds after the shock"),
        measure(
            "last_change",
            json!(found.last_change),
            "the most that a loss grew in the last round",
        ),
        measure(
            "converged",
            json!(found.converged),
            "whether that is within the tolerance",
        ),
    ])
}
