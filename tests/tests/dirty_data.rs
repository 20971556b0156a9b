//! Data that is not clean: an error names row, field and value; a finding is counted and listed.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use serde_json::{Value, json};
use system_tests::{Instance, pair};

#[tokio::test]
async fn a_record_that_cannot_be_right_fails_the_job_and_names_its_place() {
    let instance = Instance::start().await;
    for (csv, code, row, field, value) in [
        ("owner,owned,share\nA,B,0.1\n,C,0.5\n", "missing_id", 3, "owner", ""),
        ("owner,owned,share\nA,,0.5\n", "missing_id", 2, "owned", ""),
        ("owner,owned,share\nA,B,abc\n", "share_not_a_number", 2, "share", "abc"),
        ("owner,owned,share\nA,B,\n", "share_not_a_number", 2, "share", ""),
        ("owner,owned,share\nA,B,nan\n", "share_not_a_number", 2, "share", "nan"),
        ("owner,owned,share\nA,B,-0.1\n", "share_negative", 2, "share", "-0.1"),
        (
            "owner,owned,share\nA,B,0.2\nA,C,60\n",
            "share_over_one",
            3,
            "share",
            "60",
        ),
    ] {
        let job = instance
            .api()
            .run_file("integrated-ownership", csv.as_bytes(), json!({}))
            .await;
        assert_eq!(job["status"], "FAILURE", "{csv}: {job}");
        let error = &job["error"];
        assert_eq!(error["code"], code, "{csv}: {error}");
        assert_eq!(error["row"], row, "{csv}: {error}");
        assert_eq!(error["field"], field, "{csv}: {error}");
        assert_eq!(error["value"], value, "{csv}: {error}");
        assert_eq!(job["attempt"], 1, "trying again would not help");
    }
    instance.stop().await;
}

