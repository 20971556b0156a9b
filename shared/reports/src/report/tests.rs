//! What the page promises.

use formats::{BlockBuilder, Cell, Column, Kind, Schema};
use ownership::Finding;
use serde_json::json;

use super::*;
use crate::summary::{Balance, Group, Input, LeftOut, Measure, Measures, ResultSize, Stages, quality};
use crate::{
    Chain, Companies, Company, Curve, Edge, Holder, Holders, Member, Name, Node, Owner, Picture, Plot, Ring, Rings,
    Role, Shape, TOP_ROWS,
};

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
    page_with(summary, highlights, &Survey::default())
}

fn page_with(summary: &Summary, highlights: &Highlights, survey: &Survey) -> String {
    report_html(&Report {
        title: "Integrated <ownership>",
        version: "0.1.0",
        summary,
        schema: &SCHEMA,
        highlights,
        survey,
        labels: Labels::of(&Known),
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
            floor: Some(0.0001),
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

/// A ring of which that many members are shown.
fn ring(name: &Name, number: u64, length: usize) -> Ring {
    Ring {
        number,
        size: 100,
        group: None,
        members: vec![
            Member {
                name: name.clone(),
                amplification: Some(1.5),
                undisclosed: Some(0.1),
            };
            length
        ],
    }
}

/// A survey in which every name is `name`, and every list has `length` entries.
fn surveyed(name: &str, length: usize) -> Survey {
    let named = || Name {
        id: name.to_owned(),
        label: format!("{name} Inc."),
    };
    let many = length as u64;
    let chain = || Chain {
        steps: vec![(named(), 0.33); length.min(30)],
        product: 0.011,
    };
    let owner = || Owner {
        name: named(),
        integrated: 0.25,
        direct: 0.125,
        chains: vec![chain(); length.min(5)],
        further: (3, 0.01),
        rest: 0.02,
        complete: true,
    };
    let roles = [Role::Company, Role::Ultimate, Role::Between, Role::Holding];
    let company = || Company {
        name: named(),
        why: name.to_owned(),
        owners: vec![owner(); length.min(10)],
        others: (17, 0.03),
        undisclosed: Some(0.125),
        column_sum: 1.5,
        amplification: Some(1.25),
        ring: 7,
        picture: Picture {
            nodes: (0..length.min(50))
                .map(|at| Node {
                    name: named(),
                    role: roles[at.min(1) * (1 + at % 3)],
                    share: 0.5,
                })
                .collect(),
            edges: (1..length.min(50))
                .flat_map(|at| [(at, at - 1), (at, 0), (0, at)])
                .map(|(owner, owned)| Edge {
                    owner,
                    owned,
                    share: 0.3,
                })
                .collect(),
            more_above: 5,
            more_below: 6,
        },
        ..Company::default()
    };
    Survey {
        holders: Some(Holders {
            title: "Top holders".to_owned(),
            explained: name.to_owned(),
            measure: name.to_owned(),
            whole: 2.0,
            rows: vec![
                Holder {
                    name: named(),
                    value: 1.0,
                    cumulative: 1.0,
                };
                length
            ],
            count: many + 5,
            curve: Curve::new(name, name, vec![0.5; length]),
        }),
        companies: Some(Companies {
            all: many + 900,
            chosen_by: name.to_owned(),
            share: "share".to_owned(),
            rows_title: name.to_owned(),
            rows_columns: vec!["owner", "integrated"],
            shown: vec![company(); length],
        }),
        rings: Some(Rings {
            shown: (1..=many).map(|number| ring(&named(), number, length)).collect(),
            count: many,
            sizes: (2..2 + many).map(|size| (size, 1)).collect(),
            own_shares: 3,
        }),
        shape: Some(Shape {
            positions: [1, 2, 3, 4, 5, 6],
            holders: (1..=many).map(|degree| (degree, 5)).collect(),
            holdings: (1..=many).map(|degree| (degree * 3, 5)).collect(),
            ultimate: 9,
            undisclosed: Some(0.125),
        }),
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
    let watched = highlights(&[(hostile, hostile, 0.5)]);
    let html = page_with(&filled(hostile, 3), &watched, &surveyed(hostile, 3));
    let allowed = [
        "!DOCTYPE",
        "a",
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
        "h4",
        "head",
        "header",
        "html",
        "li",
        "line",
        "link",
        "main",
        "meta",
        "nav",
        "p",
        "path",
        "polygon",
        "polyline",
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
        let name = tag.trim_start_matches('/').split_ascii_whitespace().next().unwrap();
        assert!(allowed.contains(&name), "{tag}");
        // What is between quotes is text; a quote in it is escaped.
        let parts: Vec<&str> = tag.split('"').collect();
        for attribute in parts.chunks(2) {
            let key = attribute[0].split_ascii_whitespace().last().unwrap_or("");
            assert!(
                !key.starts_with("on") && !key.starts_with("src=") && !key.starts_with("style="),
                "{tag}"
            );
            let value = attribute.get(1).copied().unwrap_or("");
            assert!(key != "href=" || value == "data:," || value.starts_with('#'), "{tag}");
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
    let html = page_with(
        &filled("x < y", 50),
        &highlights(&[("a", "b", 0.5)]),
        &surveyed("x < y", 20),
    );
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
    let html = page_with(&filled(&long, 100), &highlights(&rows), &surveyed(&long, 100));
    assert!(html.len() <= MAX_REPORT_BYTES, "{}", html.len());
    assert!(html.contains("were chosen and left out, because a report has at most 2 MB"));
    assert!(html.contains("</html>"));
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
    let html = page_with(
        &filled("x", 1),
        &highlights(&[("A", "Bar", 0.198_795_180_722)]),
        &surveyed("y", 1),
    );
    let mut rest = html.as_str();
    for part in [
        "What was calculated",
        "SHA-256",
        "Companies",
        "Parameters and policies",
        "Quality of the data",
        "What was done",
        "Top holders</h2>",
        "Who owns what, through what",
        "is undisclosed",
        "through cycles",
        "Rings and closed groups",
        "2,500 rings",
        "1,318 members",
        "Structure</h2>",
        "Result</h2>",
        "<svg",
        "integrated (fraction)",
        "rows of the result (count)",
        "19.88%",
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

/// Foo and Bar hold shares of each other; A, B and C hold the rest.
fn small() -> Survey {
    let share = |id: &str, integrated, direct, steps: &[(&str, f64)], rest| Owner {
        name: Name::of(id),
        integrated,
        direct,
        chains: vec![Chain {
            steps: steps.iter().map(|&(id, share)| (Name::of(id), share)).collect(),
            product: steps.iter().map(|(_, share)| share).product(),
        }],
        rest,
        complete: true,
        ..Owner::default()
    };
    let node = |id: &str, role, share| Node {
        name: Name::of(id),
        role,
        share,
    };
    let edge = |owner, owned, share| Edge { owner, owned, share };
    Survey {
        companies: Some(Companies {
            all: 1,
            share: "share".to_owned(),
            rows_title: "All holders".to_owned(),
            rows_columns: vec!["owner", "integrated"],
            shown: vec![Company {
                name: Name {
                    id: "Bar".to_owned(),
                    label: "Bar & Sons".to_owned(),
                },
                owners: vec![
                    share("B", 0.602_409_638_554, 0.5, &[("B", 0.5)], 0.102_409_638_554),
                    share(
                        "A",
                        0.198_795_180_722,
                        0.0,
                        &[("A", 0.33), ("Foo", 0.5)],
                        0.033_795_180_722,
                    ),
                ],
                others: (1, 0.098_795_180_722),
                undisclosed: Some(0.1),
                undisclosed_directly: 0.0,
                column_sum: 1.0,
                amplification: Some(1.204_819_277_1),
                ring: 2,
                holders: 2,
                holdings: 1,
                picture: Picture {
                    nodes: vec![
                        node("Bar", Role::Company, 1.2),
                        node("B", Role::Ultimate, 0.6),
                        node("A", Role::Ultimate, 0.2),
                        node("Foo", Role::Between, 0.6),
                    ],
                    edges: vec![edge(1, 0, 0.5), edge(3, 0, 0.5), edge(2, 3, 0.33), edge(0, 3, 0.34)],
                    ..Picture::default()
                },
                ..Company::default()
            }],
            ..Companies::default()
        }),
        ..Survey::default()
    }
}

#[test]
fn the_page_of_a_small_network() {
    let rows = [("B", "Bar", 0.602_409_638_554), ("A", "Bar", 0.198_795_180_722)];
    let mut summary = filled("x", 1);
    summary.input.name = Some("edges.csv".to_owned());
    let watched = highlights(&rows).with_excerpts(["000000Bar".to_owned()]);
    let html = page_with(&summary, &watched, &small());
    let (before, rest) = html.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    insta::assert_snapshot!(format!("{before}{after}"));
}

#[test]
fn chains_and_sums_of_a_company_are_told() {
    let html = page_with(&Summary::default(), &highlights(&[]), &small());
    for told in [
        "<h3>Bar &amp; Sons <span class=\"id\">Bar</span></h3>",
        "stand 3 ultimate owners, <strong>B</strong> with the most: 60.24%.",
        "10.00% of it is undisclosed",
        "ring of 2 companies, which multiplies what is held of it by 1.2048",
        "A <span class=\"step\" title=\"0.33\">33.00% →</span> Foo <span class=\"step\" title=\"0.5\">50.00% →</span> Bar &amp; Sons",
        "A, through cycles</td><td class=\"number\" title=\"0.033795180722\">3.38%",
        "undisclosed</td><td class=\"number\" title=\"0.1\">10.00%",
    ] {
        assert!(html.contains(told), "{told}");
    }
}

struct Known;

impl crate::Lookup for Known {
    fn label(&self, id: &str) -> Option<&str> {
        match id {
            "P1" => Some("<b>Ada</b>"),
            "000000C1" => Some("Norda AB"),
            _ => None,
        }
    }
}

#[test]
fn rows_of_the_result_show_names_with_their_ids() {
    let page = page(&Summary::default(), &highlights(&[("P1", "C1", 0.5)]));
    assert!(
        page.contains("<td>&lt;b&gt;Ada&lt;/b&gt; <span class=\"id\">P1</span></td>"),
        "{page}"
    );
    assert!(
        page.contains("<td>Norda AB <span class=\"id\">000000C1</span></td>"),
        "{page}"
    );
}

#[test]
fn chains_in_words_are_told_by_names() {
    let told = Labels::of(&Known).chains("P1 > \"A; B\" > 000000C1 0.18; through cycles 0.002");
    assert_eq!(told, ["<b>Ada</b> → A; B → Norda AB 18.00%", "through cycles 0.20%"]);
}

#[test]
fn a_floor_is_told_only_where_there_is_one() {
    let with = |floor| {
        let left_out = LeftOut {
            floor,
            ..LeftOut::default()
        };
        let summary = Summary {
            left_out,
            ..Summary::default()
        };
        page(&summary, &highlights(&[]))
    };
    assert!(with(Some(0.0)).contains("<dt>Floor</dt><dd>0</dd>"));
    assert!(!with(None).contains("Floor") && !with(None).contains("Left out"));
}
