//! Names of companies: one text, one array of ends, ids of 32 bits.

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

    /// Adds a name, where all of them are known to have less than 4 GiB.
    pub(crate) fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(to_u32(self.text.len()));
    }

    /// Puts parts together, each a text and the lengths of its names.
    ///
    /// # Errors
    ///
    /// [`Error::NamesTooLong`].
    pub(crate) fn join(parts: &[(Vec<u8>, Vec<u32>)]) -> Result<Self, Error> {
        let bytes = parts.iter().map(|(text, _)| text.len()).sum();
        if u32::try_from(bytes).is_err() {
            return Err(Error::NamesTooLong);
        }
        let mut text = Vec::with_capacity(bytes);
        let mut ends = Vec::with_capacity(parts.iter().map(|(_, lengths)| lengths.len()).sum());
        let mut end = 0;
        for (part, lengths) in parts {
            text.extend_from_slice(part);
            ends.extend(lengths.iter().map(|length| {
                end += length;
                end
            }));
        }
        let text = String::from_utf8(text).expect("names are texts");
        Ok(Self { text, ends })
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

    /// Whether every name can be read.
    pub(crate) fn is_valid(&self) -> bool {
        let mut start = 0;
        self.ends.iter().all(|&end| {
            let readable = self.text.get(start..end as usize).is_some();
            start = end as usize;
            readable
        }) && start == self.text.len()
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
