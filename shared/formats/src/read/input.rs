//! The bytes of an input: decompressed, bounded, with the cause of a failure kept apart.

use std::cell::{Cell, RefCell};
use std::io::{self, BufReader, Cursor, Read};
use std::rc::Rc;

use crate::error::{InputError, ReadError};

/// How much of the decompressed input is looked at to find its format.
const HEAD_BYTES: usize = 64 << 10;
const BUFFER_BYTES: usize = 256 << 10;

/// A reader of decompressed bytes that never yields more than its limit.
pub(super) struct Input<'a> {
    head: Vec<u8>,
    head_at: usize,
    rest: BufReader<Limited<'a>>,
    cause: Rc<Cause>,
    max_bytes: u64,
}

/// Why a read failed, noted where it is known: above a decoder all errors look alike.
#[derive(Default)]
struct Cause {
    source: RefCell<Option<io::Error>>,
    too_large: Cell<bool>,
}

impl<'a> Input<'a> {
    /// Opens the input and reads its head.
    pub(super) fn open<E>(source: &'a mut dyn Read, max_bytes: u64) -> Result<Self, ReadError<E>> {
        let cause = Rc::new(Cause::default());
        let mut source = Source {
            inner: source,
            cause: Rc::clone(&cause),
        };
        let opened = (|| {
            let mut magic = Vec::new();
            source.by_ref().take(4).read_to_end(&mut magic)?;
            let source = Cursor::new(magic.clone()).chain(source);
            let decoded: Box<dyn Read + 'a> = if magic.starts_with(b"\x1f\x8b") {
                Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(
                    BUFFER_BYTES,
                    source,
                )))
            } else if magic == b"\x28\xb5\x2f\xfd" {
                Box::new(zstd::stream::read::Decoder::new(source)?)
            } else {
                Box::new(source)
            };
            let mut limited = Limited {
                inner: decoded,
                left: max_bytes,
                cause: Rc::clone(&cause),
            };
            let mut head = Vec::new();
            limited.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
            Ok((head, BufReader::with_capacity(BUFFER_BYTES, limited)))
        })();
        match opened {
            Ok((head, rest)) => Ok(Self {
                head,
                head_at: 0,
                rest,
                cause,
                max_bytes,
            }),
            Err(error) => Err(explain(&cause, &error, max_bytes)),
        }
    }

    /// The first bytes, at most 64 KiB.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether the head is the whole input.
    pub(super) fn head_is_all(&self) -> bool {
        self.head.len() < HEAD_BYTES
    }

    /// Makes an error of reading one that says who is at fault.
    pub(super) fn failure<E>(&self, error: &io::Error) -> ReadError<E> {
        explain(&self.cause, error, self.max_bytes)
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.head_at >= self.head.len() {
            return self.rest.read(buffer);
        }
        let available = &self.head[self.head_at..];
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        self.head_at += length;
        Ok(length)
    }
}

fn explain<E>(cause: &Cause, error: &io::Error, max_bytes: u64) -> ReadError<E> {
    if cause.too_large.get() {
        return InputError::TooLarge { max_bytes }.into();
    }
    match cause.source.borrow_mut().take() {
        Some(error) => ReadError::Io(error),
        None => InputError::NotReadable {
            reason: format!("its compression is broken ({error})"),
        }
        .into(),
    }
}

/// The caller's reader; keeps its error.
struct Source<'a> {
    inner: &'a mut dyn Read,
    cause: Rc<Cause>,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    *self.cause.source.borrow_mut() = Some(error);
                    return Err(kind.into());
                }
                read => return read,
            }
        }
    }
}

/// Stops at the limit, so that a small file cannot unfold into an endless one.
struct Limited<'a> {
    inner: Box<dyn Read + 'a>,
    left: u64,
    cause: Rc<Cause>,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                self.cause.too_large.set(true);
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        Ok(read)
    }
}
