//! What was odd about the data, and what was done about it.

use std::collections::BTreeMap;

use super::{NAME_CHARS, cut};
use crate::html::{Page, text};
use crate::number::grouped;
use crate::summary::{Quality, Summary};

const MAX_FINDINGS: usize = 40;
const MAX_EXAMPLES: usize = 10;
const EXAMPLE_CHARS: usize = 200;

/// What findings are, for those who do not know their codes; what else there is speaks for itself.
const MEANINGS: [(&str, &str); 32] = [
    ("amount_to_itself", "An amount is recorded that someone owes itself."),
    (
        "bad_record",
        "A record could not be used: an id is missing, or the share is no fraction from 0 to 1.",
    ),
    ("bad_value_record", "A record of a company's value could not be used."),
    (
        "closed_component",
        "Companies hold all of each other, so that nobody outside stands behind them.",
    ),
    (
        "column_over_100",
        "More than 100% of a company is recorded as held, beyond what rounding explains.",
    ),
    (
        "column_rounded",
        "Slightly more than 100% of a company is recorded as held.",
    ),
    ("company_without_value", "A company has no value of its own."),
    (
        "control_without_share",
        "Someone is recorded to control a company, without a share.",
    ),
    (
        "duplicate_amount",
        "An amount between the same two is recorded more than once.",
    ),
    (
        "duplicate_stake",
        "The same owner is recorded more than once for the same company.",
    ),
    ("duplicate_value", "The value of a company is recorded more than once."),
    ("ended_record", "A record is about what is over."),
    (
        "entity_without_owner",
        "A company or organisation has no recorded owner, so that no person behind it is known.",
    ),
    ("imputed_share", "Only a range is recorded for a share."),
    (
        "indirect_interest",
        "A holding through others is recorded as a whole, beside its parts.",
    ),
    (
        "kinds_unknown",
        "Who is a natural person and who is a company is not recorded.",
    ),
    (
        "near_singular_component",
        "A ring is almost closed: what is held of it depends on the last digits of its shares.",
    ),
    (
        "no_beneficial_owner",
        "Nobody known meets a rule that makes a beneficial owner.",
    ),
    (
        "no_upper_bound",
        "Recorded ranges of shares set no upper bound to what goes round in a ring.",
    ),
    (
        "not_a_share",
        "A record is about something other than shares: votes, appointments and the like.",
    ),
    ("repeated_record", "The same record is there more than once."),
    (
        "ring_too_large",
        "A ring is too large to be inverted in the memory there is.",
    ),
    ("self_holding", "A company is recorded to hold shares of itself."),
    ("share_unknown", "A holding is recorded without its share."),
    ("superseded_record", "A later statement is about the same record."),
    ("undisclosed_owner", "It is recorded that an owner is not disclosed."),
    (
        "undisclosed_share",
        "Less than 100% of a company is recorded: who holds the rest is not known.",
    ),
    (
        "unit_doubtful",
        "The shares look as if they were in another unit than was said.",
    ),
    ("unit_mixed", "Some shares are fractions, others percents."),
    (
        "value_without_company",
        "A value is recorded for a company that has no stakes.",
    ),
    ("zero_amount", "An amount of zero is recorded."),
    ("zero_share", "A stake of zero is recorded."),
];

pub(super) fn quality(page: &mut Page, summary: &Summary) {
    let findings: &BTreeMap<String, Quality> = &summary.quality;
    page.push(format_args!("<section id=\"quality\">\n<h2>Quality of the data</h2>\n"));
    if findings.is_empty() {
        page.push(format_args!("<p>Nothing was found wrong with the data.</p>\n"));
    }
    for (code, finding) in findings.iter().take(MAX_FINDINGS) {
        one(page, code, finding);
    }
    cut(page, MAX_FINDINGS, findings.len(), "kinds of findings");
    page.push(format_args!("</section>\n"));
}

fn one(page: &mut Page, code: &str, finding: &Quality) {
    let times = if finding.count == 1 { "time" } else { "times" };
    let title = text(&code.replace('_', " "), NAME_CHARS);
    page.push(format_args!(
        "<article>\n<h3>{title} <span class=\"count\">{} {times}</span></h3>\n",
        grouped(finding.count),
    ));
    if let Some((_, meaning)) = MEANINGS.iter().find(|(known, _)| *known == code) {
        page.push(format_args!("<p>{meaning}</p>\n"));
    }
    page.push(format_args!(
        "<p>What was done: {}.</p>\n",
        text(finding.action.trim_end_matches('.'), 300)
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
