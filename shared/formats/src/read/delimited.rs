//! CSV and TSV: parts of a block by all threads while the next one is read, handed on in the order of the file.

use ownership::Batch;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::blocks::{Blocks, parts};
use super::check::{Checker, Field, bad_record};
use super::header::{self, Columns};
use super::input::Input;
use super::quick::Lookup;
use super::records::Records;
use super::splitter::{Found, Splitter};
use super::{Format, Read, ReadOptions, Reader, Sink};
use crate::error::{InputError, ReadError, RecordError};

/// How much one thread splits at a time, at least.
const PART_BYTES: usize = 128 << 10;

/// Parts of a block for each thread, so that all end at about the same time.
const PARTS: usize = 2;

/// Reads CSV or TSV.
pub(super) struct Delimited(pub(super) Format);

impl Reader for Delimited {
    fn read<E>(
        self,
        input: &mut Input<'_>,
        options: &ReadOptions,
        checker: Checker,
        sink: Sink<'_, E>,
    ) -> Result<Read, ReadError<E>> {
        read(input, self.0, options.columns.as_ref(), checker, sink)
    }
}

fn read<E>(
    input: &mut Input<'_>,
    format: Format,
    asked: Option<&[String; 3]>,
    checker: Checker,
    sink: &mut dyn FnMut(&mut Batch) -> Result<(), E>,
) -> Result<Read, ReadError<E>> {
    let records = Records::open(input, (format == Format::Tsv).then_some(b'\t'))?;
    let layout = Layout {
        columns: columns(&records, asked)?,
        width: records.len(),
        delimiter: records.delimiter(),
    };
    let (blocks, lines) = records.into_rest();
    let mut reading = Reading {
        blocks,
        lines,
        layout,
        checker,
        batches: Vec::new(),
    };
    reading.run(sink)?;
    let Reading { layout, checker, .. } = reading;
    let format = if layout.delimiter == b'\t' { Format::Tsv } else { format };
    checker.finish(format.name(), Some(&layout.columns.names[2]))
}

/// What the header says.
struct Layout {
    columns: Columns,
    width: usize,
    delimiter: u8,
}

/// The way through an input after its header.
struct Reading<'i, 'a> {
    blocks: Blocks<'i, 'a>,
    /// Lines before the block.
    lines: u64,
    layout: Layout,
    checker: Checker,
    /// To be filled again.
    batches: Vec<Batch>,
}

/// A part of a block. Its rows are counted from its beginning.
struct Part {
    batch: Batch,
    checker: Checker,
    /// Bytes and lines that are done with.
    bytes: usize,
    lines: u64,
    end: End,
}

/// Why a part ended.
enum End {
    Text,
    /// A record goes on behind it.
    Unfinished,
    Record(RecordError),
    Input(InputError),
}

impl Reading<'_, '_> {
    /// Hands on batch after batch.
    ///
    /// A part is split as if a record began with it. It does unless a quoted field goes over the end of the part before;
    /// then what was made of it is dropped, and the rest of the block is split as one.
    fn run<E>(&mut self, sink: &mut dyn FnMut(&mut Batch) -> Result<(), E>) -> Result<(), ReadError<E>> {
        let mut whole = false;
        loop {
            let is_last = self.blocks.is_last();
            let (text, ahead) = self.blocks.text_and_ahead();
            let most = rayon::current_num_threads() * PARTS;
            let bytes = if whole {
                text.len()
            } else {
                text.len().div_ceil(most).max(PART_BYTES)
            };
            let parts = parts(text, bytes);
            // None but the last part of the last block.
            let last = if is_last { parts.len() } else { 0 };
            let spare = std::iter::from_fn(|| Some(self.batches.pop().unwrap_or_default()));
            let jobs: Vec<_> = parts.into_iter().zip(spare).enumerate().collect();
            let (layout, checker) = (&self.layout, &self.checker);
            let split = |(number, (text, batch))| split(text, number + 1 == last, layout, checker.part(), batch);
            let split_all = || jobs.into_par_iter().map(split).collect();
            let mut parts: Vec<Part> = Vec::new();
            match ahead {
                // The last block, or a small file, which is not worth waking another thread.
                None => parts = split_all(),
                Some(ahead) => rayon::in_place_scope(|scope| {
                    scope.spawn(|_| parts = split_all());
                    ahead.read();
                }),
            }
            let count = parts.len();
            whole = false;
            let mut is_done = true;
            for (number, mut part) in (1..).zip(parts) {
                if is_done {
                    is_done = self.take(&mut part, sink)?;
                    whole = !is_done && number < count;
                }
                part.batch.clear();
                self.batches.push(part.batch);
            }
            if !whole && !self.blocks.fill()? {
                return Ok(());
            }
        }
    }

