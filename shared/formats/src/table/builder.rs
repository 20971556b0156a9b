//! From rows to blocks of a bounded size.
//!
//! The size of a block is bounded before it is compressed, so that the bound holds for any content and needs no trial:
//! each name, text and count is counted at the most that the [codec](super::codec) takes for it, each number at exactly
//! that. A block is closed one row before that bound, which leaves room for the row that did not fit to travel with the
//! rows of its company.

use super::codec::{MAX_PLAIN_BYTES, number_bytes};
use super::dictionary::{Hashed, Numbered};
use super::{Block, BlockError, Cell, Kind, Schema, Values};

/// The most bytes of one row or one company's name: far above any id, to be kept in mind for columns of free text.
pub const MAX_ROW_BYTES: usize = 8 << 10;

/// Where a block is closed.
const FULL: usize = MAX_PLAIN_BYTES - MAX_ROW_BYTES;

/// The most bytes of a length, an index, a company's count and a cell's count, for what fits into a block.
const LENGTH: usize = 3;
const INDEX: usize = 2;
const COUNT: usize = 5;
const CELL_COUNT: usize = 10;

/// Cuts a stream of rows into blocks.
///
/// Each company is announced by [`company`](Self::company) and then given its rows; both yield the block that this
/// filled, if it did. Rows cost no allocation but for texts that are new to the block.
pub struct BlockBuilder {
    block: Block,
    /// For every column, where its texts stand in its dictionary.
    hashed: Vec<Hashed>,
    numbered: Numbered,
    /// An upper bound of the block's size before compression, but for the tags of its numbers.
    size: usize,
    base: usize,
    /// The rows in the block.
    rows: usize,
    /// How many tags a row has.
    tags: usize,
    /// Where the texts of the row at hand stand in their dictionaries.
    found: Vec<Option<u32>>,
}

impl BlockBuilder {
    /// A builder of blocks for results of this shape.
    pub fn new(schema: &Schema) -> Self {
        let columns: Vec<Values> = schema.values().map(|column| Values::empty(column.kind)).collect();
        // Tags are rounded up to bytes in each column.
        let base = 3 * LENGTH + columns.len() * (2 + 2 * LENGTH);
        let numbers = schema.values().filter(|column| column.kind == Kind::Number).count();
        Self {
            hashed: columns.iter().map(|_| Hashed::default()).collect(),
            block: Block {
                columns,
                ..Block::default()
            },
            numbered: Numbered::default(),
            size: base,
            base,
            rows: 0,
            tags: numbers.max(1),
            found: Vec::new(),
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
            && name <= previous
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
        let full = self.is_full(bytes).then(|| self.take());
        self.begin(name);
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
        let (bytes, most) = self.cost(cells);
        self.check(most)?;
        let full = self.is_full(bytes).then(|| self.close());
        if full.is_some() {
            self.cost(cells);
        }
        self.push(cells);
        Ok(full)
    }

    /// Adds a row whose cells are one text and then numbers, as [`row`](Self::row) does. The text is known by a number:
    /// equal numbers stand for equal texts, different ones for different texts. So it is looked at once a block, and not
    /// hashed; 8 bytes are kept for every number up to the largest.
    ///
    /// # Errors
    ///
    /// As [`row`](Self::row).
    ///
    /// # Panics
    ///
    /// As [`row`](Self::row); and all rows of a builder must be given in one of the two ways.
    pub fn numbered_row<'t>(
        &mut self,
        number: usize,
        text: impl Fn() -> &'t str,
        numbers: &[f64],
    ) -> Result<Option<Block>, BlockError> {
        let mut bytes = INDEX;
        let mut before = None;
        for &number in numbers {
            bytes += number_bytes(number, before);
            before = Some(number);
        }
        let mut place = self.numbered.get(number);
        let mut full = None;
        if place.is_none() {
            let new = LENGTH + text().len();
            self.check(bytes + new)?;
            bytes += new;
        }
        if self.is_full(bytes) {
            full = Some(self.close());
            place = self.numbered.get(number);
        }
        self.push_numbered(number, place, text, numbers);
        Ok(full)
    }

    /// The last block, if there is one.
    pub fn finish(mut self) -> Option<Block> {
        (!self.block.companies.is_empty()).then(|| self.take())
    }

    fn check(&self, bytes: usize) -> Result<(), BlockError> {
        if bytes <= MAX_ROW_BYTES {
            return Ok(());
        }
        let company = self.block.companies.last().map(shorten).unwrap_or_default();
        Err(BlockError::RowTooLarge { company, bytes })
    }

    /// Whether this many more bytes are too many.
    fn is_full(&self, bytes: usize) -> bool {
        self.size + self.rows * self.tags / 4 + bytes > FULL
    }

