//! Cuts JSON into its elements without reading them, so that a broken one doesn't stop the others, and hands them to all
//! threads.
//!
//! Lines are cut at line ends: what is broken on one ends there. A list `[..]`, and objects that go over lines, are cut
//! where their brackets close.

use std::ops::Range;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::error::{InputError, ReadError, RecordError};
use crate::read::blocks::Blocks;
use crate::read::input::Input;
use crate::read::records::MAX_RECORD_BYTES;

/// How elements follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// One on each line. Their rows are lines.
    Lines,
    /// One after the other; their rows are positions. In a list they are divided by commas, and it has an end.
    Values { list: bool },
}

/// Elements of a text.
#[derive(Debug, Default)]
struct Cut {
    elements: Vec<(u64, Range<usize>)>,
    /// How far it was cut.
    at: usize,
    /// The list was closed.
    is_closed: bool,
}

/// Parses every element of `input` and hands the results on, in order, with its row: the line, or in a list the 1-based
/// position.
///
/// Memory is two blocks (of 2 MiB, and an element, which has at most 1 MiB) and what elements of one are parsed to.
pub(in crate::read) fn for_each<T: Send, E>(
    input: &mut Input<'_>,
    parse: impl Fn(&[u8]) -> Result<T, RecordError> + Sync,
    mut take: impl FnMut(u64, Result<T, RecordError>) -> Result<(), ReadError<E>>,
) -> Result<(), ReadError<E>> {
    let mut blocks = Blocks::open(input)?;
    if blocks.text().starts_with(b"\xef\xbb\xbf") {
        blocks.consume(3);
    }
    let (layout, begin, mut row) = layout(blocks.text());
    blocks.consume(begin);
    let mut is_closed = false;
    loop {
        let text = blocks.text();
        if is_closed {
            // Behind the list there may be blanks.
            if !text.trim_ascii().is_empty() {
                return Err(not_readable(format!("something follows after the list of {row} records")).into());
            }
            let bytes = text.len();
            blocks.consume(bytes);
            if !blocks.fill()? {
                return Ok(());
            }
            continue;
        }
        let cut = match layout {
            Layout::Lines => lines(text, blocks.is_last(), &mut row),
            Layout::Values { list } => values(text, blocks.is_last(), list, &mut row),
        };
        let (cut, failure) = match cut {
            Ok(cut) => (cut, None),
            Err((cut, failure)) => (cut, Some(failure)),
        };
        let parsed: Vec<_> = cut
            .elements
            .par_iter()
            .map(|(_, range)| parse(&text[range.clone()]))
            .collect();
        for ((row, _), parsed) in cut.elements.into_iter().zip(parsed) {
            take(row, parsed.map_err(|error| RecordError { row, ..error }))?;
        }
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        is_closed = cut.is_closed;
        blocks.consume(cut.at);
        if !is_closed && !blocks.fill()? {
            return match layout {
                Layout::Values { list: true } => {
                    Err(not_readable(format!("the list ends after record {row} without a closing bracket")).into())
                }
                _ => Ok(()),
            };
        }
    }
}

/// The layout, how many bytes stand before the first element, and the row before it.
fn layout(text: &[u8]) -> (Layout, usize, u64) {
    let blanks = text.len() - text.trim_ascii_start().len();
    let text = &text[blanks..];
    if text.starts_with(b"[") {
        return (Layout::Values { list: true }, blanks + 1, 0);
    }
    let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
    // A first line that doesn't begin as an object is broken on its own; one that isn't whole goes on below.
    let is_whole = !line.starts_with(b"{") || value_end(line, 0).is_some_and(|end| line[end..].trim_ascii().is_empty());
    if is_whole {
        (Layout::Lines, 0, 0)
    } else {
        (Layout::Values { list: false }, blanks, 0)
    }
}

type Cutting = Result<Cut, (Cut, InputError)>;

fn lines(text: &[u8], is_last: bool, row: &mut u64) -> Cutting {
    let mut cut = Cut::default();
    while cut.at < text.len() {
        let rest = &text[cut.at..];
        let length = match memchr::memchr(b'\n', rest) {
            Some(end) => end + 1,
            None if is_last => rest.len(),
            None => break,
        };
        if length > MAX_RECORD_BYTES {
            return Err((cut, too_long(*row + 1)));
        }
        *row += 1;
        if !rest[..length].trim_ascii().is_empty() {
            let blanks = rest[..length].len() - rest[..length].trim_ascii_end().len();
            cut.elements.push((*row, cut.at..cut.at + length - blanks));
        }
        cut.at += length;
    }
    if text.len() - cut.at > MAX_RECORD_BYTES {
        return Err((cut, too_long(*row + 1)));
    }
    Ok(cut)
}

fn values(text: &[u8], is_last: bool, list: bool, row: &mut u64) -> Cutting {
    let mut cut = Cut::default();
    loop {
        let start = text.len() - text[cut.at..].trim_ascii_start().len();
        match text.get(start) {
            None => {
                cut.at = start;
                return Ok(cut);
            }
            Some(b']') if list => {
                cut.at = start + 1;
                cut.is_closed = true;
                return Ok(cut);
            }
            // Where a comma may be missing or be one too many, the records are still told apart.
            Some(b',') => {
                cut.at = start + 1;
                continue;
            }
            Some(b']' | b'}' | b':') => {
                let failure = not_readable(format!("a bracket is out of place after record {row}"));
                return Err((cut, failure));
            }
            Some(_) => {}
        }
        let Some(end) = value_end(text, start).or((is_last && !opens(text[start])).then_some(text.len())) else {
            if text.len() - start > MAX_RECORD_BYTES {
                return Err((cut, too_long(*row + 1)));
            }
            if is_last {
                return Err((cut, not_readable(format!("it ends within record {}", *row + 1))));
            }
            return Ok(cut);
        };
        if end - start > MAX_RECORD_BYTES {
            return Err((cut, too_long(*row + 1)));
        }
        *row += 1;
        cut.elements.push((*row, start..end));
        cut.at = end;
    }
}

const fn opens(byte: u8) -> bool {
    matches!(byte, b'{' | b'[' | b'"')
}

/// Where the value ends that begins at `start`; `None` if that isn't in the text.
fn value_end(text: &[u8], start: usize) -> Option<usize> {
    if !opens(text[start]) {
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b'{' | b'[' | b'"') || byte.is_ascii_whitespace();
        return text[start..].iter().position(ends).map(|length| start + length.max(1));
    }
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match *text.get(at)? {
            b'"' => at = string_end(text, at + 1)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Behind the quote that closes a string whose first character is at `at`.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn too_long(row: u64) -> InputError {
    InputError::RecordTooLong {
        row,
        max_bytes: MAX_RECORD_BYTES,
    }
}

fn not_readable(reason: String) -> InputError {
    InputError::NotReadable {
        reason: format!("as JSON: {reason}"),
    }
}
