//! What a user may put into a file, and what comes of it.

mod bad_files;
mod bad_records;
mod json_files;
mod large_files;
mod parquet_files;
mod recognised;
mod stakes_documents;
mod well_formed;

use std::io::{self, Write};

use ownership::Unit;
use proptest::prelude::*;

use super::*;
use crate::RecordError;

type Stakes = Vec<(u64, String, String, f64)>;

fn read_with(input: &[u8], options: &ReadOptions) -> Result<(Read, Stakes), ReadError<String>> {
    let mut stakes = Vec::new();
    let read = read_stakes(&mut &*input, options, &mut |stake| {
        stakes.push((
            stake.row,
            stake.owner.to_owned(),
            stake.owned.to_owned(),
            stake.share.value(),
        ));
        Ok(())
    })?;
    Ok((read, stakes))
}

fn read(input: impl AsRef<[u8]>) -> Result<(Read, Stakes), ReadError<String>> {
    read_with(input.as_ref(), &ReadOptions::default())
}

fn stake(row: u64, owner: &str, owned: &str, share: f64) -> (u64, String, String, f64) {
    (row, owner.to_owned(), owned.to_owned(), share)
}

fn code(result: Result<(Read, Stakes), ReadError<String>>) -> &'static str {
    result.unwrap_err().code().unwrap()
}

fn record_error(input: impl AsRef<[u8]>) -> RecordError {
    match read(input) {
        Err(ReadError::Record(error)) => error,
        other => panic!("not a bad record: {other:?}"),
    }
}

fn columns(names: [&str; 3]) -> ReadOptions {
    ReadOptions {
        columns: Some(names.map(str::to_owned)),
        ..ReadOptions::default()
    }
}

fn skipping() -> ReadOptions {
    ReadOptions {
        on_bad_record: OnBadRecord::Skip,
        ..ReadOptions::default()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

const SEED: &str = "owner,owned,share\nA,Foo,0.33\nC,Foo,0.33\nBar,Foo,0.34\nFoo,Bar,0.5\nB,Bar,0.5\n";

/// A field as a careful writer would put it into a file.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600), magic in 0..4_usize) {
        let magic: &[u8] = [&b""[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"owner,owned,share\n"][magic];
        for options in [ReadOptions::default(), skipping()] {
            if let Err(error) = read_with(&[magic, &bytes].concat(), &options) {
                prop_assert!(error.code().is_some());
            }
        }
    }

    #[test]
    fn any_names_survive_quoting(
        names in prop::collection::vec(("[a-z,;|\"é漢😀]([a-z,;|\"é漢😀 ]{0,12}[a-z\"é漢😀])?", "[ -~\n\r]{0,9}"), 1..12),
        end in prop::sample::select(vec!["\n", "\r\n"]),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
    ) {
        let mut file = ["note", "owner", "owned", "share"].join(&delimiter.to_string()) + end;
        let mut line = 2;
        let mut expected = Vec::new();
        for (name, note) in &names {
            let fields = [quoted(note), quoted(name), "Foo".to_owned(), "0.5".to_owned()];
            file += &(fields.join(&delimiter.to_string()) + end);
            expected.push(stake(line, name, "Foo", 0.5));
            line += 1 + note.replace("\r\n", "\n").matches(['\n', '\r']).count() as u64;
        }
        prop_assert_eq!(read(file).unwrap().1, expected);
    }
}
