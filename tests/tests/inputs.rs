//! `stakegraph run` and `stakegraph inspect` on files of every format.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use system_tests::{pair, table};

const BINARY: &str = env!("CARGO_BIN_EXE_stakegraph-under-test");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/inputs");

fn stakegraph(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().unwrap()
}

fn input(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The rows of `integrated-ownership`, and its summary.
fn run(file: &Path, more: &[&str]) -> (Vec<Vec<String>>, Value) {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let mut arguments = vec!["run", "integrated-ownership", file.to_str().unwrap(), "--out", folder];
    arguments.extend(more);
    let output = stakegraph(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    let rows = table(&std::fs::read(out.path().join("result.csv")).unwrap());
    let summary = std::fs::read(out.path().join("summary.json")).unwrap();
    (rows, serde_json::from_slice(&summary).unwrap())
}

#[test]
fn a_file_of_any_format_gives_the_same_result() {
    let (expected, _) = run(&input("network.csv"), &[]);
    assert!((pair(&expected, "529900ADA000000000D4", "529900ALPHA0000000A1", "direct") - 0.6).abs() < 1e-12);
    for (file, format) in [
        ("network.json", "stakes"),
        ("network.parquet", "parquet"),
        ("network.bods.json", "bods"),
        ("network.gleif.csv", "gleif-csv"),
        ("network.gleif.xml", "gleif-xml"),
        ("network.ftm.jsonl", "ftm"),
    ] {
        let (rows, summary) = run(&input(file), &[]);
        assert_eq!(summary["input"]["format"], format);
        assert_eq!(rows.len(), expected.len(), "{file}");
        for row in &expected[1..] {
            for column in ["direct", "integrated"] {
                let [found, expected] = [&rows, &expected].map(|rows| pair(rows, &row[0], &row[1], column));
                assert!((found - expected).abs() <= 1e-12, "{file}: {row:?}");
            }
        }
    }
    let (rows, summary) = run(&input("bands.psc.jsonl"), &[]);
    assert_eq!(summary["input"]["format"], "psc");
    let share = pair(&rows, "ADA MOREAU (1970-05)", "00000101", "direct");
    assert!(share > 0.75 && share < 1.0, "{share}");
}

#[test]
fn a_result_is_an_input_again() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let output = stakegraph(&[
        "run",
        "integrated-ownership",
        input("network.csv").to_str().unwrap(),
        "--out",
        folder,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    let result = out.path().join("result.parquet");
    let arguments = [
        "inspect",
        result.to_str().unwrap(),
        "--columns",
        "owner,owned,direct",
        "--json",
    ];
    let output = stakegraph(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (found["format"].as_str(), found["largest_share"].as_f64()),
        (Some("parquet"), Some(0.6))
    );
}

#[test]
fn inspect_says_what_is_in_a_file() {
    let output = stakegraph(&["inspect", input("bands.psc.jsonl").to_str().unwrap()]);
    let text = said(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    for part in [
        "psc (UK people with significant control)",
        "4, of which 4 with a range",
        "3 without a share",
        "2 persons",
        "from 25% to 100%",
        "undisclosed_owner (2)",
        "row 3: BOB OKAFOR (1981-11) (Mr Bob Okafor) of 00000202 (Beta Ltd): 50% to 75%",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let output = stakegraph(&["inspect", input("network.gleif.xml").to_str().unwrap(), "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (found["format"].as_str(), found["stakes"].as_u64()),
        (Some("gleif-xml"), Some(6))
    );
    assert_eq!(
        (found["controls"].as_u64(), found["companies"].as_u64()),
        (Some(2), Some(5))
    );
    assert_eq!(found["first"][5]["lower"], 0.405);
}

#[test]
fn a_broken_record_fails_a_job_or_is_skipped_and_inspect_lists_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.jsonl");
    let text = std::fs::read_to_string(input("network.ftm.jsonl")).unwrap();
    std::fs::write(&file, text.replacen("40.5 %", "some", 1)).unwrap();
    let path = file.to_str().unwrap();
    let output = stakegraph(&[
        "run",
        "integrated-ownership",
        path,
        "--out",
        folder.path().to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = said(&output.stderr);
    assert!(
        stderr.contains("read row 11: properties.percentage \"some\" is not a number"),
        "{stderr}"
    );
    let (_, summary) = run(&file, &["--param", "on_bad_record=skip"]);
    assert_eq!(summary["input"]["stakes"], 5);
    let output = stakegraph(&["inspect", path]);
    assert!(
        said(&output.stdout).contains("bad_record (1)"),
        "{}",
        said(&output.stdout)
    );
    for (arguments, status, word) in [
        (["inspect", "no-such-file"].as_slice(), 2, "no-such-file"),
        (&["inspect", path, "--columns", "a,b"], 2, "OWNER,OWNED,SHARE"),
        (&["inspect", path, "--columns", "a,b,c"], 1, "ftm"),
        (&["inspect", path, "--format", "xls"], 1, "gleif-csv"),
    ] {
        let output = stakegraph(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(
            said(&output.stderr).contains(word),
            "{arguments:?}: {}",
            said(&output.stderr)
        );
    }
}
