//! Delimited text, record by record.
//!
//! RFC 4180 with what real files do to it: any of LF, CRLF and CR ends a line, blanks may stand before a quote, text
//! may follow a closing quote, blank lines mean nothing. Lines are counted as an editor counts them. A record without
//! quotes, the usual one, costs one search for its delimiters and its end.

use super::blocks::Blocks;
use super::input::Input;
use super::splitter::{Found, Splitter};
use crate::error::{InputError, ReadError};

/// The longest record: far above any real one, far below what would hurt.
pub(super) const MAX_RECORD_BYTES: usize = 1 << 20;

/// In the order in which a tie is decided.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A cursor over the records of an input.
pub(super) struct Records<'i, 'a> {
    blocks: Blocks<'i, 'a>,
    splitter: Splitter,
}

impl<'i, 'a> Records<'i, 'a> {
    /// Reads the header. The delimiter is the one given, or the most frequent one in the header.
    pub(super) fn open<E>(input: &'i mut Input<'a>, delimiter: Option<u8>) -> Result<Self, ReadError<E>> {
        let mut blocks = Blocks::open(input)?;
        if blocks.text().starts_with(b"\xef\xbb\xbf") {
            blocks.consume(3);
        }
        let mut splitter = Splitter::new(delimiter.unwrap_or(DELIMITERS[0]));
        splitter.begin(blocks.text(), blocks.is_last());
        let mut records = Self { blocks, splitter };
        loop {
            if let Some(header) = records.splitter.peek_line(records.blocks.text())? {
                if delimiter.is_none() {
                    records.splitter.delimiter = most_frequent_delimiter(header);
                }
                break;
            }
            if !records.fill()? {
                return Err(InputError::Empty { skipped: 0 }.into());
            }
        }
        records.advance()?;
        Ok(records)
    }

    /// Goes to the next record; false at the end.
    pub(super) fn advance<E>(&mut self) -> Result<bool, ReadError<E>> {
        loop {
            if self.splitter.advance(self.blocks.text())? == Found::Record {
                return Ok(true);
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// The line on which the record begins, from 1.
    pub(super) fn row(&self) -> u64 {
        self.splitter.row()
    }

    /// How many fields the record has.
    pub(super) fn len(&self) -> usize {
        self.splitter.len()
    }

    /// A field of the record, which must have it.
    pub(super) fn field(&self, index: usize) -> &[u8] {
        self.splitter.field(self.blocks.text(), index)
    }

    /// The whole record, its delimiters and quotes resolved.
    pub(super) fn text(&self) -> &[u8] {
        self.splitter.text(self.blocks.text())
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.splitter.delimiter
    }

    /// What comes after the record, and the number of lines before that.
    pub(super) fn into_rest(mut self) -> (Blocks<'i, 'a>, u64) {
        self.blocks.consume(self.splitter.at);
        (self.blocks, self.splitter.lines)
    }

    fn fill<E>(&mut self) -> Result<bool, ReadError<E>> {
        self.blocks.consume(self.splitter.at);
        let filled = self.blocks.fill()?;
        self.splitter.begin(self.blocks.text(), self.blocks.is_last());
        Ok(filled)
    }
}

fn most_frequent_delimiter(header: &[u8]) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for &byte in header {
        quoted ^= byte == b'"';
        if let Some(which) = DELIMITERS.iter().position(|&delimiter| delimiter == byte && !quoted) {
            counts[which] += 1;
        }
    }
    // `max_by_key` keeps the last of equals; the first is wanted.
    let best = (0..DELIMITERS.len())
        .rev()
        .max_by_key(|&which| counts[which])
        .unwrap_or(0);
    DELIMITERS[best]
}
