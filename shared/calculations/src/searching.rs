//! Beside the rows, in stage `saving`: by what texts companies are found.

use std::cmp::Ordering;

use formats::search::{Place, folded, folded_start, key, places};
use formats::{Block, BlockBuilder, Cell, Kind, Schema};
use jobs::{Failure, Search, StageRun};
use ownership::{Amounts, Network};

use crate::presentation::column;
use crate::table::broken;

/// At most this many later words have keys, 16 bytes of memory each while they are sorted; of more, none has.
const MAX_WORDS: usize = 8_000_000;

static KEYS: Schema = Schema {
    key: 0,
    columns: &[
        column("key", Kind::Text, "", "by which a company is found"),
        column("total", Kind::Count, "", "how many rows it has"),
    ],
};

/// Those whom a result is about, in the order of their ids.
pub(crate) trait Parties {
    fn len(&self) -> u32;
    fn id(&self, party: u32) -> &str;
    /// What it is called beside its id.
    fn name(&self, party: u32) -> Option<&str>;
    fn has_names(&self) -> bool;
}

impl Parties for Network {
    fn len(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    fn id(&self, party: u32) -> &str {
        self.name(party)
    }

    fn name(&self, party: u32) -> Option<&str> {
        self.label(party)
    }

    fn has_names(&self) -> bool {
        self.has_labels()
    }
}

impl Parties for Amounts {
    fn len(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    fn id(&self, party: u32) -> &str {
        self.name(party)
    }

    fn name(&self, _: u32) -> Option<&str> {
        None
    }

    fn has_names(&self) -> bool {
        false
    }
}

/// The companies of a result.
pub(crate) struct Listed<'p> {
    parties: &'p dyn Parties,
    /// The party that may be next.
    next: u32,
    /// Parties that the result has, or others, by their place in `others`, and how many rows each has.
    companies: Vec<(Company, u32)>,
    /// Closed groups.
    others: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Company {
    Party(u32),
    Other(u32),
}

/// A key before it is written.
#[derive(Clone, Copy)]
struct Entry {
    /// The first bytes of its text, so that texts that differ in them need not be looked at.
    start: [u8; 8],
    /// The place in the list of companies.
    company: u32,
    /// Where its text begins, in the name or else the id.
    at: u16,
    in_name: bool,
}

impl<'p> Listed<'p> {
    pub(crate) fn new(parties: &'p dyn Parties) -> Self {
        Self {
            parties,
            next: 0,
            companies: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Takes the companies of the next block.
    pub(crate) fn take<'c>(&mut self, companies: impl Iterator<Item = (&'c str, u32)>) {
        for (id, count) in companies {
            if let Some(last) = self.companies.len().checked_sub(1)
                && self.id(last) == id
            {
                // It went on in this block.
                self.companies[last].1 = self.companies[last].1.saturating_add(count);
                continue;
            }
            while self.next < self.parties.len() && self.parties.id(self.next) < id {
                self.next += 1;
            }
            let is_party = self.next < self.parties.len() && self.parties.id(self.next) == id;
            let company = if is_party {
                Company::Party(self.next)
            } else {
                self.others.push(id.to_owned());
                Company::Other(u32::try_from(self.others.len() - 1).unwrap_or(u32::MAX))
            };
            self.companies.push((company, count));
        }
    }

    fn id(&self, at: usize) -> &str {
        match self.companies[at].0 {
            Company::Party(party) => self.parties.id(party),
            Company::Other(other) => &self.others[other as usize],
        }
    }

    fn name(&self, at: usize) -> Option<&str> {
        match self.companies[at].0 {
            Company::Party(party) => self.parties.name(party),
            Company::Other(_) => None,
        }
    }

    /// Writes what a search needs beside the rows.
    pub(crate) fn save(&self, stage: &StageRun<'_>) -> Result<Search, Failure> {
        if let Some(search) = self.in_order_of_rows() {
            return Ok(search);
        }
        let mut writer = stage.search();
        let mut write = |block: Block| {
            let first = block.companies.first().unwrap_or_default();
            Ok::<_, Failure>(writer.write(first, block.encode())?)
        };
        let mut builder = BlockBuilder::new(&KEYS);
        for place in Place::ALL {
            let entries = self.entries(place);
            let mut last = String::new();
            for entry in entries {
                let company = entry.company as usize;
                let key = key(place, self.text(entry), self.id(company));
                if key == last {
                    continue;
                }
                let total = Cell::Count(self.companies[company].1.into());
                for full in [
                    builder.company(&key).map_err(broken)?,
                    builder.row(&[total]).map_err(broken)?,
                ] {
                    full.map_or(Ok(()), &mut write)?;
                }
                last = key;
            }
        }
        builder.finish().map_or(Ok(()), write)?;
        Ok(Search::Blocks(writer.finish()?))
    }

