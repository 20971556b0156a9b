//! Records by their latest statement, until the end of the file.

use hashbrown::{HashMap, HashSet};
use ownership::Kind;

use super::details::{self, Record, Relation, Statement};
use crate::error::{InputError, ReadError};
use crate::read::check::Field;
use crate::read::held::Held;
use crate::read::intake::Intake;
use crate::read::json::Reference;
use crate::read::notes::{ENDED, NOT_A_SHARE, Notice, SHARE_UNKNOWN, UNDISCLOSED};

const SUPERSEDED: Notice = Notice {
    code: "superseded_record",
    action: "left out: a later statement is about the same record",
};
const INDIRECT: Notice = Notice {
    code: "indirect_interest",
    action: "no stake: it repeats its components, which are counted",
};
const INCOMPLETE: Notice = Notice {
    code: "indirect_interest_incomplete",
    action: "no stake: it would count beside its components; but one of them has no share, is closed or is not in the file, \
             so the chain to this owner is cut",
};
const WITHOUT_COMPONENTS: Notice = Notice {
    code: "indirect_without_components",
    action: "taken as a stake, since the relationships that it goes through are not in the file",
};
const NO_SUBJECT: Notice = Notice {
    code: "unspecified_subject",
    action: "left out: it is not said what is held",
};

/// What an entry of a table takes beside its texts.
const ENTRY_BYTES: usize = 160;

/// The latest statement of each record.
pub(super) struct Records {
    parties: HashMap<Box<str>, Latest<(Box<str>, Kind)>>,
    relations: HashMap<Box<str>, Latest<Relation>>,
    /// By statements of older versions that were replaced, what replaced them.
    replaced: HashMap<Box<str>, Box<str>>,
    /// Rows of statements that another is later than.
    superseded: Vec<u64>,
    superseded_count: u64,
    held: Held,
}

struct Latest<R> {
    row: u64,
    date: u64,
    is_closed: bool,
    record: R,
}

/// Of the relationships that an indirect one is made of.
enum Components {
    /// None is in the file.
    Absent,
    /// One has no share, is closed or is not in the file, but others are.
    Incomplete,
    Complete,
}

impl<R> Latest<R> {
    /// By date where both have one, else by their order in the file.
    fn is_before(&self, date: u64) -> bool {
        self.date == 0 || date == 0 || self.date <= date
    }
}

