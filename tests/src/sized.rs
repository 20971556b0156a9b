//! A job type that leaves as much as it is told to, so that tests can stand at the limits of what is small.

use std::io::Write as _;

use formats::{BlockBuilder, Cell, Column, Kind, Schema};
use jobs::{Calculation, Failure, Json, Outcome, Report, RowsRef, Run, Stage, StageRun};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

static SCHEMA: Schema = Schema {
    key: 0,
    columns: &[
        column("company", Kind::Text, "which one"),
        column("number", Kind::Count, "the how-manieth"),
    ],
};

const fn column(name: &'static str, kind: Kind, description: &'static str) -> Column {
    let unit = "";
    Column {
        name,
        kind,
        unit,
        description,
    }
}

/// Leaves rows and reports, the same ones each time.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Sized {
    /// How many rows, each of a company of its own whose name cannot be guessed.
    rows: u64,
    /// Of each report how many bytes. They are called `result.csv`, `result.1`, `result.2` and so on.
    reports: Vec<usize>,
    /// Whether a report is the same byte again and again. Otherwise it cannot be compressed at all.
    plain: bool,
}

/// The blocks of so many rows, each with its first company, as they are put into the table.
#[must_use]
pub fn blocks(rows: u64) -> Vec<(String, Vec<u8>)> {
    let mut companies: Vec<_> = (0..rows).map(|number| (hex::encode(noise(number)), number)).collect();
    companies.sort_unstable();
    let mut builder = BlockBuilder::new(&SCHEMA);
    let mut full = Vec::new();
    for (company, number) in companies {
        full.extend(builder.company(&company).unwrap());
        full.extend(builder.row(&[Cell::Count(number)]).unwrap());
    }
    full.extend(builder.finish());
    let encoded = full.into_iter().map(|block| {
        let first = block.companies.first().unwrap_or_default().to_owned();
        (first, block.encode())
    });
    encoded.collect()
}

/// Bytes that look like any others.
fn noise(number: u64) -> [u8; 32] {
    Sha256::digest(number.to_be_bytes()).into()
}

impl Sized {
    fn save(&self, stage: &StageRun<'_>) -> Result<RowsRef, Failure> {
        let mut writer = stage.rows();
        for (first, block) in blocks(self.rows) {
            writer.write(&first, block)?;
        }
        Ok(RowsRef {
            epoch: stage.job().state.epoch,
            rows: self.rows,
            blocks: writer.finish()?,
            names: 0,
            search: jobs::Search::No,
            columns: SCHEMA.columns.iter().map(|column| column.name.to_owned()).collect(),
            key: SCHEMA.key,
        })
    }

    fn report(&self, stage: &StageRun<'_>) -> Result<Vec<Report>, Failure> {
        let mut reports = Vec::new();
        for (number, size) in self.reports.iter().enumerate() {
            let name = match number {
                0 => "result.csv".to_owned(),
                _ => format!("result.{number}"),
            };
            let mut report = stage.report(&name, "application/octet-stream");
            let seed = 1_000_000 * (number as u64 + 1);
            let bytes = (seed..).flat_map(|at| if self.plain { [b'x'; 32] } else { noise(at) });
            let bytes: Vec<_> = bytes.take(*size).collect();
            report.write_all(&bytes).map_err(|error| Failure::of_service(&error))?;
            reports.push(report.finish()?);
        }
        Ok(reports)
    }
}

impl Calculation for Sized {
    const NAME: &'static str = "sized";
    const SUMMARY: &'static str = "Leaves as much as it is told to.";
    const STAGES: &'static [Stage] = &[stage("saving"), stage("reporting")];

    fn columns() -> Value {
        let names = SCHEMA.columns.iter().map(|column| json!({"name": column.name}));
        names.collect()
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let rows = run.stage("saving", |stage| self.save(stage))?;
        let reports = run.stage("reporting", |stage| self.report(stage))?;
        Ok(Outcome {
            result: Json(json!({ "rows": self.rows })),
            reports,
            rows: Some(rows),
            ..Outcome::default()
        })
    }
}

const fn stage(name: &'static str) -> Stage {
    Stage {
        name,
        weight: 50,
        carries: true,
    }
}
