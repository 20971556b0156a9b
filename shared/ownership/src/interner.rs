//! Names to ids, shard by shard, and ids to the order of names.

use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::batch::{Batch, Place, SAME, SHARDS, hash, hasher, shard_of};
use crate::builder::Stake;
use crate::names::{Names, to_u32};
use crate::packed::{pack, packed_len, prefix};
use crate::{Error, parallel};

/// Names that are sorted together, about: 128 KiB of [`Ranked`].
const SORTED: usize = 1 << 12;

/// Ranges of names, at most, since each shard deals to all of them.
const MOST_RANGES: usize = 256;

/// Names in the sample for each range.
const SAMPLE: usize = 32;

/// Gives every distinct name an id: which one, [`Interner::into_sorted`] settles.
#[derive(Debug)]
pub(crate) struct Interner {
    /// As [`Batch`] has them.
    shards: Vec<Shard>,
    len: usize,
    bytes: u64,
}

/// The names of one shard, numbered as they came.
#[derive(Debug, Default)]
struct Shard {
    table: HashTable<u32>,
    /// Packed names, or hashes of names that are kept as text.
    words: Vec<u128>,
    /// Names that are kept as text.
    names: Names,
    /// The ids of names, but of new ones.
    ids: Vec<u32>,
    /// Bytes of new names.
    bytes: u64,
}

impl Default for Interner {
    fn default() -> Self {
        let shards = (0..2 * SHARDS).map(|_| Shard::default()).collect();
        Self {
            shards,
            len: 0,
            bytes: 0,
        }
    }
}

impl Interner {
    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of all names together.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it has the name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        let hasher = hasher();
        if let Some(packed) = pack(name) {
            let hash = hash(&hasher, packed);
            let shard = &self.shards[shard_of(hash)];
            return shard
                .table
                .find(hash, |&at| shard.words[at as usize] == packed)
                .is_some();
        }
        let hash = std::hash::BuildHasher::hash_one(&hasher, name);
        let shard = &self.shards[SHARDS + shard_of(hash)];
        shard.table.find(hash, |&at| shard.names.get(at) == name).is_some()
    }

    /// The stakes of every batch with ids for names.
    ///
    /// Linear in the stakes; shards and then batches in parallel.
    pub(crate) fn intern(&mut self, batches: &[Batch]) -> Vec<Vec<Stake>> {
        let hasher = hasher();
        let stakes = batches.iter().map(Batch::len).sum();
        let shards: Vec<(usize, &mut Shard)> = self.shards.iter_mut().enumerate().collect();
        let found = parallel::map(shards, stakes, |(number, shard)| shard.intern(number, batches, &hasher));
        for shard in &mut self.shards {
            shard.number(&mut self.len, &mut self.bytes);
        }
        let mut starts = vec![[0_usize; 2 * SHARDS]];
        for batch in batches {
            let mut next = *starts.last().expect("it begins with one");
            next.iter_mut()
                .zip(&batch.names)
                .for_each(|(at, names)| *at += names.len());
            starts.push(next);
        }
        let gather = |(batch, mut next): (&Batch, [usize; 2 * SHARDS])| {
            let mut id = |shard: u8| {
                let shard = usize::from(shard);
                let at = found[shard][next[shard]];
                next[shard] += 1;
                self.shards[shard].ids[at as usize]
            };
            let mut owned = 0;
            let pairs = batch.shards.chunks_exact(2).zip(&batch.shares);
            let interned = pairs.map(|(pair, &share)| {
                let owner = id(pair[0]);
                if pair[1] != SAME {
                    owned = id(pair[1]);
                }
                Stake { owned, owner, share }
            });
            interned.collect()
        };
        let begun: Vec<_> = batches.iter().zip(starts).collect();
        parallel::map(begun, stakes, gather)
    }

    /// The same for a batch of one stake, without the cost of doing so for many.
    pub(crate) fn intern_few(&mut self, batch: &Batch, stakes: &mut Vec<Stake>) {
        let hasher = hasher();
        let mut ids = [0; 2];
        let mut next = [0; 2 * SHARDS];
        for (id, &shard) in ids.iter_mut().zip(&batch.shards) {
            let (number, shard) = (usize::from(shard), &mut self.shards[usize::from(shard)]);
            let at = shard.intern(number, std::slice::from_ref(batch), &hasher);
            shard.number(&mut self.len, &mut self.bytes);
            *id = shard.ids[at[next[number]] as usize];
            next[number] += 1;
        }
        stakes.push(Stake {
            owner: ids[0],
            owned: ids[1],
            share: batch.shares[0],
        });
    }

    /// The names in order, and the place of each id in it.
    ///
    /// Names are dealt out to ranges, as a sample of them divides these, so that
    /// what is sorted and written fits into a cache; ranges in parallel. In
    /// O(names log names).
    ///
    /// # Errors
    ///
    /// [`Error::NamesTooLong`].
    pub(crate) fn into_sorted(self) -> Result<(Names, Vec<AtomicU32>), Error> {
        let shards = &self.shards;
        let bounds = Bounds::new(self.bounds());
        let deal = |number: usize| shards[number].deal(number, &bounds);
        let dealt = parallel::map(0..shards.len(), self.len, deal);
        let mut starts = vec![0];
        for range in 0..bounds.ranges() {
            let names: usize = dealt.iter().map(|ranges| ranges[range].len()).sum();
            starts.push(starts[range] + names);
        }
        let rank = parallel::map(0..self.len, self.len, |_| AtomicU32::new(0));
        let write = |range: usize| {
            let mut names = Vec::with_capacity(starts[range + 1] - starts[range]);
            dealt.iter().for_each(|ranges| names.extend_from_slice(&ranges[range]));
            names.par_sort_unstable_by(|a, b| {
                a.start
                    .cmp(&b.start)
                    .then_with(|| a.text(shards).as_ref().cmp(b.text(shards).as_ref()))
            });
            for (new, name) in (to_u32(starts[range])..).zip(&names) {
                rank[name.id as usize].store(new, Ordering::Relaxed);
            }
            write(&names, shards)
        };
        let parts = parallel::map(0..bounds.ranges(), self.len, write);
        Ok((Names::join(&parts)?, rank))
    }

    /// Where ranges of about [`SORTED`] names begin, but the first.
    fn bounds(&self) -> Vec<u128> {
        let ranges = (self.len / SORTED).min(MOST_RANGES);
        let step = self.len / (ranges * SAMPLE).max(1);
        let starts = |(number, shard): (usize, &Shard)| -> Vec<u128> {
            let names = (0..shard.words.len()).step_by(step.max(1));
            names.map(|at| shard.start(number, at)).collect()
        };
        if ranges < 2 {
            return Vec::new();
        }
        let mut sample: Vec<u128> = self.shards.par_iter().enumerate().flat_map_iter(starts).collect();
        sample.par_sort_unstable();
        let mut bounds: Vec<u128> = (1..ranges).map(|range| sample[range * sample.len() / ranges]).collect();
        bounds.dedup();
        bounds
    }
}

