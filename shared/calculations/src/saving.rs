//! Stage `saving`: rows into the database, and beside them what companies are called and by what texts they are found.

use formats::{Block, BlockBuilder, Cell, CsvWriter, Kind, Schema};
use jobs::{Failure, Report, RowsRef, StageRun};
use ownership::Network;
use serde::{Deserialize, Serialize};

use crate::presentation::column;
use crate::streaming::unwritten;
use crate::table::{Table, broken};

/// What the stage leaves.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) rows: RowsRef,
    /// `names.csv`, if the input has names or kinds.
    pub(crate) names: Option<Report>,
}

/// Of a calculation without names.
impl From<RowsRef> for Saved {
    fn from(rows: RowsRef) -> Self {
        Self { rows, names: None }
    }
}

/// Companies by id, those that have a name or a kind.
static NAMES: Schema = Schema {
    key: 0,
    columns: &[
        column("id", Kind::Text, "", "as it stands in the columns of the result"),
        column("name", Kind::Text, "", "what it is called, if the input says so"),
        column("kind", Kind::Text, "", "`person` or `entity`, if the input says so"),
    ],
};

/// Saves the rows, and the names of the network they are about.
pub(crate) fn save(stage: &StageRun<'_>, table: &Table, schema: &Schema, network: &Network) -> Result<Saved, Failure> {
    let rows = table.save(stage, schema, network)?;
    if !network.has_labels() {
        return Ok(rows.into());
    }
    let mut stored = stage.names();
    let mut csv = CsvWriter::new(stage.report("names.csv", "text/csv"), &NAMES).map_err(unwritten)?;
    each_block(network, |block| {
        csv.write(&block).map_err(unwritten)?;
        let first = block.companies.first().unwrap_or_default();
        Ok(stored.write(first, block.encode())?)
    })?;
    let names = csv.finish().map_err(unwritten)?.finish()?;
    Ok(Saved {
        rows: RowsRef {
            names: stored.finish()?,
            ..rows
        },
        names: Some(names),
    })
}

fn each_block(network: &Network, mut take: impl FnMut(Block) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut builder = BlockBuilder::new(&NAMES);
    for company in (0_u32..).take(network.len()) {
        let (name, kind) = (network.label(company), network.kind(company).name());
        if name.is_none() && kind.is_empty() {
            continue;
        }
        let name = name.unwrap_or_default();
        for full in [
            builder.company(network.name(company)).map_err(broken)?,
            builder.row(&[Cell::Text(name), Cell::Text(kind)]).map_err(broken)?,
        ] {
            full.map_or(Ok(()), &mut take)?;
        }
    }
    builder.finish().map_or(Ok(()), take)
}
