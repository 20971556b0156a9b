//! What a job type says of itself in its report.

use formats::{Column, Kind, Schema};
use reports::{Formula, Plot, Reference};
use serde_json::{Value, json};

/// The words and the picture of a report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presentation {
    pub(crate) title: &'static str,
    pub(crate) schema: &'static Schema,
    pub(crate) plot: Plot,
    /// The column whose largest values are shown.
    pub(crate) top_by: &'static str,
    pub(crate) formulas: &'static [Formula<'static>],
    pub(crate) references: &'static [Reference<'static>],
}

/// The columns as callers are told of them.
pub(crate) fn describe(schema: &Schema) -> Value {
    let columns = schema.columns.iter().map(|column| {
        let kind = match column.kind {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Count => "count",
        };
        json!({"name": column.name, "kind": kind, "unit": column.unit, "description": column.description})
    });
    columns.collect()
}

/// A column of a schema.
pub(crate) const fn column(name: &'static str, kind: Kind, unit: &'static str, description: &'static str) -> Column {
    Column {
        name,
        kind,
        unit,
        description,
    }
}

/// The bounds of a share for people: what is excluded differs from what is included in the last digits only, which are
/// left away. Equal ones are the share itself.
pub(crate) fn bounds(lower: f64, share: f64, upper: f64) -> (f64, f64) {
    let told = |bound: f64| format!("{bound:.13e}").parse().unwrap_or(bound);
    let lower: f64 = if lower < share { told(lower) } else { share };
    let upper: f64 = if upper > share { told(upper) } else { share };
    (lower.min(share), upper.max(share))
}
