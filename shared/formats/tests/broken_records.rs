//! A file with one broken record says which one and what to do, and the rest is read if that is asked for.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::convert::Infallible;

use formats::{OnBadRecord, Read, ReadError, ReadOptions, read_stakes};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/inputs");

/// A sample, a text in it and what is put in its place; then code, row, field and value of the error.
type Case = (
    &'static str,
    [&'static str; 2],
    (&'static str, u64, &'static str, &'static str),
);

const CASES: [Case; 18] = [
    (
        "network.csv",
        ["0.405", "-0.405"],
        ("share_negative", 7, "share", "-0.405"),
    ),
    (
        "network.tsv",
        ["25 %", "about 25 %"],
        ("share_not_a_number", 5, "ownership", "about 25 %"),
    ),
    (
        "network.json",
        ["0.405", "4.05"],
        ("share_over_one", 6, "share", "4.05"),
    ),
    (
        "network.bods.json",
        ["40.5,\n", "140.5,\n"],
        ("share_over_one", 12, "recordDetails.interests[0].share.exact", "140.5"),
    ),
    (
        "network.bods.jsonl",
        ["{\"exact\": 40.5,", "{\"exact\": {},"],
        ("wrong_type", 12, "recordDetails.interests[0].share.exact", "{}"),
    ),
    (
        "network.bods.jsonl",
        ["\"recordId\": \"rel-6\"", "\"recordId\": \"\""],
        ("missing_id", 12, "recordId", ""),
    ),
    (
        "network.bods.jsonl",
        [
            "\"interestedParty\": \"529900BOB000000000E5\"",
            "\"interestedParty\": 5",
        ],
        ("wrong_type", 10, "recordDetails.interestedParty", "5"),
    ),
    (
        "network.bods.jsonl",
        ["\"interestedParty\": \"529900BOB000000000E5\"", "\"party\": 1"],
        ("missing_id", 10, "recordDetails.interestedParty", ""),
    ),
    (
        "network.bods-0.3.jsonl",
        ["\"exact\": 40.5", "\"exact\": -1"],
        ("share_negative", 11, "interests[0].share.exact", "-1"),
    ),
    (
        "network.gleif.csv",
        ["\"40.50\"", "\"a lot\""],
        (
            "share_not_a_number",
            7,
            "Relationship.Quantifiers.1.QuantifierAmount",
            "a lot",
        ),
    ),
    (
        "network.gleif.csv",
        ["\"529900BOB000000000E5\"", "\"\""],
        ("missing_id", 5, "Relationship.EndNode.NodeID", ""),
    ),
    (
        "network.gleif.xml",
        ["40.50", "400.50"],
        ("share_over_one", 6, "QuantifierAmount", "400.50"),
    ),
    (
        "network.gleif.xml",
        ["<rr:NodeID>529900BOB000000000E5</rr:NodeID>", "<rr:NodeID/>"],
        ("missing_id", 4, "EndNode/NodeID", ""),
    ),
    (
        "bands.psc.jsonl",
        ["{\"company_number\": \"SC000303\"", "{\"company\": \"SC000303\""],
        ("missing_id", 4, "company_number", ""),
    ),
    (
        "bands.psc.jsonl",
        ["\"Beta Ltd\", \"identification\": {", "\"\", \"id\": {"],
        ("missing_id", 4, "data.name", ""),
    ),
    (
        "bands.psc.jsonl",
        ["[\"ownership-of-shares-25-to-50-percent\"]", "{\"a\": 1}"],
        ("wrong_type", 4, "data.natures_of_control", "{\"a\":1}"),
    ),
    (
        "network.ftm.jsonl",
        ["40.5 %", "some"],
        ("share_not_a_number", 11, "properties.percentage", "some"),
    ),
    (
        "network.ftm.jsonl",
        [
            "\"owner\": [\"529900BOB000000000E5\"], \"asset\": [\"529900BETA00000000B2\"]",
            "\"asset\": []",
        ],
        ("missing_id", 9, "properties.owner", ""),
    ),
];

fn read(bytes: &[u8], on_bad_record: OnBadRecord) -> Result<Read, ReadError<Infallible>> {
    let options = ReadOptions {
        on_bad_record,
        ..ReadOptions::default()
    };
    read_stakes(&mut &*bytes, &options, &mut |_| Ok(()))
}

#[test]
fn a_broken_record_is_named_and_the_rest_is_read_if_asked_for() {
    for (file, [whole, broken], expected) in CASES {
        let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).unwrap();
        let records = read(text.as_bytes(), OnBadRecord::Fail).unwrap().records;
        assert!(text.contains(whole), "{file}: {whole}");
        let text = text.replacen(whole, broken, 1);
        let error = match read(text.as_bytes(), OnBadRecord::Fail) {
            Err(ReadError::Record(error)) => error,
            other => panic!("{file} with {broken}: {other:?}"),
        };
        let found = (error.code, error.row, error.field.as_str(), error.value.as_str());
        assert_eq!(found, expected, "{file}: {error}");
        assert!(error.to_string().contains("; "), "what to do: {error}");
        let rest = read(text.as_bytes(), OnBadRecord::Skip).unwrap();
        assert_eq!(rest.records, records - 1, "{file} with {broken}");
        let bad = rest
            .findings
            .iter()
            .find(|finding| finding.code == "bad_record")
            .unwrap();
        assert_eq!(bad.count, 1);
        assert!(bad.examples[0].starts_with(&format!("row {}: ", expected.1)), "{bad:?}");
    }
}

#[test]
fn amounts_up_to_one_are_never_guessed_at() {
    let text = std::fs::read_to_string(format!("{FOLDER}/network.gleif.csv")).unwrap();
    let text = text.replacen("\"60.00\"", "\"1.00\"", 1);
    for (unit, share, code) in [
        (None, 0.01, Some("unit_doubtful")),
        (Some(ownership::Unit::Percent), 0.01, None),
        (Some(ownership::Unit::Fraction), 1.0, Some("unit_mixed")),
    ] {
        let options = ReadOptions {
            unit,
            ..ReadOptions::default()
        };
        let mut shares = Vec::new();
        let read = read_stakes(&mut text.as_bytes(), &options, &mut |stake| {
            shares.push(stake.share.value());
            Ok::<(), Infallible>(())
        })
        .unwrap();
        assert!(
            (shares[0] - share).abs() < 1e-15 && (shares[1] - 0.1).abs() < 1e-15,
            "{shares:?}"
        );
        let units: Vec<&str> = read
            .findings
            .iter()
            .map(|finding| finding.code.as_str())
            .filter(|code| code.starts_with("unit"))
            .collect();
        assert_eq!(units, code.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_document_that_was_cut_off_is_refused() {
    for (file, place) in [
        ("network.gleif.xml", "after record 5"),
        ("network.bods.json", "within record 9"),
    ] {
        let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).unwrap();
        let error = read(&text.as_bytes()[..text.len() * 55 / 100], OnBadRecord::Skip).unwrap_err();
        assert_eq!(error.code(), Some("not_readable"), "{file}: {error}");
        assert!(error.to_string().contains(place), "{file}: {error}");
    }
}
