//! Rows on their way: made in stage `mapping`, put into the database in stage `saving`.

use formats::{Block, BlockBuilder, BlockError, BlockFileReader, BlockFileWriter, Cell, Schema};
use jobs::{Failure, RowsRef, Spool, SpoolWriter, StageRun};
use serde::{Deserialize, Serialize};

/// All rows of a result, in blocks, companies in the order of their names' bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    spool: Spool,
    pub(crate) rows: u64,
    pub(crate) companies: u64,
    blocks: u64,
}

/// Takes rows company by company.
pub(crate) struct TableWriter {
    builder: BlockBuilder<'static>,
    file: BlockFileWriter<SpoolWriter>,
    rows: u64,
    companies: u64,
    blocks: u64,
}

impl TableWriter {
    /// A table of this shape.
    pub(crate) fn new(stage: &StageRun<'_>, schema: &'static Schema) -> Result<Self, Failure> {
        Ok(Self {
            builder: BlockBuilder::new(schema),
            file: BlockFileWriter::new(stage.spool("rows")).map_err(broken)?,
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

    fn write(&mut self, block: Option<Block>) -> Result<(), Failure> {
        let Some(block) = block else { return Ok(()) };
        self.blocks += 1;
        self.file.write(&block).map_err(broken)
    }

    /// The table, readable from now on.
    pub(crate) fn finish(mut self) -> Result<Table, Failure> {
        let last = std::mem::replace(&mut self.builder, BlockBuilder::new(&EMPTY)).finish();
        self.write(last)?;
        Ok(Table {
            spool: self.file.finish().map_err(broken)?.finish()?,
            rows: self.rows,
            companies: self.companies,
            blocks: self.blocks,
        })
    }
}

static EMPTY: Schema = Schema { columns: &[], key: 0 };

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

    /// Puts the rows into the database.
    pub(crate) fn save(&self, stage: &StageRun<'_>, schema: &Schema) -> Result<RowsRef, Failure> {
        let mut rows = stage.rows();
        self.each(stage, |encoded| {
            let block = Block::decode(&encoded).map_err(broken)?;
            let first = block.companies.first().map_or("", String::as_str);
            Ok(rows.write(first, encoded)?)
        })?;
        Ok(RowsRef {
            epoch: stage.job().state.epoch,
            rows: self.rows,
            blocks: rows.finish()?,
            names: 0,
            columns: schema.columns.iter().map(|column| column.name.to_owned()).collect(),
            key: schema.key,
        })
    }
}

/// A stage file that cannot be written or read: the service failed, or a defect of ours. Either way, not the input.
pub(crate) fn broken(error: BlockError) -> Failure {
    Failure::of_service(&error)
}
