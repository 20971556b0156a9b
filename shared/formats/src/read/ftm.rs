//! FollowTheMoney: entities as JSON lines, of which those of schema `Ownership` are stakes.
//!
//! <https://followthemoney.tech/explorer/schemata/Ownership/>: `owner` and `asset` name entities by id, `percentage` is a
//! text. Properties have many values: several owners or assets are a stake each, several percentages are a range. An
//! ownership with an `endDate` is left out, even if the date is yet to come: a file doesn't say what day it is.

use std::hash::BuildHasher;

use hashbrown::HashMap;
use ownership::{Kind, ShareError, Unit};
use serde::Deserialize;

use super::check::{Checker, Field, bad_field, bad_share};
use super::extent::Extent;
use super::held::Held;
use super::input::Input;
use super::intake::Intake;
use super::json::{self, Text, Texts, str_of};
use super::notes::{Notice, REPEATED, SHARE_UNKNOWN};
use super::{Format, Read, ReadOptions, Reader, Sink};
use crate::error::{ReadError, RecordError};

const ENDED: Notice = Notice {
    code: "ended_record",
    action: "left out: it has an end date, which may be yet to come",
};

/// What a description takes beside its texts, where the sink keeps it.
const DESCRIPTION_BYTES: usize = 24;

/// Reads entities. Memory grows with the ids of ownerships, which may be repeated: 64 bytes each and their text; that of the
/// sink with the entities that are described, whether or not they own or are owned: 24 bytes each, their ids and names. Both
/// are counted as held.
pub(super) struct FollowTheMoney;

#[derive(Deserialize)]
struct Entity<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    schema: Option<Text<'a>>,
    caption: Option<Text<'a>>,
    properties: Option<Properties<'a>>,
}

#[derive(Default, Deserialize)]
struct Properties<'a> {
    #[serde(borrow, default)]
    name: Option<Texts<'a>>,
    #[serde(default)]
    owner: Option<Texts<'a>>,
    #[serde(default)]
    asset: Option<Texts<'a>>,
    #[serde(default)]
    percentage: Option<Texts<'a>>,
    #[serde(default, rename = "endDate")]
    end_date: Option<Texts<'a>>,
}

/// What matters of an entity.
enum Found {
    Named { id: String, name: String, kind: Kind },
    Ownership(Ownership),
    Other,
}

struct Ownership {
    id: String,
    owners: Vec<String>,
    assets: Vec<String>,
    amount: Option<Extent>,
    ended: Option<String>,
}

impl Reader for FollowTheMoney {
    fn read<E>(
        self,
        input: &mut Input<'_>,
        options: &ReadOptions,
        checker: Checker,
        sink: Sink<'_, E>,
    ) -> Result<Read, ReadError<E>> {
        let unit = options.unit.unwrap_or(Unit::Percent);
        let mut intake = Intake::new(checker, sink);
        let mut seen = Seen::new(options.max_held_bytes);
        json::for_each(
            input,
            |element| found(element, unit),
            |row, found| match found {
                Ok(Found::Ownership(ownership)) => ownership.take(row, &mut seen, &mut intake),
                Ok(Found::Named { id, name, kind }) => {
                    // A longer name is cut.
                    let name_bytes = name.len().min(super::MAX_ID_BYTES);
                    match seen.held.add(id.len() + name_bytes + DESCRIPTION_BYTES) {
                        Ok(()) => intake.describe(&id, &name, kind),
                        Err(error) => intake.stop(error),
                    }
                }
                Ok(Found::Other) => Ok(()),
                Err(error) => intake.refuse(error),
            },
        )?;
        intake.finish(Format::Ftm, None)
    }
}

fn found(element: &[u8], unit: Unit) -> Result<Found, RecordError> {
    let entity: Entity<'_> = json::object(element)?;
    let schema = str_of(entity.schema.as_ref());
    if schema.is_empty() {
        return Err(bad_field(
            "missing_field",
            "schema",
            "",
            "is missing",
            "every entity has a schema",
        ));
    }
    let properties = entity.properties.unwrap_or_default();
    let id = str_of(entity.id.as_ref()).to_owned();
    if schema == "Ownership" {
        let ids = |texts: &Option<Texts<'_>>| {
            texts
                .iter()
                .flat_map(|texts| &texts.0)
                .map(|id| id.as_str().to_owned())
                .collect()
        };
        return Ok(Found::Ownership(Ownership {
            owners: ids(&properties.owner),
            assets: ids(&properties.asset),
            amount: amount(properties.percentage.as_ref(), unit)?,
            ended: properties
                .end_date
                .and_then(|dates| dates.0.first().map(|date| date.as_str().to_owned())),
            id,
        }));
    }
    let Some(kind) = kind(schema) else {
        return Ok(Found::Other);
    };
    let caption = str_of(entity.caption.as_ref());
    let names = properties.name.unwrap_or_default();
    let name = if caption.is_empty() {
        str_of(names.0.first())
    } else {
        caption
    };
    if id.is_empty() || id.len() > super::MAX_ID_BYTES {
        return Ok(Found::Other);
    }
    Ok(Found::Named {
        id,
        name: name.to_owned(),
        kind,
    })
}

