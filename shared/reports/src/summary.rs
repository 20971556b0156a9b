//! `summary.json`: what was calculated, from what, and how good the answer is.

use std::collections::BTreeMap;

use ownership::Finding;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Examples kept of one finding.
const MAX_EXAMPLES: usize = 10;

/// Everything that a job says about itself. Serializes to `summary.json`; numbers that are not finite become null.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// The job as its caller describes it: id, type, parameters, attempt and the like.
    pub job: Value,
    /// What was read.
    pub input: Input,
    /// What was odd about the data, by the code of the finding.
    pub quality: BTreeMap<String, Quality>,
    /// The rings of cross-holdings.
    pub components: Components,
    /// The largest entry by which the answer misses its equation, `|(I - W) V - I|`.
    pub residual: f64,
    /// What the floor left out.
    pub left_out: LeftOut,
    /// Whether owners and undisclosed shares add up to the whole; absent where it was not checked.
    pub balance: Option<Balance>,
    /// How long each stage took.
    pub stages: Stages,
    /// How large the result is.
    pub result: ResultSize,
    /// Figures of the result as a whole; absent where the rows say all.
    #[serde(skip_serializing_if = "Measures::is_empty")]
    pub measures: Measures,
}

/// Figures of a result as a whole, in the order in which they are told. Serializes to a map in that order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures(pub Vec<Measure>);

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Its name, for programs.
    pub name: &'static str,
    /// The figure: a number, or true or false.
    pub value: Value,
    /// What it says, and in which unit.
    pub meaning: &'static str,
}

impl Measures {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Measures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|measure| (measure.name, &measure.value)))
    }
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Input {
    /// The name of its format.
    pub format: String,
    /// The name of the file, if it had one.
    pub name: Option<String>,
    /// The SHA-256 of its bytes as they were given, in hexadecimal.
    pub sha256: String,
    /// How many bytes these are.
    pub bytes: u64,
    /// Distinct companies, owners among them.
    pub companies: u64,
    /// Stakes between them.
    pub stakes: u64,
}

/// One kind of irregularity in the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// How often it occurs.
    pub count: u64,
    /// Some of the places, at most ten.
    pub examples: Vec<String>,
    /// What was done about it.
    pub action: String,
}

/// The rings of cross-holdings: strongly connected components of two companies or more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Components {
    /// How many there are.
    pub count: u64,
    /// The companies in the largest.
    pub largest: u64,
    /// Those that nobody outside holds a share of.
    pub closed: Vec<Group>,
}

/// A closed group: companies that hold each other entirely.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The name under which the group stands in the result.
    pub name: String,
    /// All its members.
    pub members: Vec<String>,
}

/// What the floor left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LeftOut {
    /// Pairs of owner and owned.
    pub pairs: u64,
    /// The sum of their shares.
    pub mass: f64,
    /// The share below which a pair is left out; null where none is.
    pub floor: Option<f64>,
}

/// The check that the shares of ultimate owners and the undisclosed share of a company sum to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Balance {
    /// The largest difference from 1.
    pub largest_error: f64,
    /// Companies checked.
    pub checked: u64,
    /// Companies for which the sum is undefined, such as members of closed groups.
    pub unchecked: u64,
}

/// How large the result is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ResultSize {
    /// Rows.
    pub rows: u64,
    /// Companies that the rows are about.
    pub companies: u64,
}

/// Seconds of each stage, in the order in which they ran. Serializes to a map in that order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stages(pub Vec<(String, f64)>);

impl Serialize for Stages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (stage, seconds) in &self.0 {
            map.serialize_entry(stage, seconds)?;
        }
        map.end()
    }
}

/// Findings by code. Those of one code are added up; the first one's action stands for all.
pub fn quality(findings: impl IntoIterator<Item = Finding>) -> BTreeMap<String, Quality> {
    let mut by_code = BTreeMap::<String, Quality>::new();
    for Finding {
        code,
        count,
        examples,
        action,
    } in findings
    {
        let quality = by_code.entry(code).or_insert_with(|| Quality {
            action,
            ..Quality::default()
        });
        quality.count += count;
        let room = MAX_EXAMPLES.saturating_sub(quality.examples.len());
        quality.examples.extend(examples.into_iter().take(room));
    }
    by_code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_keys_are_there_and_stages_keep_their_order() {
        let mut summary = Summary {
            job: serde_json::json!({"id": "7"}),
            ..Summary::default()
        };
        summary.stages = Stages(vec![("saving".to_owned(), 0.5), ("building".to_owned(), 0.25)]);
        summary.components.closed = vec![Group {
            name: "closed-group:1".to_owned(),
            members: vec!["A".to_owned()],
        }];
        summary.residual = f64::NAN;
        let text = serde_json::to_string(&summary).unwrap();
        assert!(text.contains(r#""stages":{"saving":0.5,"building":0.25}"#), "{text}");
        assert!(
            text.contains(r#""closed":[{"name":"closed-group:1","members":["A"]}]"#),
            "{text}"
        );
        assert!(text.contains(r#""residual":null"#), "{text}");
        let Value::Object(keys) = serde_json::from_str(&text).unwrap() else {
            panic!("not an object")
        };
        for key in [
            "job",
            "input",
            "quality",
            "components",
            "residual",
            "left_out",
            "stages",
        ] {
            assert!(keys.contains_key(key), "{key}");
        }
    }

    #[test]
    fn findings_of_one_code_add_up() {
        let finding = |count, examples: usize| Finding {
            code: "zero_share".to_owned(),
            count,
            examples: (0..examples).map(|n| format!("row {n}")).collect(),
            action: "dropped".to_owned(),
        };
        let quality = quality([finding(7, 7), finding(30, 10)]);
        let found = &quality["zero_share"];
        assert_eq!(
            (found.count, found.examples.len(), found.action.as_str()),
            (37, 10, "dropped")
        );
    }
}
