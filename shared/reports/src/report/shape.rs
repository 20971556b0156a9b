//! The shape of the whole: the bow-tie, and how many hold how many.

use crate::frame::{self, Frame, Tick, along, log_ticks};
use crate::html::{Align, Page, share};
use crate::number::{compact, grouped, percent};
use crate::survey::Shape;

/// Degrees up to here have no plot: a table says it better.
const FEW: u64 = 3;

pub(super) fn shape(page: &mut Page, shape: &Shape) {
    page.push(format_args!("<section id=\"structure\">\n<h2>Structure</h2>\n"));
    bow_tie(page, shape);
    degrees(page, shape);
    page.push(format_args!("</section>\n"));
}

fn bow_tie(page: &mut Page, shape: &Shape) {
    let [above, core, below, tubes, tendrils, other] = shape.positions;
    if core == 0 {
        page.push(format_args!(
            "<p>No companies hold each other in a ring, so that the network has no core: it is chains from owners down to \
             what they hold.</p>\n"
        ));
        return;
    }
    page.push(format_args!(
        "<p>Every company stands somewhere relative to the largest ring, the core.</p>\n\
         <figure>\n<figcaption>The bow-tie</figcaption>\n\
         <svg class=\"tie\" width=\"100%\" height=\"150\" role=\"img\" aria-label=\"The bow-tie: {above} in, {core} scc, {below} out\">\n\
         <svg width=\"100%\" height=\"150\" viewBox=\"0 0 1000 150\" preserveAspectRatio=\"none\">\n\
         <polygon class=\"in\" points=\"10,8 395,52 395,98 10,142\"/>\
         <rect class=\"core\" x=\"405\" y=\"40\" width=\"190\" height=\"70\"/>\
         <polygon class=\"out\" points=\"990,8 605,52 605,98 990,142\"/>\n</svg>\n"
    ));
    for (x, what, count, class) in [(17, "in", above, ""), (50, "scc", core, "on"), (83, "out", below, "")] {
        page.push(format_args!(
            "<text class=\"{class}\" x=\"{x}%\" y=\"70\" text-anchor=\"middle\">{what}</text>\
             <text class=\"{class} large\" x=\"{x}%\" y=\"92\" text-anchor=\"middle\">{}</text>\n",
            grouped(count)
        ));
    }
    page.push(format_args!("</svg>\n</figure>\n"));
    let all: u64 = shape.positions.iter().sum();
    page.table(
        "Places in the bow-tie",
        &[
            ("place", Align::Text),
            ("meaning", Align::Text),
            ("companies", Align::Number),
            ("of all", Align::Number),
        ],
    );
    for (place, meaning, count) in [
        ("in", "hold stakes in the core, directly or through others", above),
        ("scc", "the core: each holds all others, through others", core),
        ("out", "are held by the core", below),
        ("tube", "on chains from in to out that pass by the core", tubes),
        ("tendril", "held from in, or holding of out, but not both", tendrils),
        ("other", "none of these", other),
    ] {
        page.push(format_args!(
            "<tr><td>{place}</td><td>{meaning}</td><td class=\"number\">{}</td>{}</tr>\n",
            grouped(count),
            share(count as f64 / all as f64)
        ));
    }
    page.end_table();
}

