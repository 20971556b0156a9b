//! Stakes in JSON: a document `{"stakes": [..]}`, read element by element, each within a [`Budget`] of bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::BufReader;

use ownership::Batch;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::budget::{Budget, Budgeted};
use super::check::{Checker, Field, bad_record};
use super::input::Input;
use super::{Format, Read, ReadOptions, Reader, Sink};
use crate::error::{InputError, ReadError, RecordError};

/// The most characters of an error of the parser that go into a message: its text may quote the input.
const MAX_REASON_CHARS: usize = 300;
/// How many of them are kept from its end, which says where the fault is.
const REASON_END_CHARS: usize = 100;

/// A stake as it stands in a request or in a document of stakes. In a request it may be a claim as well, whose owner
/// is the creditor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InlineStake {
    /// Who holds.
    #[serde(alias = "creditor")]
    pub owner: String,
    /// What is held.
    #[serde(alias = "debtor")]
    pub owned: String,
    /// How much of it, in the unit of the job.
    #[serde(alias = "amount")]
    pub share: InlineShare,
}

/// A share in JSON: a number, a string that says the same, or the bounds of one that is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InlineShare {
    /// `0.33`
    Number(serde_json::Number),
    /// `"0.33"`, or a range such as `"25-50%"`
    Text(String),
    /// `{"minimum": 0.25, "maximum": 0.5}`
    Range(InlineRange),
}

/// What a share is at least and at most. One of both can be absent: at least nothing, at most the whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, InlineBound>")]
pub struct InlineRange {
    /// The share is this or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<InlineBound>,
    /// The share is this or less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<InlineBound>,
}

impl TryFrom<BTreeMap<String, InlineBound>> for InlineRange {
    type Error = &'static str;

    fn try_from(mut ends: BTreeMap<String, InlineBound>) -> Result<Self, Self::Error> {
        let (minimum, maximum) = (ends.remove("minimum"), ends.remove("maximum"));
        if !ends.is_empty() || (minimum.is_none() && maximum.is_none()) {
            return Err("a range has a minimum, a maximum or both, and nothing else");
        }
        Ok(Self { minimum, maximum })
    }
}

/// An end of a range: a number, or a string that says the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InlineBound {
    /// `0.25`
    Number(serde_json::Number),
    /// `"25%"`
    Text(String),
}

/// Stakes that are handed on together.
const BATCH: usize = 1 << 12;

/// Reads a document of stakes.
pub(super) struct Document;

impl Reader for Document {
    fn read<E>(
        self,
        input: &mut Input<'_>,
        _options: &ReadOptions,
        checker: Checker,
        sink: Sink<'_, E>,
    ) -> Result<Read, ReadError<E>> {
        read_document(input, checker, sink)
    }
}

fn read_document<E>(input: &mut Input<'_>, checker: Checker, sink: Sink<'_, E>) -> Result<Read, ReadError<E>> {
    let budget = Budget::new();
    let mut reading = Reading {
        checker,
        batch: Batch::default(),
        sink,
        budget: &budget,
        failure: None,
    };
    let outcome = {
        let mut json = serde_json::Deserializer::from_reader(Budgeted::new(BufReader::new(&mut *input), &budget));
        Stakes(&mut reading).deserialize(&mut json).and_then(|()| json.end())
    };
    // What the sink says of the stakes before a fault comes before that.
    match reading.failure.take() {
        Some(failure @ ReadError::Sink(_)) => return Err(failure),
        failure => {
            reading.hand_on()?;
            failure.map_or(Ok(()), Err)?;
        }
    }
    if let Some(fault) = budget.fault() {
        return Err(fault.into());
    }
    match outcome {
        Ok(()) => reading.checker.finish(Format::Stakes.name(), None),
        Err(error) if error.is_io() => Err(input.failure(&error.into())),
        Err(error) => Err(InputError::NotReadable {
            reason: format!("as a document of stakes: {}", abridge(error.to_string())),
        }
        .into()),
    }
}

