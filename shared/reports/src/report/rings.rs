//! The rings of cross-holdings, and the groups that nobody outside stands behind.

use super::{NAME_CHARS, cut};
use crate::html::{Align, Page, name, share, text};
use crate::number::{factor, grouped};
use crate::plot::{Bar, Titles, bars};
use crate::summary::Summary;
use crate::survey::{Ring, Rings};

const MAX_GROUPS: usize = 25;
const MAX_MEMBERS: usize = 40;

/// Rings that are listed, and members of each.
const MAX_RINGS: usize = 10;
const RING_MEMBERS: usize = 8;

pub(super) fn rings(page: &mut Page, summary: &Summary, rings: Option<&Rings>) {
    let components = &summary.components;
    page.push(format_args!(
        "<section id=\"rings\">\n<h2>Rings and closed groups</h2>\n"
    ));
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
    if let Some(rings) = rings {
        own_shares(page, rings);
        sizes(page, rings);
        members(page, rings);
    }
    groups(page, summary);
    page.push(format_args!("</section>\n"));
}

fn own_shares(page: &mut Page, rings: &Rings) {
    if rings.own_shares > 0 {
        page.push(format_args!(
            "<p>{} outside of rings recorded to hold shares of themselves, which has the same effect.</p>\n",
            if rings.own_shares == 1 {
                "One company is".to_owned()
            } else {
                format!("{} companies are", grouped(rings.own_shares))
            }
        ));
    }
}

/// How many rings there are of which size, where there are several.
fn sizes(page: &mut Page, rings: &Rings) {
    if rings.sizes.len() < 2 {
        return;
    }
    const TITLE: &str = "How large the rings are";
    page.push(format_args!("<figure>\n<figcaption>{TITLE}</figcaption>\n"));
    bars(
        page,
        &classes(&rings.sizes),
        &Titles {
            chart: TITLE,
            labels: "companies in a ring",
            lengths: "rings (count)",
        },
    );
    page.push(format_args!("</figure>\n"));
}

/// Sizes in classes: each up to five by itself, then to 10, 20, 50, 100 and so on.
fn classes(sizes: &[(u64, u64)]) -> Vec<Bar> {
    let mut bars = Vec::<(u64, u64, u64)>::new();
    for &(size, count) in sizes {
        let (from, to) = class(size);
        match bars.last_mut() {
            Some(last) if last.0 == from => last.2 += count,
            _ => bars.push((from, to, count)),
        }
    }
    let label = |from: u64, to: u64| {
        if from == to {
            grouped(from)
        } else {
            format!("{}–{}", grouped(from), grouped(to))
        }
    };
    bars.into_iter()
        .map(|(from, to, count)| Bar {
            label: label(from, to),
            count,
        })
        .collect()
}

fn class(size: u64) -> (u64, u64) {
    if size <= 5 {
        return (size, size);
    }
    let (mut from, mut power) = (6, 10_u64);
    loop {
        for end in [power, power.saturating_mul(2), power.saturating_mul(5)] {
            if size <= end {
                return (from, end);
            }
            from = from.max(end.saturating_add(1));
        }
        power = power.saturating_mul(10);
    }
}

fn members(page: &mut Page, rings: &Rings) {
    let open: Vec<&Ring> = rings.shown.iter().filter(|ring| ring.group.is_none()).collect();
    let amplified = open
        .iter()
        .any(|ring| ring.members.iter().any(|member| member.amplification.is_some()));
    if !open.is_empty() && amplified {
        page.push(format_args!(
            "<p>In a ring a company holds a part of its own holders. What they have of it counts again each time round, \
             all together by its amplification, V[i][i].</p>\n"
        ));
    }
    for ring in open.iter().take(MAX_RINGS) {
        let words = format!("Ring {}", ring.number);
        page.push(format_args!(
            "<article>\n<h3>{words} <span class=\"count\">{} members</span></h3>\n",
            grouped(ring.size)
        ));
        if amplified {
            table(page, ring, &words);
        } else {
            names(page, ring);
        }
        page.push(format_args!("</article>\n"));
    }
    let (shown, all) = (
        open.len().min(MAX_RINGS),
        rings.count.saturating_sub((rings.shown.len() - open.len()) as u64),
    );
    if all > shown as u64 {
        page.note(&format!(
            "The {shown} largest of {} rings that are not closed are shown; report.xlsx has more.",
            grouped(all)
        ));
    }
}

fn table(page: &mut Page, ring: &Ring, words: &str) {
    page.table(
        words,
        &[
            ("member", Align::Text),
            ("amplification", Align::Number),
            ("undisclosed", Align::Number),
        ],
    );
    for member in ring.members.iter().take(RING_MEMBERS) {
        let by = member.amplification.unwrap_or(f64::NAN);
        page.push(format_args!(
            "<tr><td>{}</td><td class=\"number\" title=\"{}\">{}</td>{}</tr>\n",
            name(&member.name, NAME_CHARS),
            text(&by.to_string(), 40),
            text(&factor(by), 40),
            share(member.undisclosed.unwrap_or(f64::NAN))
        ));
    }
    page.end_table();
    if ring.size > RING_MEMBERS as u64 {
        page.note(&format!(
            "The {RING_MEMBERS} of {} members with the largest amplification are shown.",
            grouped(ring.size)
        ));
    }
}

fn names(page: &mut Page, ring: &Ring) {
    page.push(format_args!("<ul class=\"names\">\n"));
    for member in ring.members.iter().take(MAX_MEMBERS) {
        page.push(format_args!("<li>{}</li>\n", name(&member.name, NAME_CHARS)));
    }
    page.push(format_args!("</ul>\n"));
    if ring.size > MAX_MEMBERS as u64 {
        page.note(&format!("{MAX_MEMBERS} of {} members are shown.", grouped(ring.size)));
    }
}

fn groups(page: &mut Page, summary: &Summary) {
    let components = &summary.components;
    if !components.closed.is_empty() {
        page.push(format_args!(
            "<h3>Closed groups</h3>\n\
             <p>In a closed group the members hold all of each other, by the shares that this calculation works with, so \
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fall_into_classes_that_do_not_overlap() {
        for (size, expected) in [
            (2, (2, 2)),
            (5, (5, 5)),
            (6, (6, 10)),
            (10, (6, 10)),
            (11, (11, 20)),
            (21, (21, 50)),
            (51, (51, 100)),
            (1318, (1001, 2000)),
        ] {
            assert_eq!(class(size), expected, "{size}");
        }
        let bars = classes(&[(2, 7), (6, 1), (9, 2), (1318, 1)]);
        let told: Vec<_> = bars.iter().map(|bar| (bar.label.as_str(), bar.count)).collect();
        assert_eq!(told, [("2", 7), ("6–10", 3), ("1,001–2,000", 1)]);
    }
}
