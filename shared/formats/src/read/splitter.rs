//! From text to the fields of one record after another.

use std::ops::Range;

use super::records::MAX_RECORD_BYTES;
use crate::error::InputError;

/// A position in a text, and the record that was found there.
///
/// The text is passed to each call, so that it can be part of a buffer that is filled again. All positions are in it.
pub(super) struct Splitter {
    pub(super) delimiter: u8,
    /// Whether nothing follows the text, so that its last line needs no end.
    pub(super) is_last: bool,
    /// Where the next record begins.
    pub(super) at: usize,
    /// Lines before that.
    pub(super) lines: u64,
    /// The line of the record, from 1.
    row: u64,
    fields: Vec<Range<usize>>,
    record: Range<usize>,
    /// The text of a record with quotes, these resolved; fields are in it then.
    unquoted: Vec<u8>,
    is_quoted: bool,
    /// Whether the text has a CR that is a line end by itself.
    has_returns: bool,
}

/// What is at the position.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// A record.
    Record,
    /// The end of the text.
    End,
    /// A record that goes on behind the text; the position is where it begins.
    Unfinished,
}

impl Splitter {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            is_last: false,
            at: 0,
            lines: 0,
            row: 0,
            fields: Vec::new(),
            record: 0..0,
            unquoted: Vec::new(),
            is_quoted: false,
            has_returns: false,
        }
    }

    /// Goes to the beginning of another text.
    pub(super) fn begin(&mut self, text: &[u8], is_last: bool) {
        self.at = 0;
        self.is_last = is_last;
        self.has_returns = memchr::memchr_iter(b'\r', text).any(|at| text.get(at + 1) != Some(&b'\n'));
    }

    /// Goes to the next record.
    pub(super) fn advance(&mut self, text: &[u8]) -> Result<Found, InputError> {
        loop {
            self.fields.clear();
            self.row = self.lines + 1;
            self.is_quoted = false;
            let found = if self.has_returns { None } else { self.plain(text)? };
            let found = match found {
                Some(found) => found,
                None => self.any(text)?,
            };
            let may_be_blank = found == Found::Record && self.fields.len() == 1 && !self.is_quoted;
            if !may_be_blank || !is_blank(&text[self.record.clone()]) {
                return Ok(found);
            }
        }
    }

    /// Whether every line of the text ends in LF or CRLF, so that [`Lookup`](super::quick::Lookup) can be asked first.
    pub(super) fn is_usual(&self) -> bool {
        !self.has_returns
    }

    /// Passes by a record on one line.
    #[inline]
    pub(super) fn skip_to(&mut self, next: usize) {
        self.at = next;
        self.lines += 1;
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
    #[inline]
    pub(super) fn field<'t>(&'t self, text: &'t [u8], index: usize) -> &'t [u8] {
        let field = self.fields[index].clone();
        if self.is_quoted {
            &self.unquoted[field]
        } else {
            &text[field]
        }
    }

    /// The whole record, its delimiters and quotes resolved.
    pub(super) fn text<'t>(&'t self, text: &'t [u8]) -> &'t [u8] {
        if self.is_quoted {
            &self.unquoted
        } else {
            &text[self.record.clone()]
        }
    }

    /// The next line that is not blank, if it is whole; goes to its beginning.
    pub(super) fn peek_line<'t>(&mut self, text: &'t [u8]) -> Result<Option<&'t [u8]>, InputError> {
        while let Some((line, next)) = self.line(text, self.at, self.lines)? {
            if !is_blank(&text[line.clone()]) {
                return Ok(Some(&text[line]));
            }
            self.at = next;
            self.lines += 1;
        }
        Ok(None)
    }

    /// A record without quotes, where every line ends in LF or CRLF; `None` if there is a quote.
    #[inline]
    fn plain(&mut self, text: &[u8]) -> Result<Option<Found>, InputError> {
        let begin = self.at;
        let mut start = begin;
        let mut ends = memchr::memchr3_iter(self.delimiter, b'\n', b'"', &text[begin..]);
        let (end, next) = loop {
            let Some(at) = ends.next() else {
                break (text.len(), text.len());
            };
            let at = begin + at;
            match text[at] {
                b'\n' => break (at, at + 1),
                b'"' => return Ok(None),
                _ => {
                    self.fields.push(start..at);
                    start = at + 1;
                }
            }
        };
        let end = if end > start && text[end - 1] == b'\r' {
            end - 1
        } else {
            end
        };
        if end - begin > MAX_RECORD_BYTES {
            return Err(self.too_long(self.lines + 1));
        }
        if next == end && !(self.is_last && begin < end) {
            return Ok(Some(if begin < end { Found::Unfinished } else { Found::End }));
        }
        self.fields.push(start..end);
        self.record = begin..end;
        self.at = next;
        self.lines += 1;
        Ok(Some(Found::Record))
    }

    /// Any record.
    fn any(&mut self, text: &[u8]) -> Result<Found, InputError> {
        let Some((line, next)) = self.line(text, self.at, self.lines)? else {
            return Ok(if self.at < text.len() {
                Found::Unfinished
            } else {
                Found::End
            });
        };
        self.fields.clear();
        if memchr::memchr(b'"', &text[line.clone()]).is_some() {
            return self.quoted(text, line, next);
        }
        let mut start = line.start;
        for at in memchr::memchr_iter(self.delimiter, &text[line.clone()]) {
            self.fields.push(start..line.start + at);
            start = line.start + at + 1;
        }
        self.fields.push(start..line.end);
        self.record = line;
        self.at = next;
        self.lines += 1;
        Ok(Found::Record)
    }

    fn quoted(&mut self, text: &[u8], mut line: Range<usize>, mut next: usize) -> Result<Found, InputError> {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            Blank,
            Plain,
            Quoted,
            Closing,
        }
        self.is_quoted = true;
        self.unquoted.clear();
        let (mut state, mut start, mut lines) = (State::Blank, 0, self.lines + 1);
        loop {
            for &byte in &text[line] {
                state = match (state, byte) {
                    (State::Quoted, b'"') => State::Closing,
                    (State::Quoted, _) => {
                        self.unquoted.push(byte);
                        State::Quoted
                    }
                    (State::Closing, b'"') => {
                        self.unquoted.push(byte);
                        State::Quoted
                    }
                    (_, _) if byte == self.delimiter => {
                        self.fields.push(start..self.unquoted.len());
                        self.unquoted.push(byte);
                        start = self.unquoted.len();
                        State::Blank
                    }
                    (State::Blank, b'"') => {
                        self.unquoted.truncate(start);
                        State::Quoted
                    }
                    (_, _) => {
                        self.unquoted.push(byte);
                        if state == State::Blank && byte == b' ' {
                            State::Blank
                        } else {
                            State::Plain
                        }
                    }
                };
            }
            if state != State::Quoted {
                self.fields.push(start..self.unquoted.len());
                self.at = next;
                self.lines = lines;
                return Ok(Found::Record);
            }
            self.unquoted.push(b'\n');
            if self.unquoted.len() > MAX_RECORD_BYTES {
                return Err(self.too_long(self.row));
            }
            match self.line(text, next, lines)? {
                Some((following, end)) => (line, next) = (following, end),
                None if self.is_last => return Err(InputError::UnclosedQuote { row: self.row }),
                None => return Ok(Found::Unfinished),
            }
            lines += 1;
        }
    }

    /// The line at a position, and where the next one begins; `None` if its end is not in the text.
    fn line(&self, text: &[u8], at: usize, lines: u64) -> Result<Option<(Range<usize>, usize)>, InputError> {
        let rest = &text[at..];
        let (length, next) = match memchr::memchr2(b'\n', b'\r', rest) {
            Some(end) if rest[end..].starts_with(b"\r\n") => (end, Some(end + 2)),
            Some(end) => (end, Some(end + 1)),
            None if self.is_last && !rest.is_empty() => (rest.len(), Some(rest.len())),
            None => (rest.len(), None),
        };
        if length > MAX_RECORD_BYTES {
            return Err(self.too_long(lines + 1));
        }
        Ok(next.map(|next| (at..at + length, at + next)))
    }

    fn too_long(&self, row: u64) -> InputError {
        InputError::RecordTooLong {
            row,
            max_bytes: MAX_RECORD_BYTES,
        }
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|&byte| byte == b' ')
}
