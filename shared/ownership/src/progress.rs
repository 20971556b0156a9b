//! How long steps tell how far they are, and are told to end.

use thiserror::Error;

/// Called by long steps, several times a second, with the part that is done (0
/// to 1). What it returns ends the step or lets it go on.
pub type Progress<'a> = dyn FnMut(f64) -> Result<(), Stopped> + 'a;

/// A callback asked for the work to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("finish: the work was stopped")]
pub struct Stopped;
