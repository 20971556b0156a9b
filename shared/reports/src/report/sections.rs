//! What was calculated, from which data, and the groups found in it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{NAME_CHARS, Report};
use crate::html::{Page, text};
use crate::number::{bytes, grouped};
use crate::summary::{Quality, Summary};

const MAX_PARAMETERS: usize = 40;
const MAX_FINDINGS: usize = 40;
const MAX_EXAMPLES: usize = 10;
const EXAMPLE_CHARS: usize = 200;
const MAX_GROUPS: usize = 25;
const MAX_MEMBERS: usize = 40;

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
    page.push(format_args!("<section>\n<h2>What was calculated</h2>\n"));
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

/// What was odd about the data.
pub(super) fn quality(page: &mut Page, summary: &Summary) {
    let findings: &BTreeMap<String, Quality> = &summary.quality;
    page.push(format_args!("<section>\n<h2>Quality of the data</h2>\n"));
    if findings.is_empty() {
        page.push(format_args!("<p>Nothing was found wrong with the data.</p>\n"));
    }
    for (code, finding) in findings.iter().take(MAX_FINDINGS) {
        let times = if finding.count == 1 { "time" } else { "times" };
        let title = text(&code.replace('_', " "), NAME_CHARS);
        page.push(format_args!(
            "<article>\n<h3>{title} <span class=\"count\">{} {times}</span></h3>\n<p>What was done: {}.</p>\n",
            grouped(finding.count),
            text(finding.action.trim_end_matches('.'), 300),
        ));
        if !finding.examples.is_empty() {
            page.push(format_args!("<ul>\n"));
            for example in finding.examples.iter().take(MAX_EXAMPLES) {
                page.push(format_args!("<li>{}</li>\n", text(example, EXAMPLE_CHARS)));
            }
            page.push(format_args!("</ul>\n"));
        }
        let shown = finding.examples.len().min(MAX_EXAMPLES);
        if shown > 0 && finding.count > shown as u64 {
            page.push(format_args!(
                "<p class=\"cut\">{shown} of {} are listed.</p>\n",
                grouped(finding.count)
            ));
        }
        page.push(format_args!("</article>\n"));
    }
    cut(page, MAX_FINDINGS, findings.len(), "kinds of findings");
    page.push(format_args!("</section>\n"));
}

/// Rings of cross-holdings, and those that nobody outside holds a share of.
pub(super) fn groups(page: &mut Page, summary: &Summary) {
    let components = &summary.components;
    page.push(format_args!("<section>\n<h2>Rings and closed groups</h2>\n"));
    match components.count {
        0 => page.push(format_args!("<p>No companies hold each other in a ring.</p>\n")),
        1 => page.push(format_args!(
            "<p>There is one ring of companies that hold each other, directly or through others; it has {} members.</p>\n",
            grouped(components.largest)
        )),
        count => page.push(format_args!(
            "<p>There are {} rings of companies that hold each other, directly or through others; the largest has {} members.</p>\n",
            grouped(count),
            grouped(components.largest)
        )),
    }
    if !components.closed.is_empty() {
        page.push(format_args!(
            "<p>In a closed group the members hold all of each other, by the shares that this calculation works with, so \
             that nobody outside stands behind them and shares inside the group are undefined. Each counts as one \
             owner of what it holds.</p>\n"
        ));
    }
    for group in components.closed.iter().take(MAX_GROUPS) {
        let members = grouped(group.members.len() as u64);
        let name = text(&group.name, NAME_CHARS);
        page.push(format_args!(
            "<article>\n<h3>{name} <span class=\"count\">{members} members</span></h3>\n<ul class=\"names\">\n"
        ));
        for member in group.members.iter().take(MAX_MEMBERS) {
            page.push(format_args!("<li>{}</li>\n", text(member, NAME_CHARS)));
        }
        page.push(format_args!("</ul>\n"));
        cut(page, MAX_MEMBERS, group.members.len(), "members");
        page.push(format_args!("</article>\n"));
    }
    cut(page, MAX_GROUPS, components.closed.len(), "closed groups");
    page.push(format_args!("</section>\n"));
}

/// Says what was cut from a list, if anything was.
fn cut(page: &mut Page, shown: usize, all: usize, what: &str) {
    if all > shown {
        page.push(format_args!(
            "<p class=\"cut\">The first {shown} of {} {what} are shown; summary.json has them all.</p>\n",
            grouped(all as u64)
        ));
    }
}

/// A value of JSON as a person writes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "not set".to_owned(),
        other => other.to_string(),
    }
}
