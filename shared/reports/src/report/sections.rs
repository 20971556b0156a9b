//! The top of the page: what was calculated, from which data, by which policies.

use serde_json::Value;

use super::{Report, cut, shape};
use crate::html::{Page, text};
use crate::number::{bytes, grouped};
use crate::summary::Summary;

const MAX_PARAMETERS: usize = 40;

/// The title, of which file, and the numbers to begin with.
pub(super) fn head(page: &mut Page, report: &Report<'_>) {
    let Summary {
        input,
        quality,
        components,
        ..
    } = report.summary;
    page.push(format_args!("<header>\n<h1>{}</h1>\n", text(report.title, 120)));
    if let Some(name) = &input.name {
        page.push(format_args!("<p class=\"file\">{}</p>\n", text(name, 120)));
    }
    let mut figures = vec![
        ("companies", grouped(input.companies)),
        ("stakes", grouped(input.stakes)),
    ];
    figures.extend(report.survey.shape.iter().flat_map(shape::figures));
    let found: u64 = quality
        .values()
        .fold(0, |sum, finding| sum.saturating_add(finding.count));
    figures.extend([
        (
            if components.count == 1 { "ring" } else { "rings" },
            grouped(components.count),
        ),
        ("findings in the data", grouped(found)),
    ]);
    page.push(format_args!("<ul class=\"figures\">\n"));
    for (what, number) in figures {
        page.push(format_args!("<li><strong>{number}</strong> {what}</li>\n"));
    }
    page.push(format_args!("</ul>\n</header>\n"));
}

/// Which calculation, which input, which policies.
pub(super) fn calculated(page: &mut Page, report: &Report<'_>) {
    let Summary { job, input, result, .. } = report.summary;
    let named = |name: &str| job.get(name).map(plain);
    let mut entries = Vec::new();
    for (term, name) in [
        ("Job type", "type"),
        ("Job", "id"),
        ("Attempt", "attempt"),
        ("Created", "created_at"),
        ("Values", "values"),
    ] {
        entries.extend(named(name).map(|value| (term, value)));
    }
    entries.extend(input.name.clone().map(|name| ("File", name)));
    entries.extend([
        ("Format", input.format.clone()),
        ("Size", bytes(input.bytes)),
        ("SHA-256", input.sha256.clone()),
        ("Companies", grouped(input.companies)),
        ("Stakes", grouped(input.stakes)),
        (
            "Result",
            format!(
                "{} rows about {} companies",
                grouped(result.rows),
                grouped(result.companies)
            ),
        ),
    ]);
    page.push(format_args!(
        "<section id=\"calculated\">\n<h2>What was calculated</h2>\n"
    ));
    page.terms(entries);
    if let Some(parameters) = job
        .get("parameters")
        .and_then(Value::as_object)
        .filter(|fields| !fields.is_empty())
    {
        page.push(format_args!("<h3>Parameters and policies</h3>\n"));
        page.terms(
            parameters
                .iter()
                .take(MAX_PARAMETERS)
                .map(|(name, value)| (name.as_str(), plain(value))),
        );
        cut(page, MAX_PARAMETERS, parameters.len(), "parameters");
    }
    page.push(format_args!("</section>\n"));
}

/// A value of JSON as a person writes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "not set".to_owned(),
        other => other.to_string(),
    }
}
