//! Adding a job type: one implementation of `Calculation` and one line of a registry. `shared/ARCHITECTURE.md` shows it.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::Read;

use jobs::{Calculation, Failure, Json, Outcome, Run, Stage};
use local::SystemSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use system_tests::Instance;

/// Parameters, each with a default.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Count {
    /// Fail below this many bytes.
    least: u64,
}

impl Calculation for Count {
    const NAME: &'static str = "count";
    const SUMMARY: &'static str = "How many bytes the input has.";
    const STAGES: &'static [Stage] = &[Stage {
        name: "counting",
        weight: 100,
        carries: true,
    }];

    fn columns() -> Value {
        json!([])
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        let bytes = run.stage("counting", |stage| {
            let mut input = stage.open_input()?;
            let read = input.read_to_end(&mut Vec::new());
            stage.progress(0.5)?;
            let read = read.map_err(|error| Failure::Transient(error.to_string()))?;
            Ok(read as u64)
        })?;
        if bytes < self.least {
            return Err(Failure::permanent("too_short", format!("{bytes} bytes")));
        }
        Ok(Outcome {
            result: Json(json!({ "bytes": bytes })),
            ..Outcome::default()
        })
    }
}

#[tokio::test]
async fn a_new_job_type_needs_one_implementation_and_one_line() {
    let instance = Instance::with(|settings| SystemSettings {
        registry: calculations::registry().with::<Count>(),
        ..settings
    })
    .await;
    let api = instance.api();
    let job = api.run_file("count", b"12345", json!({})).await;
    assert_eq!(
        (&job["status"], &job["result"]),
        (&json!("SUCCESS"), &json!({"bytes": 5})),
        "{job}"
    );
    let job = api.run_file("count", b"12345", json!({"least": 6})).await;
    assert_eq!(
        (&job["status"], &job["error"]["code"]),
        (&json!("FAILURE"), &json!("too_short")),
        "{job}"
    );
    let (_, types) = api.get("/job-types").await;
    let types = types["job_types"].as_array().unwrap();
    let names: Vec<_> = types.iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.is_sorted() && names.contains(&"count"), "{names:?}");
    instance.stop().await;
}
