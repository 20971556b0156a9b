//! `stakegraph run` and the commands on a running system, as typed.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use system_tests::{Served, layered, pair, table};

const BINARY: &str = env!("CARGO_BIN_EXE_stakegraph-under-test");
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/sample.csv");

fn stakegraph(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().unwrap()
}

fn run(job_type: &str, file: &Path, out: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["run", job_type, file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    arguments.extend(more);
    stakegraph(&arguments)
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn run_leaves_the_files_and_prints_their_paths() {
    let out = tempfile::tempdir().unwrap();
    let output = run("integrated-ownership", Path::new(SAMPLE), out.path(), &[]);
    let stderr = said(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let printed: Vec<_> = said(&output.stdout).lines().map(str::to_owned).collect();
    let names = [
        "result.csv",
        "result.parquet",
        "summary.json",
        "report.html",
        "report.xlsx",
    ];
    let expected: Vec<_> = names
        .iter()
        .map(|name| out.path().join(name).display().to_string())
        .collect();
    assert_eq!(printed, expected);
    assert!(printed.iter().all(|path| Path::new(path).is_file()));
    assert!(stderr.contains("SUCCESS"), "{stderr}");
    assert!(stderr.contains("completion event received: job.succeeded"), "{stderr}");
    assert!(stderr.contains("Who ultimately owns what"), "{stderr}");
    let html = std::fs::read_to_string(out.path().join("report.html")).unwrap();
    for told in [
        "Behind B stand 2 ultimate owners, <strong>bob</strong> with the most: 53.04%.",
        "bob, through cycles",
        "Top holders",
        "sample.csv",
    ] {
        assert!(html.contains(told), "{told}");
    }

    let rows = table(&std::fs::read(out.path().join("result.csv")).unwrap());
    assert!((pair(&rows, "bob", "B", "integrated") - 0.530_434_782_609).abs() < 1e-12);
    let summary: Value = serde_json::from_slice(&std::fs::read(out.path().join("summary.json")).unwrap()).unwrap();
    assert_eq!(
        (&summary["input"]["companies"], &summary["input"]["stakes"]),
        (&5.into(), &7.into())
    );
    assert_eq!(summary["input"]["name"], "sample.csv");
    let stages: Vec<_> = summary["stages"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(stages, ["building", "calculating", "mapping", "saving", "reporting"]);
}

#[test]
fn run_takes_other_columns_units_and_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("odd.tsv");
    std::fs::write(&file, "id\tpct\twho\twhom\n1\t50\tA\tB\n2\t10\tB\tC\n").unwrap();
    let more = [
        "--columns",
        "who,whom,pct",
        "--unit",
        "percent",
        "--param",
        "floor=0.08",
    ];
    let output = run("integrated-ownership", &file, folder.path(), &more);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output.stderr));
    let rows = table(&std::fs::read(folder.path().join("result.csv")).unwrap());
    assert_eq!(
        rows[1..],
        [["A", "B", "0.5", "0.5", "0.5"], ["B", "C", "0.1", "0.1", "0.1"]]
    );
}

#[test]
fn the_exit_status_tells_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.csv");
    std::fs::write(&bad, "owner,owned,share\nA,B,-0.1\n").unwrap();

    std::fs::write(folder.path().join("result.csv"), "of an earlier run").unwrap();
    let output = run("integrated-ownership", &bad, folder.path(), &[]);
    let stderr = said(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    for word in ["row 2", "share", "-0.1", "share_negative"] {
        assert!(stderr.contains(word), "{word} in {stderr}");
    }
    assert!(!folder.path().join("result.csv").exists());

    let sample = Path::new(SAMPLE);
    for (output, word) in [
        (run("no-such-type", sample, folder.path(), &[]), "integrated-ownership"),
        (run("structure", sample, folder.path(), &["--param", "flor=1"]), "floor"),
        (
            run("structure", sample, folder.path(), &["--param", "floor"]),
            "NAME=VALUE",
        ),
        (
            run("structure", sample, folder.path(), &["--columns", "a,b"]),
            "OWNER,OWNED,SHARE",
        ),
        (
            run("structure", sample, folder.path(), &["--format", "xls"]),
            "gleif-csv",
        ),
        (
            run("structure", Path::new("no-such-file.csv"), folder.path(), &[]),
            "no-such-file.csv",
        ),
        (stakegraph(&["dance"]), "dance"),
        (stakegraph(&["status", "x", "--url", "nonsense"]), "nonsense"),
    ] {
        let stderr = said(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(word), "{word} in {stderr}");
    }
}

#[test]
fn an_interrupted_run_says_so_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("network.csv");
    std::fs::write(&file, layered(60, 1500)).unwrap();
    let mut process = Command::new(BINARY)
        .args(["run", "integrated-ownership", "--param", "floor=0"])
        .arg(&file)
        .arg("--out")
        .arg(folder.path())
        .env("TMPDIR", folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("PROGRESS")));
    let interrupt = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupt.success());
    assert_eq!(process.wait().unwrap().code(), Some(130));
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["network.csv"]);
}

#[test]
fn shells_are_told_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let output = stakegraph(&["completions", shell]);
        let script = said(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        for word in ["stakegraph", "submit", "callback-url", "completions"] {
            assert!(script.contains(word), "{word} for {shell}");
        }
    }
    assert_eq!(stakegraph(&["completions", "abacus"]).status.code(), Some(2));
}

#[test]
fn without_a_terminal_there_are_no_colours_and_no_bar() {
    let out = tempfile::tempdir().unwrap();
    let output = run("structure", Path::new(SAMPLE), out.path(), &[]);
    let stderr = said(&output.stderr);
    assert!(!stderr.contains('\u{1b}') && !stderr.contains('['), "{stderr}");
}

#[test]
fn commands_work_on_a_running_system() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(BINARY, data.path());
    let url = served.api().url().to_owned();
    let at = |arguments: &[&str]| {
        let output = stakegraph(&[arguments, &["--url", &url]].concat());
        let stderr = said(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        said(&output.stdout)
    };
    let submitted: Value = serde_json::from_str(&at(&["submit", "structure", SAMPLE, "--watch", "--json"])).unwrap();
    let id = submitted["id"].as_str().unwrap();
    assert_eq!(submitted["status"], "SUCCESS");
    assert!(at(&["list"]).contains(id));
    assert!(at(&["status", id]).contains("SUCCESS"));
    assert!(at(&["reports", id]).contains("summary.json"));
    let folder = tempfile::tempdir().unwrap();
    let fetched = at(&["reports", id, "--out", folder.path().to_str().unwrap()]);
    assert_eq!(fetched.lines().count(), 5);
    let listed: Value = serde_json::from_str(&at(&["reports", id, "--json"])).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 5);
    let fetched = at(&["reports", id, "--json", "--out", folder.path().to_str().unwrap()]);
    let fetched: Vec<String> = serde_json::from_str(&fetched).unwrap();
    assert!(fetched.iter().all(|path| Path::new(path).is_file()), "{fetched:?}");
    let revoked = stakegraph(&["revoke", id, "--url", &url]);
    assert_eq!(revoked.status.code(), Some(2), "it had ended");
    assert!(said(&revoked.stderr).contains("job_ended"));
}
