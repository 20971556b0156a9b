//! Pairs of many companies, computed in parallel and handed out in order.

use std::sync::Mutex;

use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;

use crate::pairs::candidates::Candidates;
use crate::pairs::column::Column;
use crate::pairs::table::Table;
use crate::pairs::upstream::{OPEN, Upstream};
use crate::pairs::{Emit, LeftOut, Pair};
use crate::{Error, Network, Progress, Resolvent, Stopped, memory};

/// Companies that one task takes at most; a batch is [`TASKS`] of these.
const TASK: usize = 256;

/// Tasks in a batch.
const TASKS: usize = 16;

/// Holders of a company among which one is found by looking at all of them.
const FEW_HOLDERS: usize = 8;

/// A task ends early once it has this many pairs: 2 MiB.
const TASK_PAIRS: usize = 1 << 16;

/// A task ends early once it has multiplied this often with blocks: hundredths
/// of a second, so that the work can be stopped soon.
const TASK_OPERATIONS: usize = 1 << 26;

/// Streams integrated ownership company by company.
///
/// For each company of `order`, `emit` gets the company and its owners at or
/// above the floor, by falling integrated share, equals by name; without
/// owners, an empty slice. A company's share of itself (through cycles, or
/// recorded) is among the pairs where positive. Members of closed components
/// get an empty slice, and are among the owners of others as their group.
///
/// All contributions are added up before the floor is applied, and a pair is
/// emitted if `integrated >= floor`; with floor 0 every positive one is. What
/// is left out is counted. The result doesn't depend on the number of threads.
///
/// # Arguments
///
/// * `order`: the companies wanted, each at most once. `0..network.len()` is
///   the order of names.
/// * `progress`: called often with the part of `order` that is done.
///
/// # Errors
///
/// [`Error::Stopped`] when `progress` or `emit` say so.
///
/// # Panics
///
/// If `order` has an id that is no company, or the resolvent is that of
/// another network.
///
/// # Cost
///
/// A column of V for each member of a large ring; then, for each company, the
/// stakes in it, lists of its holders, and for each owner that may reach the
/// floor a look-up for each large ring's member in its list. Memory: about 100
/// bytes a company, 60 a stake, up to 128 MiB of pairs on their way, and a table
/// of at most 256 MiB or 128 bytes for each company and stake.
pub fn integrated_ownership(
    network: &Network,
    resolvent: &Resolvent,
    floor: f64,
    order: &[u32],
    progress: &mut Progress<'_>,
    emit: &mut Emit<'_>,
) -> Result<LeftOut, Error> {
    integrated_ownership_within(network, resolvent, floor, u64::MAX, order, progress, emit)
}

/// [`integrated_ownership`] in `memory` bytes, the network's and the resolvent's
/// own among them.
///
/// Where the table of large rings doesn't fit, columns are expanded one by one:
/// slower, and with other rounding in the last digits.
///
/// # Errors
///
/// [`Error::NotEnoughMemory`] before it is allocated, and [`Error::Stopped`].
pub fn integrated_ownership_within(
    network: &Network,
    resolvent: &Resolvent,
    floor: f64,
    memory: u64,
    order: &[u32],
    progress: &mut Progress<'_>,
    emit: &mut Emit<'_>,
) -> Result<LeftOut, Error> {
    let needed = memory::of_pairs(network, resolvent);
    memory::check(|| "compute pairs of owners and companies".to_owned(), needed, memory)?;
    let upstream = Upstream::new(network, resolvent, progress)?;
    let computation = Computation {
        table: Table::new(&upstream, floor, memory - needed, progress)?,
        upstream: &upstream,
        floor,
        workspaces: Mutex::default(),
        chunks: Mutex::default(),
    };
    let mut left_out = LeftOut::default();
    let mut rest = order;
    let mut emitted = 0;
    let mut task = 16;
    let mut ready: Vec<Chunk> = Vec::new();
    while !(rest.is_empty() && ready.is_empty()) {
        let mut next = Vec::new();
        let (batch, _) = rest.split_at(rest.len().min(task * TASKS));
        let mut emit_ready = || {
            ready.iter().try_for_each(|chunk| {
                progress(emitted as f64 / order.len() as f64)?;
                emitted += chunk.companies.len();
                chunk.emit(emit)
            })
        };
        if batch.is_empty() {
            emit_ready()?;
        } else if ready.is_empty() {
            next = computation.compute(batch, task);
        } else {
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| next = computation.compute(batch, task));
                emit_ready()
            })?;
        }
        for chunk in ready.drain(..) {
            left_out.pairs += chunk.left_out.pairs;
            left_out.mass += chunk.left_out.mass;
            computation.recycle(chunk);
        }
        let done: usize = next.iter().map(|chunk| chunk.companies.len()).sum();
        rest = &rest[done..];
        task = if done < batch.len() {
            (done / TASKS).max(1)
        } else {
            (task * 2).min(TASK)
        };
        ready = next;
    }
    progress(1.0)?;
    Ok(left_out)
}

