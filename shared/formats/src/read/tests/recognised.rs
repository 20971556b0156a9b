//! Which format a file is taken for.

use super::*;

fn format_of(name: Option<&str>, content: &str) -> Result<&'static str, &'static str> {
    Format::detect(name, content.as_bytes())
        .map(Format::name)
        .map_err(|error| error.code())
}

#[test]
fn content_tells_the_format_whatever_the_name() {
    for (content, format) in [
        ("PAR1\u{15}", "parquet"),
        (r#"{"stakes": [{"owner": "statementId"}]}"#, "stakes"),
        (r#"[{"statementId": "a", "recordType": "person"}]"#, "bods"),
        (r#"{"statementID": "a", "statementType": "personStatement"}"#, "bods"),
        (
            "[\n {\n  \"id\": \"a\", \"schema\": \"Person\", \"properties\": {}}]",
            "ftm",
        ),
        (
            r#"{"id": "stakes", "caption": "\"stakes\":", "schema": "Person", "properties": {}}"#,
            "ftm",
        ),
        (
            r#"{"company_number": "1", "data": {"schema": 1, "statementId": 2}}"#,
            "psc",
        ),
        (
            r#"{"data": {"kind": "totals#persons-of-significant-control-snapshot"}}"#,
            "psc",
        ),
        ("<?xml version=\"1.0\"?>\n<lei:RelationshipData/>", "gleif-xml"),
        (
            "\"Relationship.StartNode.NodeID\",\"Relationship.EndNode.NodeID\"\n",
            "gleif-csv",
        ),
        ("owner,owned,share\n", "csv"),
        ("owner\towned\tshare\n", "tsv"),
    ] {
        for name in [None, Some("data.json.gz"), Some("data")] {
            assert_eq!(format_of(name, content), Ok(format), "{content}");
        }
    }
    // A header of the relationship records wins over the name of a table.
    assert_eq!(
        format_of(Some("rr.csv"), "Relationship.StartNode.NodeID,x\n"),
        Ok("gleif-csv")
    );
    for content in [
        "{}",
        "[]",
        "{\"a\": {\"stakes\": []}}",
        "<html>",
        "[1, 2]",
        "{\"stakes",
        "{\"\\",
    ] {
        assert_eq!(format_of(None, content), Err("unknown_format"), "{content}");
    }
}

#[test]
fn a_format_that_is_asked_for_is_taken() {
    let options = ReadOptions {
        format: Some("PSC".to_owned()),
        ..ReadOptions::default()
    };
    assert_eq!(code(read_with(SEED.as_bytes(), &options)), "not_json");
}

#[test]
fn columns_are_for_tables_alone() {
    let error = read_with(
        br#"{"id": "a", "schema": "Person", "properties": {}}"#,
        &columns(["a", "b", "c"]),
    )
    .unwrap_err();
    assert_eq!(error.code(), Some("columns_not_taken"));
    assert!(error.to_string().contains("format ftm"), "{error}");
}

#[test]
fn names_of_companies_are_taken_where_there_are_no_ids() {
    let file = "Company Name,Shareholder Name,Shareholding %\nFoo,A,25%\n";
    assert_eq!(read(file).unwrap().1, [stake(2, "A", "Foo", 0.25)]);
    let file = "shareholder_name,shareholder_id,company_name,company_id,percentage_held\nx,A,y,Foo,25%\n";
    assert_eq!(read(file).unwrap().1, [stake(2, "A", "Foo", 0.25)]);
}

#[test]
fn ranges_and_decimal_commas_are_read_in_tables() {
    let file = "owner;owned;share\nA;Foo;25-50%\nB;Foo;0,125\nC;Foo;>50%\n";
    let (read, stakes) = read(file).unwrap();
    assert_eq!((read.records, read.ranges), (3, 2));
    assert_eq!(stakes[..2], [stake(2, "A", "Foo", 0.25), stake(3, "B", "Foo", 0.125)]);
    let error = record_error("owner;owned;share\nA;Foo;50-25%\n");
    assert_eq!((error.code, error.value.as_str()), ("share_not_a_number", "50-25%"));
}
