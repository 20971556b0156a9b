//! Values of companies, from a job's second file.

use formats::{CompanyValue, OnBadRecord, ValueColumns, ValueOptions, read_values};
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
    let wanted = Wanted {
        find: &|name| network.find(name),
        companies: network.len(),
        columns: ValueColumns::default(),
        on_bad_record: common.on_bad_record,
        check: &|_| Ok(()),
    };
    let Some(mut given) = wanted.read(stage)? else {
        return Ok((vec![1.0; network.len()], Vec::new()));
    };
    let missing = given.fill(&|company| network.name(company));
    given
        .findings
        .extend(missing.finding("company_without_value", "its own value was taken as 0"));
    Ok((given.values, given.findings))
}

/// What a file of values is read for.
pub(crate) struct Wanted<'w> {
    /// The id of a company.
    pub(crate) find: &'w dyn Fn(&str) -> Option<u32>,
    pub(crate) companies: usize,
    pub(crate) columns: ValueColumns,
    pub(crate) on_bad_record: OnBadRecord,
    /// What else a record of a known company must be.
    pub(crate) check: &'w dyn Fn(&CompanyValue<'_>) -> Result<(), Failure>,
}

/// Values as the file gives them, in the order of ids; NaN where it gives none.
pub(crate) struct Given {
    pub(crate) values: Vec<f64>,
    pub(crate) extras: Vec<f64>,
    /// Skipped records, and companies that are not known.
    pub(crate) findings: Vec<Finding>,
}

impl Wanted<'_> {
    /// Reads the values of a job, if it has any.
    ///
    /// # Errors
    ///
    /// [`Failure::Permanent`], naming row and field of the file: a bad record, a company that occurs twice, or what the
    /// check says.
    pub(crate) fn read(&self, stage: &StageRun<'_>) -> Result<Option<Given>, Failure> {
        let Some(mut stream) = stage.open_values()? else {
            return Ok(None);
        };
        let options = ValueOptions {
            columns: self.columns,
            on_bad_record: self.on_bad_record,
            max_bytes: stage.settings().max_input_bytes,
        };
        let mut given = Given {
            values: vec![f64::NAN; self.companies],
            extras: vec![f64::NAN; self.companies],
            findings: Vec::new(),
        };
        let mut strangers = Tally::default();
        let read = read_values(&mut stream, &options, &mut |record| {
            if record.row % 4096 == 0 {
                stage.progress(0.9)?;
            }
            match (self.find)(record.company) {
                None => {
                    strangers.note(record.company);
                    Ok(())
                }
                Some(company) => {
                    (self.check)(&record)?;
                    given.take(company, &record)
                }
            }
        });
        if let Some(reason) = stream.broken() {
            return Err(Failure::Transient(format!("read the values: {reason}")));
        }
        let read = read.map_err(|error| in_values(unreadable(error)))?;
        given.findings = read.findings;
        given.findings.extend(strangers.finding(
            "value_without_company",
            "left out: the company holds nothing and is not held",
        ));
        Ok(Some(given))
    }
}

impl Given {
    fn take(&mut self, company: u32, record: &CompanyValue<'_>) -> Result<(), Failure> {
        let value = &mut self.values[company as usize];
        if !value.is_nan() {
            let problem = format!("{:?} has a value already, {value}", record.company);
            return Err(bad_value(
                record,
                "company",
                record.company,
                "duplicate_value",
                &problem,
            ));
        }
        *value = record.value;
        self.extras[company as usize] = record.extra.unwrap_or(f64::NAN);
        Ok(())
    }

    /// Puts 0 where no value is given, and counts these.
    pub(crate) fn fill<'n>(&mut self, name: &dyn Fn(u32) -> &'n str) -> Tally {
        let mut missing = Tally::default();
        for (company, value) in (0..).zip(&mut self.values) {
            if value.is_nan() {
                *value = 0.0;
                missing.note(name(company));
            }
        }
        missing
    }
}

/// A record of values that cannot be accepted.
pub(crate) fn bad_value(record: &CompanyValue<'_>, field: &str, value: &str, code: &str, problem: &str) -> Failure {
    Failure::Permanent(JobError {
        row: Some(record.row),
        field: Some(field.to_owned()),
        value: Some(value.to_owned()),
        ..JobError::new(code, format!("failed to accept row {}: {problem}", record.row))
    })
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

/// Companies to which something happened.
#[derive(Default)]
pub(crate) struct Tally {
    count: u64,
    examples: Vec<String>,
}

impl Tally {
    pub(crate) fn note(&mut self, company: &str) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(company.to_owned());
        }
    }

    pub(crate) fn finding(self, code: &str, action: &str) -> Option<Finding> {
        (self.count > 0).then(|| Finding {
            code: code.to_owned(),
            count: self.count,
            examples: self.examples,
            action: action.to_owned(),
        })
    }
}
