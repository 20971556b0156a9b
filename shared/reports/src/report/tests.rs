//! What the page promises.

use formats::{BlockBuilder, Cell, Column, Kind, Schema};
use ownership::Finding;
use serde_json::json;

use super::*;
use crate::summary::{Balance, Group, Input, LeftOut, Measure, Measures, ResultSize, Stages, quality};
use crate::{Plot, TOP_ROWS};

static SCHEMA: Schema = Schema {
    key: 1,
    columns: &[
        Column {
            name: "owner",
            kind: Kind::Text,
            unit: "",
            description: "who holds",
        },
        Column {
            name: "owned",
            kind: Kind::Text,
            unit: "",
            description: "what is held",
        },
        Column {
            name: "integrated",
            kind: Kind::Number,
            unit: "fraction",
            description: "direct and indirect",
        },
        Column {
            name: "rank",
            kind: Kind::Count,
            unit: "",
            description: "by size",
        },
    ],
};

fn highlights(rows: &[(&str, &str, f64)]) -> Highlights {
    let plot = Plot::Histogram {
        column: "integrated",
        title: "How large the stakes are",
    };
    let mut highlights = Highlights::new(&SCHEMA, plot, "integrated").unwrap();
    let mut builder = BlockBuilder::new(&SCHEMA);
    let mut blocks = Vec::new();
    for (number, (owner, owned, share)) in rows.iter().enumerate() {
        blocks.extend(builder.company(&format!("{number:06}{owned}")).unwrap());
        blocks.extend(
            builder
                .row(&[Cell::Text(owner), Cell::Number(*share), Cell::Count(number as u64)])
                .unwrap(),
        );
    }
    blocks.extend(builder.finish());
    blocks.iter().for_each(|block| highlights.add(block).unwrap());
    highlights
}

fn page(summary: &Summary, highlights: &Highlights) -> String {
    report_html(&Report {
        title: "Integrated <ownership>",
        version: "0.1.0",
        summary,
        schema: &SCHEMA,
        highlights,
        curve: None,
        formulas: &[Formula {
            name: "integrated",
            formula: "T = V − I",
            meaning: "direct & indirect",
        }],
        references: &[Reference {
            text: "Brioschi, Buzzacchi, Colombo 1989",
            url: Some("https://doi.org/10.1016/0378-4266(89)90020-0"),
        }],
    })
}

/// A summary in which every text is `name`, and every list has `length` entries.
fn filled(name: &str, length: usize) -> Summary {
    let names = || vec![name.to_owned(); length];
    let finding = |number| Finding {
        code: format!("{number}{name}"),
        count: 1 << 40,
        examples: names(),
        action: name.to_owned(),
    };
    Summary {
        job: json!({"type": name, "id": name, "parameters": (0..length).map(|n| (format!("{n}{name}"), name.into())).collect::<serde_json::Map<_, _>>()}),
        input: Input {
            format: name.to_owned(),
            name: Some(name.to_owned()),
            sha256: name.to_owned(),
            bytes: 2048,
            companies: 5,
            stakes: 7,
        },
        quality: quality((0..length).map(finding)),
        components: crate::Components {
            count: 2500,
            largest: 1318,
            closed: (0..length)
                .map(|_| Group {
                    name: name.to_owned(),
                    members: names(),
                })
                .collect(),
        },
        residual: 2.5e-16,
        left_out: LeftOut {
            pairs: 12_345,
            mass: 0.75,
            floor: 0.0001,
        },
        balance: Some(Balance {
            largest_error: 1e-15,
            checked: 5,
            unchecked: 2,
        }),
        stages: Stages((0..length).map(|_| (name.to_owned(), 0.25)).collect()),
        result: ResultSize {
            rows: 1_000_000,
            companies: 5,
        },
        measures: Measures::default(),
    }
}

