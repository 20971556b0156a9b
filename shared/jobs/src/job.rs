//! The record of a job.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::State;
use crate::{JobId, Report, Timestamp};

/// The five words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Accepted; waits for a worker.
    Pending,
    /// A worker holds it.
    Progress,
    /// Ended: every report listed exists.
    Success,
    /// Ended: the error says why.
    Failure,
    /// Ended: somebody asked to stop it.
    Revoked,
}

impl Status {
    /// All of them, in the order of a job's life.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Progress,
        Self::Success,
        Self::Failure,
        Self::Revoked,
    ];

    /// Whether a job in this status never changes again.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Revoked)
    }

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Progress => "PROGRESS",
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::Revoked => "REVOKED",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text))
            .ok_or(())
    }
}

/// How far a job is: whole percent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percentage(u8);

impl Percentage {
    /// Nothing done.
    pub const ZERO: Self = Self(0);
    /// All done.
    pub const FULL: Self = Self(100);

    /// `value`, or 100 if it is more.
    #[must_use]
    pub const fn new(value: u8) -> Self {
        Self(if value > 100 { 100 } else { value })
    }

    /// Whole percent, 0 to 100.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }
}

/// Why a job is a FAILURE.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JobError {
    /// A stable word for programs, such as `share_negative`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The line of the input at fault, as an editor counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The field of that line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What stood there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl JobError {
    /// An error that names no place in the input.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            row: None,
            field: None,
            value: None,
        }
    }
}

impl JobError {
    /// The same, cut to what a record holds: input may be quoted in it.
    #[must_use]
    pub fn bounded(self) -> Self {
        let cut = |text: String, longest: usize| text.chars().take(longest).collect::<String>();
        Self {
            message: cut(self.message, 4_000),
            field: self.field.map(|field| cut(field, 600)),
            value: self.value.map(|value| cut(value, 600)),
            ..self
        }
    }
}

/// Something the analyst should know about a result that was computed all the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Warning {
    /// A stable word, such as `duplicate_stake`.
    pub code: String,
    /// How often it was found.
    pub count: u64,
    /// A sentence that says what was found and what was done.
    pub message: String,
    /// A few of the places.
    pub examples: Vec<String>,
}

/// Bytes that a job reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The key of an object.
    #[serde(rename = "key")]
    Object(String),
    /// The bytes themselves, at most [`Source::LONGEST_TEXT`] of them: a job that is asked for with a few stakes needs no
    /// object.
    #[serde(rename = "text")]
    Text(String),
}

impl Source {
    /// What travels in the job's record, which each of its few changes writes whole: 4 KiB. There an object costs less.
    pub const LONGEST_TEXT: usize = 4 << 10;
}

/// Where the stakes of a job are, and how to read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The stakes themselves, or where they are.
    #[serde(flatten)]
    pub source: Source,
    /// The name of the file as its owner calls it; names the format if its content does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The format, where the caller insists on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Names of the three columns: owner, owned, share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<[String; 3]>,
    /// `fraction` or `percent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where the values of companies are, for a job type that takes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<ValuesInput>,
}

/// A second file: a value for each company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValuesInput {
    /// The values themselves, or where they are.
    #[serde(flatten)]
    pub source: Source,
    /// The name of the file as its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The output of a stage that need not run again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Committed {
    /// The stage.
    pub stage: String,
    /// The key of the object that holds its output.
    pub key: String,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// What a successful job leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Outcome {
    /// The figures of the job, as its type defines them.
    #[serde(with = "json_text")]
    pub result: Json,
    /// The files, each whole before the job ends.
    pub reports: Vec<Report>,
    /// The names of those that lie in the table until somebody asks for one: all of a small job's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_table: Vec<String>,
    /// What was found in the data.
    pub warnings: Vec<Warning>,
    /// Where the result rows are in the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowsRef>,
}

/// Where the result rows of a job are, and what their columns are called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RowsRef {
    /// The epoch of the worker that wrote them.
    pub epoch: u64,
    /// How many rows there are.
    pub rows: u64,
    /// How many blocks hold them.
    pub blocks: u64,
    /// How many blocks say what companies are called; none where the input doesn't.
    #[serde(default)]
    pub names: u64,
    /// How companies are found by a text.
    #[serde(default)]
    pub search: Search,
    /// The names of all columns, in order.
    pub columns: Vec<String>,
    /// Which of them names the company that a row is about.
    pub key: usize,
}

/// How companies are found by the beginning of a text, whatever its case. Where all rows are in one block, that is looked
/// through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Search {
    /// They are not; an earlier version made the result.
    #[default]
    No,
    /// Rows are in the order of a search, since their ids are of one word each, in lower case.
    Lower,
    /// The same, in upper case.
    Upper,
    /// By that many blocks of keys beside the rows.
    Blocks(u64),
}

/// A JSON value that is stored as its text, so that it comes back to the letter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Json(pub Value);

impl std::hash::Hash for Json {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_string().hash(state);
    }
}

pub(crate) mod json_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use super::Json;

    pub(crate) fn serialize<S: Serializer>(value: &Json, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&value.0.to_string())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Json, D::Error> {
        let text = String::deserialize(input)?;
        serde_json::from_str(&text).map(Json).map_err(D::Error::custom)
    }
}

/// One asked-for calculation: everything that is known about it, in one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Who it is.
    pub id: JobId,
    /// Whose it is. There is one tenant until keys exist.
    pub tenant: String,
    /// Which calculation.
    #[serde(rename = "type")]
    pub job_type: String,
    /// Its parameters, checked by the registry, defaults filled in.
    #[serde(with = "json_text")]
    pub parameters: Json,
    /// Its stakes.
    pub input: Input,
    /// Whom to tell at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// The job that this one tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<JobId>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When its record may be forgotten.
    pub expires_at: Timestamp,
    /// Where it is in its life.
    pub state: State,
}

impl Job {
    /// Whom to tell, with `{job_id}` filled in.
    #[must_use]
    pub fn callback(&self) -> Option<String> {
        let url = self.callback_url.as_ref()?;
        Some(url.replace("{job_id}", &self.id.to_string()))
    }
}
