//! From rows of stakes to a network, with a policy for each kind of dirt.

use crate::apart::{Mark, SetApart, unmarked_rows};
use crate::batch::Batch;
use crate::interner::Interner;
use crate::labels::{Descriptions, Labels};
use crate::policies::{Duplicates, Policies};
use crate::{Error, Network, Share, columns, repeated};

/// How much a builder accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Companies; at most and by default `2^31 - 1`.
    pub companies: u32,
    /// Stakes; by default `2^32 - 1`.
    pub stakes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            companies: u32::MAX / 2,
            stakes: u32::MAX,
        }
    }
}

/// Stakes that wait at least until their names are interned together: so many
/// that a shard's table stays in a cache for long.
const WAITING: usize = 1 << 18;

/// Stakes worth interning together.
const MANY: usize = 1 << 12;

/// Collects stakes and makes a [`Network`] of them.
///
/// It holds 24 bytes a stake (32 if duplicates are rejected), each name once, and for stakes whose names are yet
/// to be interned (a quarter of a million, or a quarter of the number of names) 58
/// bytes each.
#[derive(Debug, Default)]
pub struct NetworkBuilder {
    policies: Policies,
    limits: Limits,
    names: Interner,
    /// Stakes whose names are interned, by batches.
    stakes: Vec<Vec<Stake>>,
    /// Stakes whose names were interned at once.
    few: Vec<Stake>,
    /// The rows of `stakes` and of `few`, if duplicates are rejected: only their error tells.
    rows: Vec<Vec<u64>>,
    few_rows: Vec<u64>,
    /// How many stakes both are.
    interned: usize,
    /// Filled by [`NetworkBuilder::add`].
    single: Batch,
    waiting: Waiting,
    /// Batches to be filled again.
    spare: Vec<Batch>,
    /// Stakes that have a range, or no share.
    apart: SetApart,
    described: Vec<Descriptions>,
}

/// Stakes whose names are not interned.
#[derive(Debug, Default)]
struct Waiting {
    batches: Vec<Batch>,
    stakes: usize,
    bytes: u64,
}

/// A row, with interned names.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stake {
    pub(crate) owned: u32,
    pub(crate) owner: u32,
    pub(crate) share: Share,
}

impl NetworkBuilder {
    /// A builder without limits but those of 32-bit ids.
    #[must_use]
    pub fn new(policies: Policies) -> Self {
        Self {
            policies,
            ..Self::default()
        }
    }

    /// A builder that refuses to grow past `limits`.
    #[must_use]
    pub fn with_limits(policies: Policies, limits: Limits) -> Self {
        let companies = limits.companies.min(Limits::default().companies);
        Self {
            policies,
            limits: Limits { companies, ..limits },
            ..Self::default()
        }
    }

    /// Adds the stake that `owner` holds in `owned`, both by name.
    ///
    /// `row` is where it was read, for errors to tell.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyCompanies`], [`Error::TooManyStakes`],
    /// [`Error::NamesTooLong`]. Then the stake is not added, and others may be.
    pub fn add(&mut self, owner: &str, owned: &str, share: Share, row: u64) -> Result<(), Error> {
        self.add_marked(owner, owned, share, None, row)
    }

    fn add_marked(
        &mut self,
        owner: &str,
        owned: &str,
        share: Share,
        mark: Option<Mark>,
        row: u64,
    ) -> Result<(), Error> {
        let limit = self.limits.stakes;
        if self.stakes() >= limit as usize {
            return Err(Error::TooManyStakes { limit });
        }
        let bytes = (owner.len() + owned.len()) as u64;
        if !self.has_room(1, bytes) {
            return self.add_at_once(owner, owned, share, mark, row);
        }
        self.single.push_marked(owner, owned, share, mark, row);
        if self.single.len() >= WAITING {
            self.wait_single();
        }
        Ok(())
    }

    /// Adds all stakes of a batch, which is empty then; the same as adding one
    /// after another, but faster.
    ///
    /// # Errors
    ///
    /// Those of [`NetworkBuilder::add`] for the first stake that is one too many;
    /// those before it are added.
    pub fn append(&mut self, batch: &mut Batch) -> Result<(), Error> {
        if !batch.descriptions.is_empty() {
            self.described.push(std::mem::take(&mut batch.descriptions));
        }
        // A batch of descriptions alone must not wait: what waits is interned by the number of its stakes.
        if batch.is_empty() {
            return Ok(());
        }
        let room = self.limits.stakes as usize - self.stakes();
        if batch.len() > room || !self.has_room(batch.len(), batch.bytes) {
            let mut marks = batch.marks.iter().copied().peekable();
            let mut positions = 0..;
            let added = batch.try_for_each(|owner, owned, share, row| {
                let position = positions.next();
                let mark = marks.next_if(|&(marked, _)| Some(marked) == position);
                self.add_marked(owner, owned, share, mark.map(|(_, mark)| mark), row)
            });
            batch.clear();
            return added;
        }
        self.wait_single();
        let empty = self.spare.pop().unwrap_or_default();
        self.wait(std::mem::replace(batch, empty));
        Ok(())
    }

