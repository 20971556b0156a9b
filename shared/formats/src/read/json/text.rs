//! Fields as registers fill them: a text where a number is meant, a number where a text is, one where there may be many.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A text, or a number or boolean as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::read) struct Text<'a>(pub(in crate::read) Cow<'a, str>);

/// Texts: a list of them, or one alone. Members of the list that are objects count by their `id`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::read) struct Texts<'a>(pub(in crate::read) Vec<Text<'a>>);

/// A record referred to, or the reason why that is not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::read) enum Reference {
    /// `"id"`, or of older versions `{"describedByPersonStatement": "id"}`.
    To(String),
    /// `{"reason": "..."}`, or of older versions `{"unspecified": {"reason": "..."}}`.
    Unspecified(String),
}

impl Text<'_> {
    /// Without the blanks around it.
    pub(in crate::read) fn as_str(&self) -> &str {
        self.0.trim()
    }
}

/// The text of a field that may be absent.
pub(in crate::read) fn str_of<'t>(text: Option<&'t Text<'_>>) -> &'t str {
    text.map_or("", Text::as_str)
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TEXT)
    }
}

/// An object counts by its `id` where it may stand for a text.
struct TextVisitor {
    takes_objects: bool,
}

const TEXT: TextVisitor = TextVisitor { takes_objects: false };
const MEMBER: TextVisitor = TextVisitor { takes_objects: true };

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or a number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(if value { "true" } else { "false" })))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(zmij::Buffer::new().format(number).to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
        if !self.takes_objects {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        }
        let mut id = Text::default();
        while let Some(Text(key)) = map.next_key()? {
            if key == "id" {
                id = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(id)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts<'de>, A::Error> {
        let mut texts = Vec::new();
        while let Some(Member(text)) = list.next_element()? {
            texts.push(text);
        }
        Ok(Texts(texts))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![Text(Cow::Borrowed(text))]))
    }

    fn visit_str<E>(self, text: &str) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![Text(Cow::Owned(text.to_owned()))]))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![TEXT.visit_i64(number)?]))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![TEXT.visit_u64(number)?]))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![TEXT.visit_f64(number)?]))
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReferenceVisitor)
    }
}

/// A text, or an object with an `id`.
struct Member<'a>(Text<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Member<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MEMBER).map(Member)
    }
}

struct ReferenceVisitor;

impl<'de> Visitor<'de> for ReferenceVisitor {
    type Value = Reference;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the id of a record, or an object with a reason")
    }

    fn visit_str<E>(self, id: &str) -> Result<Reference, E> {
        Ok(Reference::To(id.trim().to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reference, A::Error> {
        let mut reference = Reference::Unspecified("no reason given".to_owned());
        while let Some(Text(key)) = map.next_key()? {
            if key.starts_with("describedBy") {
                if let Some(Text(id)) = map.next_value()? {
                    reference = Reference::To(id.trim().to_owned());
                }
            } else if key == "reason" {
                if let Some(Text(reason)) = map.next_value()? {
                    reference = Reference::Unspecified(reason.trim().to_owned());
                }
            } else if key == "unspecified" {
                reference = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(reference)
    }
}
