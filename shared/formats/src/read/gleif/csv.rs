//! Relationship records as CSV.

use super::{Names, Relation, Relations};
use crate::error::{InputError, ReadError};
use crate::read::check::{Checker, bad_record, not_utf8};
use crate::read::input::Input;
use crate::read::intake::Intake;
use crate::read::records::Records;
use crate::read::{Format, Read, ReadOptions, Reader, Sink};

/// By this column the format is known.
pub(in crate::read) const CHILD: &str = "Relationship.StartNode.NodeID";
const PARENT: &str = "Relationship.EndNode.NodeID";
const RELATION: &str = "Relationship.RelationshipType";
const STATUS: &str = "Relationship.RelationshipStatus";
const REGISTRATION: &str = "Registration.RegistrationStatus";
/// A record has up to five quantifiers.
const QUANTIFIERS: usize = 5;

const NAMES: Names = Names {
    child: CHILD,
    parent: PARENT,
    relation: RELATION,
    amount: "Relationship.Quantifiers.1.QuantifierAmount",
};

/// Reads a file with the columns of the format, in any order. Memory is one record.
pub(in crate::read) struct GleifCsv;

impl Reader for GleifCsv {
    fn read<E>(
        self,
        input: &mut Input<'_>,
        options: &ReadOptions,
        checker: Checker,
        sink: Sink<'_, E>,
    ) -> Result<Read, ReadError<E>> {
        let mut records = Records::open(input, None)?;
        let header: Vec<String> = (0..records.len())
            .map(|index| String::from_utf8_lossy(records.field(index)).trim().to_owned())
            .collect();
        let columns = Columns::find(&header)?;
        let relations = Relations {
            names: &NAMES,
            unit: options.unit,
        };
        let mut intake = Intake::new(checker, sink);
        while records.advance()? {
            let row = records.row();
            if records.len() != header.len() {
                let statement = format!("has {} fields where the header has {}", records.len(), header.len());
                intake.refuse(bad_record("wrong_field_count", row, records.text(), statement))?;
                continue;
            }
            let text = |position: usize| {
                std::str::from_utf8(records.field(position))
                    .map(|text| text.trim().to_owned())
                    .map_err(|_| position)
            };
            match columns.relation(text) {
                Ok(relation) => relations.take(row, &relation, &mut intake)?,
                Err(position) => intake.refuse(not_utf8(row, &header[position], records.field(position)))?,
            }
        }
        intake.finish(Format::GleifCsv, None)
    }
}

/// Positions of the columns that matter.
struct Columns {
    needed: [usize; 5],
    quantifiers: Vec<[usize; 2]>,
}

impl Columns {
    fn find(header: &[String]) -> Result<Self, InputError> {
        let position = |name: &str| header.iter().position(|field| field == name);
        let mut needed = [0; 5];
        for (place, name) in needed.iter_mut().zip([CHILD, PARENT, RELATION, STATUS, REGISTRATION]) {
            *place = position(name).ok_or_else(|| InputError::MissingColumn {
                role: name.to_owned(),
                header: crate::read::header::shown(header),
                accepted: vec![name.to_owned()],
            })?;
        }
        let quantifier = |number: usize| {
            let part = |part: &str| position(&format!("Relationship.Quantifiers.{number}.{part}"));
            Some([part("QuantifierAmount")?, part("QuantifierUnits")?])
        };
        Ok(Self {
            needed,
            quantifiers: (1..=QUANTIFIERS).filter_map(quantifier).collect(),
        })
    }

    fn relation<E>(&self, text: impl Fn(usize) -> Result<String, E>) -> Result<Relation, E> {
        let [child, parent, relation, status, registration] = self.needed;
        let mut quantifiers = Vec::new();
        for &[amount, unit] in &self.quantifiers {
            quantifiers.push((text(amount)?, text(unit)?));
        }
        Ok(Relation {
            child: text(child)?,
            parent: text(parent)?,
            relation: text(relation)?,
            status: text(status)?,
            registration: text(registration)?,
            quantifiers,
        })
    }
}
