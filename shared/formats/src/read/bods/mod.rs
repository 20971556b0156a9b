//! The Beneficial Ownership Data Standard, as a list of statements or one on each line.
//!
//! <https://standard.openownership.org/en/0.4.0/>. A statement is about a record: a person, an entity, or a relationship of an
//! interested party to a subject. The latest statement of a record says what it is; one that is closed says that it is
//! no more. Which is the latest is known at the end of the file, so what matters of each record is held until then.
//!
//! **What is a stake.** An interest of type `shareholding` with a share, from an interested party that is named. An
//! *indirect* one that lists its components repeats what they say, and is not counted beside them; one of whose
//! components none is in the file is all that is known, and is. Shares are percents, `exact` or by bounds.
//!
//! Versions 0.2 and 0.3, whose statements are records of their own until others replace them, are read the same way.

mod details;
mod records;

use ownership::Unit;

use self::details::{Found, found};
use self::records::Records;
use super::check::Checker;
use super::input::Input;
use super::intake::Intake;
use super::json;
use super::{Format, Read, ReadOptions, Reader, Sink};
use crate::error::ReadError;

/// Reads statements. Memory grows with the records of which they are: some 200 bytes each, their ids and names.
pub(super) struct Bods;

impl Reader for Bods {
    fn read<E>(
        self,
        input: &mut Input<'_>,
        options: &ReadOptions,
        checker: Checker,
        sink: Sink<'_, E>,
    ) -> Result<Read, ReadError<E>> {
        let unit = options.unit.unwrap_or(Unit::Percent);
        let mut intake = Intake::new(checker, sink);
        let mut records = Records::new(options.max_held_bytes);
        json::for_each(
            input,
            |element| found(element, unit),
            |row, found| match found {
                Ok(Found::Statement(statement)) => match records.add(row, statement) {
                    Ok(()) => Ok(()),
                    Err(error) => intake.stop(error),
                },
                Ok(Found::Other) => Ok(()),
                Err(error) => intake.refuse(error),
            },
        )?;
        records.hand_on(&mut intake)?;
        intake.finish(Format::Bods, None)
    }
}
