//! An input in blocks of whole lines.

use std::io::{self, Read};

use super::input::Input;
use crate::error::ReadError;

/// How large blocks are.
#[derive(Clone, Copy)]
struct Sizes {
    /// How much is read at a time.
    block: usize,
    /// Room before what is read ahead, for what is left of the window then: most often part of a line.
    room: usize,
}

const USUAL: Sizes = Sizes {
    block: 2 << 20,
    room: 4 << 10,
};

/// A window over an input.
pub(super) struct Blocks<'i, 'a> {
    input: &'i mut Input<'a>,
    sizes: Sizes,
    /// What was read is `buffer[at..filled]`, its whole lines `buffer[at..end]`.
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    filled: usize,
    rest: Rest,
    next: Next,
}

/// What comes after the window.
enum Rest {
    More,
    Nothing,
    Failure(io::Error),
}

/// The block after the window, if it was read.
#[derive(Default)]
struct Next {
    /// What was read is `buffer[room..filled]`.
    buffer: Vec<u8>,
    filled: usize,
    /// What comes after it; `None` if it was not read.
    rest: Option<Rest>,
}

/// Reads the next block while the window is in use.
pub(super) struct Ahead<'b, 'a> {
    input: &'b mut Input<'a>,
    sizes: Sizes,
    next: &'b mut Next,
}

impl<'i, 'a> Blocks<'i, 'a> {
    /// Reads the first block.
    pub(super) fn open<E>(input: &'i mut Input<'a>) -> Result<Self, ReadError<E>> {
        Self::sized(input, USUAL)
    }

    fn sized<E>(input: &'i mut Input<'a>, sizes: Sizes) -> Result<Self, ReadError<E>> {
        let mut blocks = Self {
            input,
            sizes,
            buffer: Vec::new(),
            at: 0,
            end: 0,
            filled: 0,
            rest: Rest::More,
            next: Next::default(),
        };
        blocks.fill()?;
        Ok(blocks)
    }

    /// Whole lines; or, where not even one is whole, its beginning.
    pub(super) fn text(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// The text, and how to read what comes next meanwhile; `None` if nothing does, or it was read.
    pub(super) fn text_and_ahead(&mut self) -> (&[u8], Option<Ahead<'_, 'a>>) {
        let is_wanted = self.next.rest.is_none() && matches!(self.rest, Rest::More);
        let ahead = is_wanted.then_some(Ahead {
            input: self.input,
            sizes: self.sizes,
            next: &mut self.next,
        });
        (&self.buffer[self.at..self.end], ahead)
    }

    /// Whether the text goes to the end of the input.
    pub(super) fn is_last(&self) -> bool {
        matches!(self.rest, Rest::Nothing)
    }

    /// Takes bytes off the beginning of the text.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Adds the next block to what is left, reading it unless it was read ahead; false if there is none.
    ///
    /// Where reading fails, what was read before is handed out first.
    pub(super) fn fill<E>(&mut self) -> Result<bool, ReadError<E>> {
        if let Some(ahead) = self.text_and_ahead().1 {
            ahead.read();
        }
        match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::More => {}
            Rest::Nothing => return Ok(false),
            Rest::Failure(error) => return Err(self.input.failure(&error)),
        }
        let room = self.sizes.room;
        let left = self.at..self.filled;
        if let Some(at) = room.checked_sub(left.len()) {
            self.next.buffer[at..room].copy_from_slice(&self.buffer[left]);
            std::mem::swap(&mut self.buffer, &mut self.next.buffer);
            (self.at, self.filled) = (at, self.next.filled);
        } else {
            self.buffer.truncate(self.filled);
            self.buffer.drain(..self.at);
            self.buffer.extend_from_slice(&self.next.buffer[room..self.next.filled]);
            (self.at, self.filled) = (0, self.buffer.len());
        }
        self.rest = self.next.rest.take().expect("it was read");
        self.end = if self.is_last() {
            self.filled
        } else {
            self.at + whole_lines(&self.buffer[self.at..self.filled])
        };
        Ok(true)
    }
}

impl Ahead<'_, '_> {
    /// Reads the next block.
    pub(super) fn read(self) {
        let Self {
            input,
            sizes: Sizes { block, room },
            next,
        } = self;
        let wanted = room + block;
        if next.buffer.len() < wanted {
            next.buffer.resize(wanted, 0);
        }
        next.filled = room;
        let rest = loop {
            if next.filled == wanted {
                break Rest::More;
            }
            match input.read(&mut next.buffer[next.filled..wanted]) {
                Ok(0) => break Rest::Nothing,
                Ok(read) => next.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Rest::Failure(error),
            }
        };
        next.rest = Some(rest);
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
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time, and fails where its text ends if it is told to.
    struct Uneven {
        text: Vec<u8>,
        at: usize,
        fails: bool,
    }

    impl Read for Uneven {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let rest = &self.text[self.at..];
            if rest.is_empty() && self.fails {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            let length = rest.len().min(buffer.len()).min(1 + self.at * 7 % 900);
            buffer[..length].copy_from_slice(&rest[..length]);
            self.at += length;
            Ok(length)
        }
    }

    proptest! {
        /// Whatever is left of a block, and whether the next one was read ahead.
        #[test]
        fn bytes_are_handed_out_once_and_in_order(
            lines in prop::collection::vec(0_usize..3_000, 1..60),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
            ahead in prop::collection::vec(any::<bool>(), 1..9),
            taken in prop::collection::vec(0_usize..=4, 1..9),
            fails in any::<bool>(),
        ) {
            let text: String = lines.iter().map(|&length| "x".repeat(length) + end).collect();
            let text = text.into_bytes();
            // Behind the head, which is read before.
            let text = [vec![b'h'; 70_000], end.as_bytes().to_vec(), text].concat();
            let mut source = Uneven { text: text.clone(), at: 0, fails };
            let mut input = Input::open::<()>(&mut source, u64::MAX).ok().unwrap();
            let mut blocks = Blocks::sized::<()>(&mut input, Sizes { block: 5_000, room: 300 }).ok().unwrap();
            let (mut ahead, mut taken) = (ahead.iter().cycle(), taken.iter().cycle());
            let mut found = Vec::new();
            let mut left;
            let is_whole = loop {
                let is_last = blocks.is_last();
                let (window, next) = blocks.text_and_ahead();
                if let (true, Some(next)) = (*ahead.next().unwrap(), next) {
                    next.read();
                }
                let length = if is_last { window.len() } else { window.len() * taken.next().unwrap() / 4 };
                found.extend_from_slice(&window[..length]);
                left = window.len() - length;
                blocks.consume(length);
                match blocks.fill::<()>() {
                    Ok(true) => {}
                    Ok(false) => break true,
                    Err(_) => break false,
                }
            };
            prop_assert_eq!(is_whole, !fails);
            prop_assert!(text.starts_with(&found));
            // Where more may come, the last CR may be half of a line end; a line that is not whole may be handed out.
            let seen = found.len() + left;
            let least = if fails { whole_lines(&text) } else { text.len() };
            prop_assert!((least..=text.len()).contains(&seen), "{} of {}", seen, text.len());
        }
    }

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
