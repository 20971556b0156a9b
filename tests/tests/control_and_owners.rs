//! Control, network control and beneficial owners, through the whole system.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::process::Command;

use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Api, Instance, table};

/// Vitali, Glattfelder, Battiston 2011, supporting information 3.4.
const SIX_FIRMS: &str = "owner,owned,share\n1,2,0.1\n2,3,0.5\n2,4,0.5\n2,5,0.2\n3,2,0.3\n3,5,0.2\n4,2,0.3\n4,5,0.6\n\
                         5,2,0.3\n5,3,0.5\n5,4,0.5\n5,6,1.0\n";

/// The example of the Vadalog documentation (prometheuxresearch/docs, "Thinking in Vadalog").
const YUM: &str = "owner,owned,share\nYum,KFC,0.6\nYum,Pizza Hut,0.7\nFastFoodsGroup,McDonalds,0.45\n\
                   Yum,FastFoodsGroup,0.7\nYum,McDonalds,0.1\n";

/// The result of a job that must succeed, header first.
async fn result(api: &Api, job_type: &str, csv: &str, parameters: Value) -> Vec<Vec<String>> {
    api.presented(&api.run_file(job_type, csv.as_bytes(), parameters).await)
        .await
}

fn warning<'j>(job: &'j Value, code: &str) -> &'j Value {
    let warnings = job["warnings"].as_array().unwrap();
    let found = warnings.iter().find(|warning| warning["code"] == code);
    found.unwrap_or_else(|| panic!("no {code} in {warnings:?}"))
}

fn close(cell: &str, expected: f64) {
    let found: f64 = cell.parse().unwrap();
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs(),
        "{found} is not {expected}"
    );
}

#[tokio::test]
async fn joint_holdings_control() {
    let instance = Instance::start().await;
    let rows = result(instance.api(), "company-control", YUM, json!({})).await;
    let expected = [
        ["controller", "company", "share", "ultimate"],
        ["Yum", "FastFoodsGroup", "0.7", "true"],
        ["Yum", "KFC", "0.6", "true"],
        ["Yum", "McDonalds", "0.55", "true"],
        ["Yum", "Pizza Hut", "0.7", "true"],
    ];
    assert_eq!(rows, expected);
    let rows = result(instance.api(), "company-control", YUM, json!({"threshold": 0.6})).await;
    let companies: Vec<_> = rows[1..].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(companies, ["FastFoodsGroup", "Pizza Hut"]);
    instance.stop().await;
}

#[tokio::test]
async fn network_control_of_the_six_firms() {
    let instance = Instance::start().await;
    let rows = result(instance.api(), "network-control", SIX_FIRMS, json!({})).await;
    let header = "company value network_value integrated_value corrected_value control rank position";
    assert_eq!(rows[0], header.split(' ').collect::<Vec<_>>());
    let network_value = [6.0, 50.0, 27.0, 49.0, 55.0, 1.0];
    let corrected = [6.0, 5.0, 4.378_378_378_378, 4.666_666_666_667, 4.714_285_714_286, 1.0];
    let places = [
        ("1", "in"),
        ("2", "scc"),
        ("5", "scc"),
        ("4", "scc"),
        ("3", "scc"),
        ("6", "out"),
    ];
    for (firm, row) in rows[1..].iter().enumerate() {
        assert_eq!(
            (row[0].as_str(), row[1].as_str()),
            ((firm + 1).to_string().as_str(), "1")
        );
        close(&row[2], network_value[firm]);
        close(&row[3], network_value[firm] - 1.0);
        close(&row[4], corrected[firm]);
        assert!((row[5].parse::<f64>().unwrap() - (corrected[firm] - 1.0)).abs() < 1e-9);
        assert_eq!((row[6].as_str(), row[7].as_str()), places[firm]);
    }
    let rows = result(
        instance.api(),
        "network-control",
        SIX_FIRMS,
        json!({"model": "relative"}),
    )
    .await;
    // The ring has no other outside holder than firm 1, so it controls all five whatever the model makes of its tenth.
    close(&rows[1][5], 5.0);
    instance.stop().await;
}

