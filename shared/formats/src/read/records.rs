//! Delimited text, record by record.
//!
//! RFC 4180 with what real files do to it: any of LF, CRLF and CR ends a line, blanks may stand before a quote, text
//! may follow a closing quote, blank lines mean nothing. Lines are counted as an editor counts them. A record without
//! quotes, the usual one, costs one search for the line end, one for a quote and one for the delimiters.

use std::io::{self, BufRead};
use std::ops::Range;

use super::input::Input;
use crate::error::{InputError, ReadError};

/// The longest record: far above any real one, far below what would hurt.
pub(super) const MAX_RECORD_BYTES: usize = 1 << 20;

/// In the order in which a tie is decided.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A cursor over the records of an input.
pub(super) struct Records<'i, 'a> {
    lines: Lines<'i, 'a>,
    delimiter: u8,
    /// The record's bytes, quotes resolved.
    text: Vec<u8>,
    fields: Vec<Range<usize>>,
    row: u64,
}

impl<'i, 'a> Records<'i, 'a> {
    /// Reads the header. The delimiter is the one given, or the most frequent one in the header.
    pub(super) fn open<E>(input: &'i mut Input<'a>, delimiter: Option<u8>) -> Result<Self, ReadError<E>> {
        let lines = Lines {
            input,
            line: Vec::new(),
            number: 0,
            after_return: false,
        };
        let mut records = Self {
            lines,
            delimiter: delimiter.unwrap_or(b','),
            text: Vec::new(),
            fields: Vec::new(),
            row: 0,
        };
        let mut found = records.lines.advance()?;
        if records.lines.line.starts_with(b"\xef\xbb\xbf") {
            records.lines.line.drain(..3);
        }
        while found && records.lines.is_blank() {
            found = records.lines.advance()?;
        }
        if !found {
            return Err(InputError::Empty { skipped: 0 }.into());
        }
        if delimiter.is_none() {
            records.delimiter = most_frequent_delimiter(&records.lines.line);
        }
        records.split()?;
        Ok(records)
    }

    /// Goes to the next record; false at the end.
    pub(super) fn advance<E>(&mut self) -> Result<bool, ReadError<E>> {
        loop {
            if !self.lines.advance()? {
                return Ok(false);
            }
            if !self.lines.is_blank() {
                self.split()?;
                return Ok(true);
            }
        }
    }

    /// The line on which the record begins, from 1.
    pub(super) fn row(&self) -> u64 {
        self.row
    }

    /// How many fields the record has.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// A field of the record, which must have it.
    pub(super) fn field(&self, index: usize) -> &[u8] {
        &self.text[self.fields[index].clone()]
    }

    /// The whole record, its delimiters and quotes resolved.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    fn split<E>(&mut self) -> Result<(), ReadError<E>> {
        self.row = self.lines.number;
        self.fields.clear();
        self.text.clear();
        if memchr::memchr(b'"', &self.lines.line).is_some() {
            return self.split_quoted();
        }
        std::mem::swap(&mut self.text, &mut self.lines.line);
        let mut start = 0;
        for end in memchr::memchr_iter(self.delimiter, &self.text) {
            self.fields.push(start..end);
            start = end + 1;
        }
        self.fields.push(start..self.text.len());
        Ok(())
    }

    fn split_quoted<E>(&mut self) -> Result<(), ReadError<E>> {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            Blank,
            Plain,
            Quoted,
            Closing,
        }
        let (mut state, mut start) = (State::Blank, 0);
        loop {
            for &byte in &self.lines.line {
                state = match (state, byte) {
                    (State::Quoted, b'"') => State::Closing,
                    (State::Quoted, _) => {
                        self.text.push(byte);
                        State::Quoted
                    }
                    (State::Closing, b'"') => {
                        self.text.push(byte);
                        State::Quoted
                    }
                    (_, _) if byte == self.delimiter => {
                        self.fields.push(start..self.text.len());
                        self.text.push(byte);
                        start = self.text.len();
                        State::Blank
                    }
                    (State::Blank, b'"') => {
                        self.text.truncate(start);
                        State::Quoted
                    }
                    (_, _) => {
                        self.text.push(byte);
                        if state == State::Blank && byte == b' ' {
                            State::Blank
                        } else {
                            State::Plain
                        }
                    }
                };
            }
            if state != State::Quoted {
                self.fields.push(start..self.text.len());
                return Ok(());
            }
            self.text.push(b'\n');
            if self.text.len() > MAX_RECORD_BYTES {
                return Err(InputError::RecordTooLong {
                    row: self.row,
                    max_bytes: MAX_RECORD_BYTES,
                }
                .into());
            }
            if !self.lines.advance()? {
                return Err(InputError::UnclosedQuote { row: self.row }.into());
            }
        }
    }
}

/// The lines of an input.
struct Lines<'i, 'a> {
    input: &'i mut Input<'a>,
    /// The current line without its end.
    line: Vec<u8>,
    /// Its number, from 1; 0 before the first.
    number: u64,
    /// The line before ended in CR, whose LF may still be to come.
    after_return: bool,
}

impl Lines<'_, '_> {
    fn is_blank(&self) -> bool {
        self.line.iter().all(|&byte| byte == b' ')
    }

    /// Reads the next line; false at the end of the input.
    fn advance<E>(&mut self) -> Result<bool, ReadError<E>> {
        self.line.clear();
        let mut begun = false;
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.input.failure(&error)),
            };
            if available.is_empty() {
                self.number += u64::from(begun);
                return Ok(begun);
            }
            if std::mem::take(&mut self.after_return) && available[0] == b'\n' {
                self.input.consume(1);
                continue;
            }
            begun = true;
            let end = memchr::memchr2(b'\n', b'\r', available);
            let length = end.unwrap_or(available.len());
            if self.line.len() + length > MAX_RECORD_BYTES {
                return Err(InputError::RecordTooLong {
                    row: self.number + 1,
                    max_bytes: MAX_RECORD_BYTES,
                }
                .into());
            }
            self.line.extend_from_slice(&available[..length]);
            if let Some(end) = end {
                self.after_return = available[end] == b'\r';
                self.input.consume(end + 1);
                self.number += 1;
                return Ok(true);
            }
            self.input.consume(length);
        }
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
