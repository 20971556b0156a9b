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

/// A stage's progress as the mathematics reports it.
pub(crate) fn progress_of<'s>(stage: &'s StageRun<'_>) -> impl FnMut(f64) -> Result<(), ownership::Stopped> + 's {
    |fraction| stage.progress(fraction).map_err(|_| ownership::Stopped)
}
