//! Records that were read, and those that were skipped as bad.

use ownership::Finding;

use super::check::MAX_EXAMPLES;
use super::{OnBadRecord, Read};
use crate::error::RecordError;

/// Counts records, and applies the policy for bad ones.
pub(super) struct Tally {
    on_bad_record: OnBadRecord,
    pub(super) records: u64,
    pub(super) skipped: u64,
    examples: Vec<String>,
}

impl Tally {
    pub(super) fn new(on_bad_record: OnBadRecord) -> Self {
        Self {
            on_bad_record,
            records: 0,
            skipped: 0,
            examples: Vec::new(),
        }
    }

    /// Fails with the error, or counts it and lets reading go on.
    pub(super) fn refuse(&mut self, error: RecordError) -> Result<(), RecordError> {
        if self.on_bad_record == OnBadRecord::Fail {
            return Err(error);
        }
        self.skipped += 1;
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.push(error.describe());
        }
        Ok(())
    }

    /// What was read; skipped records are a finding with this code.
    pub(super) fn finish(self, format: &str, code: &str) -> Read {
        let skipped = (self.skipped > 0).then(|| Finding {
            code: code.to_owned(),
            count: self.skipped,
            examples: self.examples,
            action: "left out, as on_bad_record=skip asks".to_owned(),
        });
        Read {
            format: format.to_owned(),
            records: self.records,
            ranges: 0,
            controls: 0,
            described: 0,
            findings: skipped.into_iter().collect(),
        }
    }
}
