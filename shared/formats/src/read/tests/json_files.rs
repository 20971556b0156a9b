//! How JSON may be laid out, and what of it is a stake.

use super::*;

fn ownership(id: &str, owner: &str, percentage: &str) -> String {
    format!(
        r#"{{"id": "{id}", "schema": "Ownership", "properties": {{"owner": ["{owner}"], "asset": ["Foo"], "percentage": ["{percentage}"]}}}}"#
    )
}

#[test]
fn lines_lists_and_objects_over_lines_say_the_same() {
    let [a, b] = [ownership("1", "A {[\\\"", "50"), ownership("2", "B", "25%")];
    let over_lines = |text: &str| text.replace(", ", ",\n  ");
    for (file, rows) in [
        (format!("{a}\n{b}"), [1, 2]),
        (format!("\u{feff}\n{a}\r\n\r\n{b}\r\n"), [2, 4]),
        (format!("[{a},{b}]"), [1, 2]),
        (format!(" [\n{}\n,{}] \n", over_lines(&a), over_lines(&b)), [1, 2]),
        (format!("{}\n{}", over_lines(&a), over_lines(&b)), [1, 2]),
        (format!("{a} {b}"), [1, 2]),
    ] {
        let expected = [stake(rows[0], "A {[\"", "Foo", 0.5), stake(rows[1], "B", "Foo", 0.25)];
        assert_eq!(read(&file).unwrap().1, expected, "{file}");
    }
}

#[test]
fn a_broken_line_is_named_and_the_others_are_read() {
    let file = format!(
        "{}\n{{\"id\": \"2\", \"schema\": \"Owner\n{}\n",
        ownership("1", "A", "50"),
        ownership("3", "B", "25")
    );
    let error = record_error(&file);
    assert_eq!((error.code, error.row, error.field.as_str()), ("not_json", 2, "record"));
    assert!(error.to_string().contains("on_bad_record=skip"), "{error}");
    let (read, stakes) = read_with(file.as_bytes(), &skipping()).unwrap();
    assert_eq!(stakes, [stake(1, "A", "Foo", 0.5), stake(3, "B", "Foo", 0.25)]);
    assert!(
        read.findings[0].examples[0].starts_with("row 2: record "),
        "{:?}",
        read.findings
    );
}

