//! What a walk up the stakes tells: chains, what they leave out, and the stakes that it met.

use std::collections::HashMap;

use formats::Block;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::table::{number, span, text};
use super::Walk;

/// The most holders of one company that are listed as stakes.
const MAX_HOLDERS: usize = 40;

/// A chain of stakes.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::companies) struct Chain {
    /// From the owner down to the company.
    #[schema(example = json!(["alice", "H", "B"]))]
    path: Vec<String>,
    /// The product of its stakes.
    #[schema(example = 0.42)]
    share: f64,
}

/// How much of an owner's integrated share its chains explain.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::companies) struct Rest {
    /// The first of a chain.
    owner: String,
    /// The integrated share; null if the result has none.
    integrated: Option<f64>,
    /// The sum of its chains above.
    in_chains: f64,
    /// Integrated less in chains.
    rest: Option<f64>,
    /// What the rest comes through: `nothing`; `cycles`, which go round in a ring of cross-holdings (stakes below the
    /// job's floor count here too); or `further_chains_and_cycles`, where the search did not end by itself.
    through: &'static str,
}

/// A direct stake that the search met.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::companies) struct Stake {
    owner: String,
    owned: String,
    share: f64,
}

/// Holders of a company that are not among the stakes.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::companies) struct Unlisted {
    owned: String,
    /// How many.
    holders: usize,
    /// The sum of their stakes.
    share: f64,
}

/// What the bounds of the search left out.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
pub(in crate::companies) struct Cut {
    /// Whether there are more chains than the 25 that are told.
    pub(super) chains: bool,
    /// Whether companies were left whose holders were not looked up, beyond 32.
    pub(super) companies: bool,
    /// Whether chains were left that have more than 16 stakes.
    pub(super) hops: bool,
}

/// The chains above a company.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::companies) struct Above {
    /// The largest first; each begins at an owner whom nobody is recorded to hold, or at the owner asked for.
    pub(in crate::companies) chains: Vec<Chain>,
    /// For each owner at which a chain begins.
    pub(in crate::companies) rest: Vec<Rest>,
    /// The direct stakes that the search met, at most 40 of a company, its largest ones: enough to draw.
    pub(in crate::companies) stakes: Vec<Stake>,
    /// Of whom there are more.
    pub(in crate::companies) unlisted: Vec<Unlisted>,
    /// Owners among the stakes whose own holders were not looked up.
    pub(in crate::companies) not_followed: Vec<String>,
    /// Whether there are no other chains.
    pub(in crate::companies) complete: bool,
    /// Why not.
    pub(in crate::companies) cut: Cut,
}

impl Above {
    /// Everybody on a chain or at the end of a stake.
    pub(in crate::companies) fn ids(&self) -> impl Iterator<Item = &str> {
        let on_chains = self.chains.iter().flat_map(|chain| &chain.path);
        let at_stakes = self.stakes.iter().flat_map(|stake| [&stake.owner, &stake.owned]);
        on_chains.chain(at_stakes).map(String::as_str)
    }
}

impl Walk<'_> {
    fn name(&self, id: u32) -> String {
        self.names[id as usize].clone()
    }

    pub(super) fn told(mut self, company: &str, blocks: &[Block]) -> Above {
        // Those that were finished last, or hold stakes over 100%, came out of order.
        self.chains.sort_by(|a, b| b.share.total_cmp(&a.share));
        let complete = self.cut == Cut::default();
        let rest = self.rest(company, blocks, complete);
        let (mut stakes, mut unlisted, mut not_followed) = (Vec::new(), Vec::new(), Vec::new());
        for &owned in &self.looked_up {
            let direct = &self.known[&owned].direct;
            let (listed, others) = direct.split_at(direct.len().min(MAX_HOLDERS));
            for &(owner, share) in listed {
                stakes.push(Stake {
                    owner: self.name(owner),
                    owned: self.name(owned),
                    share,
                });
                if !self.known.contains_key(&owner) {
                    not_followed.push(self.name(owner));
                }
            }
            if !others.is_empty() {
                unlisted.push(Unlisted {
                    owned: self.name(owned),
                    holders: others.len(),
                    share: others.iter().map(|other| other.1).sum(),
                });
            }
        }
        not_followed.sort_unstable();
        not_followed.dedup();
        let chains = self.chains.iter().map(|chain| Chain {
            path: chain.path.iter().rev().map(|&id| self.name(id)).collect(),
            share: chain.share,
        });
        Above {
            chains: chains.collect(),
            rest,
            stakes,
            unlisted,
            not_followed,
            complete,
            cut: self.cut,
        }
    }

    fn rest(&self, company: &str, blocks: &[Block], complete: bool) -> Vec<Rest> {
        let mut in_chains: Vec<(u32, f64)> = Vec::new();
        for chain in &self.chains {
            let head = *chain.path.last().unwrap_or(&0);
            match in_chains.iter_mut().find(|one| one.0 == head) {
                Some(one) => one.1 += chain.share,
                None => in_chains.push((head, chain.share)),
            }
        }
        let shares = self.integrated(company, blocks, &in_chains);
        let rests = in_chains.into_iter().map(|(owner, in_chains)| {
            let integrated = shares.get(&owner).copied();
            let rest = integrated.map(|share| share - in_chains);
            let is_more = integrated.zip(rest).is_some_and(|(share, rest)| rest > 1e-9 * share);
            Rest {
                owner: self.name(owner),
                integrated,
                in_chains,
                rest: rest.map(|rest| if is_more { rest } else { 0.0 }),
                through: match (is_more, complete) {
                    (false, _) => "nothing",
                    (true, true) => "cycles",
                    (true, false) => "further_chains_and_cycles",
                },
            }
        });
        rests.collect()
    }

    /// The integrated shares in the company of those at which chains begin.
    fn integrated(&self, company: &str, blocks: &[Block], of: &[(u32, f64)]) -> HashMap<u32, f64> {
        let mut shares = HashMap::with_capacity(of.len());
        for block in blocks {
            for row in span(block, company) {
                let owner = text(&block.columns[self.columns.owner], row).and_then(|name| self.ids.get(name));
                let share = number(&block.columns[self.columns.integrated], row);
                if let (Some(&owner), Some(share)) = (owner, share)
                    && of.iter().any(|one| one.0 == owner)
                {
                    shares.insert(owner, share);
                }
            }
        }
        shares
    }
}
