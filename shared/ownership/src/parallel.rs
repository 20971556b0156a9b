//! Work for all threads, where there is enough of it.
//!
//! To wake threads and wait for them takes some twenty microseconds, in which
//! one alone deals with hundreds of stakes; a network of five companies would
//! pay for that a dozen times. The result is the same either way.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// Stakes, companies or the like that are worth waking other threads.
const ENOUGH: usize = 1 << 12;

/// Does `first` on any thread while `second` runs on this one, and may call what is not `Send`. `first` is waited for even
/// if `second` fails.
///
/// # Arguments
///
/// * `work`: how many stakes, companies or the like the first deals with.
pub(crate) fn beside<A: Send, B>(work: usize, first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    if work < ENOUGH {
        return (first(), second());
    }
    let mut done = None;
    let second = rayon::in_place_scope(|scope| {
        scope.spawn(|_| done = Some(first()));
        second()
    });
    (done.expect("a scope ends when all in it is done"), second)
}

/// What `of` makes of each item, in the order of items.
///
/// # Arguments
///
/// * `work`: how many stakes, companies or the like all of it deals with.
pub(crate) fn map<I, T, R>(items: I, work: usize, of: impl Fn(T) -> R + Sync + Send) -> Vec<R>
where
    I: IntoIterator<Item = T> + IntoParallelIterator<Item = T>,
    T: Send,
    R: Send,
{
    if work < ENOUGH {
        items.into_iter().map(of).collect()
    } else {
        items.into_par_iter().map(of).collect()
    }
}
