//! What the spreadsheet promises, read back by another library.

use std::io::{Cursor, Read};

use calamine::{Data, DataType, Range, Reader, Xlsx};
use formats::{BlockBuilder, Cell, Kind};
use ownership::Finding;

use super::*;
use crate::{Holder, Holders, Member, Name, Ring, Rings, quality};

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

/// Rows that a file has room for here.
const MOST: u64 = 3_000;

/// The file of a result, with as many rows as it says.
fn file<'r>(count: u64, rows: impl IntoIterator<Item = (&'r str, &'r str, f64, u64)>, survey: &Survey) -> Vec<u8> {
    file_with(count, rows, survey, Labels::default())
}

fn file_with<'r>(
    count: u64,
    rows: impl IntoIterator<Item = (&'r str, &'r str, f64, u64)>,
    survey: &Survey,
    labels: Labels<'_>,
) -> Vec<u8> {
    let mut spreadsheet = Spreadsheet::with_most(&SCHEMA, "integrated", count, MOST, labels).unwrap();
    let mut builder = BlockBuilder::new(&SCHEMA);
    let mut previous = None;
    for (owner, owned, share, rank) in rows {
        if previous != Some(owned) {
            builder
                .company(owned)
                .unwrap()
                .iter()
                .for_each(|block| spreadsheet.add(block).unwrap());
            previous = Some(owned);
        }
        let full = builder
            .row(&[Cell::Text(owner), Cell::Number(share), Cell::Count(rank)])
            .unwrap();
        full.iter().for_each(|block| spreadsheet.add(block).unwrap());
    }
    builder
        .finish()
        .iter()
        .for_each(|block| spreadsheet.add(block).unwrap());
    let mut summary = Summary {
        job: serde_json::json!({"type": "integrated-ownership", "parameters": {"floor": 0.25, "x": "=1+1"}}),
        ..Summary::default()
    };
    summary.input.name = Some("=cmd.csv".to_owned());
    summary.quality = quality([Finding {
        code: "zero_share".to_owned(),
        count: 7,
        examples: vec!["=A of B".to_owned(), "C of D".to_owned()],
        action: "dropped".to_owned(),
    }]);
    spreadsheet
        .finish("Integrated ownership", &summary, survey, 1_700_000_000)
        .unwrap()
}

fn sheet(bytes: &[u8], name: &str) -> Range<Data> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
    workbook.worksheet_range(name).unwrap()
}

fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn string(text: &str) -> Data {
    Data::String(text.to_owned())
}

fn survey() -> Survey {
    let member = |id: &str| Member {
        name: Name::of(id),
        amplification: Some(1.25),
        undisclosed: Some(0.5),
    };
    Survey {
        rings: Some(Rings {
            shown: vec![Ring {
                number: 1,
                size: 2,
                group: None,
                members: vec![member("=Foo"), member("Bar")],
            }],
            count: 1,
            ..Rings::default()
        }),
        holders: Some(Holders {
            measure: "control".to_owned(),
            whole: 4.0,
            count: 1,
            rows: vec![Holder {
                name: Name::of("A"),
                value: 3.0,
                cumulative: 3.0,
            }],
            ..Holders::default()
        }),
        ..Survey::default()
    }
}

#[test]
fn text_stays_text_and_numbers_are_numbers() {
    let rows = [
        ("=cmd|'/c calc'!A0", "+Bar", 0.198_795_180_722, 1),
        ("@A", "-Foo", f64::NAN, 2),
    ];
    let bytes = file(2, rows, &survey());
    let owners = sheet(&bytes, "Owners");
    assert_eq!(owners.get_value((0, 2)), Some(&string("integrated")));
    assert_eq!(owners.get_value((1, 0)), Some(&string("=cmd|'/c calc'!A0")));
    assert_eq!(owners.get_value((1, 1)), Some(&string("+Bar")));
    assert_eq!(owners.get_value((1, 2)), Some(&Data::Float(0.198_795_180_722)));
    assert_eq!(owners.get_value((2, 0)), Some(&string("@A")));
    // What is not defined is an empty cell.
    assert_eq!(owners.get_value((2, 2)), Some(&Data::Empty));
    assert_eq!(owners.get_value((2, 3)), Some(&Data::Float(2.0)));
    let quality = sheet(&bytes, "Quality");
    assert_eq!(quality.get_value((1, 1)), Some(&Data::Float(7.0)));
    assert_eq!(quality.get_value((1, 3)), Some(&string("=A of B")));
    assert_eq!(sheet(&bytes, "Rings").get_value((1, 3)), Some(&string("=Foo")));
    assert_eq!(sheet(&bytes, "Holders").get_value((1, 4)), Some(&Data::Float(0.75)));
    let summary = sheet(&bytes, "Summary");
    let value = |term: &str| {
        let row = summary.rows().find(|row| row[0] == string(term));
        row.unwrap_or_else(|| panic!("no {term}"))[1].clone()
    };
    assert_eq!(value("file"), string("=cmd.csv"));
    assert_eq!(value("parameter x"), string("=1+1"));
    assert_eq!(value("parameter floor"), Data::Float(0.25));
    assert_eq!(value("Owners"), string("all 2 rows of the result"));
    for name in [
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
        "xl/worksheets/sheet3.xml",
    ] {
        assert!(!part(&bytes, name).contains("<f>"), "{name} has a formula");
    }
}

