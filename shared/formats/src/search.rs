//! How companies are found by a part of what they are called, whatever the case.
//!
//! Each company has a [`key`] for each place in its id and in its name at which a search may begin: the beginning, and
//! every word. Keys are texts whose order is that of the answer, so that whatever a search finds lies together: first
//! those that begin so, then those of which a later word does, each by what follows, then by id.

use crate::MAX_ID_BYTES;

/// No key is longer.
pub const MAX_KEY_BYTES: usize = 1 + MAX_TEXT + 1 + MAX_ID_BYTES;

/// The most bytes of a text in a key; what is longer is told apart by looking at the text itself.
const MAX_TEXT: usize = 96;

/// Of one text at most this many words have keys, beside its beginning.
const MAX_WORDS: usize = 8;

/// Between a key's text and the id; less than any character of either.
const BEFORE_ID: char = '\t';

/// Where in a text a search may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At its beginning.
    Beginning,
    /// At a later word.
    Word,
}

impl Place {
    /// Both, in the order of keys.
    pub const ALL: [Self; 2] = [Self::Beginning, Self::Word];

    const fn mark(self) -> char {
        match self {
            Self::Beginning => '0',
            Self::Word => '1',
        }
    }
}

/// The characters of a text as they are compared: lower case, one blank for any that follow each other, none before.
pub fn folded(text: &str) -> impl Iterator<Item = char> {
    let mut after_blank = true;
    let lower = text.chars().flat_map(char::to_lowercase);
    lower.filter_map(move |c| {
        let c = match c {
            'ς' => 'σ',
            _ if c.is_whitespace() || c.is_control() => ' ',
            _ => c,
        };
        let is_kept = c != ' ' || !after_blank;
        after_blank = c == ' ';
        is_kept.then_some(c)
    })
}

/// What is searched for, as it is compared.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded: String = folded(text).collect();
    folded.truncate(folded.trim_end().len());
    folded
}

/// The characters of a text that go into a key.
pub fn folded_start(text: &str) -> impl Iterator<Item = char> {
    let mut bytes = 0;
    folded(text).take_while(move |c| {
        bytes += c.len_utf8();
        bytes <= MAX_TEXT
    })
}

/// At which bytes of a text a search may begin: at the first, and at each word but one that begins there.
pub fn places(text: &str) -> impl Iterator<Item = (Place, usize)> {
    let mut in_word = false;
    let words = text.char_indices().filter_map(move |(at, c)| {
        let begins = c.is_alphanumeric() && !in_word;
        in_word = c.is_alphanumeric();
        (begins && at > 0).then_some((Place::Word, at))
    });
    std::iter::once((Place::Beginning, 0)).chain(words.take(MAX_WORDS))
}

/// The key of a company for a text that stands at a place in its id or name.
#[must_use]
pub fn key(place: Place, text: &str, id: &str) -> String {
    let mut key = start_of_keys(place, text);
    key.push(BEFORE_ID);
    key.push_str(id);
    key
}

/// What the keys begin with that a search for `text` finds at a place.
#[must_use]
pub fn start_of_keys(place: Place, text: &str) -> String {
    std::iter::once(place.mark()).chain(folded_start(text)).collect()
}

/// The id in a key.
#[must_use]
pub fn id_of_key(key: &str) -> Option<&str> {
    key.split_once(BEFORE_ID).map(|(_, id)| id)
}

/// The first key by which a search for `wanted`, which is [folded](fold), finds a company; `None` if it doesn't.
#[must_use]
pub fn first_key(wanted: &str, id: &str, name: Option<&str>) -> Option<String> {
    let texts = std::iter::once(id).chain(name);
    let found = texts.flat_map(|text| places(text).map(move |(place, at)| (place, &text[at..])));
    let begins_so = |text: &str| {
        let mut folded = folded(text);
        wanted.chars().all(|c| folded.next() == Some(c))
    };
    let found = found.filter(|(_, text)| begins_so(text));
    found.map(|(place, text)| key(place, text, id)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_begins_at_the_beginning_or_at_a_word() {
        let found = |wanted: &str| first_key(&fold(wanted), "GB-0042", Some("Öl & Gas  Holding ÅB"));
        for (wanted, key) in [
            ("gb-00", Some("0gb-0042\tGB-0042")),
            ("0042", Some("10042\tGB-0042")),
            ("ÖL & GAS HOLD", Some("0öl & gas holding åb\tGB-0042")),
            ("  gas   holding", Some("1gas holding åb\tGB-0042")),
            ("åb", Some("1åb\tGB-0042")),
            ("l & gas", None),
            ("gas holdings", None),
        ] {
            assert_eq!(found(wanted).as_deref(), key, "{wanted}");
        }
    }

    #[test]
    fn letters_whose_other_case_is_another_length_are_found() {
        for (wanted, text) in [("i̇stanbul", "İstanbul"), ("ΣΟΦΟΣ", "σοφος"), ("straße", "STRAẞE")] {
            assert!(first_key(&fold(wanted), text, None).is_some(), "{wanted}");
        }
    }

    #[test]
    fn a_long_text_is_cut_in_keys_but_told_apart() {
        let long = "é".repeat(200);
        let key = first_key(&long, &long, None).unwrap();
        assert!(key.starts_with(&start_of_keys(Place::Beginning, &long)));
        assert_eq!(id_of_key(&key), Some(long.as_str()));
        assert_eq!(key.len(), 1 + MAX_TEXT + 1 + long.len());
        assert_eq!(first_key(&format!("{long}é"), &long, None), None);
    }
}
