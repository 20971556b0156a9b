//! The result: its distribution and its largest rows.

use formats::{Column, Kind};
use serde_json::Value;

use super::excerpt::html;
use super::{NAME_CHARS, Report};
use crate::highlights::TopRow;
use crate::html::{Page, name, text};
use crate::number::{grouped, rounded};
use crate::plot::{Bar, Titles, bars};

pub(super) fn results(page: &mut Page, report: &Report<'_>) {
    page.push(format_args!("<section id=\"result\">\n<h2>Result</h2>\n"));
    measures(page, report);
    if report.highlights.rows() == 0 {
        page.push(format_args!("<p>The result has no rows.</p>\n"));
    } else {
        plot(page, report);
        table(page, report);
    }
    columns(page, report);
    page.push(format_args!("</section>\n"));
}

/// Figures of the result as a whole.
fn measures(page: &mut Page, report: &Report<'_>) {
    let measures = &report.summary.measures;
    if measures.is_empty() {
        return;
    }
    page.terms(measures.0.iter().map(|measure| {
        let value = match &measure.value {
            Value::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(count), _) => grouped(count),
                (None, number) => rounded(number.unwrap_or(f64::NAN)),
            },
            other => other.to_string(),
        };
        (measure.name, format!("{value}: {}", measure.meaning))
    }));
}

fn plot(page: &mut Page, report: &Report<'_>) {
    let (values, note) = report.highlights.bars();
    let column = report.highlights.plotted();
    let title = report.highlights.title();
    page.push(format_args!(
        "<figure>\n<figcaption>{}</figcaption>\n",
        text(title, 120)
    ));
    bars(
        page,
        &values,
        &Titles {
            chart: title,
            labels: &with_unit(column),
            lengths: "rows of the result (count)",
        },
    );
    if !note.is_empty() {
        page.push(format_args!("<p class=\"cut\">{}</p>\n", text(&note, 300)));
    }
    numbers(page, &values, column);
    page.push(format_args!("</figure>\n"));
}

/// The numbers behind the plot, for those who cannot see it.
fn numbers(page: &mut Page, values: &[Bar], column: &Column) {
    page.push(format_args!(
        "<details>\n<summary>The numbers of this plot</summary>\n<table>\n\
         <thead><tr><th scope=\"col\">{}</th><th scope=\"col\" class=\"number\">rows</th></tr></thead>\n<tbody>\n",
        text(&with_unit(column), 80)
    ));
    for bar in values {
        let label = text(&bar.label, NAME_CHARS);
        page.push(format_args!(
            "<tr><td>{label}</td><td class=\"number\">{}</td></tr>\n",
            grouped(bar.count)
        ));
    }
    page.push(format_args!("</tbody>\n</table>\n</details>\n"));
}

fn table(page: &mut Page, report: &Report<'_>) {
    let rows = report.highlights.top();
    let by = text(report.highlights.top_by().name, NAME_CHARS);
    let (shown, all) = (rows.len(), report.highlights.rows());
    page.push(format_args!("<h3>Largest by {by}</h3>\n"));
    if rows.is_empty() {
        page.push(format_args!("<p>No row has a value of {by}.</p>\n"));
        return;
    }
    if all > shown as u64 {
        page.push(format_args!(
            "<p class=\"cut\">The {shown} largest of {} rows are shown, rounded; result.csv and \
             result.parquet have them all in full precision.</p>\n",
            grouped(all)
        ));
    } else {
        page.push(format_args!(
            "<p class=\"cut\">All rows are shown, rounded; result.csv and result.parquet have them in \
             full precision.</p>\n"
        ));
    }
    page.push(format_args!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"Largest by {by}\" tabindex=\"0\">\n<table>\n<thead><tr>"
    ));
    for column in report.schema.columns {
        let class = if column.kind == Kind::Text {
            ""
        } else {
            " class=\"number\""
        };
        page.push(format_args!(
            "<th scope=\"col\"{class}>{}</th>",
            text(column.name, NAME_CHARS)
        ));
    }
    page.push(format_args!("</tr></thead>\n<tbody>\n"));
    for row in rows {
        table_row(page, report, row);
    }
    page.push(format_args!("</tbody>\n</table>\n</div>\n"));
}

fn table_row(page: &mut Page, report: &Report<'_>, row: &TopRow) {
    page.push(format_args!("<tr>"));
    for (position, column) in report.schema.columns.iter().enumerate() {
        match report.schema.cell_of(position).map(|cell| &row.cells[cell]) {
            None => page.push(format_args!(
                "<td>{}</td>",
                name(&report.labels.name(&row.company), NAME_CHARS)
            )),
            Some(cell) => page.push(format_args!("{}", html(cell, column, report.labels))),
        }
    }
    page.push(format_args!("</tr>\n"));
}

fn columns(page: &mut Page, report: &Report<'_>) {
    page.push(format_args!("<h3>Columns</h3>\n"));
    page.terms(report.schema.columns.iter().map(|column| {
        let unit = if column.unit.is_empty() {
            String::new()
        } else {
            format!(" ({})", column.unit)
        };
        (column.name, format!("{}{unit}", column.description))
    }));
}

fn with_unit(column: &Column) -> String {
    if column.unit.is_empty() {
        column.name.to_owned()
    } else {
        format!("{} ({})", column.name, column.unit)
    }
}
