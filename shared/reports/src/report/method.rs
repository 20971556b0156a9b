//! How it was calculated, and how far it can be trusted.

use super::{NAME_CHARS, Report};
use crate::html::{Page, text};
use crate::number::{grouped, rounded};
use crate::summary::{LeftOut, Summary};

const MAX_STAGES: usize = 40;

pub(super) fn method(page: &mut Page, report: &Report<'_>) {
    page.push(format_args!("<section id=\"method\">\n<h2>Method</h2>\n"));
    for formula in report.formulas.iter().take(40) {
        page.push(format_args!(
            "<p><strong>{}</strong> <code>{}</code><br>{}</p>\n",
            text(formula.name, NAME_CHARS),
            text(formula.formula, 200),
            text(formula.meaning, 600)
        ));
    }
    trust(page, report.summary);
    stages(page, report.summary);
    references(page, report);
    page.push(format_args!(
        "<p>Calculated by stakegraph {}.</p>\n</section>\n",
        text(report.version, NAME_CHARS)
    ));
}

/// Residual, balance, and what was left out.
fn trust(page: &mut Page, summary: &Summary) {
    page.push(format_args!("<h3>How good the answer is</h3>\n"));
    let residual = if summary.residual.is_nan() {
        "not measured".to_owned()
    } else {
        rounded(summary.residual)
    };
    let mut entries = vec![("Residual", residual)];
    entries.extend(summary.balance.as_ref().map(|balance| {
        let checked = format!(
            "owners and undisclosed shares sum to 1 within {} for {} companies; {} could not be checked",
            rounded(balance.largest_error),
            grouped(balance.checked),
            grouped(balance.unchecked)
        );
        ("Balance", checked)
    }));
    let LeftOut { pairs, mass, floor } = summary.left_out;
    if let Some(floor) = floor {
        entries.push(("Floor", rounded(floor)));
        let what = if pairs == 1 { "pair" } else { "pairs" };
        let left_out = format!("{} {what} below the floor, {} in sum", grouped(pairs), rounded(mass));
        entries.push(("Left out", if pairs == 0 { "nothing".to_owned() } else { left_out }));
    }
    page.terms(entries);
}

fn stages(page: &mut Page, summary: &Summary) {
    let stages = &summary.stages.0;
    if stages.is_empty() {
        return;
    }
    page.push(format_args!("<h3>Seconds by stage</h3>\n"));
    let seconds = |seconds: f64| format!("{seconds:.3} s");
    page.terms(
        stages
            .iter()
            .take(MAX_STAGES)
            .map(|(stage, taken)| (stage.as_str(), seconds(*taken))),
    );
    if stages.len() > MAX_STAGES {
        page.push(format_args!(
            "<p class=\"cut\">The first {MAX_STAGES} stages are shown.</p>\n"
        ));
    }
}

fn references(page: &mut Page, report: &Report<'_>) {
    if report.references.is_empty() {
        return;
    }
    page.push(format_args!("<h3>References</h3>\n<ul>\n"));
    for reference in report.references.iter().take(40) {
        page.push(format_args!("<li>{}", text(reference.text, 400)));
        if let Some(url) = reference.url {
            page.push(format_args!(" <span class=\"url\">{}</span>", text(url, 200)));
        }
        page.push(format_args!("</li>\n"));
    }
    page.push(format_args!("</ul>\n"));
}
