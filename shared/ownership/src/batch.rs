//! Stakes on their way to a network: names packed and sorted by hash.
//!
//! Interning a name is a search in a table of all names, and a table that
//! doesn't fit into a cache answers slowly. So names are dealt out by their hash
//! to [`SHARDS`], each with a small table of its own, and a shard takes in many
//! names at a time. A name of up to 16 bytes is a number, compared at once;
//! others are kept as text.
//!
//! A batch knows no other, so that several can be filled at the same time.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use hashbrown::DefaultHashBuilder;

use crate::apart::Mark;
use crate::labels::Descriptions;
use crate::packed::{ShortName, pack, packed_len};
use crate::{Kind, Share};

/// Into how many parts names are dealt: as many again for names of each kind,
/// packed ones first.
pub(crate) const SHARDS: usize = 64;

/// Batches must agree in which shard a name is.
static HASHER: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

/// In the place of a shard: the company is the one of the stake before.
pub(crate) const SAME: u8 = u8::MAX;

/// Stakes that [`NetworkBuilder::append`](crate::NetworkBuilder::append) takes in together.
///
/// 58 bytes a stake, and names longer than 16 bytes.
#[derive(Clone, Debug)]
pub struct Batch {
    /// By shard: packed names; of others hash and place, see [`Place`].
    pub(crate) names: Vec<Vec<u128>>,
    /// The shard of each name: of the first owner, the first owned, the second owner, ... An owned company can be [`SAME`].
    pub(crate) shards: Vec<u8>,
    /// The last owned company, if it is packed.
    owned: Option<u128>,
    pub(crate) shares: Vec<Share>,
    pub(crate) rows: Vec<u64>,
    /// Names that can't be packed, one after another.
    pub(crate) text: String,
    /// Of all names.
    pub(crate) bytes: u64,
    /// Stakes that have a range, or no share, by position.
    pub(crate) marks: Vec<(u32, Mark)>,
    pub(crate) descriptions: Descriptions,
    hasher: DefaultHashBuilder,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            names: vec![Vec::new(); 2 * SHARDS],
            shards: Vec::new(),
            owned: None,
            shares: Vec::new(),
            rows: Vec::new(),
            text: String::new(),
            bytes: 0,
            marks: Vec::new(),
            descriptions: Descriptions::default(),
            hasher: HASHER.clone(),
        }
    }
}

impl Batch {
    /// Adds the stake that `owner` holds in `owned`; `row` is where it was read.
    ///
    /// # Panics
    ///
    /// If the long names of one batch have 4 GiB together.
    pub fn push(&mut self, owner: &str, owned: &str, share: Share, row: u64) {
        self.push_name(owner);
        self.owned = None;
        self.push_name(owned);
        self.shares.push(share);
        self.rows.push(row);
    }

    /// Adds a stake that is known to be from `lower` to `upper`, which may be equal; bounds in the wrong order are exchanged.
    ///
    /// A bound that is itself excluded is [`Share::just_above`] or [`Share::just_below`] it. Which share stands for the
    /// range is a policy of the builder, [`Policies::ranges`](crate::Policies::ranges).
    ///
    /// # Panics
    ///
    /// As [`Batch::push`].
    pub fn push_range(&mut self, owner: &str, owned: &str, lower: Share, upper: Share, row: u64) {
        let (lower, upper) = if lower.units() <= upper.units() {
            (lower, upper)
        } else {
            (upper, lower)
        };
        let mark = (lower.units() < upper.units()).then_some(Mark::UpTo(upper));
        self.push_marked(owner, owned, lower, mark, row);
    }

    /// Adds that `owner` controls `owned` by what is no known share. It is no stake, and what is calculated from shares does
    /// not see it; [`Network::control_edges`](crate::Network::control_edges) has it.
    ///
    /// # Panics
    ///
    /// As [`Batch::push`].
    pub fn push_control(&mut self, owner: &str, owned: &str, row: u64) {
        self.push_marked(owner, owned, Share::default(), Some(Mark::Control), row);
    }