#[tokio::test]
async fn values_come_from_a_second_file_or_with_the_job() {
    let instance = Instance::start().await;
    let api = instance.api();
    let stakes = json!([{"owner": "P", "owned": "H", "share": 0.5}, {"owner": "H", "owned": "T", "share": 0.5}]);
    let upload = api.upload(b"Company;Revenue\nT;100\nH;10\nGone;7\n").await;
    let inline =
        json!([{"company": "T", "value": 100}, {"company": "H", "value": 10.0}, {"company": "Gone", "value": 7}]);
    for values in [json!({"upload": upload, "name": "revenue.csv"}), inline] {
        let job = json!({"type": "network-control", "input": {"stakes": stakes, "values": values}});
        let job = api.ended(&api.submit(&job).await).await;
        let rows = api.rows(&job).await;
        let control: Vec<_> = rows[1..]
            .iter()
            .map(|row| [&row[0], &row[1], &row[5]].map(String::as_str))
            .collect();
        assert_eq!(control, [["H", "10", "50"], ["P", "0", "30"], ["T", "100", "0"]]);
        assert_eq!(warning(&job, "value_without_company")["examples"], json!(["Gone"]));
        assert_eq!(warning(&job, "company_without_value")["examples"], json!(["P"]));
    }
    instance.stop().await;
}

#[tokio::test]
async fn bad_values_are_named_by_row_and_field() {
    let instance = Instance::start().await;
    let api = instance.api();
    let stakes = json!([{"owner": "P", "owned": "T", "share": 0.5}]);
    for (file, code, row, field) in [
        ("company,value\nT,1\nP,-1\n", "value_negative", json!(3), json!("value")),
        ("company,value\nT,ten\n", "value_not_a_number", json!(2), json!("value")),
        (
            "company,value\nT,1\nT,2\n",
            "duplicate_value",
            json!(3),
            json!("company"),
        ),
        ("T,1\n", "missing_column", Value::Null, Value::Null),
    ] {
        let upload = api.upload(file.as_bytes()).await;
        let job = json!({"type": "network-control", "input": {"stakes": stakes, "values": {"upload": upload}}});
        let job = api.ended(&api.submit(&job).await).await;
        assert_eq!(job["status"], "FAILURE", "{file:?}");
        let error = &job["error"];
        assert_eq!(
            (&error["code"], &error["row"], &error["field"]),
            (&json!(code), &row, &field),
            "{error}"
        );
        assert!(error["message"].as_str().unwrap().starts_with("in the values: ") || code == "duplicate_value");
    }
    let too_large = json!([{"company": "P", "value": 1e308}, {"company": "T", "value": 1.7e308}]);
    let stakes_in_full = json!([{"owner": "P", "owned": "T", "share": 1}]);
    let job = json!({"type": "network-control", "input": {"stakes": stakes_in_full, "values": too_large}});
    let job = api.ended(&api.submit(&job).await).await;
    assert_eq!(
        (&job["status"], &job["error"]["code"]),
        (&json!("FAILURE"), &json!("values_too_large")),
        "{job}"
    );
    let values = json!([{"company": "T", "value": 1}]);
    for (job_type, values, code, field) in [
        ("structure", values, "values_not_taken", "input.values"),
        (
            "network-control",
            json!({"upload": "x"}),
            "invalid_upload",
            "input.values.upload",
        ),
        ("network-control", json!("T"), "invalid_request", "input.values"),
    ] {
        let job = json!({"type": job_type, "input": {"stakes": stakes, "values": values}});
        let (status, problem) = api.post("/jobs", &job).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert_eq!(
            (&problem["code"], &problem["field"]),
            (&json!(code), &json!(field)),
            "{problem}"
        );
    }
    instance.stop().await;
}

