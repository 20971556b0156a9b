//! Parquet as others write it.

use std::sync::Arc;

use ::parquet::basic::{Compression, GzipLevel, ZstdLevel};
use ::parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
};
use ::parquet::data_type::{FloatType, Int32Type, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

use super::*;
use crate::table::{BlockBuilder, Cell, Column, Kind, ParquetWriter, Schema};

/// One column's values, and which of them are there.
enum Data {
    Text(Vec<&'static str>),
    Long(Vec<i64>),
    Int(Vec<i32>),
    Float(Vec<f32>),
    Double(Vec<f64>, Option<Vec<i16>>),
    Fixed(Vec<[u8; 3]>),
    Bool(Vec<bool>),
    /// One row with a text so many times.
    List(&'static str, usize),
}

fn file(schema: &str, compression: Compression, columns: &[Data]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for data in columns {
        let mut column = group.next_column().unwrap().unwrap();
        match data {
            Data::Text(texts) => {
                let texts: Vec<ByteArray> = texts.iter().map(|&text| text.into()).collect();
                column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
            }
            Data::Long(values) => put::<Int64Type>(&mut column, values),
            Data::Int(values) => put::<Int32Type>(&mut column, values),
            Data::Float(values) => put::<FloatType>(&mut column, values),
            Data::Double(values, levels) => {
                column
                    .typed::<DoubleType>()
                    .write_batch(values, levels.as_deref(), None)
                    .unwrap();
            }
            Data::Fixed(values) => {
                let values: Vec<FixedLenByteArray> = values.iter().map(|bytes| bytes.to_vec().into()).collect();
                put::<FixedLenByteArrayType>(&mut column, &values);
            }
            Data::Bool(values) => put::<BoolType>(&mut column, values),
            Data::List(text, count) => {
                let texts = vec![ByteArray::from(*text); *count];
                let mut repeats = vec![1; *count];
                repeats[0] = 0;
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&texts, Some(&vec![1; *count]), Some(&repeats))
                    .unwrap();
            }
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

fn put<D: DataType>(column: &mut ::parquet::file::writer::SerializedColumnWriter<'_>, values: &[D::T]) {
    column.typed::<D>().write_batch(values, None, None).unwrap();
}

#[test]
fn columns_of_any_order_and_type_are_read() {
    let expected = [stake(1, "A", "7", 0.25), stake(2, "B", "7", 0.5)];
    let texts = || Data::Text(vec!["A", "B"]);
    for (share_type, share) in [
        ("double share", Data::Double(vec![0.25, 0.5], None)),
        ("float share", Data::Float(vec![0.25, 0.5])),
        ("int32 share (decimal(9,4))", Data::Int(vec![2_500, 5_000])),
        ("int64 share (decimal(18,4))", Data::Long(vec![2_500, 5_000])),
        (
            "fixed_len_byte_array(3) share (decimal(6,4))",
            Data::Fixed(vec![[0, 0x09, 0xc4], [0, 0x13, 0x88]]),
        ),
        ("binary share (utf8)", Data::Text(vec!["25%", "0,5"])),
    ] {
        let schema =
            format!("message m {{ required {share_type}; required int64 company_id; required binary Owner (utf8); }}");
        let bytes = file(&schema, Compression::SNAPPY, &[share, Data::Long(vec![7, 7]), texts()]);
        let (read, stakes) = read(&bytes).unwrap();
        assert_eq!(
            (stakes.as_slice(), read.format.as_str()),
            (&expected[..], "parquet"),
            "{share_type}"
        );
    }
}

#[test]
fn pages_of_every_usual_compression_are_read() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let schema = "message m { required binary owner (utf8); required binary owned (utf8); required double share; }";
        let columns = [
            Data::Text(vec!["A"]),
            Data::Text(vec!["Foo"]),
            Data::Double(vec![0.1], None),
        ];
        let bytes = file(schema, compression, &columns);
        assert_eq!(read(bytes).unwrap().1, [stake(1, "A", "Foo", 0.1)], "{compression}");
    }
}

#[test]
fn a_narrow_float_is_the_decimal_it_prints_as() {
    let schema = "message m { required binary owner (utf8); required binary owned (utf8); required float share; }";
    let columns = [Data::Text(vec!["A"]), Data::Text(vec!["Foo"]), Data::Float(vec![0.1])];
    assert_eq!(
        read(file(schema, Compression::SNAPPY, &columns)).unwrap().1,
        [stake(1, "A", "Foo", 0.1)]
    );
}

#[test]
fn a_null_is_a_missing_field_of_its_row() {
    let schema = "message m { required binary owner (utf8); required binary owned (utf8); optional double share; }";
    let columns = [
        Data::Text(vec!["A", "B", "C"]),
        Data::Text(vec!["Foo", "Foo", "Foo"]),
        Data::Double(vec![0.1, 0.2], Some(vec![1, 0, 1])),
    ];
    let bytes = file(schema, Compression::SNAPPY, &columns);
    let error = record_error(&bytes);
    assert_eq!(
        (error.code, error.row, error.field.as_str()),
        ("share_not_a_number", 2, "share")
    );
    let (_, stakes) = read_with(&bytes, &skipping()).unwrap();
    assert_eq!(stakes, [stake(1, "A", "Foo", 0.1), stake(3, "C", "Foo", 0.2)]);
}

#[test]
fn the_result_of_a_job_can_be_read() {
    static SCHEMA: Schema = Schema {
        key: 1,
        columns: &[
            Column {
                name: "owner",
                kind: Kind::Text,
                unit: "",
                description: "",
            },
            Column {
                name: "owned",
                kind: Kind::Text,
                unit: "",
                description: "",
            },
            Column {
                name: "direct",
                kind: Kind::Number,
                unit: "",
                description: "",
            },
            Column {
                name: "integrated",
                kind: Kind::Number,
                unit: "",
                description: "",
            },
        ],
    };
    let mut builder = BlockBuilder::new(&SCHEMA);
    let mut writer = ParquetWriter::new(Vec::new(), &SCHEMA).unwrap();
    let mut blocks: Vec<_> = builder.company("Foo").unwrap().into_iter().collect();
    let row = [Cell::Text("A"), Cell::Number(0.25), Cell::Number(0.375)];
    blocks.extend(builder.row(&row).unwrap());
    blocks.extend(builder.finish());
    blocks
        .iter()
        .for_each(|block| writer.write(std::sync::Arc::new(block.clone())).unwrap());
    let bytes = writer.finish().unwrap();
    assert_eq!(
        read_with(&bytes, &columns(["owner", "owned", "integrated"])).unwrap().1,
        [stake(1, "A", "Foo", 0.375)]
    );
    let error = read(&bytes).unwrap_err();
    assert_eq!(error.code(), Some("missing_column"), "{error}");
}

#[test]
fn what_is_no_table_of_stakes_is_refused() {
    for (owned, share, what) in [
        ("repeated binary", Data::Double(vec![0.1], None), "\"owned\" is a list"),
        ("required binary", Data::Bool(vec![true]), "\"share\" is BOOLEAN"),
    ] {
        let share_type = if matches!(share, Data::Bool(_)) {
            "boolean"
        } else {
            "double"
        };
        let is_list = owned.starts_with("repeated");
        let owned_data = if is_list {
            Data::List("Foo", 2)
        } else {
            Data::Text(vec!["Foo"])
        };
        let schema =
            format!("message m {{ required binary owner (utf8); {owned} owned (utf8); required {share_type} share; }}");
        let bytes = file(
            &schema,
            Compression::SNAPPY,
            &[Data::Text(vec!["A"]), owned_data, share],
        );
        let error = read(bytes).unwrap_err();
        assert_eq!(error.code(), Some("not_readable"), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
    for bytes in [
        &b"PAR1"[..],
        b"PAR1....PAR1",
        &[b"PAR1".as_slice(), &[0xff; 40], b"PAR1"].concat(),
    ] {
        assert_eq!(code(read(bytes)), "not_readable", "{bytes:?}");
    }
}

#[test]
fn a_page_that_unpacks_to_more_than_may_be_held_is_refused() {
    let schema = "message m { required binary owner (utf8); required binary owned (utf8); required double share; }";
    let long: &'static str = Box::leak("x".repeat(8 << 20).into_boxed_str());
    let columns = [
        Data::Text(vec![long]),
        Data::Text(vec!["Foo"]),
        Data::Double(vec![0.1], None),
    ];
    let bytes = file(schema, Compression::ZSTD(ZstdLevel::default()), &columns);
    assert!(bytes.len() < 100_000);
    let options = ReadOptions {
        max_held_bytes: 1 << 20,
        ..ReadOptions::default()
    };
    assert_eq!(code(read_with(&bytes, &options)), "holds_too_much");
    assert_eq!(record_error(&bytes).code, "id_too_long");
    let options = ReadOptions {
        max_held_bytes: 100,
        ..ReadOptions::default()
    };
    assert_eq!(code(read_with(&bytes, &options)), "holds_too_much");
}

const THREE: &str = "message m { required binary owner (utf8); required binary owned (utf8); required double share; }";

/// Texts that differ, so that their dictionary is as long as they are many.
fn names(count: usize) -> Vec<&'static str> {
    (0..count)
        .map(|at| &*Box::leak(format!("N{at}").into_boxed_str()))
        .collect()
}

#[test]
fn a_dictionary_that_says_it_has_many_values_is_refused() {
    const COUNT: usize = 9_000;
    let columns = [
        Data::Text(names(COUNT)),
        Data::Text(vec!["Foo"; COUNT]),
        Data::Double(vec![0.0; COUNT], None),
    ];
    let mut bytes = file(THREE, Compression::SNAPPY, &columns);
    let options = ReadOptions {
        max_held_bytes: 4 << 20,
        ..ReadOptions::default()
    };
    assert_eq!(read_with(&bytes, &options).unwrap().1.len(), COUNT);
    // Field 7 of the header, a struct, whose first field is 9 000 in zigzag.
    let header = [0x4c, 0x15, 0xd0, 0x8c, 0x01];
    let at = bytes.windows(header.len()).position(|window| window == header).unwrap();
    bytes[at + 2..at + 5].copy_from_slice(&[0xfe, 0xff, 0x7f]);
    assert_eq!(code(read_with(&bytes, &options)), "holds_too_much");
}

#[test]
fn what_few_bytes_stand_for_is_counted_over_the_whole_file() {
    let long: &'static str = Box::leak("x".repeat(400).into_boxed_str());
    let many = |count| {
        let columns = [
            Data::Text(vec![long; count]),
            Data::Text(vec!["Foo"; count]),
            Data::Double(vec![0.0; count], None),
        ];
        file(THREE, Compression::SNAPPY, &columns)
    };
    let options = ReadOptions {
        max_bytes: 100_000,
        ..ReadOptions::default()
    };
    assert_eq!(read_with(&many(200), &options).unwrap().1.len(), 200);
    // 400 kB as text, though a text and its place in a dictionary are packed.
    assert!(many(1_000).len() < 10_000);
    assert_eq!(code(read_with(&many(1_000), &options)), "too_large");
    // Columns of which each is within the limit; the ids are too long, which is never seen.
    let longer: &'static str = Box::leak("x".repeat(60_000).into_boxed_str());
    let columns = [
        Data::Text(vec![longer]),
        Data::Text(vec![longer]),
        Data::Double(vec![0.1], None),
    ];
    let bytes = file(THREE, Compression::ZSTD(ZstdLevel::default()), &columns);
    assert_eq!(code(read_with(&bytes, &options)), "too_large");
}

#[test]
fn the_sink_is_asked_though_no_row_is_a_stake() {
    let schema = "message m { required binary owner (utf8); required binary owned (utf8); optional double share; }";
    let columns = [
        Data::Text(vec!["A"; 10_000]),
        Data::Text(vec!["Foo"; 10_000]),
        Data::Double(Vec::new(), Some(vec![0; 10_000])),
    ];
    let bytes = file(schema, Compression::SNAPPY, &columns);
    let mut asked = 0;
    let read = read_batches(&mut &*bytes, &skipping(), &mut |batch| {
        asked += 1;
        assert!(batch.is_empty());
        if asked < 3 { Ok(()) } else { Err("enough") }
    });
    assert!(matches!(read, Err(ReadError::Sink("enough"))), "{read:?}");
}
