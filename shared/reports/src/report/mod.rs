//! `report.html`: one page about one job.
//!
//! Everything that comes from the input is cut before it is escaped, and every list has a longest length, so the page
//! cannot grow with the input. What was cut is said where it was cut.

mod companies;
mod excerpt;
mod holders;
mod method;
mod quality;
mod results;
mod rings;
mod sections;
mod shape;
#[cfg(test)]
mod tests;

use formats::Schema;

use crate::html::{Page, text};
use crate::number::grouped;
use crate::{Highlights, Labels, Summary, Survey};

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
    /// What is shown of the network.
    pub survey: &'a Survey,
    /// What people call those in the rows of the result.
    pub labels: Labels<'a>,
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

/// Bytes for sections of companies: as they are usually, and the less if the rest of the page is long.
const COMPANY_BYTES: [usize; 4] = [1_600_000, 1_000_000, 400_000, 0];

/// Makes the page, at most [`MAX_REPORT_BYTES`] long.
///
/// It fetches nothing and runs nothing, which its own content policy states; whatever comes from the input is
/// text. In the order of questions: what was calculated from what, how good the data is, who is on top, who owns each of
/// some companies and through what, which rings there are, what the whole looks like, what the result has, and how it was
/// calculated.
pub fn report_html(report: &Report<'_>) -> String {
    let mut page = String::new();
    for budget in COMPANY_BYTES {
        page = whole(report, budget);
        if page.len() <= MAX_REPORT_BYTES {
            break;
        }
    }
    page
}

fn whole(report: &Report<'_>, budget: usize) -> String {
    let mut page = Page::default();
    let title = text(report.title, 120);
    page.push(format_args!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n",
        include_str!("style.css")
    ));
    let survey = report.survey;
    sections::head(&mut page, report);
    contents(&mut page, survey);
    sections::calculated(&mut page, report);
    quality::quality(&mut page, report.summary);
    if let Some(found) = &survey.holders {
        holders::holders(&mut page, found);
    }
    if let Some(found) = &survey.companies {
        companies::companies(&mut page, report, found, budget);
    }
    rings::rings(&mut page, report.summary, survey.rings.as_ref());
    if let Some(found) = &survey.shape {
        shape::shape(&mut page, found);
    }
    results::results(&mut page, report);
    method::method(&mut page, report);
    page.push(format_args!("</main>\n</body>\n</html>\n"));
    page.0
}

/// Links to the sections.
fn contents(page: &mut Page, survey: &Survey) {
    let entries = [
        (true, "calculated", "What was calculated"),
        (true, "quality", "Quality of the data"),
        (survey.holders.is_some(), "holders", "Top holders"),
        (survey.companies.is_some(), "companies", "Who owns what"),
        (true, "rings", "Rings"),
        (survey.shape.is_some(), "structure", "Structure"),
        (true, "result", "Result"),
        (true, "method", "Method"),
    ];
    page.push(format_args!("<nav aria-label=\"Contents\"><ul>\n"));
    for (_, id, words) in entries.iter().filter(|(there, ..)| *there) {
        page.push(format_args!("<li><a href=\"#{id}\">{words}</a></li>\n"));
    }
    page.push(format_args!("</ul></nav>\n"));
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