    pub(crate) fn push_marked(&mut self, owner: &str, owned: &str, share: Share, mark: Option<Mark>, row: u64) {
        let position = crate::names::to_u32(self.len());
        self.marks.extend(mark.map(|mark| (position, mark)));
        self.push(owner, owned, share, row);
    }

    /// Says what `id`, as owners and owned companies are named, is called and is. The name may be empty.
    ///
    /// Whoever is described need not have been added, and may be described again: a name counts for more than none, of
    /// several names the first by its bytes is kept, and someone described as both kinds has none. Of a name no more is
    /// kept than a label needs, 1024 bytes.
    pub fn describe(&mut self, id: &str, name: &str, kind: Kind) {
        const LONGEST: usize = 1024;
        self.descriptions
            .push(id, &name[..name.floor_char_boundary(LONGEST)], kind);
    }

    /// The same for short names, which costs less.
    #[inline]
    pub fn push_short(&mut self, owner: ShortName, owned: ShortName, share: Share, row: u64) {
        self.bytes += (packed_len(owner.0) + packed_len(owned.0)) as u64;
        self.push_packed(owner.0);
        // Many files list the holders of a company one after another.
        if self.owned == Some(owned.0) {
            self.shards.push(SAME);
        } else {
            self.push_packed(owned.0);
            self.owned = Some(owned.0);
        }
        self.shares.push(share);
        self.rows.push(row);
    }

    /// Stakes in it, those with ranges or without a share among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shares.len()
    }

    /// Whether there is no stake and no description in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shares.is_empty() && self.descriptions.is_empty()
    }

    /// Takes everything out, keeping the memory.
    pub fn clear(&mut self) {
        self.names.iter_mut().for_each(Vec::clear);
        self.shards.clear();
        self.owned = None;
        self.shares.clear();
        self.rows.clear();
        self.text.clear();
        self.bytes = 0;
        self.marks.clear();
        self.descriptions.clear();
    }

    /// Adds a number to every row: of a part of a file, whose first row is known only when the parts before it are read.
    pub fn shift_rows(&mut self, by: u64) {
        self.rows.iter_mut().for_each(|row| *row += by);
    }

    /// Hands out the stakes in the order in which they were added: owner, owned, share, row.
    ///
    /// The share of a range is its lower bound, that of control without a share 0.
    ///
    /// # Errors
    ///
    /// The first that `take` returns, which ends it.
    pub fn try_for_each<E>(&self, mut take: impl FnMut(&str, &str, Share, u64) -> Result<(), E>) -> Result<(), E> {
        let mut next = [0_usize; 2 * SHARDS];
        let mut name = |shard: u8| {
            let shard = usize::from(shard);
            let word = self.names[shard][next[shard]];
            next[shard] += 1;
            (shard, word)
        };
        let mut owned = (0, 0);
        for ((shards, &share), &row) in self.shards.chunks_exact(2).zip(&self.shares).zip(&self.rows) {
            let owner = name(shards[0]);
            if shards[1] != SAME {
                owned = name(shards[1]);
            }
            let (mut first, mut second) = ([0; 16], [0; 16]);
            take(self.text(owner, &mut first), self.text(owned, &mut second), share, row)?;
        }
        Ok(())
    }

    /// The same with the bounds of each share, which are equal where it is known; `None` is control without a share.
    ///
    /// # Errors
    ///
    /// The first that `take` returns, which ends it.
    pub fn try_for_each_range<E>(
        &self,
        mut take: impl FnMut(&str, &str, Option<(Share, Share)>, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut marks = self.marks.iter().peekable();
        let mut positions = 0..;
        self.try_for_each(|owner, owned, share, row| {
            let position = positions.next();
            let range = match marks.next_if(|(marked, _)| Some(*marked) == position) {
                None => Some((share, share)),
                Some((_, Mark::UpTo(upper))) => Some((share, *upper)),
                Some((_, Mark::Control)) => None,
            };
            take(owner, owned, range, row)
        })
    }

    #[inline]
    fn push_name(&mut self, name: &str) {
        self.bytes += name.len() as u64;
        if let Some(packed) = pack(name) {
            return self.push_packed(packed);
        }
        let hash = self.hasher.hash_one(name);
        let start = self.text.len();
        self.text.push_str(name);
        let place = Place {
            hash,
            start: crate::names::to_u32(start),
            end: crate::names::to_u32(self.text.len()),
        };
        self.push_word(SHARDS + shard_of(hash), place.pack());
    }

    #[inline]
    fn push_packed(&mut self, packed: u128) {
        self.push_word(shard_of(hash(&self.hasher, packed)), packed);
    }

    #[inline]
    fn push_word(&mut self, shard: usize, word: u128) {
        self.names[shard].push(word);
        #[expect(clippy::cast_possible_truncation, reason = "below twice SHARDS")]
        self.shards.push(shard as u8);
    }

    fn text<'a>(&'a self, (shard, word): (usize, u128), bytes: &'a mut [u8; 16]) -> &'a str {
        if shard < SHARDS {
            *bytes = word.to_be_bytes();
            std::str::from_utf8(&bytes[..packed_len(word)]).expect("it was packed from text")
        } else {
            self.long(Place::unpack(word))
        }
    }

    /// A name that is kept as text.
    pub(crate) fn long(&self, place: Place) -> &str {
        &self.text[place.start as usize..place.end as usize]
    }
}