    /// Where there are no names, and ids are of one word and one case, the order of rows is that of a search.
    fn in_order_of_rows(&self) -> Option<Search> {
        if self.parties.has_names() {
            return None;
        }
        let mut ids = (0..self.companies.len()).map(|at| self.id(at));
        if ids
            .clone()
            .all(|id| folded(id).eq(id.chars()) && places(id).count() == 1)
        {
            return Some(Search::Lower);
        }
        let is_upper = |id: &str| id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        ids.all(is_upper).then_some(Search::Upper)
    }

    /// The keys of a place, in order.
    fn entries(&self, place: Place) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (at, company) in (0..self.companies.len()).zip(0_u32..) {
            for (in_name, text) in [(false, Some(self.id(at))), (true, self.name(at))] {
                let text = text.unwrap_or_default();
                for (_, start) in places(text).filter(|&(found, _)| found == place && !text.is_empty()) {
                    // No text is longer; a word that would begin later has no key.
                    let Ok(at) = u16::try_from(start) else { continue };
                    entries.push(Entry {
                        start: first_bytes(&text[start..]),
                        company,
                        at,
                        in_name,
                    });
                }
            }
            if place == Place::Word && entries.len() > MAX_WORDS {
                return Vec::new();
            }
        }
        entries.sort_unstable_by(|a, b| self.compare(*a, *b));
        entries
    }

    fn text(&self, entry: Entry) -> &str {
        let company = entry.company as usize;
        let text = if entry.in_name {
            self.name(company).unwrap_or_default()
        } else {
            self.id(company)
        };
        &text[usize::from(entry.at)..]
    }

    /// By texts, then by ids, in whose order companies are.
    fn compare(&self, a: Entry, b: Entry) -> Ordering {
        let by_start = a.start.cmp(&b.start);
        // A text that ends among the first bytes is known as a whole.
        if by_start.is_ne() || a.start[7] == 0 {
            return by_start.then(a.company.cmp(&b.company));
        }
        let by_text = folded_start(self.text(a)).cmp(folded_start(self.text(b)));
        by_text.then(a.company.cmp(&b.company))
    }
}

/// The first bytes of a text as it is compared, filled up with zeros.
fn first_bytes(text: &str) -> [u8; 8] {
    let mut bytes = [0; 8];
    let mut filled = 0;
    for c in folded_start(text) {
        let mut buffer = [0; 4];
        for &byte in c.encode_utf8(&mut buffer).as_bytes() {
            if filled == bytes.len() {
                return bytes;
            }
            bytes[filled] = byte;
            filled += 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Some3;

    impl Parties for Some3 {
        fn len(&self) -> u32 {
            3
        }

        fn id(&self, party: u32) -> &str {
            ["B1", "B2", "B3"][party as usize]
        }

        fn name(&self, party: u32) -> Option<&str> {
            [Some("Limited Holding"), Some("B2"), Some("The limited")][party as usize]
        }

        fn has_names(&self) -> bool {
            true
        }
    }

    #[test]
    fn keys_are_in_the_order_of_their_texts_and_then_of_ids() {
        let mut listed = Listed::new(&Some3);
        listed.take([("B1", 1), ("B2", 2)].into_iter());
        listed.take([("B2", 5), ("B3", 0), ("closed-group:1", 1)].into_iter());
        assert_eq!(listed.companies[1].1, 7, "it went on in the next block");
        let keys = |place| {
            let entries = listed.entries(place).into_iter();
            let keys = entries.map(|entry| key(place, listed.text(entry), listed.id(entry.company as usize)));
            keys.collect::<Vec<_>>()
        };
        let beginnings = keys(Place::Beginning);
        assert!(beginnings.is_sorted(), "{beginnings:?}");
        assert_eq!(beginnings[0], "0b1\tB1");
        assert_eq!(beginnings.len(), 7);
        assert_eq!(
            keys(Place::Word),
            [
                "11\tclosed-group:1",
                "1group:1\tclosed-group:1",
                "1holding\tB1",
                "1limited\tB3"
            ]
        );
    }
}
