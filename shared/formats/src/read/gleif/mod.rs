//! GLEIF Level 2: who consolidates whom, as CSV or XML of the Relationship Record format.
//!
//! <https://www.gleif.org/en/lei-data/access-and-use-lei-data/level-2-data-relationship-record-cdf-2-1-format>. A record goes
//! from child (`StartNode`) to parent (`EndNode`), so it is turned round here. Only what is `ACTIVE` and `PUBLISHED` counts.
//!
//! A parent that consolidates directly, with a share (a quantifier in `PERCENTAGE`), has a stake; without one it has control.
//! An ultimate parent's share is made of the direct ones between, so it is control alone. Managers of funds, umbrella funds
//! and masters hold nothing by being that.

mod csv;
mod xml;

use ownership::{Share, ShareError, Unit};

pub(super) use self::csv::{CHILD as CHILD_COLUMN, GleifCsv};
pub(super) use self::xml::GleifXml;

use super::check::{Field, bad_share};
use super::extent::Extent;
use super::intake::Intake;
use super::notes::{ENDED, Notice};
use crate::error::{ReadError, RecordError};

const ULTIMATE: Notice = Notice {
    code: "indirect_interest",
    action: "no stake, but control: the share of an ultimate parent is made of direct ones",
};
const CONTROL_ALONE: Notice = Notice {
    code: "share_unknown",
    action: "no stake, but control: parameter control_edges=use of company-control counts it",
};
const OTHER_RELATION: Notice = Notice {
    code: "not_a_share",
    action: "left out: relations of funds and branches are no holdings",
};
const OTHER_UNIT: Notice = Notice {
    code: "quantifier_not_percentage",
    action: "no share: only quantifiers in PERCENTAGE are",
};
const DOUBTFUL: Notice = Notice {
    code: "unit_doubtful",
    action: "an amount up to 1 was read as percents, as the format says; if 1.00 stands for the whole, pass unit=fraction: \
             amounts up to 1 are fractions then, larger ones percents",
};
const MIXED: Notice = Notice {
    code: "unit_mixed",
    action: "an amount over 1 was read as percents, since it can't be a fraction",
};

/// How the two formats name what they have in common. Field names of errors.
struct Names {
    child: &'static str,
    parent: &'static str,
    relation: &'static str,
    amount: &'static str,
}

/// A record, as text.
#[derive(Debug, Default)]
struct Relation {
    child: String,
    parent: String,
    relation: String,
    status: String,
    registration: String,
    /// Amounts and units.
    quantifiers: Vec<(String, String)>,
}

/// Takes relations, reading amounts by `unit` where it was given.
struct Relations {
    names: &'static Names,
    unit: Option<Unit>,
}

impl Relations {
    fn take<E>(&self, row: u64, relation: &Relation, intake: &mut Intake<'_, E>) -> Result<(), ReadError<E>> {
        let place = || format!("row {row}: {} of {}", relation.parent, relation.child);
        if relation.status != "ACTIVE" || relation.registration != "PUBLISHED" {
            intake.note(ENDED, || {
                format!("{}: {} {}", place(), relation.status, relation.registration)
            });
            return Ok(());
        }
        let fields = [
            (self.names.parent, &relation.parent),
            (self.names.child, &relation.child),
        ];
        let fields = fields.map(|(name, text)| Field {
            name,
            text: text.as_bytes(),
        });
        match relation.relation.as_str() {
            "IS_DIRECTLY_CONSOLIDATED_BY" => match self.amount(row, relation, intake) {
                Ok(Some(amount)) => intake.stake(row, fields, amount),
                Ok(None) => {
                    intake.note(CONTROL_ALONE, place);
                    intake.control(row, fields)
                }
                Err(error) => intake.refuse(error),
            },
            "IS_ULTIMATELY_CONSOLIDATED_BY" => {
                intake.note(ULTIMATE, place);
                intake.control(row, fields)
            }
            "" => intake.refuse(RecordError {
                code: "missing_field",
                row,
                field: self.names.relation.to_owned(),
                value: String::new(),
                statement: "is missing".into(),
                remedy: "every record says how child and parent are related",
            }),
            other => {
                intake.note(OTHER_RELATION, || format!("{}: {other}", place()));
                Ok(())
            }
        }
    }

    /// The share; the range of several, as by several standards of accounting.
    fn amount<E>(
        &self,
        row: u64,
        relation: &Relation,
        intake: &mut Intake<'_, E>,
    ) -> Result<Option<Extent>, RecordError> {
        let mut joined: Option<Extent> = None;
        for (text, unit) in &relation.quantifiers {
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            if unit.trim() != "PERCENTAGE" {
                intake.note(OTHER_UNIT, || format!("row {row}: {text} {unit}"));
                continue;
            }
            let share = self
                .share(row, text, intake)
                .map_err(|(error, unit)| bad_share(row, self.names.amount, text, error, unit))?;
            let amount = Extent::exact(share);
            joined = Some(joined.map_or(amount, |joined| joined.joined(amount)));
        }
        Ok(joined)
    }

    fn share<E>(&self, row: u64, text: &str, intake: &mut Intake<'_, E>) -> Result<Share, (ShareError, Unit)> {
        let as_fraction = Share::parse(text, Unit::Fraction);
        if self.unit == Some(Unit::Fraction) {
            match as_fraction {
                Err(ShareError::OverOne) => {}
                read => return read.map_err(|error| (error, Unit::Fraction)),
            }
        }
        let share = Share::parse(text, Unit::Percent).map_err(|error| (error, Unit::Percent))?;
        match self.unit {
            Some(Unit::Fraction) => intake.note(MIXED, || format!("row {row}: {text}")),
            None if as_fraction.is_ok_and(|share| share.units() > 0) => {
                intake.note(DOUBTFUL, || format!("row {row}: {text}"))
            }
            _ => {}
        }
        Ok(share)
    }
}
