//! Chains of stakes in words, as the column `chains` of a result tells them.
//!
//! `P > H1 > T 0.18; "A; B" > T 0.1; through cycles 0.002`: names from the owner down, separated by ` > `, then the
//! product of their stakes; chains separated by `; `. A name that has a separator, ends in one
//! but for its blank, or has a quote, stands as a JSON string.
//! What is no chain is words and a share.

use std::borrow::Cow;

use serde_json::{Deserializer, Value};

const STEP: &str = " > ";
const END: &str = "; ";

/// A part of such a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'t> {
    /// The names from the owner down to the company; none if the part is no chain.
    pub names: Vec<Cow<'t, str>>,
    /// What it is, if it is no chain.
    pub words: &'t str,
    /// Its share, as it was written.
    pub share: &'t str,
}

/// A name as it stands in a chain.
#[must_use]
pub fn quoted(name: &str) -> Cow<'_, str> {
    // With what follows it, its end may be that of a separator.
    let ends_so = [STEP, END].iter().any(|separator| name.ends_with(separator.trim_end()));
    if ends_so || name.contains(STEP) || name.contains(END) || name.contains('"') {
        return Value::from(name).to_string().into();
    }
    name.into()
}

/// The parts of a text, in order. A text of another kind gives parts of some sort.
#[must_use]
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let part;
        (part, rest) = first(rest);
        parts.push(part);
    }
    parts
}

/// The first part, and what follows it.
fn first(text: &str) -> (Part<'_>, &str) {
    let mut names = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = name(rest);
        if let Some(next) = after.strip_prefix(STEP) {
            names.push(name);
            rest = next;
            continue;
        }
        // The last name: the share is behind it, within it if it is not quoted.
        let end = after.find(END).unwrap_or(after.len());
        let following = after.get(end + END.len()..).unwrap_or_default();
        let (last, share) = match name {
            Cow::Owned(name) => (Cow::Owned(name), after[..end].trim()),
            Cow::Borrowed(name) => {
                let (name, share) = name.rsplit_once(' ').unwrap_or((name, ""));
                (Cow::Borrowed(name), share)
            }
        };
        let words = match (&last, names.is_empty()) {
            (Cow::Borrowed(words), true) => *words,
            _ => {
                names.push(last);
                ""
            }
        };
        return (Part { names, words, share }, following);
    }
}

/// A name, which is owned if it was quoted, and what follows it.
fn name(text: &str) -> (Cow<'_, str>, &str) {
    if text.starts_with('"') {
        let mut strings = Deserializer::from_str(text).into_iter::<String>();
        if let Some(Ok(name)) = strings.next() {
            return (name.into(), &text[strings.byte_offset()..]);
        }
    }
    let ends = [text.find(STEP), text.find(END)];
    let end = ends.into_iter().flatten().min().unwrap_or(text.len());
    (text[..end].into(), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_what_was_told() {
        let names = [
            "P",
            "Foo;",
            "a >",
            ">",
            "A; B",
            "x > y 0.5",
            "say \"so\"",
            "Ö; \\",
            "3 further chains",
        ];
        let told = names.map(|name| format!("{} > {} > T 2 0.25", quoted(name), quoted("M; N")));
        let text = format!("{}; 3 further chains 0.1; through cycles 0.002", told.join("; "));
        let parts = parts(&text);
        for (part, name) in parts.iter().zip(names) {
            assert_eq!(part.names, [name, "M; N", "T 2"]);
            assert_eq!((part.words, part.share), ("", "0.25"));
        }
        let words: Vec<_> = parts[names.len()..]
            .iter()
            .map(|part| (part.words, part.share))
            .collect();
        assert_eq!(words, [("3 further chains", "0.1"), ("through cycles", "0.002")]);
        for last in ["T;", "T >"] {
            let text = format!("P > {} 0.5; through cycles 0.1", quoted(last));
            assert_eq!(super::parts(&text)[0].names, ["P", last]);
        }
        let last = &super::parts("P > \"T; U\" 0.5; through cycles 0.1")[0];
        assert_eq!((last.names[1].as_ref(), last.share), ("T; U", "0.5"));
    }

    #[test]
    fn foreign_texts_are_no_danger() {
        for text in ["", ";", "; ", "\"", "\"a", " > ", "a > ", "a; ", "\"a\"; \"b", "é"] {
            for part in parts(text) {
                assert!(part.share.len() <= text.len());
            }
        }
    }
}