/// Where ranges of names begin, all but the first; and a way to find the range of a name without many guesses.
///
/// Names often begin alike, so where bounds first differ the next 16 bits are read as a number, and a table says which bounds
/// share that number: only these are searched.
struct Bounds {
    bounds: Vec<u128>,
    /// How many bits all bounds begin with.
    common: u32,
    /// Bounds whose number is k are `places[k]..places[k + 1]`; empty where there is nothing to search.
    places: Vec<u16>,
}

impl Bounds {
    /// `bounds` ascend.
    fn new(bounds: Vec<u128>) -> Self {
        let common = match (bounds.first(), bounds.last()) {
            (Some(first), Some(last)) if first < last => (first ^ last).leading_zeros(),
            _ => 0,
        };
        if bounds.len() < 2 {
            let places = Vec::new();
            return Self { bounds, common, places };
        }
        let mut places = vec![0; (1 << 16) + 1];
        for &bound in &bounds {
            places[number_at(bound, common) + 1] += 1;
        }
        for number in 1..places.len() {
            places[number] += places[number - 1];
        }
        Self { bounds, common, places }
    }

    fn ranges(&self) -> usize {
        self.bounds.len() + 1
    }

    #[inline]
    fn range(&self, start: u128) -> usize {
        match (self.bounds.first(), self.bounds.last()) {
            (Some(&first), Some(&last)) if start >= first => {
                if start >= last {
                    return self.bounds.len();
                }
                let number = number_at(start, self.common);
                let (begin, end) = (self.places[number].into(), self.places[number + 1].into());
                begin + self.bounds[begin..end].partition_point(|&bound| bound <= start)
            }
            _ => 0,
        }
    }
}

/// The 16 bits behind the first `common` ones.
#[inline]
fn number_at(start: u128, common: u32) -> usize {
    ((start << common) >> 112) as usize
}

/// A name to be put in order.
#[derive(Clone, Copy)]
struct Ranked {
    /// How it begins, see [`prefix`]; all of a packed name.
    start: u128,
    id: u32,
    shard: u32,
    at: u32,
}

impl Ranked {
    fn text<'a>(&self, shards: &'a [Shard]) -> NameBytes<'a> {
        let shard = self.shard as usize;
        if shard < SHARDS {
            NameBytes::Packed(self.start.to_be_bytes(), packed_len(self.start))
        } else {
            NameBytes::Long(shards[shard].names.get(self.at).as_bytes())
        }
    }
}

