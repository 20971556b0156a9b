//! Files of many blocks, which are split into parts.

use super::*;

/// A line of everything that can stand between two parts.
fn line(number: u64) -> (String, [String; 2], u64) {
    let short = format!("co{number}");
    let long = format!("Company number {number} of a long list of companies");
    let line_end = if number.is_multiple_of(5) { "\r\n" } else { "\n" };
    let (text, names, lines) = match number % 11 {
        0..5 => (format!("{short},Foo,x,0.5"), [short, "Foo".to_owned()], 1),
        5 => (format!("{long},{short},,0.25"), [long, short], 1),
        6 => (
            format!("Caf\u{e9} {number}, {short} ,,1e-1"),
            [format!("Caf\u{e9} {number}"), short],
            1,
        ),
        7 => (
            format!("\"{long}, Inc\",{short},\"\",0.5"),
            [format!("{long}, Inc"), short],
            1,
        ),
        8 => (
            format!("{short},Bar,\"a note,\nin \"\"two\"\" lines\",12.5%"),
            [short, "Bar".to_owned()],
            2,
        ),
        9 => (
            format!("{short},{long},{},0.125", "filler ".repeat(20)),
            [short, long],
            1,
        ),
        _ => (format!("\n   \n{short},Foo,x,0.5"), [short, "Foo".to_owned()], 3),
    };
    (text + line_end, names, lines)
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(work)
}

#[test]
fn names_and_rows_do_not_depend_on_where_a_file_is_divided() {
    let (mut file, mut row, mut expected) = ("owner,owned,note,share\n".to_owned(), 2, Vec::new());
    for number in 0..150_000 {
        let (text, [owner, owned], lines) = line(number);
        file += &text;
        expected.push((row + if number % 11 == 10 { 2 } else { 0 }, owner, owned));
        row += lines;
    }
    assert!(file.len() > 3 * (2 << 20));
    for threads in [1, 2, 7] {
        let (_, stakes) = on_threads(threads, || read(&file).unwrap());
        let found = stakes.into_iter().map(|(row, owner, owned, _)| (row, owner, owned));
        assert!(found.eq(expected.iter().cloned()), "{threads} threads");
    }
}

#[test]
fn a_record_is_too_long_wherever_a_file_is_divided() {
    // It begins in one block, and is followed by others in the next.
    let short = "A,Foo,0.001,x\n".repeat(80_000);
    let long = format!("B,Foo,0.25,{}\n", "n".repeat(1_100_000));
    let file = format!("owner,owned,share,note\n{short}{long}{}", short.repeat(3));
    for threads in [1, 2, 4] {
        let error = on_threads(threads, || read(&file).unwrap_err());
        assert!(error.to_string().contains("1048576"), "{threads} threads: {error}");
    }
}

/// Every line but the last of a field this long looks like a record.
#[test]
fn a_quoted_field_over_many_parts_is_one_field() {
    let record = "A,Foo,0.1\n".repeat(90_000);
    let field = |length: usize| record[..length / 10 * 10].to_owned();
    let file = format!(
        "owner,owned,share,note\nA,Foo,0.5,\"{}\"\n{}B,Foo,0.25,x\n",
        field(900_000),
        "C,Foo,0.5,x\n".repeat(50_000)
    );
    let (_, stakes) = on_threads(4, || read(&file).unwrap());
    assert_eq!((stakes.len(), &stakes[0]), (50_002, &stake(2, "A", "Foo", 0.5)));
    assert_eq!(stakes[50_001], stake(90_003 + 50_000, "B", "Foo", 0.25));
    let open = format!(
        "owner,owned,share,note\n{}A,Foo,0.5,\"{}",
        "C,Foo,0.5,x\n".repeat(300_000),
        field(900_000)
    );
    let error = on_threads(4, || read(&open).unwrap_err());
    assert!(
        matches!(error, ReadError::Input(InputError::UnclosedQuote { row: 300_002 })),
        "{error}"
    );
}

#[test]
fn the_first_fault_of_a_file_is_named_and_what_is_before_it_handed_on() {
    let mut lines = vec!["A,Foo,0.5".to_owned(); 400_000];
    lines[250_000] = "A,Foo,x".to_owned();
    lines[250_001] = "A,Foo,2".to_owned();
    lines[399_999] = "A,\u{7f},0.5".to_owned();
    let file = format!("owner,owned,share\n{}", lines.join("\r\n"));
    let mut seen = 0;
    let error = on_threads(3, || {
        read_batches(&mut file.as_bytes(), &ReadOptions::default(), &mut |batch| {
            seen += batch.len();
            Ok::<(), String>(())
        })
    });
    assert!(
        matches!(error, Err(ReadError::Record(RecordError { row: 250_002, .. }))),
        "{error:?}"
    );
    assert_eq!(seen, 250_000);
    let (read, stakes) = on_threads(3, || read_with(file.as_bytes(), &skipping()).unwrap());
    assert_eq!((read.findings[0].count, stakes.len()), (3, 399_997));
    assert_eq!(
        read.findings[0].examples[2],
        "row 400001: owned \"\\u{7f}\" contains a control character"
    );
}

#[test]
fn old_line_ends_are_read_in_large_files_too() {
    let file = format!("owner,owned,share\r{}", "A,Foo,0.5\r".repeat(300_000));
    let (_, stakes) = read(&file).unwrap();
    assert_eq!((stakes.len(), stakes[299_999].0), (300_000, 300_001));
}
