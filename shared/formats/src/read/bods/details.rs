//! What a statement says.

use ownership::{Kind, Share, ShareError, Unit};
use serde::Deserialize;

use crate::error::RecordError;
use crate::read::check::{bad_field, bad_share};
use crate::read::extent::Extent;
use crate::read::json::{self, Reference, Text, Texts, str_of};

/// Interests that are control and no share, of the standard's list.
const CONTROLLING: [&str; 4] = [
    "appointmentOfBoard",
    "otherInfluenceOrControl",
    "controlViaCompanyRulesOrArticles",
    "controlByLegalFramework",
];

/// A statement, as written.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow, rename = "statementID")]
    older_id: Option<Text<'a>>,
    #[serde(rename = "statementType")]
    older_type: Option<Text<'a>>,
    #[serde(rename = "recordId")]
    record_id: Option<Text<'a>>,
    #[serde(rename = "recordType")]
    record_type: Option<Text<'a>>,
    #[serde(rename = "recordStatus")]
    status: Option<Text<'a>>,
    #[serde(rename = "statementDate")]
    date: Option<Text<'a>>,
    #[serde(rename = "publicationDetails")]
    publication: Option<Publication<'a>>,
    #[serde(default, rename = "replacesStatements")]
    replaces: Option<Texts<'a>>,
    #[serde(rename = "recordDetails")]
    details: Option<Details<'a>>,
}

#[derive(Deserialize)]
struct Publication<'a> {
    #[serde(borrow, rename = "publicationDate")]
    date: Option<Text<'a>>,
}

/// The record itself. Older versions have it beside the statement's own fields.
#[derive(Deserialize)]
struct Details<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    names: Option<Vec<Name<'a>>>,
    subject: Option<Reference>,
    #[serde(rename = "interestedParty")]
    party: Option<Reference>,
    interests: Option<Vec<Interest<'a>>>,
    #[serde(
        default,
        rename = "componentRecords",
        alias = "componentRecordIds",
        alias = "componentStatementIDs"
    )]
    components: Option<Texts<'a>>,
}

#[derive(Deserialize)]
struct Name<'a> {
    #[serde(borrow, rename = "fullName")]
    full: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Interest<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(rename = "directOrIndirect", alias = "interestLevel")]
    level: Option<Text<'a>>,
    share: Option<Bounds<'a>>,
    #[serde(rename = "endDate")]
    end: Option<Text<'a>>,
}

/// Older versions say by booleans whether a bound is excluded, newer ones give it in a field of its own.
#[derive(Deserialize)]
struct Bounds<'a> {
    #[serde(borrow)]
    exact: Option<Text<'a>>,
    minimum: Option<Text<'a>>,
    maximum: Option<Text<'a>>,
    #[serde(rename = "exclusiveMinimum")]
    above: Option<Text<'a>>,
    #[serde(rename = "exclusiveMaximum")]
    below: Option<Text<'a>>,
}

/// A statement, or something else that may stand in a file.
pub(super) enum Found {
    Statement(Statement),
    Other,
}

/// What matters of a statement.
pub(super) struct Statement {
    /// Of the record; in older versions of the statement.
    pub(super) id: String,
    /// `yyyymmddhhmmss`; 0 if it has none.
    pub(super) date: u64,
    pub(super) is_closed: bool,
    /// Ids of statements that it replaces, in older versions.
    pub(super) replaces: Vec<String>,
    pub(super) record: Record,
}

pub(super) enum Record {
    Party { name: String, kind: Kind },
    Relation(Relation),
}

pub(super) struct Relation {
    pub(super) subject: Reference,
    pub(super) party: Reference,
    pub(super) interests: Vec<Held>,
    pub(super) components: Vec<String>,
}

/// An interest, by what it is here.
pub(super) enum Held {
    Stake {
        amount: Extent,
        is_indirect: bool,
    },
    /// A shareholding without a share, or an interest of which not even the type is known.
    Unknown,
    /// Control that is no shareholding, or another interest.
    Other {
        kind: String,
        controls: bool,
    },
    Ended,
}

pub(super) fn found(element: &[u8], unit: Unit) -> Result<Found, RecordError> {
    let written: Written<'_> = json::object(element)?;
    let older = str_of(written.older_type.as_ref());
    let (kind, id_field, id) = match older {
        "personStatement" => ("person", "statementID", &written.older_id),
        "entityStatement" => ("entity", "statementID", &written.older_id),
        "ownershipOrControlStatement" => ("relationship", "statementID", &written.older_id),
        _ => (str_of(written.record_type.as_ref()), "recordId", &written.record_id),
    };
    if !matches!(kind, "person" | "entity" | "relationship") {
        if kind.is_empty() {
            return Err(bad_field(
                "missing_field",
                "recordType",
                older,
                "is missing",
                "a statement is about a person, an entity or a relationship",
            ));
        }
        return Ok(Found::Other);
    }
    let id = str_of(id.as_ref());
    if id.is_empty() {
        return Err(bad_field(
            "missing_id",
            id_field,
            "",
            "is missing",
            "every statement is about a record with an id",
        ));
    }
    let published = written
        .publication
        .as_ref()
        .and_then(|publication| publication.date.as_ref());
    let date = [written.date.as_ref(), published]
        .into_iter()
        .map(|text| date(str_of(text)))
        .find(|&date| date > 0);
    let date = date.unwrap_or(0);
    let (details, within) = match written.details {
        Some(details) => (details, "recordDetails."),
        None => (json::object::<Details<'_>>(element)?, ""),
    };
    let record = match kind {
        "relationship" => Record::Relation(relation(details, within, date, unit)?),
        _ => Record::Party {
            name: party_name(&details),
            kind: if kind == "person" { Kind::Person } else { Kind::Entity },
        },
    };
    let texts = |texts: Option<Texts<'_>>| {
        texts
            .into_iter()
            .flat_map(|texts| texts.0)
            .map(|text| text.as_str().to_owned())
            .collect()
    };
    Ok(Found::Statement(Statement {
        id: id.to_owned(),
        date,
        is_closed: str_of(written.status.as_ref()) == "closed",
        replaces: texts(written.replaces),
        record,
    }))
}

