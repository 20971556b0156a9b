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

#[test]
fn stakes_in_memory_are_checked_like_those_of_a_document() {
    let text = r#"[{"owner": "A", "owned": "Foo", "share": 0.33}, {"owner": "B", "owned": "Foo", "share": "x"}]"#;
    let stakes: Vec<InlineStake> = serde_json::from_str(text).unwrap();
    let mut seen = Vec::new();
    let mut sink = |stake: Stake<'_>| {
        seen.push((stake.row, stake.owner.to_owned()));
        Ok::<(), String>(())
    };
    let error = read_inline(&stakes, &ReadOptions::default(), &mut sink).unwrap_err();
    assert_eq!(
        error.to_string(),
        "read row 2: share \"x\" is not a number; write a decimal such as 0.25"
    );
    assert_eq!(read_inline(&stakes, &skipping(), &mut sink).unwrap().records, 1);
    assert_eq!(seen, [(1, "A".to_owned()), (1, "A".to_owned())]);
    let (from_document, _) = read_with(format!("{{\"stakes\": {text}}}").as_bytes(), &skipping()).unwrap();
    assert_eq!(from_document.records, 1);
}

#[test]
fn an_inline_stake_has_no_other_fields() {
    let text = r#"{"owner": "A", "owned": "Foo", "share": 0.33, "since": 2020}"#;
    assert!(serde_json::from_str::<InlineStake>(text).is_err());
}
