//! `report.html`: one page about one job.
//!
//! Everything that comes from the input is cut before it is escaped, and every list has a longest length, so the page
//! cannot grow with the input. What was cut is said where it was cut.

mod method;
mod results;
mod sections;
#[cfg(test)]
mod tests;

use formats::Schema;

use crate::html::{Page, text};
use crate::{Curve, Highlights, Summary};

/// The most bytes that a report has: 2 MB.
pub const MAX_REPORT_BYTES: usize = 2_000_000;

/// The characters shown of a name.
const NAME_CHARS: usize = 60;

/// What a report is made of.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The title: the job type in words.
    pub title: &'a str,
    /// The version of the program that calculated.
    pub version: &'a str,
    /// What the job says about itself.
    pub summary: &'a Summary,
    /// The columns of the result.
    pub schema: &'a Schema,
    /// What is shown of the result.
    pub highlights: &'a Highlights,
    /// How a column adds up over its largest values, where that is worth a plot.
    pub curve: Option<&'a Curve>,
    /// How the columns are calculated.
    pub formulas: &'a [Formula<'a>],
    /// The literature behind the formulas.
    pub references: &'a [Reference<'a>],
}

/// How a column is calculated.
#[derive(Clone, Copy, Debug)]
pub struct Formula<'a> {
    /// The column, or another name for what the formula gives.
    pub name: &'a str,
    /// The formula in plain characters: `T = (I − W)⁻¹ − I`.
    pub formula: &'a str,
    /// What it means, in a sentence.
    pub meaning: &'a str,
}

/// A publication.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// Authors, year, title, and the section that is meant.
    pub text: &'a str,
    /// Where to find it. Shown as text: a report links nowhere.
    pub url: Option<&'a str>,
}

/// Makes the page, at most [`MAX_REPORT_BYTES`] long.
///
/// It fetches nothing and runs nothing, which its own content policy states; whatever comes from the input is
/// text. In order: what was calculated, the data's quality, the result, rings and closed groups, the method.
pub fn report_html(report: &Report<'_>) -> String {
    let mut page = Page::default();
    let title = text(report.title, 120);
    page.push(format_args!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        include_str!("style.css")
    ));
    sections::calculated(&mut page, report);
    sections::quality(&mut page, report.summary);
    results::results(&mut page, report);
    sections::groups(&mut page, report.summary);
    method::method(&mut page, report);
    page.push(format_args!("</main>\n</body>\n</html>\n"));
    page.0
}
