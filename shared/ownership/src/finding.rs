//! What was noticed in the data, and what was done about it.

use serde::{Deserialize, Serialize};

/// Examples kept of one finding.
const EXAMPLES: usize = 10;

/// One kind of irregularity in the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable name, for programs: `duplicate_stake`, `column_over_100`, ...
    pub code: String,
    /// How often it occurs.
    pub count: u64,
    /// At most ten occurrences, with companies and values: the first in the
    /// order of names, or of component numbers.
    pub examples: Vec<String>,
    /// What was done about it, for people.
    pub action: String,
}

/// Counts occurrences of one finding while the data is gone through.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    count: u64,
    examples: Vec<String>,
}

impl Tally {
    /// Counts `times` occurrences that share one example.
    pub(crate) fn note(&mut self, times: u64, example: impl FnOnce() -> String) {
        self.count += times;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }

    /// Adds what occurred after this.
    pub(crate) fn append(&mut self, next: Self) {
        self.count += next.count;
        let room = EXAMPLES - self.examples.len();
        self.examples.extend(next.examples.into_iter().take(room));
    }

    /// The finding, if there was any occurrence.
    pub(crate) fn into_finding(self, code: &str, action: &str) -> Option<Finding> {
        (self.count > 0).then(|| Finding {
            code: code.to_owned(),
            count: self.count,
            examples: self.examples,
            action: action.to_owned(),
        })
    }
}
