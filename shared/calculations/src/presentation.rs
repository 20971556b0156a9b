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
