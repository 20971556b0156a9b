//! From rows to blocks of a bounded size.
//!
//! The size of a block is bounded before it is compressed, so that the bound holds for any content and needs no trial:
//! each name, text and value is counted at the most that postcard takes for it. A block is closed one row before that
//! bound, which leaves room for the row that did not fit to travel with the rows of its company.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::codec::MAX_PLAIN_BYTES;
use super::{Block, BlockError, Cell, Schema, Values};

/// The most bytes of one row or one company's name: far above any id, to be kept in mind for columns of free text.
pub const MAX_ROW_BYTES: usize = 8 << 10;

/// Where a block is closed.
const FULL: usize = MAX_PLAIN_BYTES - MAX_ROW_BYTES;

/// The most bytes of a length, an index or a count in postcard, for what fits into a block.
const LENGTH: usize = 3;
const COUNT: usize = 5;

/// Cuts a stream of rows into blocks.
///
/// Each company is announced by [`company`](Self::company) and then given its rows; both yield the block that this
/// filled, if it did. Rows cost no allocation but for texts that are new to the block.
pub struct BlockBuilder<'s> {
    schema: &'s Schema,
    block: Block,
    /// For every text column the positions of its dictionary by hash.
    lookups: Vec<HashTable<u32>>,
    hasher: DefaultHashBuilder,
    /// An upper bound of the block's size in postcard.
    size: usize,
    base: usize,
}

impl<'s> BlockBuilder<'s> {
    /// A builder of blocks for results of this shape.
    pub fn new(schema: &'s Schema) -> Self {
        let columns: Vec<Values> = schema.values().map(|column| Values::empty(column.kind)).collect();
        let base = 3 * LENGTH + columns.len() * (1 + 2 * LENGTH);
        Self {
            schema,
            lookups: columns.iter().map(|_| HashTable::new()).collect(),
            block: Block {
                columns,
                ..Block::default()
            },
            hasher: DefaultHashBuilder::default(),
            size: base,
            base,
        }
    }

    /// Begins a company, which need not get rows.
    ///
    /// # Errors
    ///
    /// [`BlockError::OutOfOrder`] unless it comes after the last one by its bytes, [`BlockError::RowTooLarge`] if its
    /// name alone is over [`MAX_ROW_BYTES`].
    pub fn company(&mut self, name: &str) -> Result<Option<Block>, BlockError> {
        if let Some(previous) = self.block.companies.last()
            && name <= previous.as_str()
        {
            return Err(BlockError::OutOfOrder {
                previous: shorten(previous),
                company: shorten(name),
            });
        }
        let bytes = name.len() + LENGTH + COUNT;
        if bytes > MAX_ROW_BYTES {
            return Err(BlockError::RowTooLarge {
                company: shorten(name),
                bytes,
            });
        }
        let full = (self.size + bytes > FULL).then(|| self.take());
        self.begin(name.to_owned());
        Ok(full)
    }

