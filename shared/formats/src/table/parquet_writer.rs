//! Results as Parquet.
//!
//! Texts are dictionary-encoded strings, numbers nullable doubles, counts unsigned 64-bit integers; pages are
//! compressed by zstd. A row group is collected in memory, because Parquet stores its columns one after another.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use zstd::bulk::Compressor;

use super::{Block, Column, Kind, Schema, Texts, Values, WriteError, parquet_text};

/// Where a row group is closed, by the bytes that its blocks take in memory: about 800,000 rows of one text and three
/// numbers. With what the encoder holds besides, it stays below 64 MiB.
const GROUP_BYTES: usize = 24 << 20;

/// Writes blocks as Parquet. Memory is one row group, below 64 MiB.
pub struct ParquetWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    schema: &'static Schema,
    compressor: Compressor<'static>,
    blocks: Vec<Arc<Block>>,
    bytes: usize,
    group_bytes: usize,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    ///
    /// [`WriteError::Parquet`] if the writer fails.
    pub fn new(writer: W, schema: &'static Schema) -> Result<Self, WriteError> {
        // Texts have a dictionary of their own; doubles hardly repeat, so one of them is lost work.
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(format!("stakegraph {}", env!("CARGO_PKG_VERSION")));
        let mut fields = Vec::with_capacity(schema.columns.len());
        for column in schema.columns {
            fields.push(Arc::new(field(column)?));
        }
        let root = Type::group_type_builder("result").with_fields(fields).build()?;
        let writer = SerializedFileWriter::new(writer, TypePtr::new(root), Arc::new(properties.build()))?;
        Ok(Self {
            writer,
            schema,
            compressor: Compressor::new(ZstdLevel::default().compression_level())?,
            blocks: Vec::new(),
            bytes: 0,
            group_bytes: GROUP_BYTES,
        })
    }

    /// Appends the rows of a block.
    ///
    /// # Errors
    ///
    /// [`WriteError::Block`] if the block is not of the schema, [`WriteError::Parquet`] if the writer fails.
    pub fn write(&mut self, block: Arc<Block>) -> Result<(), WriteError> {
        block.check(self.schema)?;
        if block.is_empty() {
            return Ok(());
        }
        self.bytes += bytes(&block);
        self.blocks.push(block);
        if self.bytes >= self.group_bytes {
            self.write_group()?;
        }
        Ok(())
    }

    /// Writes the last row group and the footer, flushes the writer and gives it back.
    ///
    /// # Errors
    ///
    /// [`WriteError::Parquet`] or [`WriteError::Io`] if the writer fails.
    pub fn finish(mut self) -> Result<W, WriteError> {
        if !self.blocks.is_empty() {
            self.write_group()?;
        }
        let mut writer = self.writer.into_inner()?;
        writer.flush()?;
        Ok(writer)
    }

    fn write_group(&mut self) -> Result<(), WriteError> {
        let blocks = std::mem::take(&mut self.blocks);
        self.bytes = 0;
        let columns = self.writer.schema_descr().columns().to_vec();
        let mut group = self.writer.next_row_group()?;
        for (position, column) in columns.into_iter().enumerate() {
            let text = match self.schema.cell_of(position) {
                None => Some(parquet_text::companies(&blocks, column, &mut self.compressor)?),
                Some(cell) if self.schema.columns[position].kind == Kind::Text => {
                    Some(parquet_text::texts(&blocks, cell, column, &mut self.compressor)?)
                }
                Some(cell) => {
                    let mut writer = group
                        .next_column()?
                        .ok_or_else(|| ParquetError::General("a column is missing".into()))?;
                    for block in &blocks {
                        write_values(&mut writer, &block.columns[cell])?;
                    }
                    writer.close()?;
                    None
                }
            };
            if let Some(text) = text {
                group.append_column(&text.bytes, text.closed)?;
            }
        }
        group.close()?;
        Ok(())
    }
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical, repetition) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::REQUIRED),
        Kind::Number => (Physical::DOUBLE, None, Repetition::OPTIONAL),
        Kind::Count => (
            Physical::INT64,
            Some(LogicalType::integer(64, false)),
            Repetition::REQUIRED,
        ),
    };
    Type::primitive_type_builder(column.name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()
}