#[test]
fn figures_of_the_result_as_a_whole_are_told_with_their_meaning() {
    let mut summary = filled("a", 1);
    assert!(!serde_json::to_string(&summary).unwrap().contains("measures"));
    let measure = |name, value, meaning| Measure { name, value, meaning };
    summary.measures = Measures(vec![
        measure("shortfall", json!(0.25), "what is not paid"),
        measure("defaults", json!(12_345), "who pays less"),
    ]);
    let html = page(&summary, &highlights(&[("a", "b", 0.5)]));
    assert!(
        html.contains("<dt>shortfall</dt><dd>0.25: what is not paid</dd>"),
        "{html}"
    );
    let json = serde_json::to_string(&summary).unwrap();
    assert!(
        json.contains(r#""measures":{"shortfall":0.25,"defaults":12345}"#),
        "{json}"
    );
}

#[test]
fn names_are_text_and_nothing_is_fetched_or_run() {
    let hostile = "<script src='https://x'>\"&\u{202e}</script><img onerror=alert(1)>";
    let html = page(&filled(hostile, 3), &highlights(&[(hostile, hostile, 0.5)]));
    let allowed = [
        "!DOCTYPE",
        "article",
        "body",
        "br",
        "code",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "g",
        "h1",
        "h2",
        "h3",
        "head",
        "html",
        "li",
        "line",
        "link",
        "main",
        "meta",
        "p",
        "rect",
        "section",
        "span",
        "strong",
        "style",
        "summary",
        "svg",
        "table",
        "tbody",
        "td",
        "text",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
    ];
    for tag in tags(&html) {
        let mut words = tag.trim_start_matches('/').split_ascii_whitespace();
        let name = words.next().unwrap();
        assert!(allowed.contains(&name), "{tag}");
        for attribute in words {
            assert!(
                !attribute.starts_with("on") && !attribute.starts_with("src=") && !attribute.starts_with("style="),
                "{tag}"
            );
            assert!(
                !attribute.starts_with("href=") || attribute == "href=\"data:,\"",
                "{tag}"
            );
        }
    }
    let style = include_str!("style.css");
    assert!(!style.contains("url(") && !style.contains("@import"));
    assert!(html.contains("&lt;script"));
    assert!(html.contains("default-src 'none'"));
}

/// What stands between `<` and `>`.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).map(|rest| rest.split_once('>').unwrap().0)
}

#[test]
fn every_element_that_opens_closes() {
    let html = page(&filled("x < y", 50), &highlights(&[("a", "b", 0.5)]));
    let mut open = Vec::new();
    for tag in tags(&html) {
        let name = tag.split([' ', '\n']).next().unwrap();
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed));
        } else if !tag.ends_with('/') && !["!DOCTYPE", "meta", "link", "br"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_largest_input_stays_below_the_limit() {
    let long = "\"&".repeat(400);
    let id = "\"".repeat(500);
    let rows: Vec<_> = (0..300)
        .map(|n| (id.as_str(), id.as_str(), f64::from(n) / 300.0))
        .collect();
    let html = page(&filled(&long, 100), &highlights(&rows));
    assert!(html.len() <= MAX_REPORT_BYTES, "{}", html.len());
}

#[test]
fn what_was_cut_is_said() {
    let rows: Vec<_> = (0..70).map(|n| ("A", "c", f64::from(n) / 70.0)).collect();
    let html = page(&filled("x", 60), &highlights(&rows));
    for statement in [
        "The first 40 of 60 members are shown; summary.json has them all.",
        "The first 25 of 60 closed groups are shown; summary.json has them all.",
        "The first 40 of 60 kinds of findings are shown",
        "10 of 1,099,511,627,776 are listed.",
        "The 50 largest of 70 rows are shown",
    ] {
        assert!(html.contains(statement), "{statement}");
    }
    let rows = html
        .split("<div class=\"scroll\"")
        .nth(1)
        .unwrap()
        .split("</div>")
        .next()
        .unwrap();
    assert_eq!(rows.matches("<tr><td>").count(), TOP_ROWS);
}

#[test]
fn sections_come_in_order_and_hold_what_they_promise() {
    let html = page(&filled("x", 1), &highlights(&[("A", "Bar", 0.198_795_180_722)]));
    let mut rest = html.as_str();
    for part in [
        "What was calculated",
        "SHA-256",
        "Companies",
        "Parameters and policies",
        "Quality of the data",
        "What was done",
        "<svg",
        "integrated (fraction)",
        "rows of the result (count)",
        "0.198795",
        "Rings and closed groups",
        "2,500 rings",
        "1,318 members",
        "Method",
        "T = V − I",
        "2.5e-16",
        "within 1e-15 for 5 companies; 2 could not",
        "0.0001",
        "12,345 pairs",
        "0.250 s",
        "0.1.0",
    ] {
        rest = rest
            .split_once(part)
            .unwrap_or_else(|| panic!("{part} is missing or too early"))
            .1;
    }
}

#[test]
fn an_empty_result_has_a_page_too() {
    let html = page(&Summary::default(), &highlights(&[]));
    assert!(html.contains("The result has no rows.") && !html.contains("<svg"));
    assert!(html.contains("Nothing was found wrong with the data."));
    assert!(html.contains("No companies hold each other in a ring."));
}

#[test]
fn a_result_without_values_says_so() {
    let html = page(&Summary::default(), &highlights(&[("A", "Bar", f64::NAN)]));
    assert!(html.contains("No row has a value of integrated.") && html.contains("1 rows have no value"));
}