    /// Adds a row to the company begun last: its cells without the key, in the schema's order.
    ///
    /// # Errors
    ///
    /// [`BlockError::RowTooLarge`] if the row is over [`MAX_ROW_BYTES`]; it is not added then.
    ///
    /// # Panics
    ///
    /// If no company was begun, or the cells are not of the schema's kinds.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<Option<Block>, BlockError> {
        let company = self.block.companies.last().expect("a company is begun before its rows");
        let (bytes, most) = self.cost(cells);
        if most > MAX_ROW_BYTES {
            return Err(BlockError::RowTooLarge {
                company: shorten(company),
                bytes: most,
            });
        }
        let full = (self.size + bytes > FULL).then(|| self.close());
        self.push(cells);
        Ok(full)
    }

    /// The last block, if there is one.
    pub fn finish(mut self) -> Option<Block> {
        (!self.block.companies.is_empty()).then(|| self.take())
    }

    /// The bytes a row adds to this block, and to an empty one.
    fn cost(&self, cells: &[Cell<'_>]) -> (usize, usize) {
        let (mut here, mut most) = (0, 0);
        for (column, cell) in cells.iter().enumerate() {
            match *cell {
                Cell::Text(text) => {
                    let new = LENGTH + text.len();
                    here += LENGTH + if self.find(column, text).is_some() { 0 } else { new };
                    most += LENGTH + new;
                }
                Cell::Number(_) => (here, most) = (here + 8, most + 8),
                Cell::Count(_) => (here, most) = (here + 10, most + 10),
            }
        }
        (here, most)
    }

    fn find(&self, column: usize, text: &str) -> Option<u32> {
        let Values::Text { dictionary, .. } = &self.block.columns[column] else {
            panic!("column {column} of the schema does not hold text");
        };
        let hash = self.hasher.hash_one(text);
        self.lookups[column]
            .find(hash, |&at| dictionary[at as usize] == text)
            .copied()
    }

    fn push(&mut self, cells: &[Cell<'_>]) {
        assert_eq!(
            cells.len(),
            self.block.columns.len(),
            "a row has a cell for every column but the key"
        );
        for (column, cell) in cells.iter().enumerate() {
            let known = if let Cell::Text(text) = cell {
                self.find(column, text)
            } else {
                None
            };
            match (&mut self.block.columns[column], *cell) {
                (Values::Text { dictionary, index }, Cell::Text(text)) => {
                    self.size += LENGTH;
                    index.push(known.unwrap_or_else(|| {
                        let at = u32::try_from(dictionary.len()).expect("a block's dictionary is small");
                        dictionary.push(text.to_owned());
                        self.size += LENGTH + text.len();
                        let hash = |at: &u32| self.hasher.hash_one(dictionary[*at as usize].as_str());
                        self.lookups[column].insert_unique(self.hasher.hash_one(text), at, hash);
                        at
                    }));
                }
                (Values::Number(values), Cell::Number(value)) => {
                    self.size += 8;
                    values.push(value);
                }
                (Values::Count(values), Cell::Count(value)) => {
                    self.size += 10;
                    values.push(value);
                }
                (values, _) => panic!("column {column} of the schema holds {:?}", values.kind()),
            }
        }
        *self
            .block
            .counts
            .last_mut()
            .expect("a company is begun before its rows") += 1;
    }

    fn begin(&mut self, name: String) {
        self.size += name.len() + LENGTH + COUNT;
        self.block.companies.push(name);
        self.block.counts.push(0);
    }

    fn take(&mut self) -> Block {
        self.size = self.base;
        self.lookups.iter_mut().for_each(HashTable::clear);
        let columns = self.schema.values().map(|column| Values::empty(column.kind)).collect();
        std::mem::replace(
            &mut self.block,
            Block {
                columns,
                ..Block::default()
            },
        )
    }

    /// Closes the block before the current company, whose rows move on; or, if it is the only one, within it.
    fn close(&mut self) -> Block {
        let mut full = self.take();
        if full.companies.len() == 1 {
            self.begin(full.companies[0].clone());
            return full;
        }
        let (name, count) = (full.companies.pop(), full.counts.pop());
        self.begin(name.expect("there are two companies or more"));
        let kept = full.len();
        let mut cells = Vec::with_capacity(full.columns.len());
        for row in kept..kept + count.map_or(0, |count| count as usize) {
            cells.clear();
            cells.extend(full.columns.iter().map(|values| values.cell(row)));
            self.push(&cells);
        }
        full.columns.iter_mut().for_each(|values| truncate(values, kept));
        full
    }
}

fn truncate(values: &mut Values, rows: usize) {
    match values {
        Values::Text { dictionary, index } => {
            index.truncate(rows);
            // Texts stand in order of first use: those behind the last one used belonged to the rows cut off.
            dictionary.truncate(index.iter().max().map_or(0, |&last| last as usize + 1));
        }
        Values::Number(numbers) => numbers.truncate(rows),
        Values::Count(counts) => counts.truncate(rows),
    }
}

fn shorten(name: &str) -> String {
    name.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::MAX_ENCODED_BYTES;
    use crate::table::samples::{self, SCHEMA, Sample};

    /// Text that no compression shortens.
    fn noise(seed: u64, length: usize) -> String {
        let mut state = seed | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(b' ' + u8::try_from(state % 95).unwrap())
        };
        (0..length).map(|_| next()).collect()
    }

    fn check_sizes(blocks: &[Block]) {
        for block in blocks {
            assert!(block.encode().len() <= MAX_ENCODED_BYTES);
            block.check(&SCHEMA).unwrap();
        }
    }

    #[test]
    fn companies_stay_whole_and_those_too_large_begin_a_block() {
        let mut rows: Vec<Sample> = Vec::new();
        for (company, count) in [("a", 500), ("b", 1900), ("c", 20_000), ("d", 3), ("e", 2000)] {
            rows.extend((0..count).map(|rank| (format!("o{}", rank % 7), company.to_owned(), 0.5, rank)));
        }
        let blocks = samples::build(&rows);
        check_sizes(&blocks);
        assert_eq!(samples::rows(&blocks), rows);
        let holding = |company: &str| -> Vec<&Block> {
            blocks
                .iter()
                .filter(|block| block.companies.iter().any(|name| name == company))
                .collect()
        };
        for company in ["a", "b", "d", "e"] {
            assert_eq!(holding(company).len(), 1, "{company}");
        }
        assert!(holding("c").len() > 2);
        assert!(holding("c").iter().all(|block| block.companies[0] == "c"));
    }

    #[test]
    fn companies_without_rows_are_kept() {
        let mut builder = BlockBuilder::new(&SCHEMA);
        for company in ["a", "b", "c"] {
            assert!(builder.company(company).unwrap().is_none());
        }
        let block = builder.finish().unwrap();
        assert_eq!((block.companies.len(), block.len()), (3, 0));
        assert_eq!(block.rows_of("b").unwrap().count(), 0);
        assert!(block.rows_of("d").is_none());
        assert!(BlockBuilder::new(&SCHEMA).finish().is_none());
    }

    #[test]
    fn companies_out_of_order_or_twice_are_refused() {
        for (first, second) in [("b", "a"), ("a", "a"), ("é", "z")] {
            let mut builder = BlockBuilder::new(&SCHEMA);
            builder.company(first).unwrap();
            assert!(matches!(builder.company(second), Err(BlockError::OutOfOrder { .. })));
        }
    }

    #[test]
    fn a_row_over_the_limit_is_refused_and_the_builder_goes_on() {
        let mut builder = BlockBuilder::new(&SCHEMA);
        assert!(matches!(
            builder.company(&"x".repeat(9000)),
            Err(BlockError::RowTooLarge { .. })
        ));
        builder.company("a").unwrap();
        let cells = |text| [Cell::Text(text), Cell::Number(0.5), Cell::Count(1)];
        let large = "x".repeat(MAX_ROW_BYTES);
        assert!(matches!(
            builder.row(&cells(&large)),
            Err(BlockError::RowTooLarge { .. })
        ));
        builder.row(&cells("o")).unwrap();
        assert_eq!(builder.finish().unwrap().len(), 1);
    }

    #[test]
    fn a_row_reads_as_json_with_absent_numbers_as_null() {
        let rows = [
            ("o".to_owned(), "a".to_owned(), f64::NAN, 7),
            ("p".to_owned(), "a".to_owned(), 0.25, 8),
        ];
        let block = samples::build(&rows).remove(0);
        let json: Vec<_> = block.rows_of("a").unwrap().map(|row| row.to_json(&SCHEMA)).collect();
        let expected = serde_json::json!([
            {"owner": "o", "owned": "a", "share": null, "rank": 7},
            {"owner": "p", "owned": "a", "share": 0.25, "rank": 8},
        ]);
        assert_eq!(serde_json::to_value(json).unwrap(), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn blocks_hold_every_row_within_the_limit_whatever_the_sizes(
            shape in prop::collection::vec((0..30_usize, prop_oneof![1..12_usize, 400..7000_usize]), 1..20),
            seed in any::<u64>(),
        ) {
            let mut rows = Vec::new();
            for (number, (count, length)) in shape.into_iter().enumerate() {
                let company = format!("{number:04}{}", noise(seed ^ number as u64, length.min(512)));
                rows.extend((0..count as u64).map(|rank| {
                    let owner = noise(seed.wrapping_mul(31) ^ (number as u64) << 20 ^ rank, length);
                    (owner, company.clone(), f64::from_bits(seed ^ rank) % 1.0, u64::MAX - rank)
                }));
            }
            let blocks = samples::build(&rows);
            check_sizes(&blocks);
            let found = samples::rows(&blocks);
            prop_assert_eq!(found.len(), rows.len());
            for (found, row) in found.iter().zip(&rows) {
                prop_assert_eq!((&found.0, &found.1, found.2.to_bits(), found.3), (&row.0, &row.1, row.2.to_bits(), row.3));
            }
        }
    }
}