#[test]
fn a_list_that_is_broken_off_or_goes_on_is_refused() {
    let [a, b] = [ownership("1", "A", "50"), ownership("2", "B", "25")];
    for (file, reason) in [
        (format!("[{a}, {b}"), "after record 2"),
        (format!("[{a}, {}", &b[..20]), "within record 2"),
        (format!("[{a}] {b}"), "after the list of 1"),
        (format!("[{a} }} {b}]"), "after record 1"),
    ] {
        let error = read(&file).unwrap_err();
        assert_eq!(error.code(), Some("not_readable"), "{file}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn an_element_over_the_limit_is_refused() {
    let long = ownership("1", &"x".repeat(1 << 20), "50");
    for file in [format!("{long}\n"), format!("[{long}]")] {
        assert_eq!(code(read(file)), "record_too_long");
    }
    // Elements that lie over the ends of blocks are whole.
    let many: Vec<String> = (0..6)
        .map(|number| ownership(&number.to_string(), &"x".repeat(500), &" ".repeat(900_000)))
        .collect();
    let (read, _) = read_with(
        format!("[{}, {}]", many.join(","), ownership("9", "A", "50")).as_bytes(),
        &skipping(),
    )
    .unwrap();
    assert_eq!(read.records, 1);
}

#[test]
fn an_ownership_that_is_given_twice_counts_once() {
    let [a, other] = [ownership("1", "A", "50"), ownership("1", "A", "51")];
    let (read, stakes) = read(format!("{a}\n{a}\n")).unwrap();
    assert_eq!((stakes.len(), read.findings[0].code.as_str()), (1, "repeated_record"));
    let error = record_error(format!("{a}\n{other}\n"));
    assert_eq!(
        (error.code, error.row, error.value.as_str()),
        ("repeated_record", 2, "1")
    );
}

#[test]
fn several_percentages_are_a_range_and_several_owners_a_stake_each() {
    let file = r#"{"id": "1", "schema": "Ownership", "properties": {"owner": ["A", {"id": "B", "schema": "Person"}], "asset": ["Foo"], "percentage": ["20", "30%", 25]}}"#;
    let mut found = Vec::new();
    read_stakes(&mut file.as_bytes(), &ReadOptions::default(), &mut |stake| {
        found.push((stake.owner.to_owned(), stake.share.value(), stake.upper.value()));
        Ok::<(), String>(())
    })
    .unwrap();
    assert_eq!(found, [("A".to_owned(), 0.2, 0.3), ("B".to_owned(), 0.2, 0.3)]);
}

/// A relationship of BODS 0.4.
fn relationship(id: &str, date: &str, details: &str) -> String {
    format!(
        r#"{{"statementId": "s", "statementDate": "{date}", "recordId": "{id}", "recordType": "relationship", "recordDetails": {{"subject": "Foo", "interestedParty": "A", {details}}}}}"#
    )
}

fn shareholding(share: &str) -> String {
    format!(r#""interests": [{{"type": "shareholding", "directOrIndirect": "direct", "share": {share}}}]"#)
}

/// Lower and upper ends of the only stake.
fn range_of(file: &str, unit: Option<Unit>) -> (f64, f64) {
    let mut found = Vec::new();
    let options = ReadOptions {
        unit,
        ..ReadOptions::default()
    };
    read_stakes(&mut file.as_bytes(), &options, &mut |stake| {
        found.push((stake.share.value(), stake.upper.value()));
        Ok::<(), String>(())
    })
    .unwrap();
    assert_eq!(found.len(), 1, "{file}");
    found[0]
}

#[test]
fn bounds_of_bods_are_read_as_they_are_meant() {
    let (above, below) = (0.25_f64.next_up(), 0.5_f64.next_down());
    for (share, expected) in [
        (r#"{"exact": 33.3, "minimum": 30, "maximum": 40}"#, (0.333, 0.333)),
        (r#"{"minimum": 25, "maximum": 50}"#, (0.25, 0.5)),
        (r#"{"exclusiveMinimum": 25, "exclusiveMaximum": 50}"#, (above, below)),
        (
            r#"{"minimum": 25, "exclusiveMinimum": 25, "maximum": 50}"#,
            (above, 0.5),
        ),
        (
            r#"{"minimum": 25, "exclusiveMinimum": true, "maximum": 50, "exclusiveMaximum": false}"#,
            (above, 0.5),
        ),
        (r#"{"minimum": "25"}"#, (0.25, 1.0)),
        (r#"{"maximum": 50}"#, (0.0, 0.5)),
    ] {
        assert_eq!(
            range_of(&relationship("r", "2026-01-01", &shareholding(share)), None),
            expected,
            "{share}"
        );
    }
    let fraction = relationship("r", "2026-01-01", &shareholding(r#"{"exact": 0.5}"#));
    assert_eq!(range_of(&fraction, Some(Unit::Fraction)), (0.5, 0.5));
    assert_eq!(read(&fraction).unwrap().0.findings[0].code, "unit_doubtful");
    let error = record_error(relationship(
        "r",
        "2026-01-01",
        &shareholding(r#"{"minimum": 50, "maximum": 25}"#),
    ));
    assert_eq!(
        (error.code, error.field.as_str()),
        ("share_bounds", "recordDetails.interests[0].share")
    );
}

#[test]
fn the_latest_statement_of_a_record_counts_wherever_it_stands() {
    let [old, new] = [("2024-05-01", "10"), ("2025-05-01", "20")]
        .map(|(date, exact)| relationship("r", date, &shareholding(&format!(r#"{{"exact": {exact}}}"#))));
    assert_eq!(range_of(&format!("{old}\n{new}\n"), None), (0.2, 0.2));
    assert_eq!(range_of(&format!("{new}\n{old}\n"), None), (0.2, 0.2));
    let [morning, evening] = ["09:00:00", "16:15:08"].map(|time| {
        let share = if time == "09:00:00" { 10 } else { 20 };
        relationship(
            "r",
            &format!("2025-05-01T{time}Z"),
            &shareholding(&format!(r#"{{"exact": {share}}}"#)),
        )
    });
    assert_eq!(range_of(&format!("{evening}\n{morning}\n"), None), (0.2, 0.2));
    let undated = relationship("r", "", &shareholding(r#"{"exact": 30}"#));
    assert_eq!(range_of(&format!("{new}\n{undated}\n"), None), (0.3, 0.3));
}

#[test]
fn an_indirect_interest_counts_where_its_components_are_not_in_the_file() {
    let indirect = |components: &str| {
        let interests =
            r#""interests": [{"type": "shareholding", "directOrIndirect": "indirect", "share": {"exact": 40}}]"#;
        relationship(
            "r",
            "2026-01-01",
            &format!(r#""componentRecords": [{components}], {interests}"#),
        )
    };
    let component = relationship("c", "2026-01-01", &shareholding(r#"{"exact": 80}"#));
    assert_eq!(
        range_of(&format!("{}\n{component}\n", indirect("\"c\"")), None),
        (0.8, 0.8)
    );
    assert_eq!(range_of(&indirect("\"c\""), None), (0.4, 0.4));
    let cut = relationship("d", "2026-01-01", r#""interests": [{"directOrIndirect": "unknown"}]"#);
    let (cut, stakes) = read(format!("{}\n{component}\n{cut}\n", indirect("\"c\", \"d\""))).unwrap();
    assert_eq!(stakes.len(), 1);
    let codes: Vec<&str> = cut.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["indirect_interest_incomplete", "share_unknown"]);
    let closed = relationship("d", "2026-01-01", &shareholding(r#"{"exact": 50}"#))
        .replace(r#""recordType""#, r#""recordStatus": "closed", "recordType""#);
    for other in ["", closed.as_str()] {
        let (cut, stakes) = read(format!("{}\n{component}\n{other}\n", indirect("\"c\", \"d\""))).unwrap();
        assert_eq!(stakes.len(), 1, "{other}");
        assert_eq!(cut.findings[0].code, "indirect_interest_incomplete", "{other}");
    }
    let company = r#"{"recordId": "d", "recordType": "entity", "recordDetails": {"name": "D"}}"#;
    let (whole, _) = read(format!("{}\n{component}\n{company}\n", indirect("\"c\", \"d\""))).unwrap();
    assert_eq!(whole.findings[0].code, "indirect_interest");
    assert_eq!(
        read(indirect("")).unwrap().0.findings[0].code,
        "indirect_without_components"
    );
}

#[test]
fn interests_that_are_no_shares_are_told() {
    let none = relationship(
        "r",
        "2026-01-01",
        r#""interests": [{"type": "votingRights", "share": {"exact": 10}}]"#,
    );
    let error = read(&none).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().contains("1 not_a_share")),
        (Some("empty_input"), true),
        "{error}"
    );
    let unknown = relationship("r", "2026-01-01", r#""interests": [{"type": "shareholding"}]"#);
    assert!(read(&unknown).unwrap_err().to_string().contains("1 share_unknown"));
    let (read, stakes) = read(none.replace("10", "60")).unwrap();
    assert_eq!((stakes.len(), read.controls), (0, 1));
}

#[test]
fn what_must_be_held_is_bounded() {
    let many: String = (0..200)
        .map(|number| relationship(&number.to_string(), "", &shareholding(r#"{"exact": 1}"#)) + "\n")
        .collect();
    let options = ReadOptions {
        max_held_bytes: 10_000,
        ..ReadOptions::default()
    };
    assert_eq!(code(read_with(many.as_bytes(), &options)), "holds_too_much");
}

#[test]
fn a_ring_of_replacements_has_an_end() {
    let statement = |id: &str, replaces: &str| {
        format!(
            r#"{{"statementID": "{id}", "statementType": "ownershipOrControlStatement", "replacesStatements": ["{replaces}"], "subject": {{"describedByEntityStatement": "{id}"}}, "interestedParty": {{"describedByPersonStatement": "A"}}, "interests": [{{"type": "shareholding", "share": {{"exact": 10}}}}]}}"#
        )
    };
    for (file, kept) in [
        (vec![statement("a", "b"), statement("b", "a")], [2, 0]),
        (vec![statement("b", "a"), statement("a", "b")], [2, 0]),
        (
            vec![statement("a", "c"), statement("b", "a"), statement("c", "b")],
            [3, 0],
        ),
        // What leads into a ring is replaced by what is kept of it.
        (
            vec![
                statement("a", "b"),
                statement("b", "a"),
                statement("a", "d"),
                statement("d", ""),
            ],
            [3, 0],
        ),
        (
            vec![statement("a", "b"), statement("b", "a"), statement("e", "")],
            [2, 3],
        ),
    ] {
        let (_, stakes) = read(file.join("\n")).unwrap();
        let rows: Vec<u64> = stakes.iter().map(|stake| stake.0).collect();
        let kept: Vec<u64> = kept.into_iter().filter(|&row| row > 0).collect();
        assert_eq!(rows, kept, "{file:?}");
    }
}

#[test]
fn descriptions_are_held() {
    let company = |number: u32| format!(r#"{{"id": "{number}", "schema": "Company", "caption": "Company {number}"}}"#);
    let many: Vec<String> = (0..500).map(company).chain([ownership("o", "1", "50")]).collect();
    let file = many.join("\n");
    let mut options = ReadOptions {
        max_held_bytes: 10_000,
        ..ReadOptions::default()
    };
    assert_eq!(code(read_with(file.as_bytes(), &options)), "holds_too_much");
    options.max_held_bytes = 25_000;
    assert_eq!(read_with(file.as_bytes(), &options).unwrap().0.described, 500);
}

#[test]
fn a_long_type_of_interest_is_held() {
    let kind = "x".repeat(20_000);
    let file = relationship("r", "2026-01-01", &format!(r#""interests": [{{"type": "{kind}"}}]"#));
    let options = ReadOptions {
        max_held_bytes: 10_000,
        ..ReadOptions::default()
    };
    assert_eq!(code(read_with(file.as_bytes(), &options)), "holds_too_much");
}

#[test]
fn an_end_date_ends_an_ownership_and_is_told() {
    let ended = ownership("1", "A", "50").replace(r#""owner""#, r#""endDate": ["2999-12-31"], "owner""#);
    let (read, stakes) = read(format!("{ended}\n{}", ownership("2", "B", "25"))).unwrap();
    assert_eq!(stakes, [stake(2, "B", "Foo", 0.25)]);
    let finding = &read.findings[0];
    assert_eq!(finding.code, "ended_record");
    assert!(finding.action.contains("has an end date"), "{finding:?}");
}
