//! Files that are no lists of stakes.

use super::*;

#[test]
fn a_file_without_a_stake_is_empty() {
    for file in [
        "",
        "\n \r\n",
        "\u{feff}",
        "\u{feff}\n\n",
        "owner,owned,share",
        "owner,owned,share\n\n",
    ] {
        assert_eq!(code(read(file)), "empty_input", "{file:?}");
    }
    let all_bad = read_with(b"owner,owned,share\nA,Foo,x\n", &skipping()).unwrap_err();
    assert!(matches!(all_bad, ReadError::Input(InputError::Empty { skipped: 1 })));
    assert_eq!(code(read(gzip(b""))), "empty_input");
}

#[test]
fn a_missing_column_is_named_with_the_header_found_and_the_names_accepted() {
    let error = read("owner,firm,share\nA,Foo,0.33\n").unwrap_err();
    assert_eq!(error.code(), Some("missing_column"));
    let text = error.to_string();
    for part in ["owned column", "\"firm\"", "company_id", "--columns"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_file_without_header_is_not_guessed_at() {
    for result in [
        read("A,Foo,0.33\nB,Foo,0.5\n"),
        read_with(b"A,Foo,0.33\nB,Foo,0.5\n", &columns(["1", "2", "3"])),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.code(), Some("missing_column"));
        assert!(
            error.to_string().contains("add a line such as owner,owned,share"),
            "{error}"
        );
    }
}

#[test]
fn two_columns_for_one_role_ask_for_a_choice() {
    for header in [
        "owner,shareholder,company,share",
        "owner,owned,company,share",
        "owner,owned,share,percent",
        "from,parent,to,share",
    ] {
        let error = read(format!("{header}\nA,B,Foo,0.33\n")).unwrap_err();
        assert_eq!(error.code(), Some("ambiguous_column"), "{header}");
        assert!(error.to_string().contains("--columns"));
    }
}

#[test]
fn what_is_no_text_is_not_read_as_text() {
    for file in [
        &b"PK\x03\x04 a workbook"[..],
        b"%PDF-1.7\n",
        b"\0\0\0\0",
        b"\xff\xfeo\0w\0",
        b"own\x01er,owned\n",
    ] {
        assert_eq!(code(read(file)), "unknown_format", "{file:?}");
    }
    assert_eq!(code(read(b"\xe9\xe8\xe7,\xff\n1,2\n")), "not_utf8");
    let options = ReadOptions {
        name: Some("a.csv".to_owned()),
        ..ReadOptions::default()
    };
    assert_eq!(code(read_with(b"PK\x03\x04 a workbook", &options)), "unknown_format");
}

#[test]
fn an_unknown_format_lists_the_known_ones() {
    let options = ReadOptions {
        format: Some("xls".to_owned()),
        ..ReadOptions::default()
    };
    let error = read_with(SEED.as_bytes(), &options).unwrap_err();
    assert_eq!(error.code(), Some("unknown_format"));
    let known = "csv, tsv, stakes, parquet, bods, gleif-csv, gleif-xml, psc, ftm";
    assert!(error.to_string().contains(known), "{error}");
}

#[test]
fn a_quote_that_never_closes_is_reported_where_it_opens() {
    let error = read("owner,owned,share\nA,Foo,0.33\n\"B,Foo,0.5\nC,Foo,0.1\n").unwrap_err();
    assert!(
        matches!(error, ReadError::Input(InputError::UnclosedQuote { row: 3 })),
        "{error}"
    );
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    assert_eq!(code(read("x".repeat(3 << 20))), "record_too_long");
    let open = format!("owner,owned,share\n\"A{}", "\nb".repeat(1 << 20));
    assert_eq!(code(read(open)), "record_too_long");
}

#[test]
fn a_small_file_that_unfolds_into_a_large_one_stops_at_the_limit() {
    let options = ReadOptions {
        max_bytes: 1 << 20,
        ..ReadOptions::default()
    };
    let mut large = SEED.as_bytes().to_vec();
    while large.len() <= 1 << 20 {
        large.extend_from_slice(b"A,Foo,0.33\n");
    }
    for file in [large.clone(), gzip(&large), zstd(&large)] {
        assert_eq!(code(read_with(&file, &options)), "too_large");
    }
    let exact = &large[..1 << 20];
    assert!(
        read_with(
            exact,
            &ReadOptions {
                on_bad_record: OnBadRecord::Skip,
                ..options
            }
        )
        .is_ok()
    );
}

#[test]
fn broken_compression_is_the_files_fault() {
    let large = SEED.to_owned() + &"A,Foo,0.33\n".repeat(50_000);
    for packed in [gzip(large.as_bytes()), zstd(large.as_bytes())] {
        assert_eq!(code(read(&packed[..packed.len() - 5])), "not_readable");
        assert_eq!(code(read([&packed[..20], b"broken"].concat())), "not_readable");
    }
}

/// Fails where its bytes end.
struct Failing<'b>(&'b [u8]);

impl io::Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("connection reset")),
            read => Ok(read),
        }
    }
}

#[test]
fn a_source_that_fails_is_not_the_files_fault() {
    let json = br#"{"stakes": [{"owner": "A", "owned": "Foo", "share": 0.33}"#;
    for bytes in [
        SEED.as_bytes().to_vec(),
        gzip(SEED.as_bytes()),
        zstd(SEED.as_bytes()),
        json.to_vec(),
    ] {
        let mut source = Failing(bytes.as_slice());
        let error = read_stakes(&mut source, &ReadOptions::default(), &mut |_| Ok::<(), String>(()));
        match error {
            Err(ReadError::Io(error)) => assert_eq!(error.to_string(), "connection reset"),
            other => panic!("{other:?}"),
        }
    }
}

/// All that came before is handed on, also where the failure is noticed while that is being split.
#[test]
fn what_came_before_a_failure_is_handed_on() {
    let records = 500_000;
    let file = "owner,owned,share\n".to_owned() + &"A,Foo,0.33\n".repeat(records) + "A,Fo";
    assert!(file.len() > 2 * (2 << 20));
    let mut handed_on = 0;
    let error = read_stakes(&mut Failing(file.as_bytes()), &ReadOptions::default(), &mut |_| {
        handed_on += 1;
        Ok::<(), String>(())
    });
    assert!(matches!(error, Err(ReadError::Io(_))), "{error:?}");
    assert_eq!(handed_on, records);
}
