//! What the result itself has about a company.

use formats::{Column, Kind};

use super::{NAME_CHARS, Report};
use crate::highlights::{Excerpt, OwnedCell};
use crate::html::{Align, Page, name, share, text};
use crate::labels::{Labels, has_chains, has_ids};
use crate::number::{grouped, rounded};
use crate::survey::{Companies, Company};

/// The characters shown of a text, which may be a sentence.
const CELL_CHARS: usize = 160;

/// Chains that are shown of a cell, and the characters of each.
const CHAINS: usize = 4;
const CHAIN_CHARS: usize = 240;

/// A table of the rows, or a list where there is one row and no other company in it.
pub(super) fn excerpt(page: &mut Page, report: &Report<'_>, companies: &Companies, company: &Company) {
    let columns = columns(report, companies);
    let Some(excerpt) = report
        .highlights
        .excerpt(&company.name.id)
        .filter(|_| !columns.is_empty())
    else {
        return;
    };
    let title = text(&companies.rows_title, 120);
    let single = excerpt.rows.len() == 1 && columns[0].1.kind != Kind::Text;
    page.push(format_args!("<h4>{title}</h4>\n"));
    if excerpt.rows.is_empty() {
        page.push(format_args!("<p>None.</p>\n"));
        return;
    }
    if single {
        let row = &excerpt.rows[0];
        page.terms(columns.iter().map(|&(cell, column)| (column.name, told(&row[cell]))));
        return;
    }
    rows(page, report.labels, &companies.rows_title, &columns, excerpt);
}

fn rows(page: &mut Page, labels: Labels<'_>, title: &str, columns: &[(usize, &'static Column)], excerpt: &Excerpt) {
    let heads: Vec<(&str, Align)> = columns
        .iter()
        .map(|(_, column)| {
            let align = if column.kind == Kind::Text {
                Align::Text
            } else {
                Align::Number
            };
            (column.name, align)
        })
        .collect();
    page.table(title, &heads);
    for row in &excerpt.rows {
        page.push(format_args!("<tr>"));
        for &(cell, column) in columns {
            page.push(format_args!("{}", html(&row[cell], column, labels)));
        }
        page.push(format_args!("</tr>\n"));
    }
    page.end_table();
    if excerpt.count > excerpt.rows.len() as u64 {
        page.note(&format!(
            "The first {} of {} rows are shown; result.csv has them all.",
            excerpt.rows.len(),
            grouped(excerpt.count)
        ));
    }
}

/// The wanted columns of the result with their cells.
fn columns(report: &Report<'_>, companies: &Companies) -> Vec<(usize, &'static Column)> {
    let all = report.schema.columns.iter().enumerate();
    all.filter(|(_, column)| companies.rows_columns.contains(&column.name))
        .filter_map(|(position, column)| Some((report.schema.cell_of(position)?, column)))
        .collect()
}

/// A cell as a table has it: names for ids, shares in percent.
pub(super) fn html(cell: &OwnedCell, column: &Column, labels: Labels<'_>) -> String {
    match cell {
        OwnedCell::Text(id) if has_ids(column) => format!("<td>{}</td>", name(&labels.name(id), NAME_CHARS)),
        OwnedCell::Text(chains) if has_chains(column) => told_chains(&labels.chains(chains)),
        OwnedCell::Text(value) => format!("<td>{}</td>", text(value, CELL_CHARS)),
        OwnedCell::Number(value) if column.unit.starts_with("fraction") => share(*value),
        OwnedCell::Number(value) => format!(
            "<td class=\"number\" title=\"{}\">{}</td>",
            text(&value.to_string(), 40),
            text(&rounded(*value), 40)
        ),
        OwnedCell::Count(value) => format!("<td class=\"number\">{}</td>", grouped(*value)),
    }
}

/// Chains, one below the other.
fn told_chains(chains: &[String]) -> String {
    let lines = chains.iter().take(CHAINS);
    let mut lines: Vec<String> = lines.map(|chain| text(chain, CHAIN_CHARS)).collect();
    if chains.len() > CHAINS {
        lines.push(format!("and {} more", chains.len() - CHAINS));
    }
    format!("<td class=\"chains\">{}</td>", lines.join("<br>"))
}

fn told(cell: &OwnedCell) -> String {
    match cell {
        OwnedCell::Text(value) => value.chars().take(NAME_CHARS).collect(),
        OwnedCell::Number(value) if value.is_nan() => "–".to_owned(),
        OwnedCell::Number(value) => rounded(*value),
        OwnedCell::Count(value) => grouped(*value),
    }
}
