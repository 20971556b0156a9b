//! The chains of stakes above a company, found by walking up the stored rows.
//!
//! The rows of a company name its direct holders with their stakes, so a chain is found by looking up the holder, then
//! its holders, and so on. The search is best first: of all beginnings of chains the one with the largest product goes
//! on, so while no stake is over 100% chains are found in descending order, and what the bounds leave out is smaller
//! than what they show. The last look-ups are kept to finish chains that were begun, the longest first: a company with
//! hundreds of holders of one kind would show none otherwise. Cost: at most [`MAX_COMPANIES`] companies are looked up, [`TOGETHER`] at a time, each by one or
//! two queries where its rows fit into one block.

mod told;

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use super::table::{Table, number, span, text};
use crate::Problem;
use formats::Block;
use futures::future::try_join_all;
pub(super) use told::Above;
use told::Cut;

/// The most chains that are told.
const MAX_CHAINS: usize = 25;
/// The most stakes in a chain.
const MAX_HOPS: usize = 16;
/// The most companies whose holders are looked up.
const MAX_COMPANIES: usize = 32;
/// How many of them are kept to finish chains.
const TO_FINISH: usize = 10;
/// How many are looked up at once.
const TOGETHER: usize = 8;
/// The most beginnings of chains that wait to be continued.
const MAX_WAITING: usize = 50_000;
/// Of the rows of a company above, the last blocks are looked at, each of thousands of rows.
const MAX_BLOCKS: usize = 8;

/// Who holds a company directly, and how much of it the owner asked for holds in all.
#[derive(Debug, Default)]
struct Holders {
    /// Ids with stakes, the largest first.
    direct: Vec<(u32, f64)>,
    /// The direct ones are not all there are.
    cut: bool,
    reached: bool,
}

/// The beginning of a chain, seen from its end: the company first.
#[derive(Debug, PartialEq)]
struct Beginning {
    /// How urgent it is to finish it: 0 while the best go on, its length once look-ups become few.
    urgency: usize,
    share: f64,
    path: Vec<u32>,
}

impl Eq for Beginning {}

impl PartialOrd for Beginning {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Beginning {
    /// The more urgent, then the larger share, then the longer path, then the one met first.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_urgency = self.urgency.cmp(&other.urgency);
        let by_share = by_urgency.then_with(|| self.share.total_cmp(&other.share));
        by_share.then_with(|| (self.path.len(), &other.path).cmp(&(other.path.len(), &self.path)))
    }
}

/// Positions of the columns that a walk needs.
#[derive(Debug, Clone, Copy)]
struct Columns {
    owner: usize,
    direct: usize,
    integrated: usize,
}

impl Columns {
    fn of(table: &Table<'_>) -> Option<Self> {
        Some(Self {
            owner: table.column("owner")?,
            direct: table.column("direct")?,
            integrated: table.column("integrated")?,
        })
    }
}

/// Walks up from `company`, whose blocks are `blocks`. With `wanted` only chains that begin there.
///
/// # Errors
///
/// A problem if the table does not answer.
pub(super) async fn above(
    table: &Table<'_>,
    company: &str,
    blocks: &[Block],
    wanted: Option<&str>,
) -> Result<Option<Above>, Problem> {
    let Some(columns) = Columns::of(table) else {
        return Ok(None);
    };
    let mut walk = Walk::new(table, columns, company, wanted);
    let own = walk.holders(company, blocks, false);
    walk.known.insert(0, own);
    walk.search().await?;
    Ok(Some(walk.told(company, blocks)))
}

struct Walk<'t> {
    table: &'t Table<'t>,
    columns: Columns,
    names: Vec<String>,
    ids: HashMap<String, u32>,
    wanted: Option<u32>,
    known: HashMap<u32, Holders>,
    /// In the order in which they were looked up.
    looked_up: Vec<u32>,
    waiting: BinaryHeap<Beginning>,
    chains: Vec<Beginning>,
    cut: Cut,
}

impl<'t> Walk<'t> {
    fn new(table: &'t Table<'t>, columns: Columns, company: &str, wanted: Option<&str>) -> Self {
        let mut walk = Self {
            table,
            columns,
            names: Vec::new(),
            ids: HashMap::new(),
            wanted: None,
            known: HashMap::new(),
            looked_up: vec![0],
            waiting: BinaryHeap::new(),
            chains: Vec::new(),
            cut: Cut::default(),
        };
        let first = walk.id(company);
        walk.wanted = wanted.map(|name| walk.id(name));
        walk.waiting.push(Beginning {
            urgency: 0,
            share: 1.0,
            path: vec![first],
        });
        walk
    }

