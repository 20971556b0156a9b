//! Results as CSV (RFC 4180, LF line ends).

use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;

use super::{Block, Schema, Texts, Values, WriteError};

const FLUSH_BYTES: usize = 64 << 10;

/// Writes blocks as CSV.
///
/// The header has exactly the schema's columns. Numbers are the shortest decimals that read back as the same double; an
/// absent one is an empty cell. Texts are quoted where they must be and otherwise left alone: an id that begins
/// with `=` is written as it is. Rows cost no allocation, and texts are looked through once a block; memory is one buffer of about 64 KiB.
pub struct CsvWriter<W> {
    writer: W,
    schema: &'static Schema,
    buffer: Vec<u8>,
    float: zmij::Buffer,
    integer: itoa::Buffer,
    /// The number of this row that was written last: its bits, and where in the buffer.
    last: (u64, Range<usize>),
}

impl<W: Write> CsvWriter<W> {
    /// Begins a file with its header.
    ///
    /// # Errors
    ///
    /// [`WriteError::Io`] if the writer fails.
    pub fn new(writer: W, schema: &'static Schema) -> Result<Self, WriteError> {
        let mut buffer = Vec::with_capacity(FLUSH_BYTES + (8 << 10));
        for (position, column) in schema.columns.iter().enumerate() {
            if position > 0 {
                buffer.push(b',');
            }
            push_text(&mut buffer, column.name);
        }
        buffer.push(b'\n');
        Ok(Self {
            writer,
            schema,
            buffer,
            float: zmij::Buffer::new(),
            integer: itoa::Buffer::new(),
            last: (0, 0..0),
        })
    }

    /// Appends the rows of a block.
    ///
    /// # Errors
    ///
    /// [`WriteError::Block`] if the block is not of the schema, [`WriteError::Io`] if the writer fails.
    pub fn write(&mut self, block: &Block) -> Result<(), WriteError> {
        block.check(self.schema)?;
        let columns: Vec<Column<'_>> = block.columns.iter().map(Column::of).collect();
        let (before, after) = columns.split_at(self.schema.key);
        let mut row = 0;
        let mut name = Vec::new();
        for (company, &count) in block.companies.iter().zip(&block.counts) {
            name.clear();
            push_text(&mut name, company);
            for _ in 0..count {
                self.last = (0, 0..0);
                for values in before {
                    self.push_cell(values, row);
                    self.buffer.push(b',');
                }
                self.buffer.extend_from_slice(&name);
                for values in after {
                    self.buffer.push(b',');
                    self.push_cell(values, row);
                }
                self.buffer.push(b'\n');
                row += 1;
                if self.buffer.len() >= FLUSH_BYTES {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    /// Writes what is left, flushes the writer and gives it back.
    ///
    /// # Errors
    ///
    /// [`WriteError::Io`] if the writer fails.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.flush()?;
        self.writer.flush()?;
        Ok(self.writer)
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        self.writer.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn push_cell(&mut self, values: &Column<'_>, row: usize) {
        match values {
            Column::Text { dictionary, index } => self
                .buffer
                .extend_from_slice(dictionary[index[row] as usize].as_bytes()),
            Column::Number(numbers) => self.push_number(numbers[row]),
            Column::Count(counts) => self
                .buffer
                .extend_from_slice(self.integer.format(counts[row]).as_bytes()),
        }
    }

    /// Zeros and numbers that are written already stand in most cells, and a copy costs less than the digits.
    fn push_number(&mut self, number: f64) {
        let bits = number.to_bits();
        if bits == 0 {
            self.buffer.push(b'0');
        } else if bits == self.last.0 {
            self.buffer.extend_from_within(self.last.1.clone());
        } else if !number.is_nan() {
            let text = self.float.format(number);
            let start = self.buffer.len();
            self.buffer
                .extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
            self.last = (bits, start..self.buffer.len());
        }
    }
}

/// A column as it is written.
enum Column<'b> {
    /// Quoted where it must be.
    Text {
        dictionary: Cow<'b, Texts>,
        index: &'b [u32],
    },
    Number(&'b [f64]),
    Count(&'b [u64]),
}

impl<'b> Column<'b> {
    fn of(values: &'b Values) -> Self {
        match values {
            Values::Text { dictionary, index } => Self::Text {
                dictionary: if must_quote(dictionary.joined()) {
                    Cow::Owned(dictionary.iter().map(quoted).collect())
                } else {
                    Cow::Borrowed(dictionary)
                },
                index,
            },
            Values::Number(numbers) => Self::Number(numbers),
            Values::Count(counts) => Self::Count(counts),
        }
    }
}

fn must_quote(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
}

fn quoted(text: &str) -> String {
    if must_quote(text) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn push_text(buffer: &mut Vec<u8>, text: &str) {
    if must_quote(text) {
        buffer.extend_from_slice(quoted(text).as_bytes());
    } else {
        buffer.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::samples::{self, SCHEMA};

    fn written(blocks: &[Block]) -> String {
        let mut writer = CsvWriter::new(Vec::new(), &SCHEMA).unwrap();
        blocks.iter().for_each(|block| writer.write(block).unwrap());
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let numbers = [0.0, 1.0, 0.1, 0.198_795_18, 1e-7, 1.5e300, f64::NAN, 0.1 + 0.2];
        let rows: Vec<_> = numbers
            .iter()
            .map(|&number| (String::from("o"), String::from("c"), number, 3))
            .collect();
        let expected = "owner,owned,share,rank\no,c,0,3\no,c,1,3\no,c,0.1,3\no,c,0.19879518,3\n\
                        o,c,1e-7,3\no,c,1.5e+300,3\no,c,,3\no,c,0.30000000000000004,3\n";
        assert_eq!(written(&samples::build(&rows)), expected);
    }

    #[test]
    fn a_result_without_rows_is_a_header() {
        assert_eq!(written(&[]), "owner,owned,share,rank\n");
    }

    #[test]
    fn a_block_of_another_schema_is_refused() {
        let mut writer = CsvWriter::new(Vec::new(), &SCHEMA).unwrap();
        assert!(writer.write(&Block::default()).is_err());
    }

    proptest! {
        #[test]
        fn a_csv_reader_gets_back_every_cell_exactly(rows in samples::any_rows()) {
            let text = written(&samples::build(&rows));
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(records.len(), rows.len());
            for (record, (owner, owned, share, rank)) in records.iter().zip(&rows) {
                prop_assert_eq!((&record[0], &record[1]), (owner.as_str(), owned.as_str()));
                let number = if record[2].is_empty() { f64::NAN } else { record[2].parse().unwrap() };
                prop_assert_eq!(number.to_bits(), share.to_bits());
                prop_assert_eq!(record[3].parse::<u64>().unwrap(), *rank);
            }
        }
    }
}