    /// Sorts out what was added, in O(stakes log stakes).
    ///
    /// In this order: zero shares are dropped (their companies stay),
    /// duplicates are resolved, self-holdings are noted (they stay in W), and
    /// columns are checked against one. Findings: `zero_share`,
    /// `duplicate_stake`, `self_holding`, `column_over_100`, `column_rounded`,
    /// `undisclosed_share`, `imputed_share` and `control_without_share`.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyInput`], and what the policies reject. Of several
    /// duplicates the one first repeated is named, of several columns the first
    /// by name.
    pub fn finish(mut self) -> Result<Network, Error> {
        self.wait_single();
        self.intern();
        // They would be held through what takes the most memory.
        self.spare = Vec::new();
        if self.interned == 0 {
            return Err(Error::EmptyInput);
        }
        let Self {
            policies,
            names,
            mut stakes,
            few,
            mut rows,
            few_rows,
            apart,
            described,
            ..
        } = self;
        stakes.push(few);
        rows.push(few_rows);
        let (names, rank) = names.into_sorted()?;
        let settled = apart.settle(&names, &rank, policies, &mut stakes, &mut rows);
        if policies.duplicates == Duplicates::Reject {
            repeated::reject(&names, &rank, &stakes, &rows)?;
        }
        let labels = Labels::of(&names, &described);
        let network = columns::network(names, &rank, stakes, policies)?;
        Ok(network.with_apart(settled, labels))
    }

    fn stakes(&self) -> usize {
        self.interned + self.waiting.stakes + self.single.len()
    }

    /// Whether more stakes, with so many bytes of names, are within the limits even if all their names are new.
    fn has_room(&mut self, stakes: usize, bytes: u64) -> bool {
        let has_room = |builder: &Self| {
            let waiting = builder.waiting.stakes + builder.single.len();
            let names = builder.names.len() + 2 * (waiting + stakes);
            let bytes = builder.names.bytes() + builder.waiting.bytes + builder.single.bytes + bytes;
            names <= builder.limits.companies as usize && bytes <= u64::from(u32::MAX)
        };
        if has_room(self) {
            return true;
        }
        // What waits may be names that are known. Not worth while for a few.
        let many = self.waiting.stakes + self.single.len() >= MANY;
        self.wait_single();
        self.intern();
        many && has_room(self)
    }

    /// Near the limits, when nothing waits.
    fn add_at_once(
        &mut self,
        owner: &str,
        owned: &str,
        share: Share,
        mark: Option<Mark>,
        row: u64,
    ) -> Result<(), Error> {
        let is_new = |name: &str| !self.names.contains(name);
        let new = [(owner, is_new(owner)), (owned, is_new(owned) && owned != owner)];
        let new = new
            .iter()
            .filter(|(_, is_new)| *is_new)
            .map(|(name, _)| name.len() as u64);
        if self.names.len() + new.clone().count() > self.limits.companies as usize {
            let limit = self.limits.companies;
            return Err(Error::TooManyCompanies { limit });
        }
        if self.names.bytes() + new.sum::<u64>() > u64::from(u32::MAX) {
            return Err(Error::NamesTooLong);
        }
        let mut batch = self.spare.pop().unwrap_or_default();
        batch.push_marked(owner, owned, share, mark, row);
        if mark.is_some() {
            let mut stakes = Vec::with_capacity(1);
            self.names.intern_few(&batch, &mut stakes);
            self.apart.take(&batch, &mut stakes);
        } else {
            self.names.intern_few(&batch, &mut self.few);
            if self.policies.duplicates == Duplicates::Reject {
                self.few_rows.push(row);
            }
        }
        self.interned += 1;
        batch.clear();
        self.spare.push(batch);
        Ok(())
    }

    fn wait_single(&mut self) {
        if !self.single.is_empty() {
            let empty = self.spare.pop().unwrap_or_default();
            let single = std::mem::replace(&mut self.single, empty);
            self.wait(single);
        }
    }

    fn wait(&mut self, batch: Batch) {
        self.waiting.stakes += batch.len();
        self.waiting.bytes += batch.bytes;
        self.waiting.batches.push(batch);
        if self.waiting.stakes >= WAITING.max(self.names.len() / 4) {
            self.intern();
        }
    }

    fn intern(&mut self) {
        if self.waiting.batches.is_empty() {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        let mut stakes = self.names.intern(&waiting.batches);
        for (batch, stakes) in waiting.batches.iter().zip(&mut stakes) {
            self.apart.take(batch, stakes);
        }
        self.stakes.extend(stakes);
        if self.policies.duplicates == Duplicates::Reject {
            self.rows.extend(waiting.batches.iter().map(unmarked_rows));
        }
        self.interned += waiting.stakes;
        self.spare.extend(waiting.batches.into_iter().map(|mut batch| {
            batch.clear();
            batch
        }));
    }
}
