//! JSON: values one after another, whether as lines, as a list, or as they come.

mod elements;
mod text;

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

pub(super) use self::elements::for_each;
pub(super) use self::text::{Reference, Text, Texts, str_of};

use super::check::{MAX_VALUE_CHARS, bad_record, shorten};
use crate::error::RecordError;

/// The most characters of an error of the parser that go into a message: its text may quote the input.
const MAX_REASON_CHARS: usize = 200;

/// Reads one element as an object. The error names the field at fault and its value; its row is 0.
pub(super) fn object<'a, T: Deserialize<'a>>(element: &'a [u8]) -> Result<T, RecordError> {
    serde_json::from_slice(element).map_err(|error| match error.classify() {
        Category::Data => wrong_type::<T>(element, &error),
        Category::Syntax | Category::Eof | Category::Io => not_json(element, &error),
    })
}

fn not_json(element: &[u8], error: &serde_json::Error) -> RecordError {
    let statement = format!("is not JSON ({})", cut(&error.to_string()));
    RecordError {
        remedy: "mend it, or pass on_bad_record=skip to leave it out",
        ..bad_record("not_json", 0, element, statement)
    }
}

/// Reads it again, for the path: that takes longer, and errors are few.
fn wrong_type<'a, T: Deserialize<'a>>(element: &'a [u8], error: &serde_json::Error) -> RecordError {
    let mut json = serde_json::Deserializer::from_slice(element);
    let path = match serde_path_to_error::deserialize::<_, T>(&mut json) {
        Err(error) => error.path().to_string(),
        Ok(_) => ".".to_owned(),
    };
    let whole = serde_json::from_slice::<Value>(element).unwrap_or_default();
    let value = path
        .split(['.', '['])
        .filter(|step| !step.is_empty())
        .try_fold(&whole, |value, step| {
            match step.trim_end_matches(']').parse::<usize>() {
                Ok(at) if value.is_array() => value.get(at),
                _ => value.get(step),
            }
        });
    let is_whole = path == ".";
    let statement = format!("is of another type than it should be ({})", cut(&error.to_string()));
    RecordError {
        field: if is_whole {
            "record".to_owned()
        } else {
            path.chars().take(MAX_VALUE_CHARS).collect()
        },
        value: value.map_or_else(|| shorten(element), |value| shorten(value.to_string().as_bytes())),
        remedy: "mend it, or pass on_bad_record=skip to leave it out",
        ..bad_record("wrong_type", 0, element, statement)
    }
}

fn cut(reason: &str) -> String {
    // The end says where in the element, which is on one line of its own.
    let reason = reason.split(" at line ").next().unwrap_or(reason);
    reason.chars().take(MAX_REASON_CHARS).collect()
}
