//! Some companies: who owns each, through what, and how sure that is.

use super::excerpt::excerpt;
use super::{NAME_CHARS, Report};
use crate::ego;
use crate::html::{Align, Page, name, share, text};
use crate::number::{factor, grouped, percent};
use crate::survey::{Chain, Companies, Company, Owner};

/// Owners whose chains are written out.
const OWNERS_WITH_CHAINS: usize = 5;

/// Steps of a chain that are written out.
const MAX_STEPS: usize = 12;

/// Characters of a name in a chain.
const STEP_CHARS: usize = 40;

/// Parts of the bar that have an owner of their own.
const PARTS: usize = 5;

/// The sections of as many companies as fit into `budget` bytes.
pub(super) fn companies(page: &mut Page, report: &Report<'_>, companies: &Companies, budget: usize) {
    page.push(format_args!(
        "<section id=\"companies\">\n<h2>Who owns what, through what</h2>\n"
    ));
    let mut sections = Vec::new();
    let mut bytes = 0;
    for shown in &companies.shown {
        let mut section = Page::default();
        company(&mut section, report, companies, shown);
        bytes += section.0.len();
        if bytes > budget {
            break;
        }
        sections.push(section.0);
    }
    introduction(page, companies, sections.len());
    sections.iter().for_each(|section| page.0.push_str(section));
    page.push(format_args!("</section>\n"));
}

fn introduction(page: &mut Page, companies: &Companies, shown: usize) {
    page.push(format_args!(
        "<p>An ultimate owner is one whom nobody is recorded to hold. What it has of a company is multiplied along each \
         chain and added up over all chains and rings. What is undisclosed is held, directly or through holders, by \
         someone whom the data does not name: the smaller it is, the surer the rest.</p>\n"
    ));
    let all = companies.all;
    if shown as u64 == all {
        return;
    }
    let wanted = companies.shown.len();
    let by = if companies.chosen_by.is_empty() {
        "the first by name"
    } else {
        &companies.chosen_by
    };
    page.note(&format!(
        "{} of {} companies with recorded holders are shown: {by}. result.csv and GET /jobs/ID/companies/COMPANY have \
         the others.",
        grouped(shown as u64),
        grouped(all)
    ));
    if shown < wanted {
        page.note(&format!(
            "{} more were chosen and left out, because a report has at most 2 MB.",
            wanted - shown
        ));
    }
}

fn company(page: &mut Page, report: &Report<'_>, companies: &Companies, company: &Company) {
    page.push(format_args!(
        "<article class=\"company\">\n<h3>{}</h3>\n",
        name(&company.name, NAME_CHARS)
    ));
    if !company.why.is_empty() {
        page.note(&format!("Shown because it is {}.", company.why));
    }
    told(page, company);
    if company.group.is_none() {
        bar(page, company);
        owners(page, companies, company);
        chains(page, company);
    }
    ego::draw(page, &company.picture, &text(company.name.shown(), NAME_CHARS));
    excerpt(page, report, companies, company);
    page.push(format_args!("</article>\n"));
}

/// The answer in sentences.
fn told(page: &mut Page, company: &Company) {
    let id = text(company.name.shown(), NAME_CHARS);
    let Some(undisclosed) = company.undisclosed.filter(|_| company.group.is_none()) else {
        let group = text(company.group.as_deref().unwrap_or("a closed group"), NAME_CHARS);
        page.push(format_args!(
            "<p>{id} is a member of <strong>{group}</strong>: its members hold all of each other, so that nobody outside \
             stands behind them and no share in them is defined.</p>\n"
        ));
        return;
    };
    let count = company.owners.len() as u64 + company.others.0;
    page.push(format_args!("<p>"));
    match (company.owners.first(), count) {
        (None, _) => page.push(format_args!("No owner of {id} is known in the end. ")),
        (Some(owner), 1) => page.push(format_args!(
            "Behind {id} stands <strong>{}</strong> with {}. ",
            text(owner.name.shown(), NAME_CHARS),
            percent(owner.integrated)
        )),
        (Some(owner), count) => page.push(format_args!(
            "Behind {id} stand {} ultimate owners, <strong>{}</strong> with the most: {}. ",
            grouped(count),
            text(owner.name.shown(), NAME_CHARS),
            percent(owner.integrated)
        )),
    }
    if undisclosed > 0.0 {
        let through = match company.undisclosed_directly {
            none if none <= 0.0 => ", through its holders".to_owned(),
            all if all >= undisclosed * (1.0 - 1e-9) => String::new(),
            some => format!(", {} directly and the rest through its holders", percent(some)),
        };
        page.push(format_args!("{} of it is undisclosed{through}. ", percent(undisclosed)));
    } else if count > 0 && company.column_sum <= 1.0 {
        page.push(format_args!("All of it is accounted for. "));
    }
    if company.column_sum > 1.0 + 1e-12 {
        page.push(format_args!(
            "Its recorded stakes add up to {}, so shares in it are too large together. ",
            percent(company.column_sum)
        ));
    }
    let owners: f64 = company.owners.iter().map(|owner| owner.integrated).sum();
    let sum = owners + company.others.1 + undisclosed;
    if company.column_sum <= 1.0 + 1e-12 && sum > 1.0 + 5e-5 {
        page.push(format_args!(
            "The parts add up to {}, because more than 100% is recorded of a company above it. ",
            percent(sum)
        ));
    }
    if let Some(by) = company.amplification.filter(|&by| by > 1.0 && company.ring > 1) {
        page.push(format_args!(
            "It is in a ring of {} companies, which multiplies what is held of it by {}. ",
            grouped(company.ring),
            factor(by)
        ));
    }
    page.push(format_args!("</p>\n"));
}

