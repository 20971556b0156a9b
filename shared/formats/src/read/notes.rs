//! What a reader noticed: records that are right and yet no stakes, or stakes of a special kind.

use ownership::Finding;

use super::check::MAX_EXAMPLES;

/// One kind of notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) code: &'static str,
    pub(super) action: &'static str,
}

/// Somebody holds, but it is not said who.
pub(super) const UNDISCLOSED: Notice = Notice {
    code: "undisclosed_owner",
    action: "no stake: what is recorded of the company sums to less than all of it",
};
/// A holding without a number.
pub(super) const SHARE_UNKNOWN: Notice = Notice {
    code: "share_unknown",
    action: "left out: a holding without its share is no stake",
};
/// A record of the past.
pub(super) const ENDED: Notice = Notice {
    code: "ended_record",
    action: "left out: closed, ceased, ended or not active",
};
/// Votes, appointments and the like.
pub(super) const NOT_A_SHARE: Notice = Notice {
    code: "not_a_share",
    action: "no stake: shares alone are stakes; what controls is kept as control without a share",
};
/// The record was given before.
pub(super) const REPEATED: Notice = Notice {
    code: "repeated_record",
    action: "left out: the record is there with the same content",
};

/// Counts of notices, with examples.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<(Notice, u64, Vec<String>)>);

impl Notes {
    /// Counts one.
    pub(super) fn note(&mut self, notice: Notice, example: impl FnOnce() -> String) {
        let known = self.0.iter().position(|(known, ..)| *known == notice);
        let at = known.unwrap_or_else(|| {
            self.0.push((notice, 0, Vec::new()));
            self.0.len() - 1
        });
        let (_, count, examples) = &mut self.0[at];
        *count += 1;
        if examples.len() < MAX_EXAMPLES {
            examples.push(example());
        }
    }

    /// Whether there is one of this code.
    pub(super) fn has(&self, code: &str) -> bool {
        self.0.iter().any(|(notice, ..)| notice.code == code)
    }

    /// Each kind with its count: `3 ended_record`.
    pub(super) fn counts(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|(notice, count, _)| format!("{count} {}", notice.code))
            .collect()
    }

    pub(super) fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.0.into_iter().map(|(notice, count, examples)| Finding {
            code: notice.code.to_owned(),
            count,
            examples,
            action: notice.action.to_owned(),
        })
    }
}
