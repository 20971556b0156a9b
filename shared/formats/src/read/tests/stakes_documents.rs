//! Stakes in JSON.

use super::*;

#[test]
fn elements_are_read_with_their_positions() {
    let document = br#" {"stakes": [{"owner": "A", "owned": "Foo", "share": 0.33}, {"share": "5e-1", "owner": " B ", "owned": "Foo"}]}"#;
    let (read, stakes) = read(document).unwrap();
    assert_eq!(read.format, "stakes");
    assert_eq!(stakes, [stake(1, "A", "Foo", 0.33), stake(2, "B", "Foo", 0.5)]);
}

#[test]
fn bad_elements_are_bad_records() {
    for (element, code, field, value) in [
        (r#"{"owned": "Foo", "share": 0.1}"#, "missing_id", "owner", ""),
        (
            r#"{"owner": "A", "owned": null, "share": 0.1}"#,
            "missing_id",
            "owned",
            "",
        ),
        (r#"{"owner": "A", "owned": "Foo"}"#, "share_not_a_number", "share", ""),
        (
            r#"{"owner": "A", "owned": "Foo", "share": 33}"#,
            "share_over_one",
            "share",
            "33",
        ),
        (
            r#"{"owner": "A", "owned": "Foo", "share": -1e-3}"#,
            "share_negative",
            "share",
            "-0.001",
        ),
        (
            r#"{"owned": "Foo", "owner": 5, "share": 0.1}"#,
            "not_a_stake",
            "record",
            r#"{"owned":"Foo","owner":5,"share":0.1}"#,
        ),
        (
            r#"{"owned": "Foo", "owner": "A", "share": 0.1, "x": 1}"#,
            "not_a_stake",
            "record",
            r#"{"owned":"Foo","owner":"A","share":0.1,"x":1}"#,
        ),
        ("[]", "not_a_stake", "record", "[]"),
    ] {
        let document = format!(r#"{{"stakes": [{{"owner": "A", "owned": "Foo", "share": 0.33}}, {element}]}}"#);
        let error = record_error(&document);
        let found = (error.code, error.row, error.field.as_str(), error.value.as_str());
        assert_eq!(found, (code, 2, field, value), "{element}");
        assert_eq!(read_with(document.as_bytes(), &skipping()).unwrap().0.records, 1);
    }
}

#[test]
fn a_share_can_be_a_range() {
    let document = r#"{"stakes": [{"owner": "A", "owned": "Foo", "share": {"minimum": 0.25, "maximum": "50%"}},
        {"owner": "B", "owned": "Foo", "share": {"minimum": 0.2}}, {"owner": "C", "owned": "Foo", "share": {"maximum": 1e-1}},
        {"owner": "D", "owned": "Foo", "share": {"minimum": 0.2, "maximum": 0.2}}]}"#;
    let mut found = Vec::new();
    let read = read_batches(&mut document.as_bytes(), &ReadOptions::default(), &mut |batch| {
        batch.try_for_each_range(|owner, _, range, _| {
            let (lower, upper) = range.unwrap();
            found.push((owner.to_owned(), lower.value(), upper.value()));
            Ok::<(), std::convert::Infallible>(())
        })
    });
    assert_eq!(read.unwrap().records, 4);
    let expected = [("A", 0.25, 0.5), ("B", 0.2, 1.0), ("C", 0.0, 0.1), ("D", 0.2, 0.2)];
    assert_eq!(
        found,
        expected.map(|(owner, lower, upper)| (owner.to_owned(), lower, upper))
    );
    for (share, code, field) in [
        (
            r#"{"minimum": 0.5, "maximum": 0.25}"#,
            "share_range_reversed",
            "share.minimum",
        ),
        (r#"{"minimum": 0.5, "maximum": 25}"#, "share_over_one", "share.maximum"),
        (r#"{"minimum": null}"#, "not_a_stake", "record"),
        (r#"{"minimum": 0.1, "least": 0.1}"#, "not_a_stake", "record"),
        ("{}", "not_a_stake", "record"),
    ] {
        let error = record_error(format!(
            r#"{{"stakes": [{{"owner": "A", "owned": "Foo", "share": {share}}}]}}"#
        ));
        assert_eq!(
            (error.code, error.row, error.field.as_str()),
            (code, 1, field),
            "{share}"
        );
    }
}

#[test]
fn broken_documents_are_not_readable() {
    for document in [
        r#"{"stakes": [{"owner": "A", "owned": "Foo", "share": NaN}]}"#,
        r#"{"stakes": [{"owner": "A", "owned": "Foo", "share": 0.33}"#,
        r#"{"stakes": {}}"#,
        r#"{"stakes": [], "stakes": []}"#,
        r#"{"stakes": [{"owner": "A", "owned": "Foo", "share": 0.33}], "more": 1}"#,
        r#"{"stakes": [{"owner": "A", "owned": "Foo", "share": 0.33}]} trailing"#,
    ] {
        assert_eq!(code(read(document)), "not_readable", "{document}");
    }
    let deep = format!("{{\"stakes\": [{}", "[".repeat(200_000));
    assert_eq!(code(read(deep)), "not_readable");
    assert_eq!(code(read(r#"{"stakes": []}"#)), "empty_input");
    assert_eq!(code(read(r#"{"companies": []}"#)), "unknown_format");
    assert_eq!(code(read(r#"[{"owner": "A"}]"#)), "unknown_format");
}

/// `start`, then 100 MB of the pattern `fill`, in a gzip of some 100 KB.
fn unfolding(start: &str, fill: &str) -> Vec<u8> {
    let member = gzip(fill.repeat((1 << 20) / fill.len()).as_bytes());
    [gzip(start.as_bytes()), member.repeat(100)].concat()
}

#[test]
fn a_document_cannot_unfold_into_one_value_that_fills_the_memory() {
    const FIRST: &str = r#"{"stakes": [{"owner": "A", "owned": "Foo", "share": 0.33}"#;
    // Reading on past one element would meet this limit first.
    let options = ReadOptions {
        format: Some("stakes".to_owned()),
        max_bytes: 3 << 20,
        ..skipping()
    };
    for (start, fill, row) in [
        (r#"{"stakes": [""#.to_owned(), "x", 1),
        (format!(r#"{FIRST}, ""#), "x", 2),
        (format!(r#"{FIRST}, {{"owner": ""#), "x", 2),
        (format!(r#"{FIRST}, {{""#), "x", 2),
        (format!("{FIRST}, [0"), ",0", 2),
        (format!("{FIRST}, 1"), "0", 2),
        (format!("{FIRST}], \""), "x", 2),
        (r#"{"not \"stakes\" yet"#.to_owned(), "x", 1),
        (r#"{"stakes": ""#.to_owned(), "x", 1),
    ] {
        let file = unfolding(&start, fill);
        assert!(file.len() < 500_000, "{}", file.len());
        let error = read_with(&file, &options).unwrap_err();
        assert_eq!(error.code(), Some("record_too_long"), "{start}");
        let place = format!("read row {row}: ");
        assert!(error.to_string().starts_with(&place), "{start}: {error}");
    }
}

#[test]
fn the_limit_is_on_an_element_not_on_the_document() {
    let element = format!(
        r#"{{"owner": "A", "owned": "Foo", {}"share": 0.33}}"#,
        " ".repeat(1_000_000)
    );
    let document = format!(r#"{{"stakes": [{element}, {element}, {element}]}}"#);
    assert_eq!(read(document).unwrap().0.records, 3);
}

#[test]
fn a_message_quotes_a_long_name_or_value_in_part_only() {
    let long = "é".repeat(250_000);
    let stake = r#"{"owner": "A", "owned": "Foo", "share": 0.33}"#;
    for document in [
        format!(r#"{{"{long}": 1, "stakes": [{stake}]}}"#),
        format!(r#"{{"stakes": [{stake}], "{long}": 1}}"#),
        format!(r#"{{"stakes": "{long}"}}"#),
        format!(r#"{{"stakes": [{{"owner": "A", "owned": "Foo", "share": 0.33, "{long}": 1}}]}}"#),
        format!(r#"{{"stakes": ["{long}"]}}"#),
    ] {
        let options = ReadOptions {
            format: Some("stakes".to_owned()),
            ..ReadOptions::default()
        };
        let error = read_with(document.as_bytes(), &options).unwrap_err();
        let text = error.to_string();
        assert!(error.code().is_some() && text.chars().count() < 500, "{text}");
        assert!(text.contains("éé") && text.contains("expected"), "{text}");
    }
}

#[test]
fn an_inline_stake_has_no_other_fields() {
    let text = r#"{"owner": "A", "owned": "Foo", "share": 0.33, "since": 2020}"#;
    assert!(serde_json::from_str::<InlineStake>(text).is_err());
}