    /// The bytes a row adds to this block, and to an empty one. Finds its texts.
    fn cost(&mut self, cells: &[Cell<'_>]) -> (usize, usize) {
        self.found.clear();
        let (mut here, mut most) = (0, 0);
        let mut before = None;
        for (column, cell) in cells.iter().enumerate() {
            let mut found = None;
            let bytes = match *cell {
                Cell::Text(text) => {
                    found = self.find(column, text);
                    let new = LENGTH + text.len();
                    most += new;
                    here += if found.is_some() { 0 } else { new };
                    INDEX
                }
                Cell::Number(number) => number_bytes(number, before.replace(number)),
                Cell::Count(_) => CELL_COUNT,
            };
            (here, most) = (here + bytes, most + bytes);
            self.found.push(found);
        }
        (here, most)
    }

    fn find(&self, column: usize, text: &str) -> Option<u32> {
        let Values::Text { dictionary, .. } = &self.block.columns[column] else {
            panic!("column {column} of the schema does not hold text");
        };
        self.hashed[column].find(dictionary, text)
    }

    /// Adds a row whose texts were found by [`cost`](Self::cost).
    fn push(&mut self, cells: &[Cell<'_>]) {
        assert_eq!(
            cells.len(),
            self.block.columns.len(),
            "a row has a cell for every column but the key"
        );
        let mut before = None;
        for (column, cell) in cells.iter().enumerate() {
            match (&mut self.block.columns[column], *cell) {
                (Values::Text { dictionary, index }, Cell::Text(text)) => {
                    self.size += INDEX;
                    index.push(self.found[column].unwrap_or_else(|| {
                        self.size += LENGTH + text.len();
                        self.hashed[column].add(dictionary, text)
                    }));
                }
                (Values::Number(values), Cell::Number(value)) => {
                    self.size += number_bytes(value, before.replace(value));
                    values.push(value);
                }
                (Values::Count(values), Cell::Count(value)) => {
                    self.size += CELL_COUNT;
                    values.push(value);
                }
                (values, _) => panic!("column {column} of the schema holds {:?}", values.kind()),
            }
        }
        self.count_row();
    }

    fn push_numbered<'t>(&mut self, number: usize, place: Option<u32>, text: impl Fn() -> &'t str, numbers: &[f64]) {
        let Some((Values::Text { dictionary, index }, columns)) = self.block.columns.split_first_mut() else {
            panic!("the first column of the schema does not hold text");
        };
        assert_eq!(
            numbers.len(),
            columns.len(),
            "a row has a cell for every column but the key"
        );
        index.push(place.unwrap_or_else(|| {
            let text = text();
            self.size += LENGTH + text.len();
            self.numbered.add(number, dictionary, text)
        }));
        self.size += INDEX;
        let mut before = None;
        for (values, &number) in columns.iter_mut().zip(numbers) {
            let Values::Number(values) = values else {
                panic!("a column of the schema holds {:?}", values.kind());
            };
            self.size += number_bytes(number, before.replace(number));
            values.push(number);
        }
        self.count_row();
    }

    fn count_row(&mut self) {
        self.rows += 1;
        *self
            .block
            .counts
            .last_mut()
            .expect("a company is begun before its rows") += 1;
    }

    fn begin(&mut self, name: &str) {
        self.size += name.len() + LENGTH + COUNT;
        self.block.companies.push(name);
        self.block.counts.push(0);
    }

    fn take(&mut self) -> Block {
        self.size = self.base;
        self.rows = 0;
        self.hashed.iter_mut().for_each(Hashed::clear);
        self.numbered.clear();
        let like = |values: &Values| values.empty_like();
        let columns = self.block.columns.iter().map(like).collect();
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
        let numbers = self.numbered.take_numbers();
        let mut full = self.take();
        if full.companies.len() == 1 {
            self.begin(&full.companies[0]);
            return full;
        }
        let last = full.companies.len() - 1;
        let count = full.counts.pop().expect("there are two companies or more");
        self.begin(&full.companies[last]);
        full.companies.truncate(last);
        let kept = full.len();
        for row in kept..kept + count as usize {
            self.move_row(&full.columns, row, &numbers);
        }
        full.columns.iter_mut().for_each(|values| truncate(values, kept));
        full
    }

    /// Adds a row of another block, whose texts have these numbers if they have any.
    fn move_row(&mut self, columns: &[Values], row: usize, numbers: &[usize]) {
        let cells: Vec<Cell<'_>> = columns.iter().map(|values| values.cell(row)).collect();
        match (cells.split_first(), columns.first()) {
            (Some((Cell::Text(text), rest)), Some(Values::Text { index, .. })) if !numbers.is_empty() => {
                let number = numbers[index[row] as usize];
                let rest = rest.iter().map(|cell| match cell {
                    Cell::Number(number) => *number,
                    _ => unreachable!("rows with a numbered text have numbers besides"),
                });
                let rest: Vec<f64> = rest.collect();
                self.push_numbered(number, self.numbered.get(number), || text, &rest);
            }
            _ => {
                self.cost(&cells);
                self.push(&cells);
            }
        }
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
        assert!(holding("c").iter().all(|block| block.companies.first() == Some("c")));
    }

    #[test]
    fn numbered_rows_make_the_blocks_that_cells_make() {
        static SHARES: Schema = Schema {
            columns: SCHEMA.columns.split_at(3).0,
            key: 1,
        };
        let (mut by_text, mut by_number) = (BlockBuilder::new(&SHARES), BlockBuilder::new(&SHARES));
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        for company in 0..400 {
            let name = format!("c{company:03}");
            expected.extend(by_text.company(&name).unwrap());
            found.extend(by_number.company(&name).unwrap());
            // Owners repeat within a block and over blocks; one company is larger than a block.
            for owner in 0..if company == 200 { 9000 } else { company % 90 } {
                let owner = owner * 37 % 9001;
                let text = format!("owner {owner}");
                let share = f64::from(owner) / 9001.0;
                expected.extend(by_text.row(&[Cell::Text(&text), Cell::Number(share)]).unwrap());
                let number = usize::try_from(owner).unwrap();
                found.extend(by_number.numbered_row(number, || &text, &[share]).unwrap());
            }
        }
        expected.extend(by_text.finish());
        found.extend(by_number.finish());
        assert!(expected.len() > 4, "{}", expected.len());
        assert_eq!(found, expected);
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
    fn rows_that_take_next_to_nothing_fill_a_block_too() {
        let rows: Vec<Sample> = vec![("o".to_owned(), "a".to_owned(), 0.0, 0); 300_000];
        let blocks = samples::build(&rows);
        check_sizes(&blocks);
        assert_eq!(samples::rows(&blocks), rows);
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
