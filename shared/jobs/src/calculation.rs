//! What a job type is.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Failure, Outcome, Run};

/// A step of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// Its name, as the API shows it.
    pub name: &'static str,
    /// Its share of the whole work; the weights of a job type sum to 100.
    pub weight: u8,
    /// Whether a retry, which is a new job, may start after it. Not so when it left something that expires with the
    /// old job.
    pub carries: bool,
}

/// A parameter has a value that the calculation cannot work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use parameter {field}: {problem}")]
pub struct Invalid {
    /// The parameter.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// A job type: a struct of its parameters that knows how to run.
///
/// Every parameter has a default (`#[serde(default)]`), so that `{}` is a valid request. The JSON Schema of the struct
/// is what callers see; parameters that it does not list are refused before a job is accepted.
pub trait Calculation: Serialize + DeserializeOwned + JsonSchema + Send + 'static {
    /// The name in requests, such as `integrated-ownership`.
    const NAME: &'static str;
    /// One sentence for people.
    const SUMMARY: &'static str;
    /// The steps, in order.
    const STAGES: &'static [Stage];
    /// Whether the input may have a second file with a value for each company.
    const TAKES_VALUES: bool = false;
    /// Whether it must have one.
    const NEEDS_VALUES: bool = false;

    /// The columns of the result, as callers are told of them.
    fn columns() -> serde_json::Value;

    /// Checks what the types of the parameters cannot say.
    ///
    /// # Errors
    ///
    /// [`Invalid`], naming the parameter.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    /// Runs the stages. Called on a thread that may block; may be called again after a crash, with the stages that
    /// were committed not run again.
    ///
    /// # Errors
    ///
    /// [`Failure::Permanent`] when the input or the parameters are at fault, else [`Failure::Transient`].
    fn run(&self, run: &mut Run) -> Result<Outcome, Failure>;
}