/// Who has which part, as one bar.
fn bar(page: &mut Page, company: &Company) {
    let named: f64 = company.owners.iter().map(|owner| owner.integrated).sum();
    let undisclosed = company.undisclosed.unwrap_or(0.0);
    let whole = (named + company.others.1 + undisclosed).max(1.0);
    if !whole.is_finite() {
        return;
    }
    page.push(format_args!(
        "<svg class=\"parts\" width=\"100%\" height=\"20\" role=\"img\" aria-label=\"{} of {} is undisclosed\">",
        percent(undisclosed),
        text(company.name.shown(), NAME_CHARS)
    ));
    let mut x = 0.0;
    let mut part = |page: &mut Page, class: &str, title: &str, share: f64| {
        let width = 100.0 * share / whole;
        page.push(format_args!(
            "<rect class=\"{class}\" x=\"{x:.3}%\" y=\"0\" width=\"{width:.3}%\" height=\"20\"><title>{title}: {}</title></rect>",
            percent(share)
        ));
        x += width;
    };
    for (owner, class) in company.owners.iter().take(PARTS).zip(["p0", "p1", "p2", "p3", "p4"]) {
        part(page, class, &text(owner.name.shown(), STEP_CHARS), owner.integrated);
    }
    let rest = company
        .owners
        .iter()
        .skip(PARTS)
        .map(|owner| owner.integrated)
        .sum::<f64>()
        + company.others.1;
    if rest > 0.0 {
        part(page, "rest", "other owners", rest);
    }
    if undisclosed > 0.0 {
        part(page, "unknown", "undisclosed", undisclosed);
    }
    page.push(format_args!("</svg>\n"));
}

fn owners(page: &mut Page, companies: &Companies, company: &Company) {
    let id = company.name.shown();
    let share_head = format!("{} in all", companies.share);
    page.table(
        &format!("Ultimate owners of {id}"),
        &[
            ("ultimate owner", Align::Text),
            (&share_head, Align::Number),
            ("directly", Align::Number),
        ],
    );
    let mut sum = 0.0;
    for owner in &company.owners {
        sum += owner.integrated;
        let direct = if owner.direct > 0.0 {
            share(owner.direct)
        } else {
            "<td class=\"number\">–</td>".to_owned()
        };
        page.push(format_args!(
            "<tr><td>{}</td>{}{direct}</tr>\n",
            name(&owner.name, NAME_CHARS),
            share(owner.integrated)
        ));
    }
    let (count, others) = company.others;
    if count > 0 {
        sum += others;
        page.push(format_args!(
            "<tr><td>{} further ultimate owners</td>{}<td></td></tr>\n",
            grouped(count),
            share(others)
        ));
    }
    if let Some(undisclosed) = company.undisclosed {
        sum += undisclosed;
        page.push(format_args!(
            "<tr class=\"soft\"><td>undisclosed</td>{}{}</tr>\n",
            share(undisclosed),
            share(company.undisclosed_directly)
        ));
    }
    page.push(format_args!(
        "<tr class=\"sum\"><td>sum</td>{}<td></td></tr>\n",
        share(sum)
    ));
    page.end_table();
}

/// The chains of those who do not simply hold it directly.
fn chains(page: &mut Page, company: &Company) {
    let is_told = |owner: &&Owner| {
        let direct_only = owner.chains.iter().all(|chain| chain.steps.len() < 2) && owner.further.0 == 0;
        owner.rest > 0.0 || !direct_only && !owner.chains.is_empty()
    };
    let told: Vec<&Owner> = company.owners.iter().filter(is_told).take(OWNERS_WITH_CHAINS).collect();
    if told.is_empty() {
        return;
    }
    let id = company.name.shown();
    page.table(
        &format!("Chains to {id}"),
        &[("through what", Align::Text), ("product", Align::Number)],
    );
    for owner in &told {
        for chain in &owner.chains {
            page.push(format_args!(
                "<tr><td class=\"chain\">{}</td>{}</tr>\n",
                path(chain, id),
                share(chain.product)
            ));
        }
        let from = text(owner.name.shown(), STEP_CHARS);
        let (count, products) = owner.further;
        if count > 0 {
            let chains = if count == 1 { "chain" } else { "chains" };
            page.push(format_args!(
                "<tr class=\"soft\"><td>{from}, {} further {chains}</td>{}</tr>\n",
                grouped(count),
                share(products)
            ));
        }
        if owner.rest > 0.0 {
            let through = if owner.complete {
                "through cycles"
            } else {
                "through further chains and cycles"
            };
            page.push(format_args!(
                "<tr class=\"soft\"><td>{from}, {through}</td>{}</tr>\n",
                share(owner.rest)
            ));
        }
    }
    page.end_table();
    if told.len() < company.owners.iter().filter(is_told).count() {
        page.note(&format!("The chains of the first {OWNERS_WITH_CHAINS} are shown."));
    }
}

/// `A 33.00% → Foo 50.00% → Bar`.
fn path(chain: &Chain, company: &str) -> String {
    let mut path = String::new();
    for (who, held) in chain.steps.iter().take(MAX_STEPS) {
        path.push_str(&text(who.shown(), STEP_CHARS));
        path.push_str(&format!(
            " <span class=\"step\" title=\"{}\">{} →</span> ",
            text(&held.to_string(), 40),
            text(&percent(*held), 40)
        ));
    }
    if chain.steps.len() > MAX_STEPS {
        path.push_str(&format!("… {} more steps → ", chain.steps.len() - MAX_STEPS));
    }
    path.push_str(&text(company, STEP_CHARS));
    path
}
