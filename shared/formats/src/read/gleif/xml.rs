//! Relationship records as XML, event by event.

use std::io::{BufRead, BufReader};

use quick_xml::errors::IllFormedError;
use quick_xml::events::{BytesRef, Event};
use quick_xml::{Error as XmlError, Reader as XmlReader};

use super::{Names, Relation, Relations};
use crate::error::{InputError, ReadError};
use crate::read::budget::{Budget, Budgeted};
use crate::read::check::{Checker, bad_record};
use crate::read::input::Input;
use crate::read::intake::Intake;
use crate::read::{Format, Read, ReadOptions, Reader, Sink};

const NAMES: Names = Names {
    child: "StartNode/NodeID",
    parent: "EndNode/NodeID",
    relation: "RelationshipType",
    amount: "QuantifierAmount",
};
const RECORD: &str = "RelationshipRecord";

/// Reads a file of relationship records, whatever the prefix of their namespace. Memory is one record, of at most 1 MiB.
pub(in crate::read) struct GleifXml;

impl Reader for GleifXml {
    fn read<E>(
        self,
        input: &mut Input<'_>,
        options: &ReadOptions,
        checker: Checker,
        sink: Sink<'_, E>,
    ) -> Result<Read, ReadError<E>> {
        let budget = Budget::new();
        let mut intake = Intake::new(checker, sink);
        let relations = Relations {
            names: &NAMES,
            unit: options.unit,
        };
        let failure = {
            let mut records = XmlRecords::new(Budgeted::new(BufReader::new(&mut *input), &budget));
            loop {
                match records.next() {
                    Ok(Some((row, Ok(relation)))) => relations.take(row, &relation, &mut intake)?,
                    Ok(Some((row, Err(bytes)))) => {
                        intake.refuse(bad_record("not_utf8", row, &bytes, "is not UTF-8".to_owned()))?;
                    }
                    Ok(None) => break None,
                    Err(failure) => break Some(failure),
                }
                budget.renew(records.row + 1);
            }
        };
        match (budget.fault(), failure) {
            (Some(fault), _) => intake.stop(fault)?,
            (None, Some(XmlError::Io(error))) => {
                let error = input.failure(&error.kind().into());
                intake.stop(error)?;
            }
            (None, Some(error)) => intake.stop(InputError::NotReadable {
                reason: format!("as XML: after record {}: {error}", budget.row() - 1),
            })?,
            (None, None) => {}
        }
        intake.finish(Format::GleifXml, None)
    }
}

/// The records of a document, one after another.
struct XmlRecords<R> {
    reader: XmlReader<R>,
    buffer: Vec<u8>,
    /// Names of the open elements, without their prefixes. The budget bounds how many there are.
    path: Vec<String>,
    /// Of the last record.
    row: u64,
}

/// A record, or bytes of it that are no text.
type Found = Option<(u64, Result<Relation, Vec<u8>>)>;

impl<R: BufRead> XmlRecords<R> {
    fn new(source: R) -> Self {
        Self {
            reader: XmlReader::from_reader(source),
            buffer: Vec::new(),
            path: Vec::new(),
            row: 0,
        }
    }

    fn next(&mut self) -> Result<Found, XmlError> {
        let mut relation = Relation::default();
        let mut text = Vec::new();
        let mut fault = None;
        loop {
            self.buffer.clear();
            match self.reader.read_event_into(&mut self.buffer)? {
                Event::Start(start) => {
                    text.clear();
                    let name = start.local_name();
                    self.path.push(String::from_utf8_lossy(name.as_ref()).into_owned());
                    let is_record = self.path.last().is_some_and(|name| name == RECORD);
                    if is_record {
                        relation = Relation::default();
                        fault = None;
                    }
                }
                Event::Text(part) => text.extend_from_slice(&part),
                Event::CData(part) => text.extend_from_slice(&part),
                Event::GeneralRef(reference) => text.extend_from_slice(resolve(&reference).as_bytes()),
                Event::End(_) => {
                    match std::str::from_utf8(&text) {
                        Ok(text) => put(&mut relation, &self.path, text.trim()),
                        Err(_) => fault = Some(std::mem::take(&mut text)),
                    }
                    text.clear();
                    if self.path.pop().is_some_and(|name| name == RECORD) {
                        self.row += 1;
                        return Ok(Some((self.row, fault.map_or(Ok(relation), Err))));
                    }
                }
                Event::Eof => {
                    // A document that was cut off is not read as a whole one.
                    return match self.path.pop() {
                        Some(open) => Err(IllFormedError::MissingEndTag(open).into()),
                        None => Ok(None),
                    };
                }
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }
}

/// Puts a text where it belongs, by the two innermost open elements.
fn put(relation: &mut Relation, path: &[String], text: &str) {
    let [.., outer, inner] = path else { return };
    let place = match (outer.as_str(), inner.as_str()) {
        ("StartNode", "NodeID") => &mut relation.child,
        ("EndNode", "NodeID") => &mut relation.parent,
        ("Relationship", "RelationshipType") => &mut relation.relation,
        ("Relationship", "RelationshipStatus") => &mut relation.status,
        ("Registration", "RegistrationStatus") => &mut relation.registration,
        ("RelationshipQuantifier", "QuantifierAmount" | "QuantifierUnits") => {
            let is_amount = inner == "QuantifierAmount";
            // The order of both is that of the schema, but nothing depends on it.
            let begun =
                relation.quantifiers.last_mut().filter(
                    |(amount, unit)| {
                        if is_amount { amount.is_empty() } else { unit.is_empty() }
                    },
                );
            let (amount, unit) = match begun {
                Some(begun) => begun,
                None => {
                    relation.quantifiers.push((String::new(), String::new()));
                    let last = relation.quantifiers.len() - 1;
                    &mut relation.quantifiers[last]
                }
            };
            if is_amount { amount } else { unit }
        }
        _ => return,
    };
    text.clone_into(place);
}

/// What a reference stands for; entities of the document's own are not resolved.
fn resolve(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    match &**reference {
        b"amp" => "&".to_owned(),
        b"lt" => "<".to_owned(),
        b"gt" => ">".to_owned(),
        b"quot" => "\"".to_owned(),
        b"apos" => "'".to_owned(),
        other => format!("&{};", String::from_utf8_lossy(other)),
    }
}