fn take(checker: &mut Checker, row: u64, stake: &InlineStake, batch: &mut Batch) -> Result<(), RecordError> {
    let (owner, owned) = (field("owner", &stake.owner), field("owned", &stake.owned));
    match &stake.share {
        InlineShare::Text(text) => checker.take(row, [owner, owned, field("share", text)], batch),
        InlineShare::Number(number) => checker.take(row, [owner, owned, field("share", &number.to_string())], batch),
        InlineShare::Range(InlineRange { minimum, maximum }) => {
            let [minimum, maximum] = [minimum, maximum].map(|bound| bound.as_ref().map(InlineBound::text));
            let minimum = minimum.as_deref().map(|text| field("share.minimum", text));
            let maximum = maximum.as_deref().map(|text| field("share.maximum", text));
            checker.take_range(row, [owner, owned], [minimum, maximum], batch)
        }
    }
}

fn field<'a>(name: &'a str, text: &'a str) -> Field<'a> {
    Field {
        name,
        text: text.as_bytes(),
    }
}

impl InlineBound {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Number(number) => number.to_string().into(),
            Self::Text(text) => text.into(),
        }
    }
}

/// What the visitors share. A failure of ours cannot pass through serde, so it waits here.
struct Reading<'s, E> {
    checker: Checker,
    batch: Batch,
    sink: &'s mut dyn FnMut(&mut Batch) -> Result<(), E>,
    budget: &'s Budget,
    failure: Option<ReadError<E>>,
}

impl<E> Reading<'_, E> {
    fn element(&mut self, row: u64, value: Value) -> Result<(), ReadError<E>> {
        match stake(value) {
            Ok(stake) => take(&mut self.checker, row, &stake, &mut self.batch)?,
            Err((value, reason)) => {
                let statement = format!("is not a stake ({reason})");
                self.checker
                    .refuse(bad_record("not_a_stake", row, value.to_string().as_bytes(), statement))?;
            }
        }
        if self.batch.len() >= BATCH {
            self.hand_on()?;
        }
        Ok(())
    }

    fn hand_on(&mut self) -> Result<(), ReadError<E>> {
        if !self.batch.is_empty() {
            (self.sink)(&mut self.batch).map_err(ReadError::Sink)?;
            self.batch.clear();
        }
        Ok(())
    }
}

/// An absent field is an empty one, so that it is reported like an empty cell of a table.
fn stake(mut value: Value) -> Result<InlineStake, (Value, String)> {
    if let Value::Object(fields) = &mut value {
        for name in ["owner", "owned", "share"] {
            let field = fields.entry(name).or_insert(Value::Null);
            if field.is_null() {
                *field = Value::String(String::new());
            }
        }
        let share = &fields["share"];
        if !share.is_number() && !share.is_string() && InlineRange::deserialize(share).is_err() {
            let reason = "its share is neither a number nor a string, nor a minimum and maximum";
            return Err((value, reason.to_owned()));
        }
    }
    InlineStake::deserialize(&value).map_err(|error| (value, abridge(error.to_string())))
}

/// The text, cut in its middle so that a message stays readable.
fn abridge(text: String) -> String {
    let length = text.chars().count();
    if length <= MAX_REASON_CHARS {
        return text;
    }
    let start: String = text.chars().take(MAX_REASON_CHARS - REASON_END_CHARS - 1).collect();
    let end: String = text.chars().skip(length - REASON_END_CHARS).collect();
    format!("{start}…{end}")
}

struct Stakes<'r, 's, E>(&'r mut Reading<'s, E>);

impl<'de, E> DeserializeSeed<'de> for Stakes<'_, '_, E> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, E> Visitor<'de> for Stakes<'_, '_, E> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object {\"stakes\": [..]}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = false;
        while let Some(key) = map.next_key::<String>()? {
            if key != "stakes" {
                return Err(A::Error::unknown_field(&key, &["stakes"]));
            }
            if std::mem::replace(&mut seen, true) {
                return Err(A::Error::duplicate_field("stakes"));
            }
            map.next_value_seed(Elements(&mut *self.0))?;
        }
        if seen {
            Ok(())
        } else {
            Err(A::Error::missing_field("stakes"))
        }
    }
}

struct Elements<'r, 's, E>(&'r mut Reading<'s, E>);

impl<'de, E> DeserializeSeed<'de> for Elements<'_, '_, E> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, E> Visitor<'de> for Elements<'_, '_, E> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of stakes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut row = 1;
        self.0.budget.renew(row);
        while let Some(value) = elements.next_element::<Value>()? {
            if let Err(failure) = self.0.element(row, value) {
                self.0.failure = Some(failure);
                return Err(A::Error::custom("stopped"));
            }
            row += 1;
            self.0.budget.renew(row);
        }
        Ok(())
    }
}
