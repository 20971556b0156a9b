//! Rows on their way into files: each block is decoded once and handed to every writer, each on a thread of its own unless they are few.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use formats::{Block, CsvWriter, ParquetWriter, Schema, WriteError};
use jobs::{Failure, Report, ReportWriter, StageRun};

use crate::table::{Table, broken};

/// Blocks that may wait for a writer.
const WAITING: usize = 4;

/// Up to so many blocks take less time than threads take to begin.
const FEW: u64 = 1;

/// Writes `result.csv` and `result.parquet`, and shows every block to `look`, in order.
pub(crate) fn write_files(
    stage: &StageRun<'_>,
    schema: &'static Schema,
    table: &Table,
    look: &mut dyn FnMut(&Block) -> Result<(), Failure>,
) -> Result<[Report; 2], Failure> {
    let csv = stage.report("result.csv", "text/csv");
    let mut csv = CsvWriter::new(csv, schema).map_err(unwritten)?;
    let parquet = stage.report("result.parquet", "application/vnd.apache.parquet");
    let mut parquet = ParquetWriter::new(parquet, schema).map_err(unwritten)?;
    if table.blocks <= FEW {
        table.each(stage, |encoded| {
            let block = Arc::new(Block::decode(&encoded).map_err(broken)?);
            look(&block)?;
            csv.write(&block).map_err(unwritten)?;
            parquet.write(block).map_err(unwritten)
        })?;
        return finished(csv, parquet);
    }
    let (read, written) = thread::scope(|scope| {
        let (csv_blocks, inbox) = sync_channel::<Arc<Block>>(WAITING);
        let csv = &mut csv;
        let write = move || inbox.iter().try_for_each(|block| csv.write(&block));
        let csv = scope.spawn(write);
        let (parquet_blocks, inbox) = sync_channel::<Arc<Block>>(WAITING);
        let parquet = &mut parquet;
        let write = move || inbox.iter().try_for_each(|block| parquet.write(block));
        let parquet = scope.spawn(write);
        let read = table.each(stage, |encoded| {
            let block = Arc::new(Block::decode(&encoded).map_err(broken)?);
            look(&block)?;
            send(&csv_blocks, &block)?;
            send(&parquet_blocks, &block)
        });
        drop((csv_blocks, parquet_blocks));
        (read, join(csv).and(join(parquet)))
    });
    // A writer that failed takes no more blocks, so its own reason comes first.
    written?;
    read?;
    finished(csv, parquet)
}

fn finished(csv: CsvWriter<ReportWriter>, parquet: ParquetWriter<ReportWriter>) -> Result<[Report; 2], Failure> {
    let csv = csv.finish().map_err(unwritten)?;
    let parquet = parquet.finish().map_err(unwritten)?;
    Ok([csv.finish()?, parquet.finish()?])
}

fn send(blocks: &SyncSender<Arc<Block>>, block: &Arc<Block>) -> Result<(), Failure> {
    let gone = |_| Failure::Transient("a writer of results ended early".to_owned());
    blocks.send(Arc::clone(block)).map_err(gone)
}

fn join(writer: ScopedJoinHandle<'_, Result<(), WriteError>>) -> Result<(), Failure> {
    writer
        .join()
        .unwrap_or_else(|panic| resume_unwind(panic))
        .map_err(unwritten)
}

pub(crate) fn unwritten(error: WriteError) -> Failure {
    Failure::of_service(&error)
}
