//! Stage `building` where the edges are amounts: from a file of claims or flows to their graph.

use formats::{AmountKind, AmountOptions, OnBadRecord, read_amounts};
use jobs::{Failure, StageRun};
use ownership::{Amounts, AmountsBuilder, Duplicates, Finding, Limits, ToItself};
use reports::{Measures, Summary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::building::{refused, unreadable};
use crate::reporting::{Findings, told};
use crate::table::Table;

/// How claims that are not clean are treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct DirtyClaims {
    /// What to do with a claim that is recorded more than once.
    #[schemars(with = "String", extend("enum" = ["sum", "max", "reject"]))]
    pub(crate) duplicates: Duplicates,
    /// What to do with a record that cannot be used.
    #[schemars(with = "String", extend("enum" = ["fail", "skip"]))]
    pub(crate) on_bad_record: OnBadRecord,
}

/// Amounts, and where they came from.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BuiltAmounts {
    pub(crate) amounts: Amounts,
    pub(crate) format: String,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    /// What was found while reading; what was found in the graph, the graph says.
    pub(crate) findings: Vec<Finding>,
}

/// Reads the input of a job whose edges are amounts.
///
/// # Errors
///
/// [`Failure::Permanent`], naming row and field: a bad record, a unit of shares, more than the limits.
pub(crate) fn build_amounts(
    stage: &StageRun<'_>,
    kind: AmountKind,
    duplicates: Duplicates,
    on_bad_record: OnBadRecord,
) -> Result<BuiltAmounts, Failure> {
    let input = stage.input();
    let settings = stage.settings();
    if let Some(unit) = &input.unit {
        return Err(Failure::permanent(
            "unit_not_taken",
            format!("failed to read amounts in unit {unit}: only shares have a unit; leave it out"),
        ));
    }
    let options = AmountOptions {
        kind,
        format: input.format.clone(),
        columns: input.columns.clone(),
        on_bad_record,
        name: input.name.clone(),
        max_bytes: settings.max_input_bytes,
    };
    let limits = Limits {
        companies: settings.max_companies,
        stakes: settings.max_stakes,
    };
    let to_itself = match kind {
        AmountKind::Claims => ToItself::Drop,
        AmountKind::Flows => ToItself::Keep,
    };
    let mut stream = stage.open_input()?;
    let mut builder = AmountsBuilder::new(duplicates, to_itself, limits);
    let read = read_amounts(&mut stream, &options, &mut |record| {
        if record.row % 4096 == 0 {
            stage.progress(0.0)?;
        }
        builder
            .add(record.owner, record.owned, record.amount, record.row)
            .map_err(refused)
    });
    if let Some(reason) = stream.broken() {
        return Err(Failure::Transient(format!("read the input: {reason}")));
    }
    let read = read.map_err(unreadable)?;
    let (bytes, sha256) = stream.finish().map_err(|error| Failure::of_service(&error))?;
    stage.progress(0.7)?;
    Ok(BuiltAmounts {
        amounts: builder.finish().map_err(refused)?,
        format: read.format,
        sha256,
        bytes,
        findings: read.findings,
    })
}

impl BuiltAmounts {
    /// What there is to say about a calculation on claims, apart from its rows.
    ///
    /// `residual` is by how much the answer misses its equation; `more` was found on the way.
    pub(crate) fn findings(
        &self,
        table: &Table,
        residual: f64,
        measures: Measures,
        more: &[Finding],
    ) -> Findings<'static> {
        let amounts = &self.amounts;
        let found = [self.findings.as_slice(), amounts.findings(), more].concat();
        let summary = Summary {
            input: reports::Input {
                format: self.format.clone(),
                name: None,
                sha256: self.sha256.clone(),
                bytes: self.bytes,
                companies: amounts.len() as u64,
                stakes: amounts.count() as u64,
            },
            components: told(amounts.components()),
            residual,
            result: reports::ResultSize {
                rows: table.rows,
                companies: table.companies,
            },
            measures,
            ..Summary::default()
        };
        Findings::of(summary, found).in_amounts()
    }
}
