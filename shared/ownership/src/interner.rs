//! Names to ids, shard by shard, and ids to the order of names.

use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator,
    ParallelIterator,
};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

use crate::Error;
use crate::batch::{Batch, Place, SAME, SHARDS, hash, hasher, pack, packed_len, prefix, shard_of};
use crate::builder::Stake;
use crate::names::{Names, to_u32};

/// Names of the sorted list that one thread writes at a time.
const WRITTEN: usize = 1 << 14;

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
        let found: Vec<Vec<u32>> = self
            .shards
            .par_iter_mut()
            .enumerate()
            .map(|(number, shard)| shard.intern(number, batches, &hasher))
            .collect();
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
            let stakes = pairs.map(|(pair, &share)| {
                let owner = id(pair[0]);
                if pair[1] != SAME {
                    owned = id(pair[1]);
                }
                Stake { owned, owner, share }
            });
            stakes.collect()
        };
        let starts = starts.into_par_iter().take(batches.len());
        batches.par_iter().zip(starts).map(gather).collect()
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
    /// # Errors
    ///
    /// [`Error::NamesTooLong`].
    pub(crate) fn into_sorted(self) -> Result<(Names, Vec<AtomicU32>), Error> {
        let shards = &self.shards;
        let starts: Vec<Vec<u128>> = shards
            .par_iter()
            .enumerate()
            .map(|(number, shard)| shard.starts(number))
            .collect();
        let bounds = starts
            .par_iter()
            .flat_map_iter(|starts| starts.iter().copied())
            .map(|start| (start, start));
        let wider = |a: (u128, u128), b: (u128, u128)| (a.0.min(b.0), a.1.max(b.1));
        let (least, most) = bounds.reduce(|| (u128::MAX, 0), wider);
        // What all names begin with says nothing, so that 64 bits behind it tell most of them apart.
        let shift = (u128::BITS - most.saturating_sub(least).leading_zeros()).saturating_sub(u64::BITS);
        let ranked = |(shard, starts): (u32, &Vec<u128>)| -> Vec<Ranked> {
            let places = (0..).zip(starts);
            places
                .map(|(at, start)| Ranked {
                    start: low((start - least) >> shift),
                    shard,
                    at,
                })
                .collect()
        };
        let mut order: Vec<Ranked> = (0..to_u32(shards.len()))
            .into_par_iter()
            .zip(&starts)
            .flat_map_iter(ranked)
            .collect();
        order.par_sort_unstable_by(|a, b| {
            a.start
                .cmp(&b.start)
                .then_with(|| a.text(shards).as_ref().cmp(b.text(shards).as_ref()))
        });
        let rank: Vec<AtomicU32> = (0..self.len).into_par_iter().map(|_| AtomicU32::new(0)).collect();
        let write = |(part, names): (usize, &[Ranked])| {
            for (new, name) in (to_u32(part * WRITTEN)..).zip(names) {
                let id = shards[name.shard as usize].ids[name.at as usize];
                rank[id as usize].store(new, Ordering::Relaxed);
            }
            write(names, shards)
        };
        let parts: Vec<(Vec<u8>, Vec<u32>)> = order.par_chunks(WRITTEN).enumerate().map(write).collect();
        Ok((Names::join(&parts)?, rank))
    }
}

/// A name to be put in order.
struct Ranked {
    /// How it begins: a number whose order is that of names, where they differ.
    start: u64,
    shard: u32,
    at: u32,
}

impl Ranked {
    fn text<'a>(&self, shards: &'a [Shard]) -> NameBytes<'a> {
        let shard = &shards[self.shard as usize];
        if (self.shard as usize) < SHARDS {
            let word = shard.words[self.at as usize];
            NameBytes::Packed(word.to_be_bytes(), packed_len(word))
        } else {
            NameBytes::Long(shard.names.get(self.at).as_bytes())
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

    /// How names begin, see [`prefix`].
    fn starts(&self, number: usize) -> Vec<u128> {
        if number < SHARDS {
            self.words.clone()
        } else {
            (0..to_u32(self.words.len()))
                .map(|at| prefix(self.names.get(at)))
                .collect()
        }
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
