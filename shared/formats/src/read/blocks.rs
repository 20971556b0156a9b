//! An input in blocks of whole lines.

use std::io::{self, Read};

use super::input::Input;
use crate::error::ReadError;

/// How much is read at a time.
const BLOCK_BYTES: usize = 2 << 20;

/// A window over an input.
pub(super) struct Blocks<'i, 'a> {
    input: &'i mut Input<'a>,
    /// What was read is `buffer[at..filled]`, its whole lines `buffer[at..end]`.
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    filled: usize,
    rest: Rest,
}

/// What comes after the window.
enum Rest {
    More,
    Nothing,
    Failure(io::Error),
}

impl<'i, 'a> Blocks<'i, 'a> {
    /// Reads the first block.
    pub(super) fn open<E>(input: &'i mut Input<'a>) -> Result<Self, ReadError<E>> {
        let mut blocks = Self {
            input,
            buffer: Vec::new(),
            at: 0,
            end: 0,
            filled: 0,
            rest: Rest::More,
        };
        blocks.fill()?;
        Ok(blocks)
    }

    /// Whole lines; or, where not even one is whole, its beginning.
    pub(super) fn text(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// Whether the text goes to the end of the input.
    pub(super) fn is_last(&self) -> bool {
        matches!(self.rest, Rest::Nothing)
    }

    /// Takes bytes off the beginning of the text.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Reads another block, to be added to what is left; false if there is none.
    ///
    /// Where reading fails, what was read before is handed out first.
    pub(super) fn fill<E>(&mut self) -> Result<bool, ReadError<E>> {
        match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::More => {}
            Rest::Nothing => return Ok(false),
            Rest::Failure(error) => return Err(self.input.failure(&error)),
        }
        self.buffer.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        self.at = 0;
        let wanted = self.filled + BLOCK_BYTES;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        self.rest = loop {
            if self.filled == wanted {
                break Rest::More;
            }
            match self.input.read(&mut self.buffer[self.filled..wanted]) {
                Ok(0) => break Rest::Nothing,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Rest::Failure(error),
            }
        };
        self.end = if self.is_last() {
            self.filled
        } else {
            whole_lines(&self.buffer[..self.filled])
        };
        Ok(true)
    }
}

/// Where the last whole line ends; where there is none, all of it, but not a CR whose LF may come.
fn whole_lines(text: &[u8]) -> usize {
    let before_last = &text[..text.len().saturating_sub(1)];
    memchr::memrchr(b'\n', text)
        .or_else(|| memchr::memrchr(b'\r', before_last))
        .map_or_else(|| text.strip_suffix(b"\r").unwrap_or(text).len(), |end| end + 1)
}

/// Divides whole lines into parts of whole lines, each of about `bytes` bytes.
pub(super) fn parts(mut text: &[u8], bytes: usize) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while text.len() > bytes {
        let Some(end) = memchr::memchr(b'\n', &text[bytes..]) else {
            break;
        };
        let (part, rest) = text.split_at(bytes + end + 1);
        parts.push(part);
        text = rest;
    }
    if !text.is_empty() {
        parts.push(text);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_end_is_never_divided() {
        for (text, whole) in [
            ("a\nb", "a\n"),
            ("a\r\nb\r", "a\r\n"),
            ("a\rb\rc", "a\rb\r"),
            ("a\rb\r", "a\r"),
            ("abc\r", "abc"),
            ("abc", "abc"),
            ("", ""),
        ] {
            assert_eq!(&text[..whole_lines(text.as_bytes())], whole, "{text:?}");
        }
        let found = parts(b"a\r\nbb\nc\r\nd", 2);
        assert_eq!(found, [&b"a\r\n"[..], b"bb\n", b"c\r\n", b"d"]);
        assert_eq!(parts(b"a\rb\rc", 1).len(), 1);
    }
}
