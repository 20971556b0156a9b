//! Amounts between named parties: claims of creditors, flows between sectors.
//!
//! The same graph as an ownership network, but its weights are amounts in some
//! unit of money, which nothing bounds. A *claim* is an edge whose owner is the
//! creditor and whose owned end is the debtor; a *flow* is one from the sector
//! that delivers to the sector that takes.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::components::Components;
use crate::finding::Tally;
use crate::lists::Lists;
use crate::names::{Names, to_u32};
use crate::{ComponentsSummary, Duplicates, Error, Finding, Limits, Network};

/// Amounts between parties, by both ends.
///
/// Parties have the ids `0..len()` in the order of their names, so that nothing
/// depends on the order in which amounts were added. 40 bytes an amount and
/// about 30 a party besides its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amounts {
    /// With amounts where a network has shares. Never handed out as it is: its columns sum to anything.
    graph: Network,
}

impl Amounts {
    /// Parties: everyone at either end of an amount.
    #[must_use]
    pub fn len(&self) -> usize {
        self.graph.len()
    }

    /// Whether there is no party; never so for what a builder finished.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.graph.is_empty()
    }

    /// Amounts, after duplicates were put together and zeros dropped.
    #[must_use]
    pub fn count(&self) -> usize {
        self.graph.stakes()
    }

    /// The name of a party.
    ///
    /// # Panics
    ///
    /// If there is no such party.
    #[must_use]
    pub fn name(&self, party: u32) -> &str {
        self.graph.name(party)
    }

    /// The party of that name, in O(log parties).
    #[must_use]
    pub fn find(&self, name: &str) -> Option<u32> {
        self.graph.find(name)
    }

    /// What the party is owed or delivers: (debtor or taker, amount), in the order of names.
    ///
    /// # Panics
    ///
    /// If there is no such party.
    #[must_use]
    pub fn claims_of(&self, party: u32) -> impl ExactSizeIterator<Item = (u32, f64)> + Clone + '_ {
        self.graph.holdings(party)
    }

    /// What the party owes or takes: (creditor or deliverer, amount), in the order of names.
    ///
    /// # Panics
    ///
    /// If there is no such party.
    #[must_use]
    pub fn debts_of(&self, party: u32) -> impl ExactSizeIterator<Item = (u32, f64)> + Clone + '_ {
        self.graph.holders(party)
    }

    /// What was noticed while amounts were put together.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.graph.findings()
    }

    /// How many rings of parties there are, and how large the largest is; closed ones are not looked for.
    ///
    /// O(parties + amounts).
    #[must_use]
    pub fn components(&self) -> ComponentsSummary {
        ComponentsSummary::of(&self.graph)
    }

    /// Strongly connected components, creditors first.
    pub(crate) fn sorted(&self) -> Components {
        Components::of(&self.graph)
    }

    /// The graph itself, for counting its memory and for its names.
    pub(crate) fn graph(&self) -> &Network {
        &self.graph
    }
}

/// What an amount of a party to itself means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToItself {
    /// What a sector takes of its own output counts.
    Keep,
    /// Nobody owes itself: it is dropped and counted.
    Drop,
}

/// Collects amounts and makes [`Amounts`] of them.
///
/// 32 bytes an amount and about 100 a party.
///
/// # Example
///
/// ```
/// use ownership::*;
///
/// let mut builder = AmountsBuilder::new(Duplicates::Sum, ToItself::Drop, Limits::default());
/// builder.add("Bank A", "Bank B", 50.0, 1)?;
/// builder.add("Bank A", "Bank B", 25.0, 2)?;
/// let claims = builder.finish()?;
/// let a = claims.find("Bank A").unwrap();
/// assert_eq!(claims.claims_of(a).map(|(_, amount)| amount).sum::<f64>(), 75.0);
/// assert_eq!(claims.findings()[0].code, "duplicate_amount");
/// # Ok::<(), ownership::Error>(())
/// ```
#[derive(Debug)]
pub struct AmountsBuilder {
    duplicates: Duplicates,
    to_itself: ToItself,
    limits: Limits,
    ids: HashMap<Box<str>, u32>,
    bytes: usize,
    edges: Vec<Edge>,
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    owned: u32,
    owner: u32,
    amount: f64,
    row: u64,
}

impl AmountsBuilder {
    /// A builder that refuses to grow past `limits`.
    #[must_use]
    pub fn new(duplicates: Duplicates, to_itself: ToItself, limits: Limits) -> Self {
        let companies = limits.companies.min(Limits::default().companies);
        Self {
            duplicates,
            to_itself,
            limits: Limits { companies, ..limits },
            ids: HashMap::new(),
            bytes: 0,
            edges: Vec::new(),
        }
    }

    /// Adds an amount of `owner`, the creditor or who delivers, to `owned`, the debtor or who takes. `row` is where it
    /// was read, for errors to tell.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyCompanies`], [`Error::TooManyStakes`], [`Error::NamesTooLong`].
    ///
    /// # Panics
    ///
    /// If the amount is negative or no finite number.
    pub fn add(&mut self, owner: &str, owned: &str, amount: f64, row: u64) -> Result<(), Error> {
        assert!(
            amount.is_finite() && amount >= 0.0,
            "an amount is a finite number from 0"
        );
        let limit = self.limits.stakes;
        if self.edges.len() >= limit as usize {
            return Err(Error::TooManyStakes { limit });
        }
        let edge = Edge {
            owner: self.intern(owner)?,
            owned: self.intern(owned)?,
            amount,
            row,
        };
        self.edges.push(edge);
        Ok(())
    }

