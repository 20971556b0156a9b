//! Who holds or controls the most, and how it adds up.

use super::NAME_CHARS;
use crate::html::{Align, Page, name, share, text};
use crate::number::{grouped, percent, rounded};
use crate::survey::{Holder, Holders};

/// Rows of the ranking on the page.
const MOST: usize = 30;

pub(super) fn holders(page: &mut Page, holders: &Holders) {
    page.push(format_args!(
        "<section id=\"holders\">\n<h2>{}</h2>\n<p>{}</p>\n",
        text(&holders.title, 120),
        text(&holders.explained, 800)
    ));
    if let (Some(first), true) = (holders.rows.first(), holders.whole > 0.0) {
        let few = &holders.rows[..holders.rows.len().min(10)];
        let last = few.last().unwrap_or(first);
        page.push(format_args!(
            "<p>The first, <strong>{}</strong>, has {} of the whole",
            text(first.name.shown(), NAME_CHARS),
            percent(first.value / holders.whole)
        ));
        if few.len() > 1 {
            page.push(format_args!(
                "; the first {} of {} have {} together",
                few.len(),
                grouped(holders.count),
                percent(last.cumulative / holders.whole)
            ));
        }
        page.push(format_args!(".</p>\n"));
    }
    if let Some(curve) = holders.curve.as_ref().filter(|_| holders.count > 2) {
        curve.draw(page);
    }
    let shown = &holders.rows[..holders.rows.len().min(MOST)];
    page.table(
        &holders.title,
        &[
            ("rank", Align::Number),
            ("name", Align::Text),
            (&holders.measure, Align::Number),
            ("of the whole", Align::Number),
            ("cumulative", Align::Number),
        ],
    );
    for (rank, holder) in (1_u64..).zip(shown) {
        row(page, rank, holder, holders.whole);
    }
    page.end_table();
    if holders.count > shown.len() as u64 {
        page.note(&format!(
            "The first {} of {} are shown; report.xlsx and result.csv have more.",
            shown.len(),
            grouped(holders.count)
        ));
    }
    page.push(format_args!("</section>\n"));
}

fn row(page: &mut Page, rank: u64, holder: &Holder, whole: f64) {
    let part = |value: f64| if whole > 0.0 { value / whole } else { f64::NAN };
    page.push(format_args!(
        "<tr><td class=\"number\">{}</td><td>{}</td><td class=\"number\" title=\"{}\">{}</td>{}{}</tr>\n",
        grouped(rank),
        name(&holder.name, NAME_CHARS),
        text(&holder.value.to_string(), 40),
        text(&rounded(holder.value), 40),
        share(part(holder.value)),
        share(part(holder.cumulative))
    ));
}
