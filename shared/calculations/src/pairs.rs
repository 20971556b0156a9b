//! Pairs of owners and companies, streamed into a table.

use formats::Schema;
use jobs::{Failure, StageRun};
use ownership::{LeftOut, Pair, Stopped, integrated_ownership_within};
use serde::{Deserialize, Serialize};

use crate::building::{Built, refused};
use crate::calculating::{Solved, progress_of};
use crate::table::{Table, TableWriter};

/// All pairs at or above the floor, and what was below it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Mapped {
    pub(crate) table: Table,
    pub(crate) left_out: LeftOut,
}

/// Begins a company in the table and adds its rows.
type Write<'w> = dyn FnMut(&mut TableWriter, u32, &[Pair]) -> Result<(), Failure> + 'w;

/// Hands the pairs of each company, in the order of names, to `write`.
pub(crate) fn map_pairs(
    stage: &StageRun<'_>,
    schema: &'static Schema,
    built: &Built,
    solved: &Solved,
    floor: f64,
    write: &mut Write<'_>,
) -> Result<Mapped, Failure> {
    let network = &built.network;
    // Ids are in the order of names.
    let order: Vec<u32> = (0..u32::try_from(network.len()).unwrap_or(u32::MAX)).collect();
    let mut table = TableWriter::new(stage, schema)?;
    let mut failure = None;
    let mut emit = |company: u32, pairs: &[Pair]| {
        write(&mut table, company, pairs).map_err(|error| {
            failure = Some(error);
            Stopped
        })
    };
    let pairs = integrated_ownership_within(
        network,
        &solved.resolvent,
        floor,
        stage.settings().max_memory_bytes,
        &order,
        &mut progress_of(stage),
        &mut emit,
    );
    match (pairs, failure) {
        (_, Some(failure)) => Err(failure),
        (Err(error), None) => Err(refused(error)),
        (Ok(left_out), None) => Ok(Mapped {
            table: table.finish()?,
            left_out,
        }),
    }
}
