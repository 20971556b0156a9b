//! Records that are no stakes.

use super::*;

#[test]
fn each_fault_names_row_field_value_and_has_its_code() {
    let long = format!("owner,owned,share\nA,{},0.1\n", "x".repeat(513));
    for (file, code, row, field, value) in [
        (
            "owner,owned,share\nA,Foo,0.1\n,Foo,0.33\n",
            "missing_id",
            3,
            "owner",
            "",
        ),
        ("owner,owned,share\nA, \u{a0} ,0.33\n", "missing_id", 2, "owned", ""),
        (
            "owner,owned,share\nA,Foo,abc\n",
            "share_not_a_number",
            2,
            "share",
            "abc",
        ),
        (
            "owner,owned,share\nA,Foo,nan\n",
            "share_not_a_number",
            2,
            "share",
            "nan",
        ),
        (
            "owner,owned,share\nA,Foo,inf\n",
            "share_not_a_number",
            2,
            "share",
            "inf",
        ),
        ("owner,owned,share\nA,Foo,\n", "share_not_a_number", 2, "share", ""),
        (
            "owner;owned;share\nA;Foo;1.000,5\n",
            "share_not_a_number",
            2,
            "share",
            "1.000,5",
        ),
        ("owner,owned,stake\nA,Foo,-0.1\n", "share_negative", 2, "stake", "-0.1"),
        (
            "owner,owned,ownership\nA,Foo,60\n",
            "share_over_one",
            2,
            "ownership",
            "60",
        ),
        (
            "owner,owned,share\nA\0,Foo,0.1\n",
            "id_control_character",
            2,
            "owner",
            "A\0",
        ),
        (
            "owner,owned,share\n\"A\nB\",Foo,0.1\n",
            "id_control_character",
            2,
            "owner",
            "A\nB",
        ),
        (
            "owner,owned,share\n\nA,Foo\n",
            "wrong_field_count",
            3,
            "record",
            "A,Foo",
        ),
        (
            "owner,owned,share\nA,Foo,0.1,9\n",
            "wrong_field_count",
            2,
            "record",
            "A,Foo,0.1,9",
        ),
    ] {
        let error = record_error(file);
        let found = (error.code, error.row, error.field.as_str(), error.value.as_str());
        assert_eq!(found, (code, row, field, value), "{file:?}");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("read row {row}: {field} {value:?}")),
            "{text}"
        );
    }
    assert_eq!(record_error(long).code, "id_too_long");
    let error = record_error(b"owner,owned,share\nA,Caf\xe9,0.1\n");
    assert_eq!((error.code, error.row, error.field.as_str()), ("not_utf8", 2, "owned"));
}

#[test]
fn an_id_of_512_bytes_is_allowed() {
    assert!(read(format!("owner,owned,share\nA,{},0.1\n", "é".repeat(256))).is_ok());
}

#[test]
fn the_remedy_is_in_the_message() {
    assert!(
        record_error("owner,owned,share\nA,Foo,60\n")
            .to_string()
            .contains("unit=percent")
    );
    assert!(
        record_error("owner;owned;share\nA;Foo;1.000,5\n")
            .to_string()
            .contains("thousands")
    );
}

#[test]
fn skipping_leaves_them_out_and_lists_the_first_ten() {
    let mut file = String::from("owner,owned,share\nA,Foo,0.33\n");
    for number in 0..12 {
        file.push_str(&format!("A,Foo,bad{number}\nA,Foo\n"));
    }
    let (read, stakes) = read_with(file.as_bytes(), &skipping()).unwrap();
    assert_eq!((read.records, stakes.len()), (1, 1));
    let finding = &read.findings[0];
    assert_eq!(
        (finding.code.as_str(), finding.count, finding.examples.len()),
        ("bad_record", 24, 10)
    );
    assert_eq!(finding.examples[0], "row 3: share \"bad0\" is not a number");
    assert_eq!(
        finding.examples[1],
        "row 4: record \"A,Foo\" has 2 fields where the header has 3"
    );
}

#[test]
fn long_values_are_cut_in_messages() {
    let error = record_error(format!("owner,owned,share\nA,Foo,{}\n", "ü".repeat(100_000)));
    assert_eq!(error.value.chars().count(), 81);
}
