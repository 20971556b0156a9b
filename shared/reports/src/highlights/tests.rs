//! What is kept of a result.

use formats::{BlockBuilder, Cell};

use super::*;

static SCHEMA: Schema = Schema {
    key: 0,
    columns: &[
        Column {
            name: "company",
            kind: Kind::Text,
            unit: "",
            description: "",
        },
        Column {
            name: "position",
            kind: Kind::Text,
            unit: "",
            description: "",
        },
        Column {
            name: "size",
            kind: Kind::Count,
            unit: "companies",
            description: "",
        },
        Column {
            name: "share",
            kind: Kind::Number,
            unit: "fraction",
            description: "",
        },
    ],
};

const COUNTS: Plot = Plot::Counts {
    column: "position",
    title: "Positions",
};

fn fed(plot: Plot, top_by: &str, rows: impl Iterator<Item = (String, u64, f64)>) -> Highlights {
    let mut highlights = Highlights::new(&SCHEMA, plot, top_by).unwrap();
    let mut builder = BlockBuilder::new(&SCHEMA);
    for (number, (position, size, share)) in rows.enumerate() {
        let filled = builder.company(&format!("c{number:06}")).unwrap();
        filled.iter().for_each(|block| highlights.add(block).unwrap());
        let filled = builder
            .row(&[Cell::Text(&position), Cell::Count(size), Cell::Number(share)])
            .unwrap();
        filled.iter().for_each(|block| highlights.add(block).unwrap());
    }
    builder.finish().iter().for_each(|block| highlights.add(block).unwrap());
    highlights
}

#[test]
fn the_largest_rows_are_kept_in_order_and_of_equals_the_first() {
    let rows = (0..10_000_u64).map(|n| {
        (
            String::from("in"),
            n,
            if n % 100 == 7 { f64::NAN } else { (n % 97) as f64 / 97.0 },
        )
    });
    let highlights = fed(COUNTS, "share", rows);
    let expected: Vec<String> = (0..10_000_u64)
        .filter(|n| n % 97 == 96 && n % 100 != 7)
        .take(TOP_ROWS)
        .map(|n| format!("c{n:06}"))
        .collect();
    let found: Vec<&str> = highlights.top().iter().map(|row| row.company.as_str()).collect();
    assert_eq!(found, expected);
    assert_eq!(highlights.rows(), 10_000);
    let by_count = fed(COUNTS, "size", (0..200).map(|n| (String::from("in"), n, 0.5)));
    assert_eq!(by_count.top()[0].cells[1], OwnedCell::Count(199));
}

#[test]
fn values_are_counted_and_the_rare_ones_together() {
    let rows = (0..1000_u64).map(|n| (format!("p{}", if n < 900 { n % 3 } else { n % 20 }), 1, 0.5));
    let (bars, note) = fed(COUNTS, "share", rows).bars();
    assert_eq!(bars.len(), 13);
    assert_eq!((bars[0].label.as_str(), bars[0].count), ("p0", 305));
    assert_eq!((bars[12].label.as_str(), bars[12].count), ("all others", 40));
    assert!(note.contains("40 rows with 8 others"), "{note}");
    assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 1000);
}

#[test]
fn endless_values_are_counted_in_bounded_memory() {
    let (bars, note) = fed(COUNTS, "share", (0..9000_u64).map(|n| (format!("p{n}"), 1, 0.5))).bars();
    assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 9000);
    assert!(note.contains("many others"), "{note}");
}

#[test]
fn counts_have_a_histogram_too() {
    let plot = Plot::Histogram {
        column: "size",
        title: "Sizes",
    };
    let (bars, _) = fed(
        plot,
        "size",
        [1, 1, 2, 1318].into_iter().map(|size| (String::new(), size, 0.0)),
    )
    .bars();
    assert_eq!((bars[0].label.as_str(), bars[0].count), ("1000–2000", 1));
    assert_eq!(
        (bars.last().unwrap().label.as_str(), bars.last().unwrap().count),
        ("0.5–1", 2)
    );
}

#[test]
fn columns_that_cannot_be_shown_are_refused() {
    let histogram = |column| Plot::Histogram { column, title: "" };
    assert!(Highlights::new(&SCHEMA, histogram("position"), "share").is_err());
    assert!(Highlights::new(&SCHEMA, histogram("none"), "share").is_err());
    assert!(
        Highlights::new(
            &SCHEMA,
            Plot::Counts {
                column: "company",
                title: ""
            },
            "share"
        )
        .is_err()
    );
    let error = Highlights::new(&SCHEMA, COUNTS, "position").unwrap_err();
    assert_eq!(
        error.to_string(),
        "show column \"position\" in the report: the result has no such column of numbers"
    );
}

#[test]
fn a_block_of_another_schema_is_refused() {
    assert!(
        Highlights::new(&SCHEMA, COUNTS, "share")
            .unwrap()
            .add(&Block::default())
            .is_err()
    );
}
