//! Files as they should be, and as they are.

use super::*;

#[test]
fn stakes_come_in_file_order_with_the_line_they_stand_on() {
    let (read, stakes) = read(SEED).unwrap();
    assert_eq!((read.format.as_str(), read.records), ("csv", 5));
    assert_eq!(read.findings, []);
    assert_eq!(stakes[0], stake(2, "A", "Foo", 0.33));
    assert_eq!(stakes[4], stake(6, "B", "Bar", 0.5));
}

#[test]
fn the_usual_names_of_columns_are_known_whatever_their_case_and_punctuation() {
    for header in [
        "shareholder_id,company_id,ownership",
        "Owner,Owned,Share",
        "SHAREHOLDER ID,Company-Id,Share_Pct",
        "shareholderId,companyId,share (%)",
        "parent,subsidiary,percentage",
        "holder,issuer,fraction",
        "investor,investee,stake",
        "source,target,weight",
        "from,to,percent",
    ] {
        let (_, stakes) = read(format!("{header}\nA,Foo,0.33\n")).unwrap();
        assert_eq!(stakes, [stake(2, "A", "Foo", 0.33)], "{header}");
    }
}

#[test]
fn other_columns_are_ignored_wherever_they_stand() {
    let (_, stakes) = read("id,company,source,share,owner\n1,Foo,web,0.33,A\n").unwrap();
    assert_eq!(stakes, [stake(2, "A", "Foo", 0.33)]);
    let (_, stakes) = read(b"owner,owned,share,Gr\xf6\xdfe\nA,Foo,0.33,\xe9\n").unwrap();
    assert_eq!(stakes, [stake(2, "A", "Foo", 0.33)]);
}

#[test]
fn the_delimiter_is_the_headers() {
    for (delimiter, format) in [(",", "csv"), (";", "csv"), ("\t", "tsv"), ("|", "csv")] {
        let (read, stakes) = read(SEED.replace(',', delimiter)).unwrap();
        assert_eq!((read.format.as_str(), stakes.len()), (format, 5));
    }
    let (_, stakes) = read("\"owner, full name\";owner;owned;share\nx;A, B;Foo;0.33\n").unwrap();
    assert_eq!(stakes, [stake(2, "A, B", "Foo", 0.33)]);
}

#[test]
fn a_byte_order_mark_blank_lines_and_any_line_ends_change_nothing() {
    for end in ["\n", "\r\n", "\r"] {
        let (_, stakes) = read(format!(
            "\u{feff}owner,owned,share{end}{end}A,Foo,0.33{end}  {end}B,Foo,0.5"
        ))
        .unwrap();
        assert_eq!(
            stakes,
            [stake(3, "A", "Foo", 0.33), stake(5, "B", "Foo", 0.5)],
            "{end:?}"
        );
    }
}

#[test]
fn quoted_fields_may_hold_delimiters_quotes_and_line_ends() {
    let file = "owner,note,owned,share\r\n\"A \"\"the first\"\", Inc\",\"two\r\nlines, \"\"and\"\"\n\nmore\",Foo,0.33\r\nB,,\"Foo\",\"0.5\"\r\n";
    let (_, stakes) = read(file).unwrap();
    assert_eq!(
        stakes,
        [stake(2, "A \"the first\", Inc", "Foo", 0.33), stake(6, "B", "Foo", 0.5)]
    );
}

#[test]
fn blanks_around_fields_and_quotes_do_not_matter_and_inner_quotes_are_text() {
    let (_, stakes) = read("owner, owned, share\n A ,\"Foo \" , 0.33 \nthe \"B\",  \"Foo\",0.5\n").unwrap();
    assert_eq!(stakes, [stake(2, "A", "Foo", 0.33), stake(3, "the \"B\"", "Foo", 0.5)]);
}

#[test]
fn compression_is_found_by_content_even_in_several_members() {
    let (head, tail) = SEED.split_at(40);
    for packed in [
        gzip(SEED.as_bytes()),
        zstd(SEED.as_bytes()),
        [gzip(head.as_bytes()), gzip(tail.as_bytes())].concat(),
        [zstd(head.as_bytes()), zstd(tail.as_bytes())].concat(),
    ] {
        assert_eq!(read(&packed).unwrap().1, read(SEED).unwrap().1);
        let options = ReadOptions {
            name: Some("edges.tsv".to_owned()),
            ..ReadOptions::default()
        };
        assert_eq!(read_with(&packed, &options).unwrap().0.format, "csv");
    }
}

#[test]
fn columns_are_named_or_numbered() {
    let file = "from,by,owner,owned,share\nA,Foo,x,y,0.33\n";
    for names in [["from", "by", "share"], ["From", "BY", "share"], ["1", "2", "5"]] {
        assert_eq!(
            read_with(file.as_bytes(), &columns(names)).unwrap().1,
            [stake(2, "A", "Foo", 0.33)]
        );
    }
    let years = "owner,owned,2023,2024\nA,Foo,0.1,0.2\n";
    let (_, stakes) = read_with(years.as_bytes(), &columns(["owner", "owned", "2024"])).unwrap();
    assert_eq!(stakes, [stake(2, "A", "Foo", 0.2)]);
    assert_eq!(
        code(read_with(file.as_bytes(), &columns(["from", "by", "6"]))),
        "missing_column"
    );
    assert_eq!(
        code(read_with(file.as_bytes(), &columns(["from", "from", "share"]))),
        "ambiguous_column"
    );
}

#[test]
fn percents_are_read_as_asked() {
    let options = ReadOptions {
        unit: Some(Unit::Percent),
        ..ReadOptions::default()
    };
    let (_, stakes) = read_with(b"owner,owned,share\nA,Foo,33\nB,Foo,12.5%\n", &options).unwrap();
    assert_eq!(stakes, [stake(2, "A", "Foo", 0.33), stake(3, "B", "Foo", 0.125)]);
}

#[test]
fn a_unit_that_the_data_contradicts_is_pointed_out() {
    let (read, _) = read("owner,owned,share_pct\nA,Foo,0.33\n").unwrap();
    assert_eq!(
        (read.findings[0].code.as_str(), read.findings[0].count),
        ("unit_doubtful", 1)
    );
    let options = ReadOptions {
        unit: Some(Unit::Percent),
        ..ReadOptions::default()
    };
    assert_eq!(
        read_with(SEED.as_bytes(), &options).unwrap().0.findings[0].code,
        "unit_doubtful"
    );
    let (read, _) = super::read("owner,owned,share_pct\nA,Foo,33%\n").unwrap();
    assert_eq!(read.findings, []);
}

#[test]
fn a_sink_that_refuses_stops_the_reading() {
    let mut seen = 0;
    let error = read_stakes(&mut SEED.as_bytes(), &ReadOptions::default(), &mut |stake| {
        seen += 1;
        if stake.row == 3 { Err("full") } else { Ok(()) }
    });
    assert!(matches!(error, Err(ReadError::Sink("full"))));
    assert_eq!(seen, 2);
}