/// Regulation (EU) 2024/1624.
#[tokio::test]
async fn beneficial_owners_by_ownership_and_control() {
    let instance = Instance::start().await;
    let api = instance.api();
    let csv = "owner,owned,share\nP,H1,0.6\nP,H2,0.5\nH1,T,0.3\nH2,T,0.2\nQ,H1,0.4\nQ2,H2,0.5\nZ,T,0.5\n";
    let rows = result(api, "beneficial-owners", csv, json!({})).await;
    assert_eq!(
        rows[0],
        ["company", "owner", "lower", "share", "upper", "basis", "chains"]
    );
    let of_t: Vec<_> = rows.iter().filter(|row| row[0] == "T").collect();
    let ownership = "ownership (Art. 52)";
    assert_eq!(*of_t[0], ["T", "Z", "0.5", "0.5", "0.5", ownership, "Z > T 0.5"]);
    let both = "ownership (Art. 52); control of a holder (Art. 54 (a))";
    assert_eq!(
        *of_t[1],
        [
            "T",
            "P",
            "0.28",
            "0.28",
            "0.28",
            both,
            "P > H1 > T 0.18; P > H2 > T 0.1"
        ]
    );
    assert_eq!(of_t.len(), 2);
    let rows = result(
        api,
        "beneficial-owners",
        csv,
        json!({"threshold": 0.5, "inclusive": false, "chains": 1}),
    )
    .await;
    assert_eq!(
        rows[1..],
        [[
            "H1",
            "P",
            "0.6",
            "0.6",
            "0.6",
            "ownership (Art. 52); control (Art. 53)",
            "P > H1 0.6"
        ]]
    );

    let csv = "owner,owned,share\nP,H,0.51\nO,H,0.49\nH,T,0.26\nR,T,0.74\n";
    let rows = result(api, "beneficial-owners", csv, json!({})).await;
    let of_t: Vec<_> = rows
        .iter()
        .filter(|row| row[0] == "T")
        .map(|row| [&row[1], &row[3], &row[5]])
        .collect();
    assert_eq!(of_t[0], ["R", "0.74", "ownership (Art. 52); control (Art. 53)"]);
    assert_eq!(of_t[1], ["P", "0.1326", "control of a holder (Art. 54 (a))"]);

    // A ring in which nobody has a quarter of A but P, and that only through the ring.
    let csv = "owner,owned,share\nP,A,0.2\nB,A,0.5\nA,B,0.5\nQ,B,0.1\n";
    let job = api.run_file("beneficial-owners", csv.as_bytes(), json!({})).await;
    let rows = api.rows(&job).await;
    assert_eq!(rows[1][..2], ["A", "P"]);
    close(&rows[1][3], 0.2 / 0.75);
    assert_eq!(rows[1][6], "P > A 0.2; through cycles 0.06666666667");
    assert_eq!(warning(&job, "no_beneficial_owner")["examples"], json!(["B"]));
    instance.stop().await;
}

#[tokio::test]
async fn more_chains_than_are_wanted_are_counted() {
    let instance = Instance::start().await;
    let mut csv = String::from("owner,owned,share\n");
    for holder in 1..=8 {
        csv += &format!("P,H{holder},1\nH{holder},T,0.0{holder}\n");
    }
    let rows = result(instance.api(), "beneficial-owners", &csv, json!({"chains": 2})).await;
    let of_t = rows.iter().find(|row| row[0] == "T").unwrap();
    assert_eq!(of_t[6], "P > H8 > T 0.08; P > H7 > T 0.07; 6 further chains 0.21");

    // Two who own each other entirely are one owner, through one chain.
    let csv = "owner,owned,share\nX,Y,1\nY,X,1\nX,H,0.2\nY,H,0.3\nH,T,1\n";
    let rows = result(instance.api(), "beneficial-owners", csv, json!({})).await;
    let of_t = rows.iter().find(|row| row[0] == "T").unwrap();
    assert_eq!(
        (of_t[1].as_str(), of_t[6].as_str()),
        ("closed-group:1", "closed-group:1 > H > T 0.5")
    );
    instance.stop().await;
}

#[tokio::test]
async fn more_pairs_than_memory_holds_are_refused_and_the_refusal_says_what_would_do() {
    let instance = Instance::with(|mut settings| {
        settings.pipeline.max_memory_bytes = 136 << 20;
        settings
    })
    .await;
    let mut chain = String::from("owner,owned,share\n");
    for level in 1..1_700 {
        chain += &format!("c{},c{level},1\n", level - 1);
    }
    for job_type in ["company-control", "beneficial-owners"] {
        let job = instance.api().run_file(job_type, chain.as_bytes(), json!({})).await;
        assert_eq!(job["error"]["code"], "too_many_pairs", "{job}");
        let message = job["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("1114112") && message.contains("a higher threshold"),
            "{message}"
        );
    }
    instance.stop().await;
}

#[test]
fn the_command_line_takes_a_file_of_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("stakes.csv"), "owner,owned,share\nP,T,0.6\n").unwrap();
    std::fs::write(path("values.csv"), "company,value\nT,1000\nP,1\n").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_stakegraph-under-test"))
        .args(["run", "network-control"])
        .arg(path("stakes.csv"))
        .arg("--values")
        .arg(path("values.csv"))
        .args(["--param", "model=threshold", "--out"])
        .arg(path("out"))
        .env("RUST_LOG", "off")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let rows = table(&std::fs::read(path("out").join("result.csv")).unwrap());
    assert_eq!(rows[1], ["P", "1", "1001", "1000", "1001", "1000", "1", "other"]);
    let summary: Value = serde_json::from_slice(&std::fs::read(path("out").join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["job"]["values"], "values.csv");
}
