//! Stage `calculating`: from a network to its resolvent.

use jobs::{Failure, StageRun};
use ownership::{Balance, Network, Resolvent};
use serde::{Deserialize, Serialize};

use crate::building::{Built, refused};
use crate::common::Common;

/// The inverse, by components, and the check that nothing of a company was lost or invented.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Solved {
    pub(crate) resolvent: Resolvent,
    pub(crate) balance: Balance,
}

/// Inverts the components of a network.
pub(crate) fn solve(stage: &StageRun<'_>, built: &Built, common: &Common) -> Result<Solved, Failure> {
    solve_network(stage, &built.network, common)
}

/// The same for a network that was made of the one that was read.
pub(crate) fn solve_network(stage: &StageRun<'_>, network: &Network, common: &Common) -> Result<Solved, Failure> {
    let mut progress = progress_of(stage);
    let memory = stage.settings().max_memory_bytes;
    let resolvent = Resolvent::within(network, common.on_closed_component, memory, &mut progress).map_err(refused)?;
    let balance = resolvent.balance(network);
    Ok(Solved { resolvent, balance })
}

/// How many pairs of holders and companies a step may keep: as many as fit into its memory, fifty million at most.
pub(crate) fn most_pairs(stage: &StageRun<'_>) -> usize {
    /// Two records of 24 bytes, each in a list that doubles as it grows, and what sorting them takes.
    const BYTES: u64 = 128;
    const MOST: u64 = 50_000_000;
    usize::try_from((stage.settings().max_memory_bytes / BYTES).min(MOST)).unwrap_or(usize::MAX)
}

/// A stage's progress as the mathematics reports it.
pub(crate) fn progress_of<'s>(stage: &'s StageRun<'_>) -> impl FnMut(f64) -> Result<(), ownership::Stopped> + 's {
    |fraction| stage.progress(fraction).map_err(|_| ownership::Stopped)
}