#[test]
fn sheets_have_filters_a_head_that_stays_and_percents() {
    let bytes = file(1, [("A", "Bar", 0.5, 1)], &survey());
    for number in 2..=5 {
        let xml = part(&bytes, &format!("xl/worksheets/sheet{number}.xml"));
        assert!(
            xml.contains("<autoFilter ") && xml.contains("state=\"frozen\""),
            "{xml}"
        );
    }
    assert!(part(&bytes, "xl/styles.xml").contains("formatCode=\"0.00%\""));
    assert!(part(&bytes, "docProps/core.xml").contains("2023-11-14T22:13:20Z"));
}

#[test]
fn one_result_makes_the_same_bytes() {
    let make = || file(1, [("A", "Bar", 0.5, 1)], &survey());
    assert!(make() == make());
}

#[test]
fn a_result_of_middle_size_is_whole() {
    let names: Vec<String> = (0..SMALL + 1).map(|row| format!("{row:06}")).collect();
    let rows = names.iter().map(|name| ("A", name.as_str(), 0.5, 1));
    let owners = sheet(&file(SMALL + 1, rows, &Survey::default()), "Owners");
    assert_eq!(owners.height() as u64, SMALL + 2);
    assert_eq!(owners.get_value((2001, 1)), Some(&string("002000")));
}

#[test]
fn of_too_many_rows_the_largest_are_kept_and_that_is_said() {
    let count = 2 * MOST + 10;
    let names: Vec<String> = (0..count).map(|row| format!("{row:06}")).collect();
    // Each value twice, in no order.
    let value = |row: u64| ((row / 2) * 7919 % (count / 2)) as f64 / count as f64;
    let rows = (0..)
        .zip(&names)
        .map(|(row, name)| ("A", name.as_str(), value(row), row));
    let bytes = file(count, rows, &Survey::default());
    let owners = sheet(&bytes, "Owners");
    assert_eq!(owners.height() as u64, MOST + 1);
    let kept: Vec<f64> = owners.rows().skip(1).filter_map(|row| row[2].get_float()).collect();
    let mut wanted: Vec<f64> = (0..count).map(value).collect();
    wanted.sort_by(|a, b| b.total_cmp(a));
    wanted.truncate(kept.len());
    assert_eq!(kept, wanted);
    let summary = sheet(&bytes, "Summary");
    let told = summary.rows().find(|row| row[0] == string("Owners")).unwrap()[1].to_string();
    assert!(
        told.starts_with("the 3,000 of 6,010 rows with the largest values of integrated"),
        "{told}"
    );
}

#[test]
fn a_text_that_is_too_long_is_cut() {
    let long = format!("{}𝄞{}", "a".repeat(31_999), "b".repeat(20_000));
    let mut survey = survey();
    if let Some(rings) = &mut survey.rings {
        rings.shown[0].members[0].name.label = long;
    }
    let bytes = file(1, [("A", "Bar", 0.5, 1)], &survey);
    let cell = sheet(&bytes, "Rings").get_value((1, 4)).unwrap().to_string();
    // The character that would stand across the end is left out whole.
    assert_eq!(cell, format!("{}…", "a".repeat(31_999)));
}

struct Known;

impl crate::Lookup for Known {
    fn label(&self, id: &str) -> Option<&str> {
        (id == "P1").then_some("=Ada <Lind>")
    }
}

#[test]
fn names_stand_beside_ids() {
    let rows = [("P1", "C1", 0.5, 1), ("P2", "P1", 0.25, 2)];
    for count in [2, SMALL + 1, MOST + 1] {
        let file = file_with(count, rows, &Survey::default(), Labels::of(&Known));
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file)).unwrap();
        let sheet = book.worksheet_range("Owners").unwrap();
        let row = |row: usize| (0..5).map(|column| text(&sheet, row, column)).collect::<Vec<_>>();
        assert_eq!(
            row(0),
            ["owner", "name of owner", "owned", "name of owned", "integrated"]
        );
        assert_eq!(row(1)[..4], ["P1", "=Ada <Lind>", "C1", ""]);
        assert_eq!(row(2)[..4], ["P2", "", "P1", "=Ada <Lind>"]);
    }
}

fn text(sheet: &Range<Data>, row: usize, column: usize) -> String {
    sheet.get((row, column)).map(ToString::to_string).unwrap_or_default()
}