#[tokio::test]
async fn an_input_that_is_no_list_of_stakes_fails_the_job() {
    let noise: Vec<u8> = (0..4096_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    let instance = Instance::start().await;
    for (bytes, code) in [
        (&b""[..], "empty_input"),
        (b"owner,owned,share\n", "empty_input"),
        (b"a,b\n1,2\n", "missing_column"),
        (&noise, "unknown_format"),
    ] {
        let job = instance.api().run_file("structure", bytes, json!({})).await;
        assert_eq!(job["status"], "FAILURE", "{job}");
        assert_eq!(job["error"]["code"], code, "{job}");
    }
    instance.stop().await;
}

#[tokio::test]
async fn a_bad_record_is_skipped_and_counted_where_that_was_asked_for() {
    let instance = Instance::start().await;
    let csv = b"owner,owned,share\nA,B,0.5\nA,C,oops\n";
    let job = instance
        .api()
        .run_file("integrated-ownership", csv, json!({"on_bad_record": "skip"}))
        .await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    let warning = warning(&job, "bad_record");
    assert_eq!(warning["count"], 1);
    assert!(warning["examples"][0].as_str().unwrap().contains("row 3"), "{warning}");
    instance.stop().await;
}

#[tokio::test]
async fn shares_in_percent_are_read_as_such_only_when_told() {
    let instance = Instance::start().await;
    let upload = instance.api().upload(b"owner,owned,share\nA,B,60\n").await;
    let job = json!({"type": "integrated-ownership", "input": {"upload": upload, "unit": "percent"}});
    let job = instance.api().ended(&instance.api().submit(&job).await).await;
    let rows = instance.api().rows(&job).await;
    assert_eq!(rows[1], ["A", "B", "0.6", "0.6", "0.6"]);
    instance.stop().await;
}

#[tokio::test]
async fn what_is_odd_is_counted_and_treated_by_policy() {
    let instance = Instance::start().await;
    let run = async |csv: &str, parameters: Value| {
        instance
            .api()
            .run_file("integrated-ownership", csv.as_bytes(), parameters)
            .await
    };

    let twice = "owner,owned,share\nA,B,0.3\nA,B,0.2\nC,B,0.5\n";
    let job = run(twice, json!({})).await;
    assert_eq!(warning(&job, "duplicate_stake")["count"], 1);
    assert!((pair(&instance.api().rows(&job).await, "A", "B", "direct") - 0.5).abs() < 1e-15);
    let job = run(twice, json!({"duplicates": "max"})).await;
    assert!((pair(&instance.api().rows(&job).await, "A", "B", "direct") - 0.3).abs() < 1e-15);
    let job = run(twice, json!({"duplicates": "reject"})).await;
    assert_eq!(
        (&job["error"]["code"], &job["error"]["row"]),
        (&json!("duplicate_stake"), &json!(3))
    );

    let over = "owner,owned,share\nA,B,0.8\nC,B,0.8\n";
    let job = run(over, json!({})).await;
    assert_eq!(warning(&job, "column_over_100")["count"], 1);
    assert!((pair(&instance.api().rows(&job).await, "A", "B", "integrated") - 0.8).abs() < 1e-15);
    let job = run(over, json!({"columns_over_100": "normalise"})).await;
    assert!((pair(&instance.api().rows(&job).await, "A", "B", "integrated") - 0.5).abs() < 1e-15);
    let job = run(over, json!({"columns_over_100": "reject"})).await;
    assert_eq!(job["error"]["code"], "column_over_100");

    let job = run("owner,owned,share\nP,F,0.9\nF,F,0.1\nQ,F,0\n", json!({})).await;
    assert_eq!(warning(&job, "self_holding")["count"], 1);
    assert_eq!(warning(&job, "zero_share")["count"], 1);
    // Treasury shares: what the company holds of itself belongs to its other holders.
    assert!((pair(&instance.api().rows(&job).await, "P", "F", "integrated") - 1.0).abs() < 1e-12);
    instance.stop().await;
}

/// Brioschi, Buzzacchi, Colombo 1989 need an outside shareholder in every ring. Here A and B own each other entirely.
#[tokio::test]
async fn a_ring_without_an_outside_owner_is_fenced_and_named() {
    let instance = Instance::start().await;
    let csv = b"owner,owned,share\nA,B,1\nB,A,1\nA,T,0.3\nB,T,0.2\nP,T,0.5\nP,Q,1\n";
    let job = instance.api().run_file("integrated-ownership", csv, json!({})).await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    assert_eq!(warning(&job, "closed_component")["count"], 1);
    let rows = instance.api().rows(&job).await;
    assert!((pair(&rows, "closed-group:1", "T", "integrated") - 0.5).abs() < 1e-15);
    assert!(
        (pair(&rows, "P", "Q", "integrated") - 1.0).abs() < 1e-15,
        "the rest is unaffected"
    );
    let inside = |name: &str| name == "A" || name == "B";
    assert!(
        !rows.iter().any(|row| inside(&row[0]) || inside(&row[1])),
        "pairs inside are undefined: {rows:?}"
    );
    let summary: Value = serde_json::from_slice(&instance.api().report(&job, "summary.json").await).unwrap();
    assert_eq!(
        summary["components"]["closed"],
        json!([{"name": "closed-group:1", "members": ["A", "B"]}])
    );

    let job = instance
        .api()
        .run_file("integrated-ownership", csv, json!({"on_closed_component": "fail"}))
        .await;
    assert_eq!(job["error"]["code"], "closed_component", "{job}");
    let message = job["error"]["message"].as_str().unwrap();
    assert!(message.contains("A, B"), "{message}");
    instance.stop().await;
}

#[tokio::test]
async fn what_is_below_the_floor_is_left_out_and_stated() {
    let instance = Instance::start().await;
    let csv = b"owner,owned,share\nA,B,0.5\nB,C,0.1\n";
    let job = instance
        .api()
        .run_file("integrated-ownership", csv, json!({"floor": 0.1}))
        .await;
    let rows = instance.api().rows(&job).await;
    let pairs: Vec<_> = rows[1..].iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(pairs, [("A", "B"), ("B", "C")]);
    let summary: Value = serde_json::from_slice(&instance.api().report(&job, "summary.json").await).unwrap();
    assert_eq!(summary["left_out"]["pairs"], 1);
    assert!((summary["left_out"]["mass"].as_f64().unwrap() - 0.05).abs() < 1e-15);
    instance.stop().await;
}

fn warning(job: &Value, code: &str) -> Value {
    let warnings = job["warnings"].as_array().unwrap();
    let found = warnings.iter().find(|warning| warning["code"] == code);
    found.unwrap_or_else(|| panic!("no {code} in {job}")).clone()
}