/// The pairs of consecutive companies.
#[derive(Debug, Default)]
struct Chunk {
    /// Each company, and where its pairs end.
    companies: Vec<(u32, usize)>,
    pairs: Vec<Pair>,
    left_out: LeftOut,
}

impl Chunk {
    fn emit(&self, emit: &mut Emit<'_>) -> Result<(), Stopped> {
        let mut start = 0;
        for &(company, end) in &self.companies {
            emit(company, &self.pairs[start..end])?;
            start = end;
        }
        Ok(())
    }
}

/// Memory that one thread computes with.
struct Workspace {
    column: Column,
    candidates: Candidates,
    /// Direct holders of a task's companies, one company's after another's: (slot, share).
    holders: Vec<(u32, f64)>,
    /// What each slot's owner holds directly, of a company with many holders; zero between companies.
    direct: Vec<f64>,
    /// Shares to be sorted; see [`sort_key`].
    keys: Vec<u128>,
}

/// What the computing threads share.
struct Computation<'a> {
    upstream: &'a Upstream<'a>,
    /// `None` where columns are expanded one by one.
    table: Option<Table>,
    floor: f64,
    workspaces: Mutex<Vec<Workspace>>,
    chunks: Mutex<Vec<Chunk>>,
}

impl Computation<'_> {
    /// Computes companies in tasks. Where a task ended early, what follows it is
    /// left to the next batch, so that chunks are in order and complete.
    fn compute(&self, companies: &[u32], task: usize) -> Vec<Chunk> {
        // One task is not worth waking other threads.
        let mut chunks: Vec<Chunk> = if companies.len() <= task {
            vec![self.fill(companies)]
        } else {
            companies
                .par_chunks(task)
                .map(|companies| self.fill(companies))
                .collect()
        };
        let whole = companies.chunks(task).zip(&chunks);
        let complete = whole
            .take_while(|(companies, chunk)| companies.len() == chunk.companies.len())
            .count();
        let unused = chunks.split_off((complete + 1).min(chunks.len()));
        unused.into_iter().for_each(|chunk| self.recycle(chunk));
        chunks
    }

    fn fill(&self, companies: &[u32]) -> Chunk {
        let mut work = take(&self.workspaces).unwrap_or_else(|| Workspace {
            column: Column::new(self.upstream.slots()),
            candidates: Candidates::default(),
            holders: Vec::new(),
            direct: vec![0.0; self.upstream.slots()],
            keys: Vec::new(),
        });
        let mut chunk = take(&self.chunks).unwrap_or_default();
        let mut operations = 0;
        // Slots of holders lie anywhere in memory. Looked up for many companies together, they are waited for together.
        let mut holders = std::mem::take(&mut work.holders);
        holders.clear();
        for &company in companies {
            holders.extend(self.upstream.holders(company));
        }
        let mut rest = holders.as_slice();
        for &company in companies {
            let (holders, after) = rest.split_at(self.upstream.network.holder_ids(company).len());
            rest = after;
            self.add_company(&mut work, company, holders, &mut chunk);
            chunk.companies.push((company, chunk.pairs.len()));
            operations += work.column.take_operations();
            if chunk.pairs.len() > TASK_PAIRS || operations > TASK_OPERATIONS {
                break;
            }
        }
        work.holders = holders;
        put(&self.workspaces, work);
        chunk
    }

    fn recycle(&self, mut chunk: Chunk) {
        chunk.companies.clear();
        chunk.pairs.clear();
        chunk.left_out = LeftOut::default();
        put(&self.chunks, chunk);
    }

    fn add_company(&self, work: &mut Workspace, company: u32, holders: &[(u32, f64)], chunk: &mut Chunk) {
        let Workspace {
            column,
            candidates,
            direct,
            keys,
            ..
        } = work;
        let Some(open) = self.fill_column(column, company, holders) else {
            return;
        };
        keys.clear();
        let mut keep = |slot: u32, integrated: f64| {
            keys.push(sort_key(integrated, self.upstream.owner(slot).name_rank, slot));
        };
        let left_out = match &self.table {
            Some(table) if !open => table.drain(column, candidates, self.floor, &mut keep),
            _ => {
                column.expand(self.upstream);
                column.drain(self.upstream, self.floor, &mut keep)
            }
        };
        chunk.left_out.pairs += left_out.pairs;
        chunk.left_out.mass += left_out.mass;
        keys.sort_unstable();
        if holders.len() <= FEW_HOLDERS {
            let direct = |slot| {
                let same = holders.iter().filter(|&&(holder, _)| holder == slot);
                // The sum of nothing would be -0.
                same.fold(0.0, |sum, (_, share)| sum + share)
            };
            chunk.pairs.extend(keys.iter().map(|&key| self.pair(key, direct)));
        } else {
            let add = |&(slot, share): &(u32, f64)| direct[slot as usize] += share;
            holders.iter().for_each(add);
            let pairs = keys.iter().map(|&key| self.pair(key, |slot| direct[slot as usize]));
            chunk.pairs.extend(pairs);
            holders.iter().for_each(|&(slot, _)| direct[slot as usize] = 0.0);
        }
    }

    #[inline]
    fn pair(&self, key: u128, direct: impl Fn(u32) -> f64) -> Pair {
        let (integrated, slot) = from_sort_key(key);
        let owner = self.upstream.owner(slot);
        Pair {
            owner: owner.id,
            direct: direct(slot),
            integrated,
            corrected: integrated / owner.amplification,
        }
    }

    /// Puts column `company` of T into an empty column, by its list; `None` if it
    /// has none. Tells whether the company is open, and then expanded too.
    fn fill_column(&self, column: &mut Column, company: u32, holders: &[(u32, f64)]) -> Option<bool> {
        let upstream = self.upstream;
        let Some(slot) = upstream.slot(company) else {
            for &(slot, share) in holders {
                upstream.add_holder(column, slot, share);
            }
            return Some(false);
        };
        if (slot as usize) < upstream.inner {
            return None;
        }
        if let Some((number, first)) = upstream.ring(slot) {
            let ring = &upstream.resolvent.rings[number as usize];
            column.add(slot | OPEN, 1.0);
            column.expand(upstream);
            column.replace(slot, ring.loops[(slot - first) as usize]);
            return Some(true);
        }
        let (targets, parts) = upstream.list(slot);
        column.add_list(targets, parts, 1.0);
        Some(false)
    }
}

/// Sorts by falling share, then by rising rank, and carries the slot: a positive
/// float's bits rise with its value.
fn sort_key(share: f64, rank: u32, slot: u32) -> u128 {
    (u128::from(!share.to_bits()) << 64) | (u128::from(rank) << 32) | u128::from(slot)
}

#[expect(clippy::cast_possible_truncation, reason = "the two fields are taken apart")]
fn from_sort_key(key: u128) -> (f64, u32) {
    (f64::from_bits(!((key >> 64) as u64)), key as u32)
}

fn take<T>(pool: &Mutex<Vec<T>>) -> Option<T> {
    pool.lock().expect("no thread panics while it holds a pool").pop()
}

fn put<T>(pool: &Mutex<Vec<T>>, item: T) {
    pool.lock().expect("no thread panics while it holds a pool").push(item);
}