/// The part of companies with at least so many holders, and of owners with at least so many holdings.
fn degrees(page: &mut Page, shape: &Shape) {
    let most = |degrees: &[(u64, u64)]| degrees.last().map_or(0, |&(degree, _)| degree);
    let (holders, holdings) = (most(&shape.holders), most(&shape.holdings));
    let last = holders.max(holdings);
    if last == 0 {
        return;
    }
    page.push(format_args!(
        "<p>A company has at most {} direct holders, an owner at most {} direct holdings.</p>\n",
        grouped(holders),
        grouped(holdings)
    ));
    if last <= FEW {
        return;
    }
    const TITLE: &str = "How many holders companies have, and how many holdings owners";
    let lines = [("a", tail(&shape.holders)), ("b", tail(&shape.holdings))];
    let least = lines
        .iter()
        .flat_map(|(_, tail)| tail)
        .map(|&(_, part)| part)
        .fold(1.0, f64::min);
    let decades = (-least.log10()).ceil().max(1.0);
    let up = |part: f64| 1.0 + part.log10() / decades;
    #[expect(clippy::cast_possible_truncation, reason = "a few powers of ten")]
    let up_ticks = (0..=decades as i32).map(|power| Tick {
        at: 1.0 - f64::from(power) / decades,
        label: part_label(power),
        below: String::new(),
    });
    let across_ticks = log_ticks(last).into_iter().map(|degree| Tick {
        at: along(degree, last),
        label: compact(degree),
        below: String::new(),
    });
    let drawn: Vec<(&str, Vec<(f64, f64)>)> = lines
        .iter()
        .map(|(class, tail)| {
            let points = tail.iter().map(|&(degree, part)| (along(degree, last), up(part)));
            (*class, points.collect())
        })
        .collect();
    page.push(format_args!(
        "<figure>\n<figcaption>{TITLE}</figcaption>\n\
         <p class=\"keys\"><span class=\"a\">companies by holders</span> <span class=\"b\">owners by holdings</span></p>\n"
    ));
    frame::lines(
        page,
        &Frame {
            title: TITLE,
            up: "part that has at least so many (logarithmic)",
            up_ticks: up_ticks.collect(),
            across: "direct holders, or holdings (logarithmic)",
            across_ticks: across_ticks.collect(),
        },
        &drawn,
    );
    numbers(page, shape);
    page.push(format_args!("</figure>\n"));
}

/// `100%`, `10%`, `1%`, `0.1%`.
fn part_label(power: i32) -> String {
    match power {
        0 => "100%".to_owned(),
        1 => "10%".to_owned(),
        power => format!("{}%", 10_f64.powi(2 - power)),
    }
}

/// For each degree the part of all that has it or more; at most a few hundred points.
fn tail(degrees: &[(u64, u64)]) -> Vec<(u64, f64)> {
    const MOST: usize = 300;
    let all: u64 = degrees.iter().map(|&(_, count)| count).sum();
    let mut left = all;
    let mut points = Vec::with_capacity(degrees.len());
    for &(degree, count) in degrees {
        points.push((degree, left as f64 / all as f64));
        left -= count;
    }
    if points.len() > MOST {
        // Large degrees are many and far apart in number, not on the axis.
        let step = points.len().div_ceil(MOST);
        let last = points.len() - 1;
        let kept = points.into_iter().enumerate();
        return kept
            .filter(|(at, _)| *at < 100 || at % step == 0 || *at == last)
            .map(|(_, point)| point)
            .collect();
    }
    points
}

fn numbers(page: &mut Page, shape: &Shape) {
    let at_least = |degrees: &[(u64, u64)], least: u64| {
        let counts = degrees.iter().filter(|&&(degree, _)| degree >= least);
        counts.map(|&(_, count)| count).sum::<u64>()
    };
    page.push(format_args!(
        "<details>\n<summary>The numbers of this plot</summary>\n<table>\n<thead><tr>\
         <th scope=\"col\" class=\"number\">at least</th><th scope=\"col\" class=\"number\">companies by holders</th>\
         <th scope=\"col\" class=\"number\">owners by holdings</th></tr></thead>\n<tbody>\n"
    ));
    for least in [1, 2, 5, 10, 100, 1000, 10_000] {
        let (holders, holdings) = (at_least(&shape.holders, least), at_least(&shape.holdings, least));
        if holders + holdings > 0 {
            page.push(format_args!(
                "<tr><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
                grouped(least),
                grouped(holders),
                grouped(holdings)
            ));
        }
    }
    page.push(format_args!("</tbody>\n</table>\n</details>\n"));
}

/// The key numbers of the network, for the top of the page.
pub(super) fn figures(shape: &Shape) -> Vec<(&'static str, String)> {
    let mut figures = vec![("ultimate owners", grouped(shape.ultimate))];
    figures.extend(shape.undisclosed.map(|part| ("undisclosed, on average", percent(part))));
    figures
}
