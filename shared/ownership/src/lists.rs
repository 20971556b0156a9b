//! A sparse matrix: stakes by column, or by row.

use serde::{Deserialize, Serialize};

use crate::names::to_u32;
use crate::parallel;

/// Stakes of a range of companies, about, when they are listed by the other end.
const TRANSPOSED: usize = 1 << 16;

/// Stakes by column or row, compressed: list `k` is `starts[k]..starts[k + 1]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lists {
    pub(crate) starts: Vec<u32>,
    pub(crate) ids: Vec<u32>,
    pub(crate) shares: Vec<f64>,
}

/// A company and a share, as [`Network::holders`](crate::Network::holders) and [`Network::holdings`](crate::Network::holdings) list them.
pub(crate) type Stakes<'a> =
    std::iter::Zip<std::iter::Copied<std::slice::Iter<'a, u32>>, std::iter::Copied<std::slice::Iter<'a, f64>>>;

impl Lists {
    #[inline]
    pub(crate) fn range(&self, of: u32) -> std::ops::Range<usize> {
        self.starts[of as usize] as usize..self.starts[of as usize + 1] as usize
    }

    #[inline]
    pub(crate) fn list(&self, of: u32) -> Stakes<'_> {
        let range = self.range(of);
        self.ids[range.clone()]
            .iter()
            .copied()
            .zip(self.shares[range].iter().copied())
    }

    /// The same stakes listed by the other end, in O(stakes + companies).
    ///
    /// Lists of the result are in the order of ids, because the sources are
    /// gone through in that order. Stakes are first dealt out to ranges of
    /// ids, so that each thread writes to a small part of memory.
    pub(crate) fn transposed(&self) -> Self {
        let companies = self.starts.len() - 1;
        // A power of two, because a shift takes less time than a division.
        let width = companies.div_ceil(self.ids.len() / TRANSPOSED + 1).next_power_of_two();
        let ranges: Vec<_> = (0..companies)
            .step_by(width)
            .map(|first| first..companies.min(first + width))
            .collect();
        let dealt = parallel::map(&ranges, self.ids.len(), |lists| {
            self.dealt(lists.clone(), width, ranges.len())
        });
        let mut starts = vec![0_u32; companies + 1];
        let mut ids = vec![0; self.ids.len()];
        let mut shares = vec![0.0; self.ids.len()];
        let mut left = (&mut starts[1..], ids.as_mut_slice(), shares.as_mut_slice());
        let mut targets = Vec::with_capacity(ranges.len());
        let mut begin = 0;
        for (number, range) in ranges.iter().enumerate() {
            let stakes = dealt.iter().map(|dealt| dealt[number].len()).sum();
            let whole = "ranges are parts of the whole";
            let ends = left.0.split_off_mut(..range.len()).expect(whole);
            let ids = left.1.split_off_mut(..stakes).expect(whole);
            let shares = left.2.split_off_mut(..stakes).expect(whole);
            targets.push((number, begin, ends, ids, shares));
            begin += to_u32(stakes);
        }
        parallel::map(targets, self.ids.len(), |(number, begin, ends, ids, shares)| {
            let stakes = || dealt.iter().flat_map(|dealt| &dealt[number]);
            let first = ranges[number].start;
            let mut next = vec![0_u32; ends.len() + 1];
            stakes().for_each(|&(id, ..)| next[id as usize - first + 1] += 1);
            for (list, end) in ends.iter_mut().enumerate() {
                next[list + 1] += next[list];
                *end = begin + next[list + 1];
            }
            for &(id, company, share) in stakes() {
                let at = &mut next[id as usize - first];
                ids[*at as usize] = company;
                shares[*at as usize] = share;
                *at += 1;
            }
        });
        Self { starts, ids, shares }
    }

    /// Stakes of some lists by ranges of ids: (id, list, share).
    fn dealt(&self, lists: std::ops::Range<usize>, width: usize, ranges: usize) -> Vec<Vec<(u32, u32, f64)>> {
        let stakes = (self.starts[lists.end] - self.starts[lists.start]) as usize;
        let mut dealt: Vec<Vec<(u32, u32, f64)>> = (0..ranges)
            .map(|_| Vec::with_capacity(stakes / ranges + stakes / ranges / 8))
            .collect();
        let shift = width.ilog2();
        for list in to_u32(lists.start)..to_u32(lists.end) {
            for (id, share) in self.list(list) {
                dealt[(id >> shift) as usize].push((id, list, share));
            }
        }
        dealt
    }

    /// Whether the lists are those of a matrix: bounds that rise from 0 to the
    /// number of stakes, ids that exist and rise in each list, positive shares.
    pub(crate) fn is_matrix(&self, companies: usize) -> bool {
        self.starts.len() == companies + 1
            && self.starts[0] == 0
            && self.starts.is_sorted()
            && self.starts[companies] as usize == self.ids.len()
            && self.ids.len() == self.shares.len()
            && self.shares.iter().all(|share| share.is_finite() && *share > 0.0)
            && self.starts.windows(2).all(|bounds| {
                let list = &self.ids[bounds[0] as usize..bounds[1] as usize];
                list.is_sorted_by(|a, b| a < b) && list.last().is_none_or(|&last| (last as usize) < companies)
            })
    }
}