fn party_name(details: &Details<'_>) -> String {
    let full = details.names.iter().flatten().map(|name| str_of(name.full.as_ref()));
    let name = std::iter::once(str_of(details.name.as_ref()))
        .chain(full)
        .find(|name| !name.is_empty());
    name.unwrap_or_default().to_owned()
}

/// Date and time as a number that grows with them; 0 if they are none.
fn date(text: &str) -> u64 {
    let digits: String = text.chars().take(19).filter(char::is_ascii_digit).collect();
    match digits.len() {
        8..=14 => format!("{digits:0<14}").parse().unwrap_or(0),
        _ => 0,
    }
}

fn relation(details: Details<'_>, within: &str, stated: u64, unit: Unit) -> Result<Relation, RecordError> {
    let missing = |field: &str| {
        let field = format!("{within}{field}");
        bad_field(
            "missing_id",
            &field,
            "",
            "is missing",
            "a relationship has a subject and an interestedParty",
        )
    };
    let subject = details.subject.ok_or_else(|| missing("subject"))?;
    let party = details.party.ok_or_else(|| missing("interestedParty"))?;
    let mut interests = Vec::new();
    for (position, interest) in details.interests.iter().flatten().enumerate() {
        interests.push(held(
            interest,
            &format!("{within}interests[{position}].share"),
            stated,
            unit,
        )?);
    }
    let components = details.components.unwrap_or_default();
    Ok(Relation {
        subject,
        party,
        interests,
        components: components.0.iter().map(|id| id.as_str().to_owned()).collect(),
    })
}

fn held(interest: &Interest<'_>, field: &str, stated: u64, unit: Unit) -> Result<Held, RecordError> {
    let end = date(str_of(interest.end.as_ref()));
    if end > 0 && (stated == 0 || end <= stated) {
        return Ok(Held::Ended);
    }
    let kind = str_of(interest.kind.as_ref());
    let amount = interest
        .share
        .as_ref()
        .map(|share| amount(share, field, unit))
        .transpose()?
        .flatten();
    // Older versions write `voting-rights`.
    let plain = kind.replace('-', "").to_lowercase();
    if matches!(plain.as_str(), "" | "unknowninterest" | "unpublishedinterest") {
        return Ok(Held::Unknown);
    }
    if plain != "shareholding" {
        let is_majority = plain == "votingrights" && amount.is_some_and(|amount| amount.lower.value() > 0.5);
        let controls = is_majority || CONTROLLING.iter().any(|name| plain == name.to_lowercase());
        return Ok(Held::Other {
            kind: kind.to_owned(),
            controls,
        });
    }
    Ok(amount.map_or(Held::Unknown, |amount| Held::Stake {
        amount,
        is_indirect: str_of(interest.level.as_ref()) == "indirect",
    }))
}

/// `None` if there is no number.
fn amount(bounds: &Bounds<'_>, field: &str, unit: Unit) -> Result<Option<Extent>, RecordError> {
    let read = |name: &str, text: &Option<Text<'_>>| {
        let text = str_of(text.as_ref());
        if matches!(text, "" | "true" | "false") {
            return Ok(None);
        }
        let share =
            Share::parse(text, unit).map_err(|error| bad_share(0, &format!("{field}.{name}"), text, error, unit))?;
        Ok(Some(share))
    };
    if let Some(exact) = read("exact", &bounds.exact)? {
        return Ok(Some(Extent::exact(exact)));
    }
    let is_true = |text: &Option<Text<'_>>| str_of(text.as_ref()) == "true";
    let mut lower = read("minimum", &bounds.minimum)?;
    if let (Some(bound), true) = (lower, is_true(&bounds.above)) {
        lower = Some(bound.just_above());
    }
    let mut upper = read("maximum", &bounds.maximum)?;
    if let (Some(bound), true) = (upper, is_true(&bounds.below)) {
        upper = Some(bound.just_below());
    }
    if let Some(above) = read("exclusiveMinimum", &bounds.above)? {
        let above = above.just_above();
        lower = Some(lower.filter(|lower| lower.units() > above.units()).unwrap_or(above));
    }
    if let Some(below) = read("exclusiveMaximum", &bounds.below)? {
        let below = below.just_below();
        upper = Some(upper.filter(|upper| upper.units() < below.units()).unwrap_or(below));
    }
    if lower.is_none() && upper.is_none() {
        return Ok(None);
    }
    let whole = Share::parse("1", Unit::Fraction).map_err(|error: ShareError| bad_share(0, field, "1", error, unit))?;
    let (lower, upper) = (lower.unwrap_or_default(), upper.unwrap_or(whole));
    if lower.units() > upper.units() {
        let bounds = format!("{} to {}", lower.value(), upper.value());
        return Err(bad_field(
            "share_bounds",
            field,
            &bounds,
            "has its minimum above its maximum",
            "exchange the two",
        ));
    }
    Ok(Some(Extent { lower, upper }))
}