/// What an entity is, if it can own or be owned.
fn kind(schema: &str) -> Option<Kind> {
    match schema {
        "Person" => Some(Kind::Person),
        "Company" | "Organization" | "PublicBody" => Some(Kind::Entity),
        // It may be a person.
        "LegalEntity" => Some(Kind::Unknown),
        "Asset" | "Vessel" | "Airplane" | "Vehicle" | "RealEstate" | "Security" | "CryptoWallet" | "BankAccount" => {
            Some(Kind::Entity)
        }
        _ => None,
    }
}

fn amount(percentages: Option<&Texts<'_>>, unit: Unit) -> Result<Option<Extent>, RecordError> {
    const FIELD: &str = "properties.percentage";
    let mut joined: Option<Extent> = None;
    for text in percentages.iter().flat_map(|texts| &texts.0) {
        let text = text.as_str();
        if text.is_empty() {
            continue;
        }
        let amount = Extent::parse(text, unit).map_err(|error: ShareError| bad_share(0, FIELD, text, error, unit))?;
        joined = Some(joined.map_or(amount, |joined| joined.joined(amount)));
    }
    Ok(joined)
}

impl Ownership {
    fn take<E>(self, row: u64, seen: &mut Seen, intake: &mut Intake<'_, E>) -> Result<(), ReadError<E>> {
        if self.owners.is_empty() || self.assets.is_empty() {
            let field = if self.owners.is_empty() {
                "properties.owner"
            } else {
                "properties.asset"
            };
            let error = bad_field(
                "missing_id",
                field,
                "",
                "is missing",
                "every ownership has an owner and an asset",
            );
            return intake.refuse(RecordError { row, ..error });
        }
        match seen.before(&self) {
            Ok(Before::Never) => {}
            Ok(Before::Same) => {
                intake.note(REPEATED, || format!("row {row}: {}", self.id));
                return Ok(());
            }
            Ok(Before::Different) => {
                let error = bad_field(
                    "repeated_record",
                    "id",
                    &self.id,
                    "was given before with other properties",
                    "put the parts of an entity together first, as ftm aggregate does",
                );
                return intake.refuse(RecordError { row, ..error });
            }
            Err(error) => return intake.stop(error),
        }
        if let Some(date) = &self.ended {
            intake.note(ENDED, || {
                format!("row {row}: {} of {} until {date}", self.owners[0], self.assets[0])
            });
            return Ok(());
        }
        for owner in &self.owners {
            for asset in &self.assets {
                let fields = [("properties.owner", owner), ("properties.asset", asset)].map(|(name, text)| Field {
                    name,
                    text: text.as_bytes(),
                });
                match self.amount {
                    Some(amount) => intake.stake(row, fields, amount)?,
                    None => intake.note(SHARE_UNKNOWN, || format!("row {row}: {owner} of {asset}")),
                }
            }
        }
        Ok(())
    }
}

/// The ownerships seen, each with a hash of what it says.
struct Seen {
    known: HashMap<Box<str>, u64>,
    held: Held,
}

enum Before {
    Never,
    Same,
    Different,
}

impl Seen {
    fn new(max_bytes: u64) -> Self {
        Self {
            known: HashMap::new(),
            held: Held::new(max_bytes),
        }
    }

    fn before(&mut self, ownership: &Ownership) -> Result<Before, crate::InputError> {
        if ownership.id.is_empty() {
            return Ok(Before::Never);
        }
        let amount = ownership
            .amount
            .map(|amount| (amount.lower.units(), amount.upper.units()));
        let content = (&ownership.owners, &ownership.assets, amount, &ownership.ended);
        let content = self.known.hasher().hash_one(content);
        if let Some(&known) = self.known.get(ownership.id.as_str()) {
            return Ok(if known == content {
                Before::Same
            } else {
                Before::Different
            });
        }
        self.held.add(ownership.id.len() + 64)?;
        self.known.insert(ownership.id.as_str().into(), content);
        Ok(Before::Never)
    }
}
