//! Names of companies, interned: one text, one array of ends, ids of 32 bits.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Converts a count that the builder's limits keep within 32 bits.
pub(crate) fn to_u32(count: usize) -> u32 {
    u32::try_from(count).expect("companies and stakes are counted against 32-bit limits when they are added")
}

/// A list of names; name `i` ends at byte `ends[i]` of the text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Names {
    text: String,
    ends: Vec<u32>,
}

impl Names {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, id: u32) -> &str {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] as usize };
        &self.text[start..self.ends[id] as usize]
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn push(&mut self, name: &str) -> Result<(), Error> {
        let end = u32::try_from(self.text.len() + name.len()).map_err(|_| Error::NamesTooLong)?;
        self.text.push_str(name);
        self.ends.push(end);
        Ok(())
    }

    /// Position of a name in sorted names, or where it would be put.
    pub(crate) fn search(&self, name: &str) -> Result<u32, u32> {
        let (mut low, mut high) = (0, to_u32(self.len()));
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// Whether every name can be read and each is greater than the one before.
    pub(crate) fn is_sorted(&self) -> bool {
        let mut start = 0_usize;
        let mut previous: Option<&str> = None;
        for &end in &self.ends {
            let Some(name) = self.text.get(start..end as usize) else {
                return false;
            };
            if previous.is_some_and(|previous| previous >= name) {
                return false;
            }
            previous = Some(name);
            start = end as usize;
        }
        start == self.text.len()
    }
}

/// Gives every distinct name an id, in the order in which they first appear.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    names: Names,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Interner {
    pub(crate) fn intern(&mut self, name: &str, limit: u32) -> Result<u32, Error> {
        let hash = self.hasher.hash_one(name);
        let names = &self.names;
        if let Some(&id) = self.table.find(hash, |&id| names.get(id) == name) {
            return Ok(id);
        }
        let id = to_u32(self.names.len());
        if id >= limit {
            return Err(Error::TooManyCompanies { limit });
        }
        self.names.push(name)?;
        let (names, hasher) = (&self.names, &self.hasher);
        self.table.insert_unique(hash, id, |&id| hasher.hash_one(names.get(id)));
        Ok(id)
    }

    /// Lets go of the hash table.
    pub(crate) fn into_names(self) -> Names {
        self.names
    }
}
