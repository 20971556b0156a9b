//! Values of companies, from a job's second file.

use formats::{CompanyValue, ValueOptions, read_values};
use jobs::{Failure, JobError, StageRun};
use ownership::{Finding, Network};

use crate::building::unreadable;
use crate::common::Common;

/// Examples kept of one finding.
const EXAMPLES: usize = 10;

/// A value for each company, in the order of ids, and what was found while they were read.
pub(crate) type Values = (Vec<f64>, Vec<Finding>);

/// Reads the values of a job: 1 each if it has none. A company that the file does not name has the value 0, because a
/// file of values says what there is; a value of a company that is not in the network counts for nothing. Both are
/// findings.
///
/// # Errors
///
/// [`Failure::Permanent`], naming row and field of the file of values: a bad record, or a company that occurs twice.
pub(crate) fn values(stage: &StageRun<'_>, network: &Network, common: &Common) -> Result<Values, Failure> {
    let Some(mut stream) = stage.open_values()? else {
        return Ok((vec![1.0; network.len()], Vec::new()));
    };
    let options = ValueOptions {
        on_bad_record: common.on_bad_record,
        max_bytes: stage.settings().max_input_bytes,
    };
    let mut sorting = Sorting {
        network,
        values: vec![f64::NAN; network.len()],
        strangers: Tally::default(),
    };
    let read = read_values(&mut stream, &options, &mut |record| {
        if record.row % 4096 == 0 {
            stage.progress(0.9)?;
        }
        sorting.take(&record)
    });
    if let Some(reason) = stream.broken() {
        return Err(Failure::Transient(format!("read the values: {reason}")));
    }
    let read = read.map_err(|error| in_values(unreadable(error)))?;
    let mut findings = read.findings;
    let (values, more) = sorting.finish();
    findings.extend(more);
    Ok((values, findings))
}

/// Says that the file at fault is the second one.
fn in_values(failure: Failure) -> Failure {
    match failure {
        Failure::Permanent(error) => Failure::Permanent(JobError {
            message: format!("in the values: {}", error.message),
            ..error
        }),
        other => other,
    }
}

struct Sorting<'n> {
    network: &'n Network,
    /// NaN where nothing was read yet.
    values: Vec<f64>,
    strangers: Tally,
}

impl Sorting<'_> {
    fn take(&mut self, record: &CompanyValue<'_>) -> Result<(), Failure> {
        let Some(company) = self.network.find(record.company) else {
            self.strangers.note(record.company);
            return Ok(());
        };
        let value = &mut self.values[company as usize];
        if !value.is_nan() {
            let problem = format!(
                "failed to accept row {}: {:?} has a value already, {value}",
                record.row, record.company
            );
            return Err(Failure::Permanent(JobError {
                row: Some(record.row),
                field: Some("company".to_owned()),
                value: Some(record.company.to_owned()),
                ..JobError::new("duplicate_value", problem)
            }));
        }
        *value = record.value;
        Ok(())
    }

    fn finish(mut self) -> Values {
        let mut missing = Tally::default();
        for (company, value) in (0..).zip(&mut self.values) {
            if value.is_nan() {
                *value = 0.0;
                missing.note(self.network.name(company));
            }
        }
        let findings = [
            missing.finding("company_without_value", "its own value was taken as 0"),
            self.strangers.finding(
                "value_without_company",
                "left out: the company holds nothing and is not held",
            ),
        ];
        (self.values, findings.into_iter().flatten().collect())
    }
}

/// Companies to which something happened.
#[derive(Default)]
struct Tally {
    count: u64,
    examples: Vec<String>,
}

impl Tally {
    fn note(&mut self, company: &str) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(company.to_owned());
        }
    }

    fn finding(self, code: &str, action: &str) -> Option<Finding> {
        (self.count > 0).then(|| Finding {
            code: code.to_owned(),
            count: self.count,
            examples: self.examples,
            action: action.to_owned(),
        })
    }
}
