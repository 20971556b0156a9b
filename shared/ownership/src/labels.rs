//! What companies are called, and whether they are natural persons: labels, which no calculation but the search for
//! beneficial owners looks at.

use rayon::slice::ParallelSliceMut;
use serde::{Deserialize, Serialize};

use crate::names::{Names, to_u32};
use crate::parallel;

/// What an owner or a company is, where the input says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It doesn't, or contradicts itself.
    #[default]
    Unknown,
    /// A natural person.
    Person,
    /// A company, a trust, a state: anyone else.
    Entity,
}

impl Kind {
    /// `person`, `entity`, or nothing.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Person => "person",
            Self::Entity => "entity",
        }
    }
}

/// Descriptions as they come: ids and names one after another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Descriptions {
    text: String,
    /// Where the id ends, where the name ends.
    ends: Vec<(usize, usize, Kind)>,
}

impl Descriptions {
    pub(crate) fn push(&mut self, id: &str, name: &str, kind: Kind) {
        self.text.push_str(id);
        let end = self.text.len();
        self.text.push_str(name);
        self.ends.push((end, self.text.len(), kind));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn get(&self, at: usize) -> (&str, &str, Kind) {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].1);
        let (id, name, kind) = self.ends[at];
        (&self.text[start..id], &self.text[id..name], kind)
    }
}

/// Names and kinds of companies, by their ids; nothing where no company has any.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Labels {
    names: Names,
    kinds: Vec<Kind>,
}

impl Labels {
    /// The labels of `companies`, which are sorted. Others that are described are nobody's owner and left out.
    ///
    /// Of several names of a company the first by its bytes is taken, of both kinds none, so that the order of
    /// descriptions doesn't matter. O(descriptions log companies).
    pub(crate) fn of(companies: &Names, described: &[Descriptions]) -> Self {
        let mut found: Vec<(u32, u32, u32)> = Vec::new();
        for (part, descriptions) in (0..).zip(described) {
            let all = descriptions.ends.len();
            let places = parallel::map(0..all, all, |at| companies.search(descriptions.get(at).0).ok());
            let known = (0..).zip(places).filter_map(|(at, place)| Some((place?, part, at)));
            found.extend(known);
        }
        if found.is_empty() {
            return Self::default();
        }
        found.par_sort_unstable();
        let (mut labels, mut rest) = (Self::default(), found.as_slice());
        for company in 0..to_u32(companies.len()) {
            let (here, after) = rest.split_at(rest.iter().take_while(|&&(place, ..)| place == company).count());
            rest = after;
            let here = here
                .iter()
                .map(|&(_, part, at)| described[part as usize].get(at as usize));
            let names = here.clone().map(|(_, name, _)| name).filter(|name| !name.is_empty());
            labels.names.push(names.min().unwrap_or(""));
            let is = |kind| here.clone().any(|(.., found)| found == kind);
            labels.kinds.push(match (is(Kind::Person), is(Kind::Entity)) {
                (true, false) => Kind::Person,
                (false, true) => Kind::Entity,
                _ => Kind::Unknown,
            });
        }
        labels
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    pub(crate) fn name(&self, company: u32) -> Option<&str> {
        let name = ((company as usize) < self.names.len()).then(|| self.names.get(company))?;
        (!name.is_empty()).then_some(name)
    }

    pub(crate) fn kind(&self, company: u32) -> Kind {
        self.kinds.get(company as usize).copied().unwrap_or_default()
    }

    pub(crate) fn is_valid(&self, companies: usize) -> bool {
        self.kinds.len() == self.names.len()
            && (self.is_empty() || self.names.len() == companies)
            && self.names.is_valid()
    }
}
