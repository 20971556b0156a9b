//! Message attributes: their digest, size and selection.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::error::Error;

/// A message's attributes by name.
pub(crate) type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// A typed value beside a message's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MessageAttribute {
    /// `String`, `Number` or `Binary`, and perhaps a label after a dot.
    pub(crate) data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) string_value: Option<String>,
    /// In base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) binary_value: Option<String>,
}

/// A value in the form that is digested: how it is transported, and its bytes.
enum Value<'a> {
    Text(&'a str),
    Binary(Vec<u8>),
}

impl MessageAttribute {
    fn value(&self) -> Option<Value<'_>> {
        match self.data_type.split('.').next() {
            Some("String" | "Number") => self.string_value.as_deref().map(Value::Text),
            Some("Binary") => self
                .binary_value
                .as_ref()
                .and_then(|text| STANDARD.decode(text).ok())
                .map(Value::Binary),
            _ => None,
        }
    }
}

/// Checks that there are at most 10, each with a value of its type, and returns their size in bytes: names, types
/// and values.
///
/// # Errors
///
/// [`Error::InvalidParameter`].
pub(crate) fn measure(attributes: &MessageAttributes) -> Result<usize, Error> {
    let invalid = |value: String, reason| Error::InvalidParameter {
        parameter: "MessageAttributes",
        value,
        reason,
    };
    if attributes.len() > 10 {
        return Err(invalid(
            attributes.len().to_string(),
            "a message has at most 10 attributes",
        ));
    }
    let mut bytes = 0;
    for (name, attribute) in attributes {
        if name.is_empty() || name.len() > 256 {
            return Err(invalid(name.clone(), "a name has 1 to 256 bytes"));
        }
        let value = attribute
            .value()
            .ok_or_else(|| invalid(name.clone(), "the value is missing or not of its type"))?;
        bytes += name.len() + attribute.data_type.len();
        bytes += match value {
            Value::Text(text) => text.len(),
            Value::Binary(raw) => raw.len(),
        };
    }
    Ok(bytes)
}

/// The digest that SDKs compare, in hexadecimal; `None` without attributes.
///
/// MD5 over, for each attribute by name: name and type, each after its length as 4 bytes big-endian, one byte for the
/// transport (1 text, 2 binary), and the value after its length. Source: AWS, "SQS message metadata", on calculating
/// the digest of message attributes.
pub(crate) fn digest(attributes: &MessageAttributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut hash = Md5::new();
    let mut field = |transport: &[u8], bytes: &[u8]| {
        hash.update(transport);
        hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(bytes);
    };
    for (name, attribute) in attributes {
        field(&[], name.as_bytes());
        field(&[], attribute.data_type.as_bytes());
        match attribute.value()? {
            Value::Text(text) => field(&[1], text.as_bytes()),
            Value::Binary(raw) => field(&[2], &raw),
        }
    }
    Some(hex::encode(hash.finalize()))
}

/// Those that `wanted` names: whole names, `All`, `.*`, or a prefix followed by `.*`.
pub(crate) fn select(attributes: MessageAttributes, wanted: &[String]) -> MessageAttributes {
    attributes
        .into_iter()
        .filter(|(name, _)| {
            wanted.iter().any(|wanted| match wanted.strip_suffix(".*") {
                Some(prefix) => name.starts_with(prefix),
                None => wanted == "All" || wanted == name,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(data_type: &str, text: Option<&str>, binary: Option<&[u8]>) -> MessageAttribute {
        MessageAttribute {
            data_type: data_type.into(),
            string_value: text.map(str::to_owned),
            binary_value: binary.map(|raw| STANDARD.encode(raw)),
        }
    }

    #[test]
    fn the_digest_is_that_of_the_documented_layout() {
        let attributes = MessageAttributes::from([
            ("b".to_owned(), attribute("Binary", None, Some(&[0, 255]))),
            ("a".to_owned(), attribute("String", Some("v"), None)),
        ]);
        let mut laid_out = Vec::new();
        laid_out.extend(b"\0\0\0\x01a\0\0\0\x06String\x01\0\0\0\x01v");
        laid_out.extend(b"\0\0\0\x01b\0\0\0\x06Binary\x02\0\0\0\x02\x00\xff");
        assert_eq!(digest(&attributes).unwrap(), hex::encode(Md5::digest(laid_out)));
        assert_eq!(measure(&attributes).unwrap(), 8 + 9);
        assert_eq!(digest(&MessageAttributes::new()), None);
    }

    #[test]
    fn a_value_that_is_not_of_its_type_is_refused() {
        for wrong in [
            attribute("String", None, Some(b"x")),
            attribute("Binary", Some("x"), None),
            attribute("Colour", Some("red"), None),
            MessageAttribute {
                binary_value: Some("not base64!".into()),
                ..attribute("Binary", None, None)
            },
        ] {
            assert!(measure(&MessageAttributes::from([("a".to_owned(), wrong)])).is_err());
        }
    }

    #[test]
    fn a_selection_is_by_name_or_by_prefix() {
        let all: MessageAttributes = ["job.id", "job.type", "other"]
            .map(|name| (name.to_owned(), attribute("String", Some("x"), None)))
            .into();
        let names = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
            select(all.clone(), &wanted).into_keys().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&["All"]), "job.id job.type other");
        assert_eq!(names(&[".*"]), "job.id job.type other");
        assert_eq!(names(&["job.*"]), "job.id job.type");
        assert_eq!(names(&["other", "none"]), "other");
        assert_eq!(names(&[]), "");
    }
}
