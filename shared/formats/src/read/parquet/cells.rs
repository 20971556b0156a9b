//! The cells of one column, as text.

use std::io::Write;

use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;
use parquet::schema::types::ColumnDescriptor;

use super::broken;
use crate::error::InputError;

/// Some rows of a column.
pub(super) struct Cells {
    reader: ColumnReader,
    is_optional: bool,
    /// Digits behind the point of a decimal.
    scale: Option<u32>,
    /// By row, which are there, if not all need be.
    levels: Vec<i16>,
    max_level: i16,
    values: Values,
    /// By row, where its value is.
    index: Vec<Option<u32>>,
}

enum Values {
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
    Whole(Vec<i64>),
    Double(Vec<f64>),
    Float(Vec<f32>),
}

impl Cells {
    /// The cells of a column of a row group.
    ///
    /// # Errors
    ///
    /// [`InputError::NotReadable`] if its type is neither text nor number, or it has lists.
    pub(super) fn open(group: &dyn RowGroupReader, position: usize, name: &str) -> Result<Self, InputError> {
        let chunk = group.metadata().column(position);
        let column = chunk.column_descr();
        let unusable = |what: String| InputError::NotReadable {
            reason: format!("as Parquet: column {name:?} is {what}; a column of texts or numbers is needed"),
        };
        if column.max_rep_level() > 0 {
            return Err(unusable("a list".to_owned()));
        }
        let scale = scale(column);
        let values = match (column.physical_type(), scale) {
            (Physical::BYTE_ARRAY, _) => Values::Bytes(Vec::new()),
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(_)) => Values::Fixed(Vec::new()),
            (Physical::INT32 | Physical::INT64, _) => Values::Whole(Vec::new()),
            (Physical::DOUBLE, _) => Values::Double(Vec::new()),
            (Physical::FLOAT, _) => Values::Float(Vec::new()),
            (other, _) => return Err(unusable(other.to_string())),
        };
        Ok(Self {
            reader: group.get_column_reader(position).map_err(broken)?,
            is_optional: column.max_def_level() > 0,
            scale,
            levels: Vec::new(),
            max_level: column.max_def_level(),
            values,
            index: Vec::new(),
        })
    }

    /// Reads the next rows, up to `most`; their number is 0 at the end.
    pub(super) fn fill(&mut self, most: usize) -> Result<usize, ParquetError> {
        self.index.clear();
        let mut rows = 0;
        while rows < most {
            let read = self.fill_some(most - rows, rows == 0)?;
            if read == 0 {
                break;
            }
            rows += read;
        }
        Ok(rows)
    }

    fn fill_some(&mut self, most: usize, is_first: bool) -> Result<usize, ParquetError> {
        self.levels.clear();
        let levels = self.is_optional.then_some(&mut self.levels);
        let (before, rows) = match (&mut self.reader, &mut self.values) {
            (ColumnReader::ByteArrayColumnReader(reader), Values::Bytes(values)) => {
                read(reader, most, is_first, levels, values)?
            }
            (ColumnReader::FixedLenByteArrayColumnReader(reader), Values::Fixed(values)) => {
                read(reader, most, is_first, levels, values)?
            }
            (ColumnReader::DoubleColumnReader(reader), Values::Double(values)) => {
                read(reader, most, is_first, levels, values)?
            }
            (ColumnReader::FloatColumnReader(reader), Values::Float(values)) => {
                read(reader, most, is_first, levels, values)?
            }
            (ColumnReader::Int64ColumnReader(reader), Values::Whole(values)) => {
                read(reader, most, is_first, levels, values)?
            }
            (ColumnReader::Int32ColumnReader(reader), Values::Whole(values)) => {
                let mut narrow = Vec::new();
                let (_, rows) = read(reader, most, true, levels, &mut narrow)?;
                if is_first {
                    values.clear();
                }
                let before = values.len();
                values.extend(narrow.into_iter().map(i64::from));
                (before, rows)
            }
            _ => {
                return Err(ParquetError::General(
                    "a column is of another type than described".to_owned(),
                ));
            }
        };
        let mut next = u32::try_from(before).unwrap_or(u32::MAX);
        for row in 0..rows {
            let is_there = !self.is_optional || self.levels.get(row) == Some(&self.max_level);
            self.index.push(is_there.then_some(next));
            next += u32::from(is_there);
        }
        Ok(rows)
    }

    /// Writes a cell as text; nothing if it is null.
    pub(super) fn write(&self, row: usize, text: &mut Vec<u8>) {
        let Some(at) = self.index.get(row).copied().flatten().map(|at| at as usize) else {
            return;
        };
        match &self.values {
            Values::Bytes(values) => match (values.get(at), self.scale) {
                (Some(value), Some(scale)) => write_decimal(text, signed(value.data()), scale),
                (Some(value), None) => text.extend_from_slice(value.data()),
                (None, _) => {}
            },
            Values::Fixed(values) => {
                if let (Some(value), Some(scale)) = (values.get(at), self.scale) {
                    write_decimal(text, signed(value.data()), scale);
                }
            }
            Values::Whole(values) => match (values.get(at), self.scale) {
                (Some(&value), Some(scale)) => write_decimal(text, Some(value.into()), scale),
                (Some(value), None) => text.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
                (None, _) => {}
            },
            Values::Double(values) => {
                if let Some(value) = values.get(at) {
                    text.extend_from_slice(zmij::Buffer::new().format(*value).as_bytes());
                }
            }
            // The shortest decimal of the narrow float is what was meant.
            Values::Float(values) => {
                if let Some(value) = values.get(at) {
                    text.extend_from_slice(zmij::Buffer::new().format(*value).as_bytes());
                }
            }
        }
    }
}

/// Appends values; gives how many were there before, and the rows read.
fn read<D: DataType>(
    reader: &mut ColumnReaderImpl<D>,
    most: usize,
    is_first: bool,
    levels: Option<&mut Vec<i16>>,
    values: &mut Vec<D::T>,
) -> Result<(usize, usize), ParquetError> {
    if is_first {
        values.clear();
    }
    let before = values.len();
    let (rows, ..) = reader.read_records(most, levels, None, values)?;
    Ok((before, rows))
}

fn scale(column: &ColumnDescriptor) -> Option<u32> {
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Decimal { .. }), _) | (None, ConvertedType::DECIMAL) => {
            u32::try_from(column.type_scale()).ok()
        }
        _ => None,
    }
}

/// A whole number in two's complement, the highest byte first, if it fits.
fn signed(bytes: &[u8]) -> Option<i128> {
    let (&first, _) = bytes.split_first()?;
    if bytes.len() > size_of::<i128>() {
        return None;
    }
    let start = if first >= 0x80 { -1 } else { 0 };
    Some(bytes.iter().fold(start, |number, &byte| number << 8 | i128::from(byte)))
}

/// What is too long for a number is written so that nobody takes it for one.
fn write_decimal(text: &mut Vec<u8>, unscaled: Option<i128>, scale: u32) {
    // A `Vec` takes what it is given.
    let _ = match unscaled {
        Some(unscaled) => write!(text, "{unscaled}e-{scale}"),
        None => write!(text, "a decimal of more than 16 bytes"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_with_their_scale() {
        let mut text = Vec::new();
        write_decimal(&mut text, signed(&[0x01, 0x00]), 2);
        text.push(b' ');
        write_decimal(&mut text, signed(&[0xff, 0x38]), 4);
        text.push(b' ');
        write_decimal(&mut text, signed(&[0; 17]), 4);
        assert_eq!(text, b"256e-2 -200e-4 a decimal of more than 16 bytes");
        assert_eq!(signed(&[]), None);
    }
}