    fn id(&mut self, name: &str) -> u32 {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }

    async fn search(&mut self) -> Result<(), Problem> {
        while let Some(beginning) = self.waiting.pop() {
            let head = *beginning.path.last().unwrap_or(&0);
            let is_company = beginning.path.len() == 1;
            if !is_company && self.wanted == Some(head) {
                if self.tell(beginning) {
                    continue;
                }
                break;
            }
            if !self.known.contains_key(&head) && !self.look_up(head).await? {
                self.cut.companies = true;
                continue;
            }
            let holders = &self.known[&head];
            self.cut.companies |= holders.cut;
            if holders.direct.is_empty() {
                if self.wanted.is_none() && !is_company && !self.tell(beginning) {
                    break;
                }
                continue;
            }
            if self.wanted.is_some() && !holders.reached {
                continue;
            }
            if beginning.path.len() > MAX_HOPS {
                self.cut.hops = true;
                continue;
            }
            self.go_on(&beginning, head);
        }
        Ok(())
    }

    /// Keeps a whole chain; false if there are as many as are told.
    fn tell(&mut self, chain: Beginning) -> bool {
        if self.chains.len() == MAX_CHAINS {
            self.cut.chains = true;
            return false;
        }
        self.chains.push(chain);
        true
    }

    fn go_on(&mut self, beginning: &Beginning, head: u32) {
        for &(holder, stake) in &self.known[&head].direct {
            // A walk that comes back goes round in a ring: it is part of the rest.
            if beginning.path.contains(&holder) {
                continue;
            }
            if self.waiting.len() == MAX_WAITING {
                self.cut.chains = true;
                return;
            }
            let mut path = Vec::with_capacity(beginning.path.len() + 1);
            path.extend_from_slice(&beginning.path);
            path.push(holder);
            self.waiting.push(Beginning {
                urgency: if self.is_scarce() { path.len() } else { 0 },
                share: beginning.share * stake,
                path,
            });
        }
    }

    fn is_scarce(&self) -> bool {
        self.looked_up.len() + TO_FINISH >= MAX_COMPANIES
    }

    /// Looks up the holders of `head`, and with it of those that will be asked for next; false if that is too many.
    async fn look_up(&mut self, head: u32) -> Result<bool, Problem> {
        let room = MAX_COMPANIES.saturating_sub(self.looked_up.len());
        if room == 0 {
            return Ok(false);
        }
        let together = if self.is_scarce() { 1 } else { TOGETHER.min(room) };
        let mut next = vec![head];
        let mut others: Vec<&Beginning> = self.waiting.iter().collect();
        others.sort_unstable_by(|a, b| b.cmp(a));
        for other in others.into_iter().take(4 * TOGETHER) {
            let id = *other.path.last().unwrap_or(&0);
            let is_new = !self.known.contains_key(&id) && !next.contains(&id) && self.wanted != Some(id);
            if is_new && next.len() < together {
                next.push(id);
            }
        }
        let names: Vec<String> = next.iter().map(|&id| self.names[id as usize].clone()).collect();
        let table = self.table;
        let found = try_join_all(names.iter().map(|name| table.blocks_of(name, MAX_BLOCKS))).await?;
        for ((id, name), blocks) in next.into_iter().zip(&names).zip(&found) {
            let holders = self.holders(name, blocks, blocks.len() == MAX_BLOCKS);
            self.known.insert(id, holders);
            self.looked_up.push(id);
        }
        if self.is_scarce() {
            let waiting = std::mem::take(&mut self.waiting).into_iter();
            let urgent = |one: Beginning| Beginning {
                urgency: one.path.len(),
                ..one
            };
            self.waiting = waiting.map(urgent).collect();
        }
        Ok(true)
    }

    fn holders(&mut self, company: &str, blocks: &[Block], cut: bool) -> Holders {
        let mut holders = Holders {
            cut,
            ..Holders::default()
        };
        for block in blocks {
            let owners = &block.columns[self.columns.owner];
            for row in span(block, company) {
                let Some(owner) = text(owners, row) else { continue };
                let direct = number(&block.columns[self.columns.direct], row).unwrap_or(0.0);
                holders.reached |= self.wanted.is_some_and(|id| self.names[id as usize] == owner);
                if direct > 0.0 && owner != company {
                    let id = self.id(owner);
                    holders.direct.push((id, direct));
                }
            }
        }
        holders.direct.sort_by(|a, b| b.1.total_cmp(&a.1));
        holders
    }
}
