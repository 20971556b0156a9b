//! What a reader hands its records to: stakes, control without a share, and names, on their way to the sink.

use std::borrow::Cow;

use ownership::{Batch, Kind};

use super::check::{Checker, Field, id};
use super::extent::Extent;
use super::notes::Notice;
use super::{Format, MAX_ID_BYTES, Read, Sink};
use crate::error::{ReadError, RecordError};

/// Records that are handed on together.
const BATCH: usize = 1 << 12;

/// Checks what a reader found, applies the policy for bad records, and fills batches.
pub(super) struct Intake<'s, E> {
    checker: Checker,
    batch: Batch,
    waiting: usize,
    sink: Sink<'s, E>,
}

/// Why a record was not taken: it is bad, and bad ones are errors; or the sink failed.
type Taken<E> = Result<(), ReadError<E>>;

impl<'s, E> Intake<'s, E> {
    pub(super) fn new(checker: Checker, sink: Sink<'s, E>) -> Self {
        Self {
            checker,
            batch: Batch::default(),
            waiting: 0,
            sink,
        }
    }

    /// Takes a stake.
    pub(super) fn stake(&mut self, row: u64, [owner, owned]: [Field<'_>; 2], amount: Extent) -> Taken<E> {
        match ids(row, owner, owned) {
            Ok((owner, owned)) => {
                self.checker.take_amount(row, [owner, owned], amount, &mut self.batch);
                self.taken()
            }
            Err(error) => self.refuse(error),
        }
    }

    /// Takes control of a company by somebody whose share is not known.
    pub(super) fn control(&mut self, row: u64, [owner, owned]: [Field<'_>; 2]) -> Taken<E> {
        match ids(row, owner, owned) {
            Ok((owner, owned)) => {
                self.checker.controls += 1;
                self.batch.push_control(owner, owned, row);
                self.taken()
            }
            Err(error) => self.refuse(error),
        }
    }

    /// Takes the name of a company or person, and which of both it is.
    pub(super) fn describe(&mut self, company: &str, name: &str, kind: Kind) -> Taken<E> {
        self.checker.described += 1;
        self.batch.describe(company, &label(name), kind);
        self.taken()
    }

    /// Fails with the error, or counts it and lets reading go on.
    pub(super) fn refuse(&mut self, error: RecordError) -> Taken<E> {
        match self.checker.refuse(error) {
            Ok(()) => Ok(()),
            Err(error) => self.stop(error),
        }
    }

    pub(super) fn note(&mut self, notice: Notice, example: impl FnOnce() -> String) {
        self.checker.notes.note(notice, example);
    }

    /// What the sink says of what came before an error comes first.
    pub(super) fn stop(&mut self, error: impl Into<ReadError<E>>) -> Taken<E> {
        self.hand_on()?;
        Err(error.into())
    }

    /// Hands on what waits, and ends the reading. `share` is what the file calls the share, where it has a word for it.
    pub(super) fn finish(mut self, format: Format, share: Option<&str>) -> Result<Read, ReadError<E>> {
        self.hand_on()?;
        self.checker.finish(format.name(), share)
    }

    fn taken(&mut self) -> Taken<E> {
        self.waiting += 1;
        if self.waiting >= BATCH { self.hand_on() } else { Ok(()) }
    }

    fn hand_on(&mut self) -> Taken<E> {
        if std::mem::take(&mut self.waiting) > 0 {
            (self.sink)(&mut self.batch).map_err(ReadError::Sink)?;
            self.batch.clear();
        }
        Ok(())
    }
}

fn ids<'a>(row: u64, owner: Field<'a>, owned: Field<'a>) -> Result<(&'a str, &'a str), RecordError> {
    const NEEDED: &str = "every holding needs an owner and an owned company";
    Ok((id(row, owner, NEEDED)?, id(row, owned, NEEDED)?))
}

/// A name as it is shown: on one line, and not longer than an id.
fn label(name: &str) -> Cow<'_, str> {
    let name = name.trim();
    let end = name.floor_char_boundary(MAX_ID_BYTES);
    let name = &name[..end];
    if name.chars().any(char::is_control) {
        return name.replace(char::is_control, " ").into();
    }
    name.into()
}
