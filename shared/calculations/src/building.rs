//! Stage `building`: from a file of stakes to a network.

use formats::{ReadError, ReadOptions, RecordError};
use jobs::{Failure, JobError, StageRun};
use ownership::{Finding, Limits, Network, NetworkBuilder, Unit};
use serde::{Deserialize, Serialize};

use crate::common::Common;

/// What a reader may hold, however much memory there is: 4 GiB.
const MOST_HELD: u64 = 4 << 30;

/// A network, and where it came from.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Built {
    pub(crate) network: Network,
    pub(crate) format: String,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    /// What was found while reading; what was found in the network, the network says.
    pub(crate) findings: Vec<Finding>,
}

impl Built {
    /// The input as a summary tells it.
    pub(crate) fn input(&self) -> reports::Input {
        reports::Input {
            format: self.format.clone(),
            name: None,
            sha256: self.sha256.clone(),
            bytes: self.bytes,
            companies: self.network.len() as u64,
            stakes: self.network.stakes() as u64,
        }
    }
}

/// Reads the input of a job. The size of a file is not known before its end, so progress stands still meanwhile, but
/// a revoke is noticed.
pub(crate) fn build(stage: &StageRun<'_>, common: &Common) -> Result<Built, Failure> {
    let input = stage.input();
    let settings = stage.settings();
    let options = ReadOptions {
        format: input.format.clone(),
        columns: input.columns.clone(),
        unit: unit(input.unit.as_deref()),
        on_bad_record: common.on_bad_record,
        name: input.name.clone(),
        max_bytes: settings.max_input_bytes,
        // The network is built when that is gone; what it is made of comes beside it.
        max_held_bytes: (settings.max_memory_bytes / 2).min(MOST_HELD),
    };
    let limits = Limits {
        companies: settings.max_companies,
        stakes: settings.max_stakes,
    };
    let mut stream = stage.open_input()?;
    let mut builder = NetworkBuilder::with_limits(common.policies(), limits);
    let read = formats::read_batches(&mut stream, &options, &mut |batch| {
        stage.progress(0.0).map_err(Failure::from)?;
        builder.append(batch).map_err(refused)
    });
    if let Some(reason) = stream.broken() {
        return Err(Failure::Transient(format!("read the input: {reason}")));
    }
    let read = read.map_err(unreadable)?;
    let (bytes, sha256) = stream.finish().map_err(|error| Failure::of_service(&error))?;
    stage.progress(0.7)?;
    Ok(Built {
        network: builder.finish().map_err(refused)?,
        format: read.format,
        sha256,
        bytes,
        findings: read.findings,
    })
}

fn unit(name: Option<&str>) -> Option<Unit> {
    name.map(|name| {
        if name == "percent" {
            Unit::Percent
        } else {
            Unit::Fraction
        }
    })
}

/// What the mathematics refuses, told as a job's failure.
pub(crate) fn refused(error: ownership::Error) -> Failure {
    match error {
        ownership::Error::Stopped(_) => Failure::Stopped(jobs::Stopped),
        ownership::Error::DuplicateStake { row, .. } | ownership::Error::DuplicateAmount { row, .. } => {
            Failure::Permanent(JobError {
                row: Some(row),
                ..permanent(error.code(), &error)
            })
        }
        _ => Failure::Permanent(permanent(error.code(), &error)),
    }
}

pub(crate) fn unreadable(error: ReadError<Failure>) -> Failure {
    match error {
        ReadError::Record(record) => Failure::Permanent(record_error(&record)),
        ReadError::Input(input) => Failure::Permanent(permanent(input.code(), &input)),
        ReadError::Io(error) => Failure::of_service(&error),
        ReadError::Sink(failure) => failure,
    }
}

fn record_error(record: &RecordError) -> JobError {
    JobError {
        row: Some(record.row),
        field: Some(record.field.clone()),
        value: Some(record.value.clone()),
        ..permanent(record.code, record)
    }
}

fn permanent(code: &str, error: &impl std::fmt::Display) -> JobError {
    JobError::new(code, format!("failed to {error}"))
}