    /// Hands on what is in a part; false if it ends within a record.
    fn take<E>(
        &mut self,
        part: &mut Part,
        sink: &mut dyn FnMut(&mut Batch) -> Result<(), E>,
    ) -> Result<bool, ReadError<E>> {
        if !part.batch.is_empty() {
            part.batch.shift_rows(self.lines);
            sink(&mut part.batch).map_err(ReadError::Sink)?;
        }
        let is_done = match std::mem::replace(&mut part.end, End::Text) {
            End::Text => true,
            End::Unfinished => false,
            End::Record(error) => return Err(error.shifted(self.lines).into()),
            End::Input(error) => return Err(error.shifted(self.lines).into()),
        };
        self.checker.append(&mut part.checker, self.lines);
        self.blocks.consume(part.bytes);
        self.lines += part.lines;
        Ok(is_done)
    }
}

/// Splits a part and checks its records.
fn split(text: &[u8], is_last: bool, layout: &Layout, mut checker: Checker, mut batch: Batch) -> Part {
    let Layout {
        columns: Columns { positions, names },
        width,
        delimiter,
    } = layout;
    let mut splitter = Splitter::new(*delimiter);
    splitter.begin(text, is_last);
    let mut lookup = Lookup::new(*delimiter, checker.unit(), *width, *positions);
    let is_usual = splitter.is_usual();
    let end = loop {
        if is_usual && let Some(stake) = lookup.find(text, splitter.at) {
            checker.take_quick(splitter.lines + 1, &stake, &mut batch);
            splitter.skip_to(stake.next);
            continue;
        }
        match splitter.advance(text) {
            Ok(Found::Record) => {}
            Ok(Found::End) => break End::Text,
            Ok(Found::Unfinished) => break End::Unfinished,
            Err(error) => break End::Input(error),
        }
        let row = splitter.row();
        let taken = if splitter.len() == *width {
            let field = |role: usize| Field {
                name: &names[role],
                text: splitter.field(text, positions[role]),
            };
            checker.take(row, [field(0), field(1), field(2)], &mut batch)
        } else {
            let statement = format!("has {} fields where the header has {width}", splitter.len());
            checker.refuse(bad_record("wrong_field_count", row, splitter.text(text), statement))
        };
        if let Err(error) = taken {
            break End::Record(error);
        }
    };
    Part {
        batch,
        checker,
        bytes: splitter.at,
        lines: splitter.lines,
        end,
    }
}

fn columns(records: &Records<'_, '_>, asked: Option<&[String; 3]>) -> Result<Columns, InputError> {
    let header: Vec<String> = (0..records.len())
        .map(|index| String::from_utf8_lossy(records.field(index)).trim().to_owned())
        .collect();
    header::find(&header, asked).map_err(|error| {
        // Columns that are ignored may be in any encoding; the three must be found.
        let unreadable = std::str::from_utf8(records.text()).is_err();
        if unreadable {
            InputError::NotUtf8 { row: records.row() }
        } else {
            error
        }
    })
}
