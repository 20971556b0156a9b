//! The factory: from the name of a job type and its parameters to a calculation.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Calculation, Failure, Outcome, Run, Stage};

/// A calculation whose type was erased.
pub(crate) type Runnable = Box<dyn FnOnce(&mut Run) -> Result<Outcome, Failure> + Send>;

/// A job type as callers are told of it.
#[derive(Debug, Clone)]
pub struct JobType {
    /// The name in requests.
    pub name: &'static str,
    /// One sentence for people.
    pub summary: &'static str,
    /// The steps, in order.
    pub stages: &'static [Stage],
    /// JSON Schema of the parameters.
    pub parameters: Value,
    /// The columns of the result.
    pub columns: Value,
    /// Whether the input may have a second file with a value for each company.
    pub takes_values: bool,
    /// Whether it must have one.
    pub needs_values: bool,
    check: fn(&Value) -> Result<Value, String>,
    make: fn(&Value) -> Result<Runnable, String>,
}

/// Why a request for a job cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// There is no such job type.
    #[error("unknown job type {name:?}; known are {}", known.join(", "))]
    UnknownType {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The job type has no such parameter.
    #[error("unknown parameter {name:?}; known are {}", known.join(", "))]
    UnknownParameter {
        /// What was given.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A parameter has a bad value.
    #[error("parameter {name:?}: {problem}")]
    Invalid {
        /// The parameter.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The parameters are no JSON object.
    #[error("parameters must be an object")]
    NotAnObject,
}

/// All job types.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    types: BTreeMap<&'static str, JobType>,
}

impl Registry {
    /// Adds job type `C`.
    #[must_use]
    pub fn with<C: Calculation>(mut self) -> Self {
        let job_type = JobType {
            name: C::NAME,
            summary: C::SUMMARY,
            stages: C::STAGES,
            parameters: schemars::schema_for!(C).to_value(),
            columns: C::columns(),
            takes_values: C::TAKES_VALUES || C::NEEDS_VALUES,
            needs_values: C::NEEDS_VALUES,
            check: check::<C>,
            make: make::<C>,
        };
        self.types.insert(C::NAME, job_type);
        self
    }

    /// All job types, by name.
    pub fn types(&self) -> impl Iterator<Item = &JobType> {
        self.types.values()
    }

    /// The job type called `name`.
    ///
    /// # Errors
    ///
    /// [`ParameterError::UnknownType`] with the names there are.
    pub fn get(&self, name: &str) -> Result<&JobType, ParameterError> {
        self.types.get(name).ok_or_else(|| ParameterError::UnknownType {
            name: name.to_owned(),
            known: self.types.keys().map(|&name| name.to_owned()).collect(),
        })
    }

    /// Checks the parameters of a request; gives them with every default filled in.
    ///
    /// # Errors
    ///
    /// [`ParameterError`], naming the type or the parameter at fault.
    pub fn check(&self, name: &str, parameters: &Value) -> Result<Value, ParameterError> {
        let job_type = self.get(name)?;
        let given = match parameters {
            Value::Null => Map::new(),
            Value::Object(given) => given.clone(),
            _ => return Err(ParameterError::NotAnObject),
        };
        let known = job_type.parameter_names();
        if let Some(unknown) = given.keys().find(|name| !known.contains(name)) {
            return Err(ParameterError::UnknownParameter {
                name: unknown.clone(),
                known,
            });
        }
        (job_type.check)(&Value::Object(given.clone())).map_err(|problem| job_type.blame(&given, problem))
    }

    /// Makes the calculation of an accepted job.
    pub(crate) fn make(&self, name: &str, parameters: &Value) -> Result<Runnable, Failure> {
        let job_type = self
            .get(name)
            .map_err(|error| Failure::permanent("unknown_job_type", error.to_string()))?;
        (job_type.make)(parameters).map_err(|problem| Failure::permanent("invalid_parameter", problem))
    }
}

impl JobType {
    /// The names of its parameters.
    #[must_use]
    pub fn parameter_names(&self) -> Vec<String> {
        let properties = self.parameters.get("properties").and_then(Value::as_object);
        properties
            .map(|properties| properties.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// Finds which parameter is at fault: every one has a default, so each can be tried alone.
    fn blame(&self, given: &Map<String, Value>, problem: String) -> ParameterError {
        for (name, value) in given {
            let alone = Map::from_iter([(name.clone(), value.clone())]);
            if let Err(problem) = (self.check)(&Value::Object(alone)) {
                return ParameterError::Invalid {
                    name: name.clone(),
                    problem,
                };
            }
        }
        ParameterError::Invalid {
            name: given.keys().cloned().collect::<Vec<_>>().join(", "),
            problem,
        }
    }
}

fn parse<C: Calculation>(parameters: &Value) -> Result<C, String> {
    let calculation: C = serde_json::from_value(parameters.clone()).map_err(|error| error.to_string())?;
    calculation.check().map_err(|error| error.problem)?;
    Ok(calculation)
}

fn check<C: Calculation>(parameters: &Value) -> Result<Value, String> {
    let calculation = parse::<C>(parameters)?;
    serde_json::to_value(&calculation).map_err(|error| error.to_string())
}

fn make<C: Calculation>(parameters: &Value) -> Result<Runnable, String> {
    let calculation = parse::<C>(parameters)?;
    Ok(Box::new(move |run| calculation.run(run)))
}
