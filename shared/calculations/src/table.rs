//! Rows on their way: made in stage `mapping`, put into the database in stage `saving`.

use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use formats::{Block, BlockBuilder, BlockError, BlockFileReader, BlockFileWriter, Cell, Schema};
use jobs::{Failure, RowsRef, Search, Spool, SpoolWriter, StageRun};
use serde::{Deserialize, Serialize};

use crate::searching::{Listed, Parties};

/// All rows of a result, in blocks, companies in the order of their names' bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    spool: Spool,
    pub(crate) rows: u64,
    pub(crate) companies: u64,
    pub(crate) blocks: u64,
}

/// Full blocks that may wait to be encoded.
const WAITING: usize = 4;

/// Takes rows company by company. Blocks are compressed and sent on a thread of their own, once there is a second one.
pub(crate) struct TableWriter {
    builder: BlockBuilder,
    encoder: Encoder,
    rows: u64,
    companies: u64,
    blocks: u64,
}

type BlockFile = BlockFileWriter<SpoolWriter>;

/// Where blocks go.
enum Encoder {
    Here(Box<BlockFile>),
    Thread {
        blocks: SyncSender<Block>,
        /// Gives the file back when no block can come any more, or why one was not written.
        thread: JoinHandle<Result<BlockFile, BlockError>>,
    },
    /// It failed.
    Gone,
}

impl Encoder {
    fn start(mut file: BlockFile) -> Self {
        let (blocks, inbox) = sync_channel::<Block>(WAITING);
        let thread = thread::spawn(move || {
            for block in inbox {
                file.write(&block)?;
            }
            Ok(file)
        });
        Self::Thread { blocks, thread }
    }

    fn take(&mut self, block: Block) -> Result<(), Failure> {
        if matches!(self, Self::Here(_)) {
            let Self::Here(file) = std::mem::replace(self, Self::Gone) else {
                return Ok(());
            };
            *self = Self::start(*file);
        }
        match self {
            Self::Thread { blocks, .. } if blocks.send(block).is_ok() => Ok(()),
            // It takes no more blocks: it failed, and says why.
            _ => Err(std::mem::replace(self, Self::Gone)
                .end()
                .err()
                .unwrap_or_else(|| Failure::Transient("rows came after a failure".to_owned()))),
        }
    }

    /// The file with all blocks in it.
    fn end(self) -> Result<BlockFile, Failure> {
        match self {
            Self::Here(file) => Ok(*file),
            Self::Thread { blocks, thread } => {
                drop(blocks);
                thread
                    .join()
                    .unwrap_or_else(|panic| resume_unwind(panic))
                    .map_err(broken)
            }
            Self::Gone => Err(Failure::Transient("rows ended after a failure".to_owned())),
        }
    }
}

impl TableWriter {
    /// A table of this shape.
    pub(crate) fn new(stage: &StageRun<'_>, schema: &'static Schema) -> Result<Self, Failure> {
        Ok(Self {
            builder: BlockBuilder::new(schema),
            encoder: Encoder::Here(Box::new(BlockFileWriter::new(stage.spool("rows")).map_err(broken)?)),
            rows: 0,
            companies: 0,
            blocks: 0,
        })
    }

    /// Begins the next company.
    pub(crate) fn company(&mut self, name: &str) -> Result<(), Failure> {
        self.companies += 1;
        let full = self.builder.company(name).map_err(broken)?;
        self.write(full)
    }

    /// A row of that company, without the column that names it.
    pub(crate) fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Failure> {
        self.rows += 1;
        let full = self.builder.row(cells).map_err(broken)?;
        self.write(full)
    }

    /// A row of a text and then numbers; equal texts have equal numbers `id`. See [`BlockBuilder::numbered_row`].
    pub(crate) fn numbered_row<'t>(
        &mut self,
        id: u32,
        text: impl Fn() -> &'t str,
        numbers: &[f64],
    ) -> Result<(), Failure> {
        self.rows += 1;
        let full = self.builder.numbered_row(id as usize, text, numbers).map_err(broken)?;
        self.write(full)
    }

    fn write(&mut self, block: Option<Block>) -> Result<(), Failure> {
        let Some(block) = block else { return Ok(()) };
        self.blocks += 1;
        self.encoder.take(block)
    }

    /// The table, readable from now on.
    pub(crate) fn finish(self) -> Result<Table, Failure> {
        let mut file = self.encoder.end()?;
        let mut blocks = self.blocks;
        if let Some(last) = self.builder.finish() {
            file.write(&last).map_err(broken)?;
            blocks += 1;
        }
        Ok(Table {
            spool: file.finish().map_err(broken)?.finish()?,
            rows: self.rows,
            companies: self.companies,
            blocks,
        })
    }
}

impl Table {
    /// Reads every block, encoded, in order; says how far it is.
    pub(crate) fn each(
        &self,
        stage: &StageRun<'_>,
        mut take: impl FnMut(Vec<u8>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut file = BlockFileReader::new(stage.read_spool(&self.spool)?).map_err(broken)?;
        let mut read: u32 = 0;
        while let Some(encoded) = file.next_encoded().map_err(broken)? {
            take(encoded)?;
            read += 1;
            #[expect(clippy::cast_precision_loss, reason = "a fraction for people")]
            stage.progress(f64::from(read) / self.blocks.max(1) as f64)?;
        }
        Ok(())
    }

    /// Puts the rows into the database, and beside them, if they are in several blocks, how to find companies.
    pub(crate) fn save(
        &self,
        stage: &StageRun<'_>,
        schema: &Schema,
        parties: &dyn Parties,
    ) -> Result<RowsRef, Failure> {
        let mut rows = stage.rows();
        let mut listed = Listed::new(parties);
        let is_many = self.blocks > 1;
        self.each(stage, |encoded| {
            let (companies, counts) = Block::companies_of(&encoded).map_err(broken)?;
            if is_many {
                listed.take(companies.iter().zip(counts));
            }
            Ok(rows.write(companies.first().unwrap_or_default(), encoded)?)
        })?;
        let blocks = rows.finish()?;
        let search = if is_many { listed.save(stage)? } else { Search::No };
        Ok(RowsRef {
            epoch: stage.job().state.epoch,
            rows: self.rows,
            blocks,
            names: 0,
            search,
            columns: schema.columns.iter().map(|column| column.name.to_owned()).collect(),
            key: schema.key,
        })
    }
}

/// A stage file that cannot be written or read: the service failed, or a defect of ours. Either way, not the input.
pub(crate) fn broken(error: BlockError) -> Failure {
    Failure::of_service(&error)
}