/// Where a name is in the text of its batch, and its hash.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) hash: u64,
    start: u32,
    end: u32,
}

impl Place {
    fn pack(self) -> u128 {
        u128::from(self.hash) << 64 | u128::from(self.start) << 32 | u128::from(self.end)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the parts that were packed")]
    pub(crate) fn unpack(word: u128) -> Self {
        Self {
            hash: (word >> 64) as u64,
            start: (word >> 32) as u32,
            end: word as u32,
        }
    }
}

#[inline]
pub(crate) fn hash(hasher: &DefaultHashBuilder, packed: u128) -> u64 {
    hasher.hash_one(packed)
}

/// From the middle of a hash: tables use both ends.
#[inline]
pub(crate) fn shard_of(hash: u64) -> usize {
    (hash >> 32) as usize % SHARDS
}

/// The hasher that every batch uses.
pub(crate) fn hasher() -> DefaultHashBuilder {
    HASHER.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_hands_out_what_was_put_in() {
        let short = |name: &str| {
            let mut window = [b','; 16];
            window[..name.len()].copy_from_slice(name.as_bytes());
            ShortName::graphic(window, name.len()).unwrap()
        };
        let share = Share::parse("0.5", crate::Unit::Fraction).unwrap();
        let mut batch = Batch::default();
        for _ in 0..2 {
            batch.push_short(short("A"), short("Foo"), share, 1);
            batch.push_short(short("B"), short("Foo"), share, 2);
            batch.push("C, the third of that name", "Foo", share, 3);
            batch.push_short(short("B"), short("Foo"), share, 4);
            batch.push_short(short("0123456789abcdef"), short("Bar"), share, 5);
            let mut found = Vec::new();
            batch.shift_rows(10);
            let all = batch.try_for_each(|owner, owned, _, row| {
                found.push(format!("{row} {owner} {owned}"));
                Ok::<(), ()>(())
            });
            assert_eq!((all, batch.len()), (Ok(()), 5));
            let expected = [
                "11 A Foo",
                "12 B Foo",
                "13 C, the third of that name Foo",
                "14 B Foo",
                "15 0123456789abcdef Bar",
            ];
            assert_eq!(found, expected);
            batch.clear();
        }
    }
}