enum NameBytes<'a> {
    Packed([u8; 16], usize),
    Long(&'a [u8]),
}

impl AsRef<[u8]> for NameBytes<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Packed(bytes, length) => &bytes[..*length],
            Self::Long(bytes) => bytes,
        }
    }
}

/// Text and lengths of names.
fn write(names: &[Ranked], shards: &[Shard]) -> (Vec<u8>, Vec<u32>) {
    let mut text = Vec::with_capacity(16 * names.len());
    let lengths = names.iter().map(|name| {
        let name = name.text(shards);
        text.extend_from_slice(name.as_ref());
        to_u32(name.as_ref().len())
    });
    let lengths = lengths.collect();
    (text, lengths)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
fn low(word: u128) -> u64 {
    word as u64
}

impl Shard {
    /// Gives ids to new names, from `next` on, and adds up their bytes.
    fn number(&mut self, next: &mut usize, bytes: &mut u64) {
        let new = self.words.len() - self.ids.len();
        self.ids.extend(to_u32(*next)..to_u32(*next + new));
        *next += new;
        *bytes += std::mem::take(&mut self.bytes);
    }

    /// How a name begins, see [`prefix`].
    #[inline]
    fn start(&self, number: usize, at: usize) -> u128 {
        if number < SHARDS {
            self.words[at]
        } else {
            prefix(self.names.get(to_u32(at)))
        }
    }

    /// Its names by ranges.
    fn deal(&self, number: usize, bounds: &Bounds) -> Vec<Vec<Ranked>> {
        let usual = self.words.len() / bounds.ranges();
        let mut ranges: Vec<Vec<Ranked>> = (0..bounds.ranges())
            .map(|_| Vec::with_capacity(usual + usual / 4))
            .collect();
        for (at, &id) in self.ids.iter().enumerate() {
            let start = self.start(number, at);
            ranges[bounds.range(start)].push(Ranked {
                start,
                id,
                shard: to_u32(number),
                at: to_u32(at),
            });
        }
        ranges
    }

    /// The number within the shard of each of its names in `batches`.
    fn intern(&mut self, number: usize, batches: &[Batch], hasher: &DefaultHashBuilder) -> Vec<u32> {
        let mut found = Vec::with_capacity(batches.iter().map(|batch| batch.names[number].len()).sum());
        for batch in batches {
            let words = batch.names[number].iter();
            if number < SHARDS {
                found.extend(words.map(|&word| self.packed(word, hasher)));
            } else {
                found.extend(words.map(|&word| self.long(batch, Place::unpack(word))));
            }
        }
        found
    }

    #[inline]
    fn packed(&mut self, word: u128, hasher: &DefaultHashBuilder) -> u32 {
        let words = &self.words;
        let entry = self.table.entry(
            hash(hasher, word),
            |&at| words[at as usize] == word,
            |&at| hash(hasher, words[at as usize]),
        );
        match entry {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(place) => {
                let at = to_u32(self.words.len());
                place.insert(at);
                self.words.push(word);
                self.bytes += packed_len(word) as u64;
                at
            }
        }
    }

    fn long(&mut self, batch: &Batch, place: Place) -> u32 {
        let name = batch.long(place);
        let (words, names) = (&self.words, &self.names);
        let entry = self.table.entry(
            place.hash,
            |&at| low(words[at as usize]) == place.hash && names.get(at) == name,
            |&at| low(words[at as usize]),
        );
        match entry {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(vacant) => {
                let at = to_u32(self.words.len());
                vacant.insert(at);
                self.words.push(place.hash.into());
                self.names.push(name);
                self.bytes += name.len() as u64;
                at
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However alike bounds begin, and whatever lies outside of them.
    #[test]
    fn a_name_is_in_the_range_that_its_bounds_say() {
        let texts = |texts: &[&str]| texts.iter().map(|text| prefix(text)).collect::<Vec<_>>();
        for bounds in [
            vec![],
            texts(&["M"]),
            texts(&["GB-1", "GB-2", "GB-2001", "GB-21"]),
            texts(&["A", "GB-0000000001", "GB-0000000002", "Z"]),
            vec![0, 1, 2, u128::MAX - 1, u128::MAX],
        ] {
            let near = bounds
                .iter()
                .flat_map(|&bound| [bound.saturating_sub(1), bound, bound.saturating_add(1)]);
            let names = near
                .chain(texts(&["", "GB", "GB-2", "GB-20", "GB-2001x", "~"]))
                .collect::<Vec<_>>();
            let found = Bounds::new(bounds.clone());
            for name in names {
                let expected = bounds.iter().filter(|&&bound| bound <= name).count();
                assert_eq!(found.range(name), expected, "{name:x} of {bounds:x?}");
            }
        }
    }
}
