//! The snapshot of people with significant control of UK companies, as JSON lines.
//!
//! <https://download.companieshouse.gov.uk/en_pscdata.html>: `company_number` and `data`, of which `natures_of_control`
//! says in bands how much of the shares and votes somebody has. Whoever ceased is of the past. A company's statement that
//! it has or knows nobody, and people whose details are secured, are undisclosed owners.

mod holders;
mod natures;

use serde::Deserialize;

use self::holders::{Holder, holder};
use self::natures::{Nature, nature};
use super::check::{Checker, Field, bad_field};
use super::extent::Extent;
use super::input::Input;
use super::intake::Intake;
use super::json::{self, Text, Texts, str_of};
use super::notes::{ENDED, NOT_A_SHARE, Notice, SHARE_UNKNOWN, UNDISCLOSED};
use super::{Format, Read, ReadOptions, Reader, Sink};
use crate::error::{ReadError, RecordError};

const SEVERAL_BANDS: Notice = Notice {
    code: "several_bands",
    action: "the highest band was taken: the others are the same shares, held as a trust or firm",
};
const SURPLUS_ASSETS: Notice = Notice {
    code: "surplus_assets",
    action: "taken as stakes: a partnership has no shares, but rights to its surplus assets",
};
const UNKNOWN_NATURE: Notice = Notice {
    code: "unknown_nature",
    action: "left out: a nature of control of a name that is not known",
};

/// Reads a snapshot. Memory doesn't grow with it.
pub(super) struct Psc;

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    company_number: Option<Text<'a>>,
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    kind: Option<Text<'a>>,
    name: Option<Text<'a>>,
    name_elements: Option<NameElements<'a>>,
    date_of_birth: Option<DateOfBirth<'a>>,
    identification: Option<Identification<'a>>,
    #[serde(default)]
    natures_of_control: Option<Texts<'a>>,
    ceased_on: Option<Text<'a>>,
    ceased: Option<Text<'a>>,
    statement: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct NameElements<'a> {
    #[serde(borrow)]
    forename: Option<Text<'a>>,
    middle_name: Option<Text<'a>>,
    surname: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct DateOfBirth<'a> {
    #[serde(borrow)]
    year: Option<Text<'a>>,
    month: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
struct Identification<'a> {
    #[serde(borrow)]
    registration_number: Option<Text<'a>>,
    country_registered: Option<Text<'a>>,
    place_registered: Option<Text<'a>>,
    legal_authority: Option<Text<'a>>,
}

/// What matters of a record.
enum Found {
    /// The totals at the end, or an exemption from the duty to tell.
    Nothing,
    Ended(String),
    Undisclosed {
        company: String,
        why: String,
    },
    Control(Control),
}

/// Somebody's control of a company.
struct Control {
    company: String,
    holder: Holder,
    natures: Vec<(Nature, String)>,
}

impl Reader for Psc {
    fn read<E>(
        self,
        input: &mut Input<'_>,
        _options: &ReadOptions,
        checker: Checker,
        sink: Sink<'_, E>,
    ) -> Result<Read, ReadError<E>> {
        let mut intake = Intake::new(checker, sink);
        json::for_each(input, found, |row, found| {
            match found {
                Ok(Found::Nothing) => {}
                Ok(Found::Ended(what)) => intake.note(ENDED, || format!("row {row}: {what}")),
                Ok(Found::Undisclosed { company, why }) => {
                    intake.note(UNDISCLOSED, || format!("row {row}: {company}: {why}"));
                }
                Ok(Found::Control(control)) => return control.take(row, &mut intake),
                Err(error) => return intake.refuse(error),
            }
            Ok(())
        })?;
        intake.finish(Format::Psc, None)
    }
}

fn found(element: &[u8]) -> Result<Found, RecordError> {
    let Record { company_number, data } = json::object(element)?;
    let kind = str_of(data.kind.as_ref());
    if kind == "exemptions" || kind.starts_with("totals#") {
        return Ok(Found::Nothing);
    }
    let company = holders::company_number(str_of(company_number.as_ref()));
    if company.is_empty() {
        return Err(bad_field(
            "missing_id",
            "company_number",
            "",
            "is missing",
            "every record is about a company",
        ));
    }
    let ceased = str_of(data.ceased_on.as_ref());
    if !ceased.is_empty() || str_of(data.ceased.as_ref()) == "true" {
        return Ok(Found::Ended(format!(
            "{company}: {} until {ceased}",
            str_of(data.name.as_ref())
        )));
    }
    if kind.ends_with("-statement") {
        let why = str_of(data.statement.as_ref()).to_owned();
        return Ok(Found::Undisclosed { company, why });
    }
    if kind.starts_with("super-secure") {
        let why = "details are secured".to_owned();
        return Ok(Found::Undisclosed { company, why });
    }
    let holder = holder(kind, &data, &company)?;
    let natures = data.natures_of_control.unwrap_or_default();
    let natures = natures
        .0
        .iter()
        .map(|text| (nature(text.as_str()), text.as_str().to_owned()))
        .collect();
    Ok(Found::Control(Control {
        company,
        holder,
        natures,
    }))
}

impl Control {
    fn take<E>(self, row: u64, intake: &mut Intake<'_, E>) -> Result<(), ReadError<E>> {
        let Self {
            company,
            holder,
            natures,
        } = self;
        let place = || format!("row {row}: {} of {company}", holder.id);
        let fields = [("name", &holder.id), ("company_number", &company)].map(|(name, text)| Field {
            name,
            text: text.as_bytes(),
        });
        let mut bands: Vec<Extent> = Vec::new();
        let mut controls = false;
        for (nature, text) in &natures {
            match nature {
                Nature::Shares(band) => bands.push(*band),
                Nature::SurplusAssets(band) => {
                    intake.note(SURPLUS_ASSETS, place);
                    bands.push(*band);
                }
                Nature::Votes(band) => {
                    controls |= is_majority(band);
                    intake.note(NOT_A_SHARE, || format!("{}: {text}", place()));
                }
                Nature::Control => {
                    controls = true;
                    intake.note(NOT_A_SHARE, || format!("{}: {text}", place()));
                }
                Nature::Unknown => intake.note(UNKNOWN_NATURE, || format!("{}: {text}", place())),
            }
        }
        if natures.is_empty() {
            intake.note(SHARE_UNKNOWN, place);
        }
        if bands.len() > 1 {
            intake.note(SEVERAL_BANDS, place);
        }
        if let Some(band) = bands.into_iter().max_by_key(|band| band.lower.units()) {
            intake.stake(row, fields, band)?;
            intake.describe(&holder.id, &holder.name, holder.kind)?;
        } else if controls {
            intake.describe(&holder.id, &holder.name, holder.kind)?;
        }
        if controls {
            intake.control(row, fields)?;
        }
        Ok(())
    }
}

/// More than half for sure.
fn is_majority(votes: &Extent) -> bool {
    votes.lower.value() > 0.5
}
