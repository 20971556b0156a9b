//! Results of whole jobs against numbers that were published.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use serde_json::{Value, json};
use system_tests::{Api, Instance, pair};

fn close(found: f64, published: f64, tolerance: f64) {
    assert!((found - published).abs() <= tolerance, "{found} is not {published}");
}

/// Shulhi Sapli, "Who owns what? Graph theory application", PyCon MY 2015: the talk prints these digits.
#[tokio::test]
async fn two_companies_that_hold_each_other() {
    let instance = Instance::start().await;
    let csv = include_bytes!("../data/foo-bar.csv");
    let job = instance.api().run_file("integrated-ownership", csv, json!({})).await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    assert_eq!((&job["percentage"], &job["stage"]), (&json!(100), &json!("reporting")));
    let rows = instance.api().rows(&job).await;
    assert_eq!(rows[0], ["owner", "owned", "direct", "integrated", "corrected"]);
    close(pair(&rows, "A", "Bar", "integrated"), 0.198_795_18, 1e-8);
    close(pair(&rows, "C", "Bar", "integrated"), 0.198_795_18, 1e-8);
    close(pair(&rows, "B", "Foo", "integrated"), 0.204_819_28, 1e-8);
    // 0.33 * 0.5 / (1 - 0.34 * 0.5), to the last digits.
    close(pair(&rows, "A", "Bar", "integrated"), 0.33 * 0.5 / 0.83, 1e-15);
    instance.stop().await;
}

#[tokio::test]
async fn five_companies_with_two_people() {
    let instance = Instance::start().await;
    let csv = include_bytes!("../data/sample.csv");
    let job = instance.api().run_file("integrated-ownership", csv, json!({})).await;
    let rows = instance.api().rows(&job).await;
    close(pair(&rows, "bob", "B", "integrated"), 0.530_434_782_609, 1e-12);
    close(pair(&rows, "alice", "G", "integrated"), 0.495_652_173_913, 1e-12);
    instance.stop().await;
}

/// Vitali, Glattfelder, Battiston 2011, supporting information 3.4: a core whose companies own each other entirely but
/// for a tenth that company 1 holds.
#[tokio::test]
async fn the_bow_tie_of_six_firms() {
    let csv = "owner,owned,share\n1,2,0.1\n2,3,0.5\n2,4,0.5\n2,5,0.2\n3,2,0.3\n3,5,0.2\n4,2,0.3\n4,5,0.6\n\
               5,2,0.3\n5,3,0.5\n5,4,0.5\n5,6,1.0\n";
    let instance = Instance::start().await;
    let job = instance
        .api()
        .run_file("integrated-ownership", csv.as_bytes(), json!({}))
        .await;
    let rows = instance.api().rows(&job).await;
    for owned in ["2", "3", "4", "5", "6"] {
        close(pair(&rows, "1", owned, "integrated"), 1.0, 1e-12);
    }
    close(pair(&rows, "2", "3", "integrated"), 10.0, 1e-9);
    close(pair(&rows, "2", "3", "corrected"), 1.0, 1e-12);
    close(pair(&rows, "5", "6", "integrated"), 35.0 / 3.0, 1e-9);

    let job = instance.api().run_file("structure", csv.as_bytes(), json!({})).await;
    let rows = instance.api().rows(&job).await;
    assert_eq!(
        rows[0],
        [
            "company",
            "component",
            "component_size",
            "position",
            "column_sum",
            "undisclosed",
            "amplification"
        ]
    );
    let positions: Vec<_> = rows[1..].iter().map(|row| row[3].as_str()).collect();
    assert_eq!(positions, ["in", "scc", "scc", "scc", "scc", "out"]);
    for (row, diagonal) in
        rows[1..]
            .iter()
            .zip([1.0, 0.1, 0.162_162_162_162, 0.095_238_095_238, 0.085_714_285_714, 1.0])
    {
        close(1.0 / row[6].parse::<f64>().unwrap(), diagonal, 1e-9);
    }
    instance.stop().await;
}

/// Brioschi, Buzzacchi, Colombo 1989: what nobody is known to hold is passed on like any other share.
#[tokio::test]
async fn undisclosed_shares_are_passed_on() {
    let instance = Instance::start().await;
    let csv = b"owner,owned,share\nP,H,0.6\nH,T,0.5\n";
    let job = instance.api().run_file("structure", csv, json!({})).await;
    let rows = instance.api().rows(&job).await;
    let undisclosed = |company: &str| {
        let row = rows.iter().find(|row| row[0] == company).unwrap();
        row[5].parse::<f64>().unwrap()
    };
    close(undisclosed("P"), 0.0, 0.0);
    close(undisclosed("H"), 0.4, 1e-12);
    close(undisclosed("T"), 0.7, 1e-12);
    instance.stop().await;
}

async fn presented(api: &Api, job_type: &str, csv: &str, parameters: Value) -> Vec<Vec<String>> {
    api.presented(&api.run_file(job_type, csv.as_bytes(), parameters).await)
        .await
}

#[tokio::test]
async fn centrality_and_requirements() {
    let instance = Instance::start().await;
    let api = instance.api();
    // networkx, test_katz_centrality.py, test_P3: each pair holds all of each other.
    let path = "owner,owned,share\n1,2,1\n2,1,1\n2,3,1\n3,2,1\n";
    let rows = presented(api, "katz", path, json!({})).await;
    assert_eq!(rows[0], ["company", "centrality"]);
    let centrality: Vec<f64> = rows[1..].iter().map(|row| row[1].parse().unwrap()).collect();
    assert!(
        (centrality[1] / centrality[0] - 0.610_783_918 / 0.559_885_258).abs() < 1e-8,
        "{centrality:?}"
    );
    // The largest eigenvalue of the path is the root of two: 1 / 0.7072 is below it, 1 / 0.6 is not.
    let job = api.run_file("katz", path.as_bytes(), json!({"alpha": 0.7072})).await;
    assert_eq!(job["error"]["code"], "alpha_too_large", "{job}");
    let rows = presented(api, "katz", path, json!({"alpha": 0.6})).await;
    let centrality: Vec<f64> = rows[1..].iter().map(|row| row[1].parse().unwrap()).collect();
    // x = 1 + 0.6 y and y = 1 + 1.2 x.
    assert!((centrality[0] - 1.6 / 0.28).abs() < 1e-9 && (centrality[1] - 2.2 / 0.28).abs() < 1e-9);

    // Miller, Blair 2009, table 2.4.
    let sectors = "from,to,share\n1,1,0.15\n1,2,0.25\n2,1,0.2\n2,2,0.05\n";
    let rows = presented(api, "leontief", sectors, json!({})).await;
    assert_eq!(rows[0], ["from", "to", "requirement"]);
    for (from, to, requirement) in [
        ("1", "1", 1.254_125_41),
        ("1", "2", 0.330_033),
        ("2", "1", 0.264_026_4),
        ("2", "2", 1.122_112_21),
    ] {
        assert!((pair(&rows, from, to, "requirement") - requirement).abs() < 1e-7);
    }
    // A sector's own row is never left out, nor counted as such.
    let job = api
        .run_file("leontief", sectors.as_bytes(), json!({"floor": 0.3}))
        .await;
    assert_eq!(api.rows(&job).await.len(), 1 + 3);
    let left_out = &job["result"]["left_out"];
    assert_eq!(left_out["pairs"], 1, "{job}");
    assert!((left_out["mass"].as_f64().unwrap() - 0.264_026_4).abs() < 1e-7);
    instance.stop().await;
}
