//! One small network, written in every format, comes to the same.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use formats::{Read, ReadOptions, read_batches};
use ownership::{Kind, Network, NetworkBuilder, OnClosed, Policies, Resolvent, integrated_ownership};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/inputs");

/// The same exact shares.
const EXACT: [(&str, &str); 10] = [
    ("network.csv", "csv"),
    ("network.tsv", "tsv"),
    ("network.json", "stakes"),
    ("network.parquet", "parquet"),
    ("network.bods.json", "bods"),
    ("network.bods.jsonl", "bods"),
    ("network.bods-0.3.jsonl", "bods"),
    ("network.gleif.csv", "gleif-csv"),
    ("network.gleif.xml", "gleif-xml"),
    ("network.ftm.jsonl", "ftm"),
];
/// The same bands. The table can't say that their ends are excluded.
const BANDS: [(&str, &str); 3] = [
    ("bands.csv", "csv"),
    ("bands.bods.jsonl", "bods"),
    ("bands.psc.jsonl", "psc"),
];

fn path(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

fn read(bytes: &[u8], options: &ReadOptions) -> (Read, Network) {
    let mut builder = NetworkBuilder::new(Policies::default());
    let read = read_batches(&mut &*bytes, options, &mut |batch| builder.append(batch)).unwrap();
    (read, builder.finish().unwrap())
}

/// Direct and integrated share by names of owner and owned.
fn pairs(network: &Network) -> BTreeMap<(String, String), [f64; 2]> {
    let resolvent = Resolvent::new(network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let companies: Vec<u32> = (0..).take(network.len()).collect();
    let mut found = BTreeMap::new();
    integrated_ownership(
        network,
        &resolvent,
        0.0,
        &companies,
        &mut |_| Ok(()),
        &mut |owned, pairs| {
            for pair in pairs {
                let names = (
                    resolvent.owner_name(network, pair.owner).to_owned(),
                    network.name(owned).to_owned(),
                );
                found.insert(names, [pair.direct, pair.integrated]);
            }
            Ok(())
        },
    )
    .unwrap();
    found
}

fn assert_same(
    file: &str,
    found: &BTreeMap<(String, String), [f64; 2]>,
    expected: &BTreeMap<(String, String), [f64; 2]>,
) {
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>(),
        "{file}"
    );
    for (names, shares) in found {
        for (found, expected) in shares.iter().zip(expected[names]) {
            assert!(
                (found - expected).abs() <= 1e-12,
                "{file}: {names:?}: {found} is not {expected}"
            );
        }
    }
}

#[test]
fn every_format_says_the_same() {
    for files in [&EXACT[..], &BANDS] {
        let first = std::fs::read(path(files[0].0)).unwrap();
        let expected = pairs(&read(&first, &ReadOptions::default()).1);
        assert!(expected.len() > 6);
        for (file, format) in files {
            let bytes = std::fs::read(path(file)).unwrap();
            let packed = zstd::encode_all(&bytes[..], 3).unwrap();
            for (content, name) in [(&bytes, Some((*file).to_owned())), (&bytes, None), (&packed, None)] {
                let options = ReadOptions {
                    name,
                    ..ReadOptions::default()
                };
                let (read, network) = read(content, &options);
                assert_eq!(read.format, *format, "{file}");
                assert_same(file, &pairs(&network), &expected);
            }
        }
    }
}

#[test]
fn names_and_kinds_are_kept_where_the_format_has_them() {
    for (file, person, name, company) in [
        (
            "network.bods.json",
            "529900ADA000000000D4",
            "Ada Moreau",
            "529900BETA00000000B2",
        ),
        (
            "network.bods-0.3.jsonl",
            "529900ADA000000000D4",
            "Ada Moreau",
            "529900BETA00000000B2",
        ),
        (
            "network.ftm.jsonl",
            "529900ADA000000000D4",
            "Ada Moreau",
            "529900BETA00000000B2",
        ),
        ("bands.psc.jsonl", "ADA MOREAU (1970-05)", "Ms Ada Moreau", "00000202"),
    ] {
        let (_, network) = read(&std::fs::read(path(file)).unwrap(), &ReadOptions::default());
        let person = network.find(person).unwrap();
        assert_eq!(
            (network.label(person), network.kind(person)),
            (Some(name), Kind::Person),
            "{file}"
        );
        assert_eq!(network.kind(network.find(company).unwrap()), Kind::Entity, "{file}");
    }
}

/// By code, how often.
fn counts(read: &Read) -> BTreeMap<&str, u64> {
    read.findings
        .iter()
        .map(|finding| (finding.code.as_str(), finding.count))
        .collect()
}

#[test]
fn what_is_no_stake_is_counted() {
    let expected: [(&str, &[(&str, u64)]); 6] = [
        (
            "network.bods.json",
            &[
                ("ended_record", 1),
                ("indirect_interest", 1),
                ("superseded_record", 2),
                ("undisclosed_owner", 1),
            ],
        ),
        ("network.bods-0.3.jsonl", &[("superseded_record", 1)]),
        (
            "network.gleif.csv",
            &[("ended_record", 2), ("indirect_interest", 1), ("share_unknown", 1)],
        ),
        (
            "network.gleif.xml",
            &[("ended_record", 2), ("indirect_interest", 1), ("share_unknown", 1)],
        ),
        (
            "bands.psc.jsonl",
            &[("ended_record", 1), ("not_a_share", 3), ("undisclosed_owner", 2)],
        ),
        ("network.ftm.jsonl", &[("ended_record", 1), ("share_unknown", 1)]),
    ];
    for (file, findings) in expected {
        let (read, _) = read(&std::fs::read(path(file)).unwrap(), &ReadOptions::default());
        assert_eq!(counts(&read), findings.iter().copied().collect(), "{file}");
    }
}

#[test]
fn control_without_a_share_is_kept_apart() {
    for (file, edges) in [
        (
            "network.gleif.csv",
            vec![
                ("529900ADA000000000D4", "529900BETA00000000B2"),
                ("529900ADA000000000D4", "529900GAMMA0000000C3"),
            ],
        ),
        (
            "bands.psc.jsonl",
            vec![
                ("00000101", "00000202"),
                ("ADA MOREAU (1970-05)", "00000101"),
                ("BOB OKAFOR (1981-11)", "00000202"),
            ],
        ),
    ] {
        let (_, network) = read(&std::fs::read(path(file)).unwrap(), &ReadOptions::default());
        let mut found: Vec<_> = network
            .control_edges()
            .iter()
            .map(|&(owner, owned)| (network.name(owner), network.name(owned)))
            .collect();
        found.sort_unstable();
        assert_eq!(found, edges, "{file}");
    }
}
