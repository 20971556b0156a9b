//! Results of whole jobs against numbers that were published.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use serde_json::json;
use system_tests::{Instance, pair};

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
