//! Job type `clearing`: what everyone pays when not everyone can pay in full.

use formats::{AmountKind, Cell, Kind, Schema, ValueColumns};
use jobs::{Calculation, Failure, Outcome, Run, Stage, StageRun};
use ownership::{Finding, clearing};
use reports::{Formula, Measure, Measures, Plot, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::STAGES;
use crate::amounts::{BuiltAmounts, DirtyClaims, build_amounts};
use crate::building::refused;
use crate::calculating::progress_of;
use crate::presentation::{Presentation, column, describe};
use crate::reporting::report;
use crate::table::{Table, TableWriter};
use crate::values::Wanted;

/// Parameters of `clearing`. The edges are debts, with the header `debtor,creditor,amount`; the values are
/// `company,external_assets`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Clearing {
    #[serde(flatten)]
    dirty: DirtyClaims,
}

static SCHEMA: Schema = Schema {
    key: 0,
    columns: &[
        column("company", Kind::Text, "", "the company"),
        column(
            "payment",
            Kind::Number,
            "unit of the debts",
            "what it pays to all its creditors together",
        ),
        column(
            "defaulted",
            Kind::Text,
            "",
            "true if that is less than it owes, else false",
        ),
    ],
};

const PRESENTATION: Presentation = Presentation {
    title: "Clearing payments",
    schema: &SCHEMA,
    plot: Plot::Counts {
        column: "defaulted",
        title: "How many companies default",
    },
    top_by: "payment",
    formulas: &[
        Formula {
            name: "payment",
            formula: "greatest p = min(pbar, e + P^T p), P[i][j] = debt of i to j / pbar[i], pbar[i] = all debts of i",
            meaning: "each company pays what it has, its assets e from outside and what it is paid itself, up to what it owes, to its creditors in proportion",
        },
        Formula {
            name: "defaulted",
            formula: "p < pbar",
            meaning: "what is lacking by no more than a part of 1e-12 is rounding, and no default",
        },
    ],
    references: &[Reference {
        text: "Eisenberg, Noe: Systemic risk in financial systems. Management Science 47 (2001), theorem 1 and the fictitious default algorithm of section 3.1",
        url: Some("https://doi.org/10.1287/mnsc.47.2.236.9835"),
    }],
};

const COLUMNS: ValueColumns = ValueColumns {
    value: &["external_assets", "outside_assets", "assets", "value"],
    extra: None,
};

/// What stage `building` leaves.
#[derive(Debug, Serialize, Deserialize)]
struct Endowed {
    built: BuiltAmounts,
    assets: Vec<f64>,
    findings: Vec<Finding>,
}

impl Calculation for Clearing {
    const NAME: &'static str = "clearing";
    const SUMMARY: &'static str = "What each company pays of its debts when some cannot pay in full, and who defaults.";
    const STAGES: &'static [Stage] = STAGES;
    const NEEDS_VALUES: bool = true;

    fn columns() -> Value {
        describe(&SCHEMA)
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let endowed = run.stage("building", |stage| self.build(stage))?;
        let Endowed {
            built,
            assets,
            findings,
        } = &endowed;
        let found = run.stage("calculating", |stage| {
            let memory = stage.settings().max_memory_bytes;
            clearing(&built.amounts, assets, memory, &mut progress_of(stage)).map_err(refused)
        })?;
        let table = run.stage("mapping", |stage| map(stage, built, &found))?;
        let rows = run.stage("saving", |stage| table.save(stage, &SCHEMA, &built.amounts))?;
        let findings = built.findings(&table, found.residual, measures(&found), findings);
        let reports = run.stage("reporting", |stage| report(stage, &PRESENTATION, &findings, &table))?;
        Ok(findings.outcome(rows, reports))
    }
}

impl Clearing {
    fn build(&self, stage: &StageRun<'_>) -> Result<Endowed, Failure> {
        let dirty = self.dirty;
        let built = build_amounts(stage, AmountKind::Claims, dirty.duplicates, dirty.on_bad_record)?;
        let debts = &built.amounts;
        let wanted = Wanted {
            find: &|name| debts.find(name),
            companies: debts.len(),
            columns: COLUMNS,
            on_bad_record: dirty.on_bad_record,
            check: &|_| Ok(()),
        };
        let Some(mut given) = wanted.read(stage)? else {
            return Err(Failure::permanent(
                "values_needed",
                "failed to find the assets of companies: give a file of company,external_assets as values",
            ));
        };
        let missing = given.fill(&|company| debts.name(company));
        given
            .findings
            .extend(missing.finding("company_without_value", "its external assets were taken as 0"));
        Ok(Endowed {
            assets: given.values,
            findings: given.findings,
            built,
        })
    }
}

fn map(stage: &StageRun<'_>, built: &BuiltAmounts, found: &ownership::Clearing) -> Result<Table, Failure> {
    let mut table = TableWriter::new(stage, &SCHEMA)?;
    for (company, (&payment, &defaulted)) in (0..).zip(found.payment.iter().zip(&found.defaulted)) {
        if company % 4096 == 0 {
            stage.progress(0.5)?;
        }
        table.company(built.amounts.name(company))?;
        let defaulted = if defaulted { "true" } else { "false" };
        table.row(&[Cell::Number(payment), Cell::Text(defaulted)])?;
    }
    table.finish()
}

fn measures(found: &ownership::Clearing) -> Measures {
    let defaults = found.defaulted.iter().filter(|defaulted| **defaulted).count();
    let lacking = found.owed.iter().zip(&found.payment);
    let shortfall = lacking.fold(0.0, |sum, (owed, payment)| sum + (owed - payment));
    let sum = |amounts: &[f64]| json!(amounts.iter().fold(0.0, |sum, amount| sum + amount));
    let measure = |name, value, meaning| Measure { name, value, meaning };
    Measures(vec![
        measure("owed", sum(&found.owed), "all debts"),
        measure("paid", sum(&found.payment), "what is paid of them"),
        measure("shortfall", json!(shortfall), "what is not"),
        measure("defaults", json!(defaults), "companies that pay less than they owe"),
        measure(
            "rounds",
            json!(found.rounds),
            "waves of defaults in the ring that took the most",
        ),
    ])
}
