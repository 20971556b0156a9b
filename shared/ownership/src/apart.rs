//! Stakes that are more than a share, or less: ranges, and control without a share.
//!
//! They are rare, so they are kept apart: a batch lists their positions, and the builder takes them out of the others once
//! their names are interned. Before columns are made, [`SetApart::settle`] puts stakes back in their place, one for each
//! range, and says what it can be instead.
//!
//! **Which share stands for a range.** The stakes in a company have lower bounds `l` that sum to `L`, and ranges of widths
//! `d` that sum to `D`. The policy asks for `l + t d` with t = 0, 1/2 or 1. Nobody can hold more than the whole, so t is at
//! most `(1 - L) / D`: then the column sums to one. Where lower bounds alone sum to one or more there is nothing left to
//! choose, and they are taken.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::slice::ParallelSliceMut;

use crate::batch::Batch;
use crate::builder::Stake;
use crate::finding::Tally;
use crate::names::Names;
use crate::policies::{Duplicates, ImputedShare};
use crate::ranges::Ranges;
use crate::share::ONE;
use crate::{Finding, Policies, Share};

/// What a stake is beside a share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mark {
    /// Its share is the lower end of a range, this the upper one.
    UpTo(Share),
    /// It has no share.
    Control,
}

/// Marked stakes with ids, and their rows.
#[derive(Debug, Default)]
pub(crate) struct SetApart {
    ranges: Vec<(Range, u64)>,
    controls: Vec<(u32, u32)>,
}

/// A stake of which only bounds are known; exact if these are equal.
#[derive(Clone, Copy, Debug)]
struct Range {
    owned: u32,
    owner: u32,
    lower: Share,
    upper: Share,
}

/// What became of stakes that were set apart.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) ranges: Ranges,
    /// (controller, company), in order, each once.
    pub(crate) controls: Vec<(u32, u32)>,
    pub(crate) findings: Vec<Finding>,
}

impl SetApart {
    /// Takes the marked stakes of a batch out of all of them.
    pub(crate) fn take(&mut self, batch: &Batch, stakes: &mut Vec<Stake>) {
        if batch.marks.is_empty() {
            return;
        }
        for &(position, mark) in &batch.marks {
            let Stake { owned, owner, share } = stakes[position as usize];
            let range = |upper| Range {
                owned,
                owner,
                lower: share,
                upper,
            };
            match mark {
                Mark::UpTo(upper) => self.ranges.push((range(upper), batch.rows[position as usize])),
                Mark::Control => self.controls.push((owner, owned)),
            }
        }
        retain_unmarked(batch, stakes);
    }

    /// Ranges become stakes by policy, which are added as a part with rows.
    pub(crate) fn settle(
        self,
        names: &Names,
        rank: &[AtomicU32],
        policies: Policies,
        stakes: &mut Vec<Vec<Stake>>,
        rows: &mut Vec<Vec<u64>>,
    ) -> Settled {
        let rank = |id: u32| rank[id as usize].load(Ordering::Relaxed);
        let mut settled = Settled::default();
        if !self.ranges.is_empty() {
            let imputed = impute(&self.ranges, names, rank, policies, stakes, &mut settled);
            stakes.push(imputed);
            rows.push(self.ranges.iter().map(|&(_, row)| row).collect());
        }
        let ranked = self.controls.iter().map(|&(owner, owned)| (rank(owner), rank(owned)));
        settled.controls = ranked.collect();
        settled.controls.sort_unstable();
        settled.controls.dedup();
        let mut controls = Tally::default();
        for &(owner, owned) in &settled.controls {
            controls.note(1, || format!("{} controls {}", names.get(owner), names.get(owned)));
        }
        settled.findings.extend(controls.into_finding(
            "control_without_share",
            "no stake was made of it: how much is held is not known",
        ));
        settled
    }
}

/// The rows of stakes that are not marked.
pub(crate) fn unmarked_rows(batch: &Batch) -> Vec<u64> {
    let mut rows = batch.rows.clone();
    retain_unmarked(batch, &mut rows);
    rows
}

fn retain_unmarked<T>(batch: &Batch, list: &mut Vec<T>) {
    let mut marked = batch.marks.iter().map(|&(position, _)| position as usize).peekable();
    let mut position = 0;
    list.retain(|_| {
        position += 1;
        marked.next_if_eq(&(position - 1)).is_none()
    });
}

