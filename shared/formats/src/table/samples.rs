//! Tables for tests.

use proptest::prelude::*;

use super::{Block, BlockBuilder, Cell, Column, Kind, Schema};

pub(super) static SCHEMA: Schema = Schema {
    key: 1,
    columns: &[
        Column {
            name: "owner",
            kind: Kind::Text,
            unit: "",
            description: "",
        },
        Column {
            name: "owned",
            kind: Kind::Text,
            unit: "",
            description: "",
        },
        Column {
            name: "share",
            kind: Kind::Number,
            unit: "fraction",
            description: "",
        },
        Column {
            name: "rank",
            kind: Kind::Count,
            unit: "",
            description: "",
        },
    ],
};

/// A row of [`SCHEMA`]: owner, owned, share, rank.
pub(super) type Sample = (String, String, f64, u64);

/// Rows sorted by company.
pub(super) fn build(rows: &[Sample]) -> Vec<Block> {
    let mut builder = BlockBuilder::new(&SCHEMA);
    let mut blocks = Vec::new();
    let mut last = None;
    for (owner, owned, share, rank) in rows {
        if last != Some(owned) {
            blocks.extend(builder.company(owned).unwrap());
            last = Some(owned);
        }
        blocks.extend(
            builder
                .row(&[Cell::Text(owner), Cell::Number(*share), Cell::Count(*rank)])
                .unwrap(),
        );
    }
    blocks.extend(builder.finish());
    blocks
}

/// The rows of blocks, as [`build`] takes them.
pub(super) fn rows(blocks: &[Block]) -> Vec<Sample> {
    let row = |row: super::Row<'_>| match [row.cell(0), row.cell(1), row.cell(2)] {
        [Cell::Text(owner), Cell::Number(share), Cell::Count(rank)] => {
            (owner.to_owned(), row.company.to_owned(), share, rank)
        }
        cells => panic!("cells of other kinds: {cells:?}"),
    };
    blocks.iter().flat_map(|block| block.rows().map(row)).collect()
}

/// The same with the bits of numbers, which are equal to themselves.
pub(super) fn bits(blocks: &[Block]) -> Vec<(String, String, u64, u64)> {
    let rows = rows(blocks).into_iter();
    rows.map(|(owner, owned, share, rank)| (owner, owned, share.to_bits(), rank))
        .collect()
}

pub(super) fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        0.0..=1.0,
        any::<f64>().prop_filter("finite", |number| number.is_finite()),
        Just(f64::NAN)
    ]
}

pub(super) fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", "[ -~]{1,12}", "[aé√漢😀 ]{1,12}", "[,\";\n\r=]{1,4}"]
}

pub(super) fn any_rows() -> impl Strategy<Value = Vec<Sample>> {
    prop::collection::vec((any_text(), any_text(), any_number(), any::<u64>()), 1..30).prop_map(|mut rows| {
        rows.sort_by(|a, b| a.1.cmp(&b.1));
        rows
    })
}

pub(super) fn any_block() -> impl Strategy<Value = Block> {
    any_rows().prop_map(|rows| build(&rows).remove(0))
}
