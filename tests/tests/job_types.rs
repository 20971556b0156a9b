//! What all job types have in common: each says what it takes and gives, and refuses what it does not take.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use serde_json::json;
use system_tests::Instance;

/// Chains and a ring.
const NETWORK: &str = "owner,owned,share\n1,2,0.1\n2,3,0.5\n3,2,0.3\n3,4,0.6\n4,5,0.2\n5,6,1.0\n";

#[tokio::test]
async fn parameters_that_make_no_sense_are_refused_by_name() {
    let instance = Instance::start().await;
    let stakes = json!([{"owner": "P", "owned": "T", "share": 0.5}]);
    for (job_type, name, value) in [
        ("company-control", "threshold", json!(1)),
        ("company-control", "threshold", json!(-0.1)),
        ("network-control", "model", json!("square")),
        ("beneficial-owners", "threshold", json!(0)),
        ("beneficial-owners", "threshold", json!(25)),
        ("beneficial-owners", "control_threshold", json!(1.5)),
        ("beneficial-owners", "chains", json!(0)),
        ("beneficial-owners", "inclusive", json!("yes")),
    ] {
        let job = json!({"type": job_type, "input": {"stakes": stakes}, "parameters": {name: value}});
        let (status, problem) = instance.api().post("/jobs", &job).await;
        assert!(status.is_client_error(), "{name}: {problem}");
        assert!(problem["field"].as_str().unwrap().ends_with(name), "{problem}");
    }
    instance.stop().await;
}

#[tokio::test]
async fn every_job_type_says_what_it_takes_and_gives() {
    let instance = Instance::start().await;
    let (_, answer) = instance.api().get("/job-types").await;
    let names: Vec<_> = answer["job_types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(
        names,
        [
            "beneficial-owners",
            "clearing",
            "company-control",
            "debtrank",
            "integrated-ownership",
            "katz",
            "leontief",
            "network-control",
            "structure"
        ]
    );
    for job_type in answer["job_types"].as_array().unwrap() {
        let name = job_type["name"].as_str().unwrap();
        let takes_values = json!(["clearing", "debtrank", "leontief", "network-control"].contains(&name));
        let needs_values = json!(["clearing", "debtrank"].contains(&name));
        assert_eq!(
            (&job_type["takes_values"], &job_type["needs_values"]),
            (&takes_values, &needs_values)
        );
        let mut input = json!({"upload": instance.api().upload(NETWORK.as_bytes()).await});
        if job_type["needs_values"] == true {
            let values = ["1", "2", "3", "4", "5", "6"].map(|name| json!({"company": name, "value": 2, "shock": 0.5}));
            input["values"] = json!(values);
        }
        let job = instance.api().submit(&json!({"type": name, "input": input})).await;
        let rows = instance.api().presented(&instance.api().ended(&job).await).await;
        let columns: Vec<_> = job_type["columns"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|column| column["when"].is_null())
            .map(|column| &column["name"])
            .collect();
        assert_eq!(columns, rows[0].iter().collect::<Vec<_>>(), "{name}");
        for (parameter, schema) in job_type["parameters"]["properties"].as_object().unwrap() {
            assert!(
                schema["description"].is_string() && !schema["default"].is_null(),
                "{name}: {parameter}"
            );
        }
    }
    instance.stop().await;
}