/// A stake for each range, in their order. Columns are gone through in the order of names.
fn impute(
    ranges: &[(Range, u64)],
    names: &Names,
    rank: impl Fn(u32) -> u32,
    policies: Policies,
    stakes: &[Vec<Stake>],
    settled: &mut Settled,
) -> Vec<Stake> {
    let mut imputed: Vec<Stake> = ranges
        .iter()
        .map(|&(range, _)| Stake {
            owned: range.owned,
            owner: range.owner,
            share: range.lower,
        })
        .collect();
    let mut has_range = vec![false; names.len()];
    ranges
        .iter()
        .for_each(|(range, _)| has_range[range.owned as usize] = true);
    // By which range each was found; exact stakes by none.
    let mut found: Vec<(Range, Option<usize>)> = Vec::with_capacity(2 * ranges.len());
    let ranked = |range: Range| Range {
        owned: rank(range.owned),
        owner: rank(range.owner),
        ..range
    };
    found.extend(
        ranges
            .iter()
            .enumerate()
            .map(|(at, &(range, _))| (ranked(range), Some(at))),
    );
    let exact = stakes.iter().flatten().filter(|stake| has_range[stake.owned as usize]);
    found.extend(exact.map(|stake| {
        let range = Range {
            owned: stake.owned,
            owner: stake.owner,
            lower: stake.share,
            upper: stake.share,
        };
        (ranked(range), None)
    }));
    found.par_sort_unstable_by_key(|(range, at)| {
        (range.owned, range.owner, range.lower.units(), range.upper.units(), *at)
    });
    let mut tally = Tally::default();
    for column in found.chunk_by(|a, b| a.0.owned == b.0.owned) {
        let bounds = bounds(column, policies.duplicates);
        let extra = extra(column, &bounds, policies);
        for (&(range, at), extra) in column.iter().zip(extra) {
            let Some(at) = at else { continue };
            let share = Share::from_units(range.lower.units() + extra);
            imputed[at].share = share;
            tally.note(1, || {
                format!(
                    "{} holds {} to {} of {}: taken as {}",
                    names.get(range.owner),
                    shown(range.lower),
                    shown(range.upper),
                    names.get(range.owned),
                    shown(share)
                )
            });
        }
        settled.ranges.push(column[0].0.owned, &bounds);
    }
    let action = match policies.ranges {
        ImputedShare::Midpoint => {
            "the middle of the range was taken, or less where a company would be held by more than 1"
        }
        ImputedShare::Lower => "the lower end of the range was taken",
        ImputedShare::Upper => {
            "the upper end of the range was taken, or less where a company would be held by more than 1"
        }
    };
    settled.findings.extend(tally.into_finding("imputed_share", action));
    imputed
}

/// A share without the last digits, in which an excluded end of a range differs from an included one.
fn shown(share: Share) -> f64 {
    format!("{:.13e}", share.value()).parse().unwrap_or(share.value())
}

/// The bounds of each owner, duplicates put together: (owner, lower, upper) in units; the upper not cut to what is possible.
fn bounds(column: &[(Range, Option<usize>)], duplicates: Duplicates) -> Vec<(u32, u64, u64)> {
    let one = u128::from(ONE);
    let whole = |units: u128| u64::try_from(units).unwrap_or(u64::MAX);
    column
        .chunk_by(|a, b| a.0.owner == b.0.owner)
        .map(|same| {
            let ends = |end: fn(&Range) -> Share| same.iter().map(move |(range, _)| u128::from(end(range).units()));
            let put_together = |end| match duplicates {
                Duplicates::Sum => ends(end).sum::<u128>(),
                Duplicates::Max | Duplicates::Reject => ends(end).max().unwrap_or(0),
            };
            let lower = put_together(|range| range.lower);
            let upper = put_together(|range| range.upper).min(one.max(lower));
            (same[0].0.owner, whole(lower), whole(upper))
        })
        .collect()
}

/// What is added to the lower end of each range, in units.
fn extra(column: &[(Range, Option<usize>)], bounds: &[(u32, u64, u64)], policies: Policies) -> Vec<u64> {
    let width = |range: &Range| range.upper.units() - range.lower.units();
    let widths: Vec<u64> = column.iter().map(|(range, _)| width(range)).collect();
    let lower: u128 = bounds.iter().map(|&(_, lower, _)| u128::from(lower)).sum();
    let room = u128::from(ONE).saturating_sub(lower);
    // Of duplicates one counts, or all do.
    let all: u128 = match policies.duplicates {
        Duplicates::Sum => widths.iter().map(|&width| u128::from(width)).sum(),
        Duplicates::Max | Duplicates::Reject => bounds.iter().map(|&(_, lower, upper)| u128::from(upper - lower)).sum(),
    };
    let asked = match policies.ranges {
        ImputedShare::Lower => return vec![0; widths.len()],
        ImputedShare::Midpoint => all.div_ceil(2),
        ImputedShare::Upper => all,
    };
    if asked <= room {
        let part = if policies.ranges == ImputedShare::Upper { 1 } else { 2 };
        return widths.iter().map(|width| width / part).collect();
    }
    let scaled = widths.iter().map(|&width| u128::from(width) * room / all);
    let mut extra: Vec<u64> = scaled.map(|units| u64::try_from(units).unwrap_or(u64::MAX)).collect();
    // What rounding left, unit by unit, so that the column is exactly one and no one else is thought to be there.
    if bounds.len() == column.len() || policies.duplicates == Duplicates::Sum {
        let mut left = room - extra.iter().map(|&units| u128::from(units)).sum::<u128>();
        for (extra, &width) in extra.iter_mut().zip(&widths) {
            if left > 0 && *extra < width {
                *extra += 1;
                left -= 1;
            }
        }
    }
    extra
}
