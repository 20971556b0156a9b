//! DebtRank, clearing payments, and requirements from flows, through the whole system.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::process::Command;

use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Api, Instance, table};

/// Runs a job on two files.
async fn run(api: &Api, job_type: &str, edges: &str, values: &str, parameters: Value) -> Value {
    let input = json!({
        "upload": api.upload(edges.as_bytes()).await,
        "values": {"upload": api.upload(values.as_bytes()).await},
    });
    let job = json!({"type": job_type, "input": input, "parameters": parameters});
    api.ended(&api.submit(&job).await).await
}

async fn summary(api: &Api, job: &Value) -> Value {
    serde_json::from_slice(&api.report(job, "summary.json").await).unwrap()
}

fn close(found: &Value, expected: f64, tolerance: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

/// lastch1ld/debtrank-globe, `test_debtrank.py`: company 1 lent half of its equity to company 0, which loses all.
#[tokio::test]
async fn debtrank_of_two_nodes() {
    let instance = Instance::start().await;
    let api = instance.api();
    let claims = "creditor,debtor,exposure\n1,0,50\n";
    for (values, parameters) in [
        ("company,equity,shock\n0,100,1\n1,100,\n", json!({})),
        ("bank,equity\n0,100\n1,100\n", json!({"shocked": ["0"]})),
        ("company,equity\n0,100\n1,100\n", json!({"shocked": 0, "shock": 1.0})),
    ] {
        let job = run(api, "debtrank", claims, values, parameters).await;
        assert_eq!(job["status"], "SUCCESS", "{job}");
        assert_eq!(api.rows(&job).await, [["company", "loss"], ["0", "1"], ["1", "0.5"]]);
        let summary = summary(api, &job).await;
        close(&summary["measures"]["aggregate_loss"], 0.25, 1e-12);
        assert_eq!(summary["measures"]["converged"], true);
        assert_eq!(
            (&summary["job"]["unit"], &summary["residual"]),
            (&json!("amount"), &json!(0.0))
        );
        close(&job["result"]["measures"]["initial_loss"], 0.5, 1e-12);
        let html = String::from_utf8(api.report(&job, "report.html").await).unwrap();
        assert!(html.contains("aggregate_loss") && html.contains("0.25:"), "{html}");
    }
    let (_, row) = api
        .get(&format!("/jobs/{}/companies/1", {
            let job = run(
                api,
                "debtrank",
                claims,
                "company,equity\n0,9\n1,200\n",
                json!({"shocked": "0"}),
            )
            .await;
            job["id"].as_str().unwrap().to_owned()
        }))
        .await;
    assert!(row.to_string().contains("0.25"), "{row}");
    instance.stop().await;
}

#[tokio::test]
async fn losses_that_still_grow_are_told() {
    let instance = Instance::start().await;
    let api = instance.api();
    let ring = "creditor,debtor,amount\nA,B,50\nB,A,50\n";
    let values = "company,equity\nA,100\nB,100\n";
    let parameters = json!({"shocked": ["A"], "shock": 0.3, "max_iterations": 1});
    let job = run(api, "debtrank", ring, values, parameters).await;
    assert_eq!(job["warnings"][0]["code"], "not_converged", "{job}");
    assert_eq!(api.rows(&job).await[1..], [["A", "0.3"], ["B", "0.15"]]);
    let job = run(api, "debtrank", ring, values, json!({"shocked": ["A"], "shock": 0.3})).await;
    assert_eq!(job["warnings"], json!([]));
    let rows = api.rows(&job).await;
    close(&json!(rows[1][1].parse::<f64>().unwrap()), 0.4, 1e-11);
    instance.stop().await;
}

/// lastch1ld/debtrank-globe, `test_eisenberg_noe.py`: company 0 owes 100 and has 40.
#[tokio::test]
async fn clearing_of_an_insolvent_company() {
    let instance = Instance::start().await;
    let api = instance.api();
    let expected = [
        ["company", "payment", "defaulted"],
        ["0", "40", "true"],
        ["1", "0", "false"],
    ];
    let values = "company,external_assets\n0,40\n1,0\n";
    for debts in [
        "debtor,creditor,amount\n0,1,100\n",
        "creditor,debtor,amount\n1,0,100\n",
        "amount;lender;borrower\n1e2;1;0\n",
    ] {
        let job = run(api, "clearing", debts, values, json!({})).await;
        assert_eq!(api.rows(&job).await, expected, "{job}");
        let summary = summary(api, &job).await;
        close(&summary["measures"]["shortfall"], 60.0, 1e-9);
        assert_eq!(summary["measures"]["defaults"], 1);
    }
    let input = json!({
        "stakes": [{"debtor": "0", "creditor": "1", "amount": 100}],
        "values": [{"company": "0", "external_assets": 40}],
    });
    let job = api.submit(&json!({"type": "clearing", "input": input})).await;
    let job = api.ended(&job).await;
    assert_eq!(api.rows(&job).await, expected, "{job}");
    assert_eq!(job["warnings"][0]["code"], "company_without_value");
    instance.stop().await;
}

/// Miller, Blair 2009, tables 2.3 and 2.4, as printed in pymrio, `test_math.py`.
#[tokio::test]
async fn requirements_from_flows_and_outputs() {
    let instance = Instance::start().await;
    let api = instance.api();
    let flows = "from,to,amount\n1,1,150\n1,2,500\n2,1,200\n2,2,100\n";
    let coefficients = "from,to,share\n1,1,0.15\n1,2,0.25\n2,1,0.2\n2,2,0.05\n";
    let of_flows = run(api, "leontief", flows, "sector,output\n1,1000\n2,2000\n", json!({})).await;
    let of_shares = api.run_file("leontief", coefficients.as_bytes(), json!({})).await;
    let requirements = [[1.254_125_41, 0.330_033], [0.264_026_4, 1.122_112_21]];
    for job in [&of_flows, &of_shares] {
        assert_eq!(job["status"], "SUCCESS", "{job}");
        let rows = api.rows(job).await;
        assert_eq!((rows[0].join(","), rows.len()), ("from,to,requirement".to_owned(), 5));
        let requirement = |from: &str, to: &str| pair_of(&rows, from, to);
        for (i, from) in ["1", "2"].into_iter().enumerate() {
            for (j, to) in ["1", "2"].into_iter().enumerate() {
                close(&json!(requirement(from, to)), requirements[i][j], 1e-7);
            }
        }
        // Tables 2.3: what both final demands take is what both sectors make.
        let made =
            |from: &str, demand: [f64; 2]| requirement(from, "1") * demand[0] + requirement(from, "2") * demand[1];
        close(&json!(made("1", [350.0, 1700.0])), 1000.0, 1e-9);
        close(&json!(made("2", [350.0, 1700.0])), 2000.0, 1e-9);
        close(&json!(made("1", [600.0, 1500.0])), 1247.5, 0.1);
        close(&json!(made("2", [600.0, 1500.0])), 1841.6, 0.1);
        assert_eq!(job["result"]["left_out"]["pairs"], 0);
    }
    assert_eq!(summary(api, &of_flows).await["job"]["unit"], "amount");
    let job = api.run_file("leontief", flows.as_bytes(), json!({})).await;
    let message = job["error"]["message"].as_str().unwrap();
    assert!(message.contains("sector,output"), "{message}");
    instance.stop().await;
}

fn pair_of(rows: &[Vec<String>], from: &str, to: &str) -> f64 {
    let row = rows.iter().find(|row| row[0] == from && row[1] == to).unwrap();
    row[2].parse().unwrap()
}

/// A sector's requirement of itself is a row whatever the floor, so it is not left out.
#[tokio::test]
async fn what_a_sector_requires_of_itself_is_never_left_out() {
    let instance = Instance::start().await;
    let coefficients = "owner,owned,share\nA,A,0.2\nA,B,0.04\nB,A,0.04\nC,C,0.5\n";
    for (floor, rows, pairs) in [(0.1, 3, 2), (0.9, 3, 2), (0.0, 5, 0)] {
        let job = instance
            .api()
            .run_file("leontief", coefficients.as_bytes(), json!({"floor": floor}))
            .await;
        let left_out = &job["result"]["left_out"];
        assert_eq!(
            (&job["result"]["rows"], &left_out["pairs"]),
            (&json!(rows), &json!(pairs)),
            "{job}"
        );
        // V of A and B is the inverse of [[0.8, -0.04], [-0.04, 1]], whose determinant is 0.7984.
        let mass = if pairs == 0 { 0.0 } else { 2.0 * 0.04 / 0.7984 };
        close(&left_out["mass"], mass, 1e-14);
    }
    // However small it is.
    let job = instance
        .api()
        .run_file("leontief", b"owner,owned,share\nA,B,1e-9\nB,A,1e-9\n", json!({}))
        .await;
    assert_eq!(job["result"]["left_out"]["pairs"], 2, "{job}");
    instance.stop().await;
}

/// A job that must fail, with this code and these words.
async fn refused(api: &Api, job_type: &str, files: [&str; 2], parameters: &Value, code: &str, words: [&str; 2]) {
    let job = run(api, job_type, files[0], files[1], parameters.clone()).await;
    let found = (&job["status"], &job["error"]["code"]);
    assert_eq!(found, (&json!("FAILURE"), &json!(code)), "{job}");
    let message = job["error"]["message"].as_str().unwrap();
    assert!(
        words.iter().all(|word| message.contains(word)),
        "{words:?} in {message}"
    );
}

#[tokio::test]
async fn bad_equity_and_shocks_are_named() {
    let instance = Instance::start().await;
    let claims = "creditor,debtor,amount\nA,B,50\n";
    let (hit, nobody, stranger) = (json!({"shocked": ["B"]}), json!({}), json!({"shocked": ["X"]}));
    for (values, parameters, code, words) in [
        ("equity\nB,100\n", &hit, "missing_equity", ["\"A\"", "equity"]),
        ("equity\nB,9\nA,0\n", &hit, "equity_not_positive", ["row 3", "\"A\""]),
        ("equity\nA,-1\n", &hit, "value_negative", ["row 2", "equity"]),
        ("assets\nA,1\n", &hit, "missing_column", ["equity", "assets"]),
        ("equity,shock\nA,9,1.5\n", &nobody, "shock_over_one", ["row 2", "1.5"]),
        ("equity\nA,9\n", &nobody, "no_shock", ["shocked", "shock"]),
        ("equity\nA,9\n", &stranger, "unknown_company", ["\"X\"", "input"]),
    ] {
        let files = [claims, &format!("company,{values}")];
        refused(instance.api(), "debtrank", files, parameters, code, words).await;
    }
    instance.stop().await;
}

#[tokio::test]
async fn bad_amounts_and_values_are_named() {
    let instance = Instance::start().await;
    let assets = "company,external_assets\nA,1\n";
    let debts = "debtor,creditor,amount\nA,B,5\n";
    for (edges, values, code, words) in [
        (
            "debtor,creditor,amount\nA,B,-5\n",
            assets,
            "amount_negative",
            ["row 2", "amount"],
        ),
        (
            "debtor,creditor,amount\nA,B,x\n",
            assets,
            "amount_not_a_number",
            ["row 2", "\"x\""],
        ),
        (
            "from,to,amount\nA,B,5\n",
            assets,
            "missing_column",
            ["creditor", "debtor"],
        ),
        (
            "debtor,creditor,amount\n",
            assets,
            "empty_input",
            ["find an amount", "input"],
        ),
        (
            debts,
            "company,external_assets\n",
            "empty_input",
            ["find a value", "values"],
        ),
        (
            debts,
            "company,assets\nA,1\nA,2\n",
            "duplicate_value",
            ["row 3", "\"A\""],
        ),
    ] {
        refused(instance.api(), "clearing", [edges, values], &json!({}), code, words).await;
    }
    let flows = "from,to,amount\nA,B,5\n";
    let strict = json!({"columns_over_100": "reject"});
    for (values, code, words) in [
        ("sector,output\nA,1\n", "missing_output", ["\"B\"", "output"]),
        ("sector,output\nB,1\n", "column_over_100", ["\"B\"", "5"]),
    ] {
        refused(instance.api(), "leontief", [flows, values], &strict, code, words).await;
    }
    instance.stop().await;
}

#[tokio::test]
async fn bad_claims_can_be_skipped() {
    let instance = Instance::start().await;
    let api = instance.api();
    let equity = "company,equity\nA,100\nB,100\n";
    let skipped = "creditor,debtor,amount\nA,B,50\nA,B,-5\n,B,1\n";
    let parameters = json!({"shocked": ["B"], "on_bad_record": "skip"});
    let job = run(api, "debtrank", skipped, equity, parameters).await;
    assert_eq!(job["warnings"][0]["code"], "bad_record", "{job}");
    assert_eq!(job["warnings"][0]["count"], 2);
    instance.stop().await;
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_at_once() {
    let instance = Instance::start().await;
    let api = instance.api();
    let stakes = json!([{"creditor": "A", "debtor": "B", "amount": 50}]);
    let values = json!([{"company": "A", "equity": 100}]);
    for job_type in ["debtrank", "clearing"] {
        let job = json!({"type": job_type, "input": {"stakes": stakes}});
        let (status, problem) = api.post("/jobs", &job).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(
            (&problem["code"], &problem["field"]),
            (&json!("values_needed"), &json!("input.values"))
        );
    }
    for (name, value) in [
        ("shock", json!(1.5)),
        ("tolerance", json!(-1)),
        ("max_iterations", json!(0)),
        ("shocked", json!({"A": 1})),
        ("shocked", json!(["A".repeat(70_000)])),
        ("floor", json!(0.1)),
    ] {
        let input = json!({"stakes": stakes, "values": values});
        let job = json!({"type": "debtrank", "input": input, "parameters": {name: value}});
        let (status, problem) = api.post("/jobs", &job).await;
        assert!(status.is_client_error(), "{name}: {problem}");
        assert!(problem["field"].as_str().unwrap().ends_with(name), "{problem}");
    }
    let input = json!({"stakes": stakes, "values": values, "unit": "percent"});
    let job = api.submit(&json!({"type": "clearing", "input": input})).await;
    assert_eq!(api.ended(&job).await["error"]["code"], "unit_not_taken");
    instance.stop().await;
}

#[tokio::test]
async fn structure_without_an_inverse_tells_the_rest() {
    let instance = Instance::with(|mut settings| {
        settings.pipeline.max_memory_bytes = 20_000;
        settings
    })
    .await;
    let ring: String = (0..60).map(|k| format!("{k},{},0.5\n", (k + 1) % 60)).collect();
    let csv = format!("owner,owned,share\nP,0,0.25\n{ring}");
    let job = instance.api().run_file("structure", csv.as_bytes(), json!({})).await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    let codes: Vec<_> = job["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["code"])
        .collect();
    assert!(codes.contains(&&json!("ring_too_large")), "{job}");
    let rows = instance.api().rows(&job).await;
    assert_eq!(rows[1], ["0", "1", "60", "scc", "0.75", "", ""]);
    assert_eq!(rows[61], ["P", "2", "1", "in", "0", "", ""]);
    let summary = summary(instance.api(), &job).await;
    assert_eq!(
        (&summary["components"]["largest"], &summary["residual"]),
        (&json!(60), &Value::Null)
    );
    let refused = json!({"on_closed_component": "fail"});
    let job = instance.api().run_file("structure", csv.as_bytes(), refused).await;
    assert_eq!(job["error"]["code"], "not_enough_memory");
    instance.stop().await;
}

/// Where there is no ring, chains end, however much of a company is held.
#[tokio::test]
async fn katz_takes_columns_over_one_without_rings() {
    let instance = Instance::start().await;
    let csv = b"owner,owned,share\nP,H,0.9\nQ,H,0.9\nH,T,1\nP,T,0.8\n";
    for alpha in [0.9, 1.0] {
        let job = instance.api().run_file("katz", csv, json!({"alpha": alpha})).await;
        assert_eq!(job["status"], "SUCCESS", "{job}");
        let rows = instance.api().rows(&job).await;
        let centrality = |row: usize| json!(rows[row][1].parse::<f64>().unwrap());
        let of_h = 1.0 + alpha * 1.8;
        close(&centrality(1), of_h, 1e-14);
        close(&centrality(4), 1.0 + alpha * of_h + alpha * 0.8, 1e-14);
    }
    instance.stop().await;
}

#[test]
fn the_command_line_takes_claims_and_a_shock() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(
        path("claims.csv"),
        "who,whom,sum\nLender,\"B, Inc\",50\nOther,Lender,20\n",
    )
    .unwrap();
    std::fs::write(path("equity.csv"), "company,equity\nLender,100\nOther,80\n").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_stakegraph-under-test"))
        .args(["run", "debtrank"])
        .arg(path("claims.csv"))
        .args(["--columns", "who,whom,sum", "--values"])
        .arg(path("equity.csv"))
        .args(["--param", "shocked=B, Inc", "--out"])
        .arg(path("out"))
        .env("RUST_LOG", "off")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(
        run.status.success() && stderr.contains("company_without_equity"),
        "{stderr}"
    );
    let rows = table(&std::fs::read(path("out").join("result.csv")).unwrap());
    assert_eq!(rows[1..], [["B, Inc", "1"], ["Lender", "0.5"], ["Other", "0.125"]]);
}
