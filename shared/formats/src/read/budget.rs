//! How much of a JSON document may go into one value, so that a small file cannot unfold into one that fills the memory.

use std::cell::Cell;
use std::io::{self, BufRead, Read};

use super::records::MAX_RECORD_BYTES;
use crate::error::InputError;

/// The bytes left for the current element. The parser reads on through its own borrow, hence the cells.
pub(super) struct Budget {
    left: Cell<usize>,
    row: Cell<u64>,
    overdrawn: Cell<bool>,
}

impl Budget {
    /// A full budget. What stands before the first element is counted to that element.
    pub(super) fn new() -> Self {
        Self {
            left: Cell::new(MAX_RECORD_BYTES),
            row: Cell::new(1),
            overdrawn: Cell::new(false),
        }
    }

    /// Fills it up for the element at the 1-based position `row`, with the comma and the blanks before it.
    pub(super) fn renew(&self, row: u64) {
        self.left.set(MAX_RECORD_BYTES);
        self.row.set(row);
    }

    /// The position of the element that it is for.
    pub(super) fn row(&self) -> u64 {
        self.row.get()
    }

    /// The fault, if a reader stopped because the budget was used up.
    pub(super) fn fault(&self) -> Option<InputError> {
        self.overdrawn.get().then(|| InputError::RecordTooLong {
            row: self.row.get(),
            max_bytes: MAX_RECORD_BYTES,
        })
    }
}

/// A reader that spends a budget and fails once that is used up.
pub(super) struct Budgeted<'b, R> {
    inner: R,
    budget: &'b Budget,
}

impl<'b, R: Read> Budgeted<'b, R> {
    /// Reads from `inner`, which may itself read ahead: only bytes handed on are counted.
    pub(super) fn new(inner: R, budget: &'b Budget) -> Self {
        Self { inner, budget }
    }
}

impl<R: Read> Read for Budgeted<'_, R> {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(left) = self.budget.left.get().checked_sub(read) {
            self.budget.left.set(left);
            Ok(read)
        } else {
            self.budget.overdrawn.set(true);
            Err(io::ErrorKind::FileTooLarge.into())
        }
    }
}

impl<R: BufRead> BufRead for Budgeted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = self.budget.left.get();
        let buffer = self.inner.fill_buf()?;
        if left == 0 && !buffer.is_empty() {
            self.budget.overdrawn.set(true);
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(&buffer[..buffer.len().min(left)])
    }

    fn consume(&mut self, bytes: usize) {
        self.budget.left.set(self.budget.left.get().saturating_sub(bytes));
        self.inner.consume(bytes);
    }
}