impl Records {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            parties: HashMap::new(),
            relations: HashMap::new(),
            replaced: HashMap::new(),
            superseded: Vec::new(),
            superseded_count: 0,
            held: Held::new(max_bytes),
        }
    }

    /// Adds a statement.
    ///
    /// # Errors
    ///
    /// [`InputError::HoldsTooMuch`].
    pub(super) fn add(&mut self, row: u64, statement: Statement) -> Result<(), InputError> {
        let Statement {
            id,
            date,
            is_closed,
            replaces,
            record,
        } = statement;
        for old in replaces.iter().filter(|old| **old != id) {
            self.held.add(2 * (ENTRY_BYTES + old.len()) + id.len())?;
            self.replaced.insert(old.as_str().into(), id.as_str().into());
        }
        self.held.add(ENTRY_BYTES + id.len() + size_of_record(&record))?;
        let superseded = match record {
            Record::Party { name, kind } => {
                let record = (name.into_boxed_str(), kind);
                put(
                    &mut self.parties,
                    id,
                    Latest {
                        row,
                        date,
                        is_closed,
                        record,
                    },
                )
            }
            Record::Relation(record) => put(
                &mut self.relations,
                id,
                Latest {
                    row,
                    date,
                    is_closed,
                    record,
                },
            ),
        };
        if let Some(row) = superseded {
            self.supersede(row);
        }
        Ok(())
    }

    /// Hands on what is left: stakes in the order of the file, and names.
    pub(super) fn hand_on<E>(mut self, intake: &mut Intake<'_, E>) -> Result<(), ReadError<E>> {
        self.follow_replacements();
        // Of a ring, one is replaced by itself: it stays.
        for (old, _) in self.replaced.iter().filter(|(old, newest)| old != newest) {
            let relation = self.relations.remove(old).map(|old| old.row);
            let row = relation.or_else(|| self.parties.remove(old).map(|old| old.row));
            if let Some(row) = row {
                self.superseded_count += 1;
                self.superseded.push(row);
            }
        }
        self.superseded.sort_unstable();
        let rows = self.superseded.iter().map(Some).chain(std::iter::repeat(None));
        for (_, row) in (0..self.superseded_count).zip(rows) {
            intake.note(SUPERSEDED, || row.map(|row| format!("row {row}")).unwrap_or_default());
        }
        let mut relations: Vec<_> = self.relations.iter().collect();
        relations.sort_unstable_by_key(|(_, latest)| latest.row);
        for (id, latest) in relations {
            self.relation(id, latest, intake)?;
        }
        let mut parties: Vec<_> = self.parties.iter().collect();
        parties.sort_unstable_by_key(|(_, latest)| latest.row);
        for (id, latest) in parties {
            let (name, kind) = &latest.record;
            intake.describe(id, name, *kind)?;
        }
        Ok(())
    }

    fn relation<E>(&self, id: &str, latest: &Latest<Relation>, intake: &mut Intake<'_, E>) -> Result<(), ReadError<E>> {
        let row = latest.row;
        if latest.is_closed {
            intake.note(ENDED, || format!("row {row}: {id}"));
            return Ok(());
        }
        let relation = &latest.record;
        let subject = match &relation.subject {
            Reference::To(id) => self.newest(id),
            Reference::Unspecified(reason) => {
                intake.note(NO_SUBJECT, || format!("row {row}: {reason}"));
                return Ok(());
            }
        };
        let party = match &relation.party {
            Reference::To(id) => self.newest(id),
            Reference::Unspecified(reason) => {
                intake.note(UNDISCLOSED, || format!("row {row}: {subject}: {reason}"));
                return Ok(());
            }
        };
        let place = || format!("row {row}: {party} of {subject}");
        let fields = [("interestedParty", party), ("subject", subject)].map(|(name, text)| Field {
            name,
            text: text.as_bytes(),
        });
        let mut is_controlled = false;
        for interest in &relation.interests {
            match interest {
                details::Held::Stake { amount, is_indirect } => {
                    if *is_indirect {
                        let share = || format!("{}: {}", place(), amount.lower.value());
                        match self.components(relation) {
                            Components::Absent => intake.note(WITHOUT_COMPONENTS, share),
                            Components::Incomplete => {
                                intake.note(INCOMPLETE, share);
                                continue;
                            }
                            Components::Complete => {
                                intake.note(INDIRECT, share);
                                continue;
                            }
                        }
                    }
                    intake.stake(row, fields, *amount)?;
                }
                details::Held::Unknown => intake.note(SHARE_UNKNOWN, place),
                details::Held::Ended => intake.note(ENDED, place),
                details::Held::Other { kind, controls } => {
                    intake.note(NOT_A_SHARE, || format!("{}: {kind}", place()));
                    is_controlled |= controls;
                }
            }
        }
        if relation.interests.is_empty() {
            intake.note(SHARE_UNKNOWN, place);
        }
        if is_controlled {
            intake.control(row, fields)?;
        }
        Ok(())
    }

    /// What is in the file of the relationships that this one is made of.
    fn components(&self, relation: &Relation) -> Components {
        let is_stake = |interest: &details::Held| matches!(interest, details::Held::Stake { .. });
        let (mut is_any_there, mut is_cut) = (false, false);
        for id in relation.components.iter().map(|id| self.newest(id)) {
            match self.relations.get(id).filter(|component| !component.is_closed) {
                Some(component) => {
                    is_any_there = true;
                    is_cut |= !component.record.interests.iter().any(is_stake);
                }
                // The companies on the way are components, too, and have no share to say.
                None => is_cut |= self.parties.get(id).is_none_or(|party| party.is_closed),
            }
        }
        match (is_any_there, is_cut) {
            (false, _) => Components::Absent,
            (true, true) => Components::Incomplete,
            (true, false) => Components::Complete,
        }
    }

    /// Makes each statement that was replaced lead to what replaced it in the end, in time linear in their number. In a ring
    /// of replacements that is the last one in the file.
    fn follow_replacements(&mut self) {
        let mut settled: HashSet<Box<str>> = HashSet::new();
        let all: Vec<Box<str>> = self.replaced.keys().cloned().collect();
        for first in all {
            let mut way = Vec::new();
            let mut at = first;
            while let Some(next) = self.replaced.get(&at) {
                let next = next.clone();
                let is_known = !settled.insert(at.clone());
                way.push(std::mem::replace(&mut at, next));
                if is_known {
                    break;
                }
            }
            // The way ends where it was before, if it went round a ring just now.
            if let Some((last, before)) = way.split_last()
                && let Some(start) = before.iter().position(|old| old == last)
                && let Some(kept) = before[start..].iter().max_by_key(|id| (self.row(id), *id))
            {
                at = kept.clone();
            }
            for old in way {
                self.replaced.insert(old, at.clone());
            }
        }
    }

    /// Where a statement stands, if it is there.
    fn row(&self, id: &str) -> Option<u64> {
        let relation = self.relations.get(id).map(|relation| relation.row);
        relation.or_else(|| self.parties.get(id).map(|party| party.row))
    }

    /// What replaced a statement, in the end.
    fn newest<'a>(&'a self, id: &'a str) -> &'a str {
        self.replaced.get(id).map_or(id, |newest| newest)
    }

    fn supersede(&mut self, row: u64) {
        self.superseded_count += 1;
        if self.superseded.len() < crate::read::check::MAX_EXAMPLES {
            self.superseded.push(row);
        }
    }
}

/// Puts a record in its place if it is the latest; gives the row of the one that isn't.
fn put<R>(records: &mut HashMap<Box<str>, Latest<R>>, id: String, next: Latest<R>) -> Option<u64> {
    match records.entry(id.into_boxed_str()) {
        hashbrown::hash_map::Entry::Vacant(vacant) => {
            vacant.insert(next);
            None
        }
        hashbrown::hash_map::Entry::Occupied(mut occupied) => {
            if occupied.get().is_before(next.date) {
                Some(occupied.insert(next).row)
            } else {
                Some(next.row)
            }
        }
    }
}

fn size_of_record(record: &Record) -> usize {
    let reference = |reference: &Reference| match reference {
        Reference::To(text) | Reference::Unspecified(text) => text.len(),
    };
    match record {
        Record::Party { name, .. } => name.len(),
        Record::Relation(relation) => {
            let components: usize = relation
                .components
                .iter()
                .map(|id| size_of::<String>() + id.len())
                .sum();
            let interest = |interest: &details::Held| match interest {
                details::Held::Other { kind, .. } => size_of::<details::Held>() + kind.len(),
                _ => size_of::<details::Held>(),
            };
            let interests: usize = relation.interests.iter().map(interest).sum();
            reference(&relation.subject) + reference(&relation.party) + components + interests
        }
    }
}
