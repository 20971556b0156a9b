//! `shared/PROTOCOL.md` names the tests that try to break what it promises: they exist.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = include_str!("../../shared/PROTOCOL.md");

/// The names of all functions that are marked as tests below `folder`.
fn tests_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let code = std::fs::read_to_string(&path).unwrap();
            let mut marked = false;
            for line in code.lines().map(str::trim) {
                let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
                match name.and_then(|rest| rest.split_once('(')) {
                    Some((name, _)) if marked => drop(found.insert(name.to_owned())),
                    _ if line.starts_with("#[") => {
                        marked |= line == "#[test]" || line.starts_with("#[tokio::test");
                        continue;
                    }
                    _ => {}
                }
                marked = false;
            }
        }
    }
}

#[test]
fn every_invariant_names_tests_that_exist() {
    let mut tests = BTreeSet::new();
    for folder in ["functions", "shared", "tests/src", "tests/tests"] {
        tests_below(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder),
            &mut tests,
        );
    }
    for number in 1..=12 {
        let start = format!("| {number} |");
        let row = PAGE.lines().find(|line| line.starts_with(&start)).unwrap();
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let names: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nobody tries to break {number}");
        for name in names {
            assert!(tests.contains(name), "{number}: there is no test {name}");
        }
    }
}