    fn intern(&mut self, name: &str) -> Result<u32, Error> {
        if let Some(&id) = self.ids.get(name) {
            return Ok(id);
        }
        let limit = self.limits.companies;
        if self.ids.len() >= limit as usize {
            return Err(Error::TooManyCompanies { limit });
        }
        self.bytes += name.len();
        if u32::try_from(self.bytes).is_err() {
            return Err(Error::NamesTooLong);
        }
        let id = to_u32(self.ids.len());
        self.ids.insert(name.into(), id);
        Ok(id)
    }

    /// Sorts out what was added, in O(amounts log amounts).
    ///
    /// Zeros are dropped (their parties stay), amounts to oneself if they have no meaning, and duplicates are resolved.
    /// Findings: `zero_amount`, `amount_to_itself`, `duplicate_amount`.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyInput`], [`Error::DuplicateAmount`] if duplicates are rejected, naming the one first repeated,
    /// [`Error::AmountsTooLarge`] if all of them together are more than a number can be.
    pub fn finish(self) -> Result<Amounts, Error> {
        if self.edges.is_empty() {
            return Err(Error::EmptyInput);
        }
        let mut names: Vec<(Box<str>, u32)> = self.ids.into_iter().collect();
        names.sort_unstable();
        let mut rank = vec![0; names.len()];
        let mut sorted = Names::default();
        for (place, (name, id)) in (0..).zip(&names) {
            rank[*id as usize] = place;
            sorted.push(name);
        }
        drop(names);
        let mut edges = self.edges;
        for edge in &mut edges {
            edge.owner = rank[edge.owner as usize];
            edge.owned = rank[edge.owned as usize];
        }
        edges.sort_unstable_by(|a, b| {
            let key = |edge: &Edge| (edge.owned, edge.owner);
            let by_amount = a.amount.total_cmp(&b.amount);
            key(a).cmp(&key(b)).then(by_amount).then(a.row.cmp(&b.row))
        });
        if self.duplicates == Duplicates::Reject {
            reject(&sorted, &edges)?;
        }
        columns(sorted, &edges, self.duplicates, self.to_itself)
    }
}

/// Fails on the first row that repeats one before it.
fn reject(names: &Names, edges: &[Edge]) -> Result<(), Error> {
    let repeated = edges
        .chunk_by(|a, b| (a.owned, a.owner) == (b.owned, b.owner))
        .filter_map(|same| {
            let mut rows: Vec<u64> = same.iter().map(|edge| edge.row).collect();
            rows.sort_unstable();
            rows.get(1).map(|&row| (row, same[0]))
        })
        .min_by_key(|&(row, _)| row);
    match repeated {
        None => Ok(()),
        Some((row, edge)) => Err(Error::DuplicateAmount {
            row,
            owner: names.get(edge.owner).to_owned(),
            owned: names.get(edge.owned).to_owned(),
        }),
    }
}

fn columns(names: Names, edges: &[Edge], duplicates: Duplicates, to_itself: ToItself) -> Result<Amounts, Error> {
    let parties = names.len();
    let (mut zeros, mut selves, mut repeated) = (Tally::default(), Tally::default(), Tally::default());
    let mut lists = Lists {
        starts: vec![0; parties + 1],
        ..Lists::default()
    };
    let mut total = 0.0;
    for same in edges.chunk_by(|a, b| (a.owned, a.owner) == (b.owned, b.owner)) {
        let (owner, owned) = (names.get(same[0].owner), names.get(same[0].owned));
        let largest = same.last().map_or(0.0, |edge| edge.amount);
        // The order of a sum of amounts is theirs, not that of rows.
        let amount = match duplicates {
            Duplicates::Sum => same.iter().map(|edge| edge.amount).sum(),
            Duplicates::Max | Duplicates::Reject => largest,
        };
        if amount <= 0.0 {
            zeros.note(same.len() as u64, || format!("{owner} and {owned}"));
            continue;
        }
        if same[0].owner == same[0].owned && to_itself == ToItself::Drop {
            selves.note(same.len() as u64, || format!("{owner}: {amount}"));
            continue;
        }
        if same.len() > 1 {
            let amounts: Vec<String> = same.iter().map(|edge| edge.amount.to_string()).collect();
            repeated.note(same.len() as u64 - 1, || {
                format!("{owner} and {owned}: {}, taken as {amount}", amounts.join(" and "))
            });
        }
        total += amount;
        lists.ids.push(same[0].owner);
        lists.shares.push(amount);
        lists.starts[same[0].owned as usize + 1] += 1;
    }
    if !total.is_finite() {
        return Err(Error::AmountsTooLarge);
    }
    for party in 0..parties {
        lists.starts[party + 1] += lists.starts[party];
    }
    let findings = [
        zeros.into_finding("zero_amount", "the amount was dropped, its parties were kept"),
        selves.into_finding("amount_to_itself", "left out: nobody owes itself"),
        repeated.into_finding(
            "duplicate_amount",
            match duplicates {
                Duplicates::Sum => "the amounts were added up",
                Duplicates::Max | Duplicates::Reject => "the largest amount was taken",
            },
        ),
    ];
    let findings = findings.into_iter().flatten().collect();
    let graph = Network::new(names, lists, vec![0.0; parties], Vec::new(), findings);
    Ok(Amounts { graph })
}
