//! How much a reader may hold in memory: what cannot be handed on before the end of the file is known.

use crate::error::InputError;

/// Counts bytes up to a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    left: u64,
    max_bytes: u64,
}

impl Held {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            left: max_bytes,
            max_bytes,
        }
    }

    /// Counts bytes that are held from now on.
    ///
    /// # Errors
    ///
    /// [`InputError::HoldsTooMuch`] if they are more than there may be.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), InputError> {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(InputError::HoldsTooMuch {
                max_bytes: self.max_bytes,
            }),
        }
    }
}
