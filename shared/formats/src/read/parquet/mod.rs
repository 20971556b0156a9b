//! Parquet: three columns of a table, whatever their order and type.
//!
//! Columns are found by name as in CSV. Owners and owned companies are texts or whole numbers; shares are floats, decimals,
//! whole numbers or texts. What describes the columns stands at the end of the file, so the file is held in memory as it
//! is, packed; of what it unpacks to, a page of each column and some thousand rows.
//!
//! A few bytes may stand for any number of rows, so both what the pages unpack to and the rows, counted as the lines of text
//! that they would be, are held to `max_bytes`.

mod cells;
mod pages;

use std::io::Read as _;

use bytes::Bytes;
use ownership::Batch;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use self::cells::Cells;
use self::pages::Pages;
use super::check::{Checker, Field};
use super::header;
use super::input::Input;
use super::{Format, Read, ReadOptions, Reader, Sink};
use crate::error::{InputError, ReadError};

/// Rows read at a time.
const ROWS: usize = 1 << 12;

/// Reads a file that fits into `max_held_bytes`.
pub(super) struct Parquet;

impl Reader for Parquet {
    fn read<E>(
        self,
        input: &mut Input<'_>,
        options: &ReadOptions,
        checker: Checker,
        sink: Sink<'_, E>,
    ) -> Result<Read, ReadError<E>> {
        let file = whole(input, options.max_held_bytes)?;
        let reader = SerializedFileReader::new(file.clone()).map_err(broken)?;
        let header = header(&reader);
        let columns = header::find(&header, options.columns.as_ref())?;
        let mut reading = Reading {
            checker,
            batch: Batch::default(),
            rows: 0,
            names: columns.names,
            text_bytes: 0,
            max_bytes: options.max_bytes,
        };
        let mut pages = Pages::new(options.max_held_bytes, options.max_bytes);
        for number in 0..reader.num_row_groups() {
            let metadata = reader.metadata().row_group(number);
            for position in columns.positions {
                pages.check(&file, metadata.column(position))?;
            }
            let group = reader.get_row_group(number).map_err(broken)?;
            reading.group(group.as_ref(), columns.positions, sink)?;
        }
        reading.checker.finish(Format::Parquet.name(), Some(&reading.names[2]))
    }
}

/// All bytes of the input.
fn whole<E>(input: &mut Input<'_>, max_bytes: u64) -> Result<Bytes, ReadError<E>> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(max_bytes.saturating_add(1)).read_to_end(&mut bytes);
    if let Err(error) = read {
        return Err(input.failure(&error));
    }
    if bytes.len() as u64 > max_bytes {
        return Err(InputError::HoldsTooMuch { max_bytes }.into());
    }
    Ok(Bytes::from(bytes))
}

/// The names of the columns; of those within others, which can't be read, with all names on the way.
fn header(reader: &SerializedFileReader<Bytes>) -> Vec<String> {
    let schema = reader.metadata().file_metadata().schema_descr();
    schema.columns().iter().map(|column| column.path().string()).collect()
}

fn broken(error: ParquetError) -> InputError {
    InputError::NotReadable {
        reason: format!("as Parquet: {error}"),
    }
}

struct Reading {
    checker: Checker,
    batch: Batch,
    /// Rows before the group.
    rows: u64,
    names: [String; 3],
    /// What the rows so far would be as lines of text.
    text_bytes: u64,
    max_bytes: u64,
}

impl Reading {
    fn group<E>(
        &mut self,
        group: &dyn RowGroupReader,
        positions: [usize; 3],
        sink: &mut dyn FnMut(&mut Batch) -> Result<(), E>,
    ) -> Result<(), ReadError<E>> {
        let mut columns = Vec::with_capacity(3);
        for (position, name) in positions.into_iter().zip(&self.names) {
            columns.push(Cells::open(group, position, name)?);
        }
        loop {
            let mut counts = [0; 3];
            for (count, column) in counts.iter_mut().zip(&mut columns) {
                *count = column.fill(ROWS).map_err(broken)?;
            }
            if counts.iter().any(|&count| count != counts[0]) {
                let reason = format!("as Parquet: its columns end at different rows, after row {}", self.rows);
                return Err(InputError::NotReadable { reason }.into());
            }
            if counts[0] == 0 {
                return Ok(());
            }
            let taken = self.take(&columns, counts[0]);
            // Even without a stake: the sink may want to stop a file of nothing but bad rows.
            sink(&mut self.batch).map_err(ReadError::Sink)?;
            self.batch.clear();
            taken?;
        }
    }

    fn take<E>(&mut self, columns: &[Cells], count: usize) -> Result<(), ReadError<E>> {
        let mut texts: [Vec<u8>; 3] = Default::default();
        for row in 0..count {
            self.rows += 1;
            for (text, column) in texts.iter_mut().zip(columns) {
                text.clear();
                column.write(row, text);
                self.text_bytes += text.len() as u64 + 1;
            }
            if self.text_bytes > self.max_bytes {
                let max_bytes = self.max_bytes;
                return Err(InputError::TooLarge { max_bytes }.into());
            }
            let [owner, owned, share] = [0, 1, 2].map(|role: usize| Field {
                name: &self.names[role],
                text: &texts[role],
            });
            self.checker.take(self.rows, [owner, owned, share], &mut self.batch)?;
        }
        Ok(())
    }
}
