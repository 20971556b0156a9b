//! Who somebody is, across companies: the register gives nobody an id of their own.
//!
//! - A person is a name and a month of birth: `JANE ANN DOE (1970-05)`. Titles don't count, nor do case and blanks. Without a
//!   month of birth nobody is taken for anybody else: the company's number stands in its place.
//! - A company is its registration number. One of the UK is written as the register does, so that what it holds and what is
//!   held of it meet; of elsewhere, with the country: `HRB 1234 (GERMANY)`. Without a number it is its name.

use ownership::Kind;

use super::{Data, Identification};
use crate::error::RecordError;
use crate::read::check::bad_field;
use crate::read::json::str_of;

/// A holder as it stands in the network, and as it is shown.
pub(super) struct Holder {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The holder that a record is about.
pub(super) fn holder(kind: &str, data: &Data<'_>, company: &str) -> Result<Holder, RecordError> {
    let name = str_of(data.name.as_ref());
    let missing = || bad_field("missing_id", "data.name", "", "is missing", "every holder has a name");
    if kind.starts_with("individual") {
        let full = full_name(data).unwrap_or_else(|| plain(name));
        if full.is_empty() {
            return Err(missing());
        }
        return Ok(Holder {
            id: format!(
                "{full} ({})",
                month_of_birth(data).unwrap_or_else(|| company.to_owned())
            ),
            name: if name.is_empty() { full } else { name.to_owned() },
            kind: Kind::Person,
        });
    }
    let id = data
        .identification
        .as_ref()
        .and_then(registration)
        .unwrap_or_else(|| plain(name));
    if id.is_empty() {
        return Err(missing());
    }
    Ok(Holder {
        id,
        name: name.to_owned(),
        kind: Kind::Entity,
    })
}

/// A number of the UK register as it writes it: eight characters, numbers with zeros before them.
pub(super) fn company_number(number: &str) -> String {
    let number: String = number
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect();
    if !number.is_empty() && number.len() < 8 && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{number:0>8}");
    }
    number
}

fn full_name(data: &Data<'_>) -> Option<String> {
    let elements = data.name_elements.as_ref()?;
    let [forename, middle, surname] =
        [&elements.forename, &elements.middle_name, &elements.surname].map(|name| str_of(name.as_ref()));
    (!surname.is_empty()).then(|| plain(&format!("{forename} {middle} {surname}")))
}

fn month_of_birth(data: &Data<'_>) -> Option<String> {
    let birth = data.date_of_birth.as_ref()?;
    let (year, month) = (str_of(birth.year.as_ref()), str_of(birth.month.as_ref()));
    (!year.is_empty() && !month.is_empty()).then(|| format!("{year}-{month:0>2}"))
}

fn registration(identification: &Identification<'_>) -> Option<String> {
    let number = str_of(identification.registration_number.as_ref());
    if !number.chars().any(|c| c.is_ascii_digit()) {
        return None;
    }
    let country = plain(str_of(identification.country_registered.as_ref()));
    let places = [&identification.place_registered, &identification.legal_authority];
    let place = plain(&places.map(|place| str_of(place.as_ref())).join(" "));
    let as_register = company_number(number);
    let is_uk = if country.is_empty() {
        speaks_of_uk(&place) || (place.is_empty() && is_number_of_uk(&as_register))
    } else {
        speaks_of_uk(&country)
    };
    if is_uk {
        return Some(as_register);
    }
    let place = if country.is_empty() { &place } else { &country };
    Some(if place.is_empty() {
        plain(number)
    } else {
        format!("{} ({place})", plain(number))
    })
}

/// By whole words, whatever stands between them.
fn speaks_of_uk(place: &str) -> bool {
    const NAMES: [&str; 16] = [
        "UK",
        "U K",
        "GB",
        "G B",
        "UNITED KINGDOM",
        "GREAT BRITAIN",
        "ENGLAND",
        "WALES",
        "SCOTLAND",
        "NORTHERN IRELAND",
        "COMPANIES HOUSE",
        "COMPANIES ACT 2006",
        "CARDIFF",
        "LONDON",
        "EDINBURGH",
        "BELFAST",
    ];
    let words: Vec<&str> = place
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    // New South Wales is in Australia.
    let place = format!(" {} ", words.join(" ")).replace(" NEW SOUTH WALES ", " ");
    NAMES.iter().any(|name| place.contains(&format!(" {name} ")))
}

fn is_number_of_uk(number: &str) -> bool {
    number.len() == 8 && number.bytes().skip(2).all(|byte| byte.is_ascii_digit())
}

/// In capitals, with single blanks.
fn plain(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_uppercase).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(kind: &str, data: &str) -> String {
        let data: Data<'_> = serde_json::from_str(data).unwrap();
        holder(kind, &data, "01234567").unwrap().id
    }

    #[test]
    fn a_person_is_a_name_and_a_month_of_birth() {
        let data = r#"{"name": "Mrs Jane  Ann Doe", "name_elements": {"title": "Mrs", "forename": "Jane", "middle_name": "ann",
            "surname": "Doe"}, "date_of_birth": {"month": 5, "year": 1970}}"#;
        assert_eq!(
            id_of("individual-person-with-significant-control", data),
            "JANE ANN DOE (1970-05)"
        );
        assert_eq!(
            id_of("individual-beneficial-owner", r#"{"name": "Jane Doe"}"#),
            "JANE DOE (01234567)"
        );
    }

    #[test]
    fn a_company_is_its_number() {
        for (identification, id) in [
            (
                r#"{"registration_number": "1234567", "country_registered": "England And Wales"}"#,
                "01234567",
            ),
            (
                r#"{"registration_number": "sc 123456", "place_registered": "Companies House"}"#,
                "SC123456",
            ),
            (r#"{"registration_number": "01234567"}"#, "01234567"),
            (
                r#"{"registration_number": "1234567", "legal_authority": "UK"}"#,
                "01234567",
            ),
            (
                r#"{"registration_number": "1234567", "place_registered": "GB"}"#,
                "01234567",
            ),
            (
                r#"{"registration_number": "1234567", "legal_authority": "UK", "place_registered": "GB"}"#,
                "01234567",
            ),
            (
                r#"{"registration_number": "1234567", "legal_authority": "Companies Act (U.K.)"}"#,
                "01234567",
            ),
            (
                r#"{"registration_number": "1234567", "place_registered": "Kharkiv, Ukraine"}"#,
                "1234567 (KHARKIV, UKRAINE)",
            ),
            (
                r#"{"registration_number": "1234567", "country_registered": "Jersey"}"#,
                "1234567 (JERSEY)",
            ),
            (
                r#"{"registration_number": "123", "country_registered": "New South Wales"}"#,
                "123 (NEW SOUTH WALES)",
            ),
            (r#"{"registration_number": "n/a"}"#, "HOLDING LTD"),
            ("{}", "HOLDING LTD"),
        ] {
            let data = format!(r#"{{"name": "Holding Ltd", "identification": {identification}}}"#);
            assert_eq!(
                id_of("corporate-entity-person-with-significant-control", &data),
                id,
                "{identification}"
            );
        }
    }
}