fn write_values(writer: &mut SerializedColumnWriter<'_>, values: &Values) -> Result<(), ParquetError> {
    match values {
        Values::Text { .. } => return Err(ParquetError::General("a column holds text".to_owned())),
        Values::Number(numbers) => {
            let present: Vec<i16> = numbers.iter().map(|number| i16::from(!number.is_nan())).collect();
            let values: Cow<'_, [f64]> = if present.contains(&0) {
                numbers.iter().copied().filter(|number| !number.is_nan()).collect()
            } else {
                numbers.into()
            };
            writer
                .typed::<DoubleType>()
                .write_batch(&values, Some(&present), None)?;
        }
        Values::Count(counts) => {
            // The annotation says that the bits are unsigned.
            let values: Vec<i64> = counts.iter().map(|count| count.cast_signed()).collect();
            writer.typed::<Int64Type>().write_batch(&values, None, None)?;
        }
    }
    Ok(())
}

/// About how much memory a block takes.
fn bytes(block: &Block) -> usize {
    let texts = |texts: &Texts| texts.joined().len() + size_of_val(texts.ends());
    let values = |values: &Values| match values {
        Values::Text { dictionary, index } => texts(dictionary) + size_of_val(index.as_slice()),
        Values::Number(numbers) => size_of_val(numbers.as_slice()),
        Values::Count(counts) => size_of_val(counts.as_slice()),
    };
    texts(&block.companies) + block.columns.iter().map(values).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::{Field, RowAccessor};
    use proptest::prelude::*;

    use super::*;
    use crate::table::samples::{self, SCHEMA, Sample};

    fn written(blocks: &[Block]) -> SerializedFileReader<bytes::Bytes> {
        let mut writer = ParquetWriter::new(Vec::new(), &SCHEMA).unwrap();
        blocks
            .iter()
            .for_each(|block| writer.write(Arc::new(block.clone())).unwrap());
        SerializedFileReader::new(bytes::Bytes::from(writer.finish().unwrap())).unwrap()
    }

    fn read(file: &SerializedFileReader<bytes::Bytes>) -> Vec<Sample> {
        let row = |row: parquet::errors::Result<parquet::record::Row>| {
            let row = row.unwrap();
            let share = match row.get_column_iter().nth(2).unwrap().1 {
                Field::Double(share) => *share,
                Field::Null => f64::NAN,
                other => panic!("not a nullable double: {other}"),
            };
            (
                row.get_string(0).unwrap().clone(),
                row.get_string(1).unwrap().clone(),
                share,
                row.get_ulong(3).unwrap(),
            )
        };
        file.get_row_iter(None).unwrap().map(row).collect()
    }

    #[test]
    fn the_file_has_the_schemas_columns_and_is_compressed() {
        let rows: Vec<_> = (0..1000)
            .map(|n| (String::from("o"), format!("c{n:04}"), 0.5, n))
            .collect();
        let file = written(&samples::build(&rows));
        let metadata = file.metadata();
        let names: Vec<&str> = metadata
            .file_metadata()
            .schema_descr()
            .columns()
            .iter()
            .map(|column| column.name())
            .collect();
        assert_eq!(names, ["owner", "owned", "share", "rank"]);
        assert!(matches!(
            metadata.row_group(0).column(0).compression(),
            Compression::ZSTD(_)
        ));
    }

    #[test]
    fn a_large_result_has_several_row_groups() {
        let rows: Vec<_> = (0..20_000)
            .map(|n| (format!("o{}", n % 50), format!("c{:06}", n / 40), 0.5, n))
            .collect();
        let mut writer = ParquetWriter::new(Vec::new(), &SCHEMA).unwrap();
        writer.group_bytes = 150_000;
        samples::build(&rows)
            .iter()
            .for_each(|block| writer.write(Arc::new(block.clone())).unwrap());
        let file = SerializedFileReader::new(bytes::Bytes::from(writer.finish().unwrap())).unwrap();
        assert!(file.metadata().num_row_groups() > 2);
        assert_eq!(read(&file), rows);
    }

    #[test]
    fn a_result_without_rows_is_a_valid_file() {
        assert!(read(&written(&[])).is_empty());
    }

    proptest! {
        #[test]
        fn a_parquet_reader_gets_back_every_cell_exactly(rows in samples::any_rows()) {
            let found = read(&written(&samples::build(&rows)));
            prop_assert_eq!(found.len(), rows.len());
            for (found, row) in found.iter().zip(&rows) {
                prop_assert_eq!((&found.0, &found.1, found.2.to_bits(), found.3), (&row.0, &row.1, row.2.to_bits(), row.3));
            }
        }
    }
}
