//! The chains through which an owner holds a company, largest first.
//!
//! A chain is a path of stakes from an owner down to the company on which
//! nobody occurs twice; its product is what the owner holds through it. The
//! owner's integrated share is the sum of these products and of what goes
//! round in cycles.
//!
//! The search goes upwards from the company, always on from the path with the
//! largest product so far. Products only fall along a path, so chains are found
//! in the order of their products (Dijkstra's argument, kept up past the first
//! path). There can be exponentially many, so the search ends after a number of
//! steps and says that it did.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::control::group;
use crate::fixed::Fixed;
use crate::names::to_u32;
use crate::share::decimal;
use crate::{Network, Resolvent};

/// One path of stakes.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// From the owner down to the company.
    pub path: Vec<u32>,
    /// The product of its stakes.
    pub product: f64,
}

/// How an owner holds a company.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chains {
    /// Those with the largest products, falling; equals in the order of discovery, which is that of names.
    pub best: Vec<Chain>,
    /// Chains found besides, and the sum of their products.
    pub further: (u64, f64),
    /// Whether there are no chains but those found.
    pub complete: bool,
    /// Whether the company or someone above it that was come by is in a cycle.
    pub cycles: bool,
}

/// Steps after which a search ends.
#[derive(Clone, Copy, Debug)]
pub struct ChainLimits {
    /// Chains kept for each owner.
    pub chains: usize,
    /// Companies visited.
    pub steps: usize,
}

/// Finds the chains from each of `owners`, who hold nothing of each other, to
/// `company`, all in one search.
///
/// Owners are companies that nobody holds, or from `network.len()` on closed
/// groups, which stand for their members. Returned in the order of `owners`.
///
/// Cost: for each step, the holders of the company visited and the length of
/// its path.
#[must_use]
pub fn chains(
    network: &Network,
    resolvent: &Resolvent,
    company: u32,
    owners: &[u32],
    limits: ChainLimits,
) -> Vec<Chains> {
    let mut found = vec![Chains::default(); owners.len()];
    let all = walk(network, resolvent, company, owners, limits.steps, |which, chain| {
        let found = &mut found[which];
        if found.best.len() < limits.chains {
            found.best.push(Chain {
                path: chain.path().collect(),
                product: chain.product,
            });
        } else {
            found.further = (found.further.0 + 1, found.further.1 + chain.product);
        }
    });
    for found in &mut found {
        found.complete = all.complete;
        found.cycles = all.cycles;
    }
    found
}

/// How the exact sum of an owner's chains compares with a part; `None` if
/// there are cycles or more chains than `steps` allow to find.
///
/// Shares are taken as the decimals that were recorded.
pub(crate) fn compare_exactly(
    network: &Network,
    resolvent: &Resolvent,
    (company, owner): (u32, u32),
    part: u64,
    steps: usize,
) -> Option<Ordering> {
    let mut sum = Fixed::new(0);
    let found = walk(network, resolvent, company, &[owner], steps, |_, chain| {
        let mut product = Fixed::new(1);
        for (_, share) in chain.links() {
            product = product.times(decimal(share));
        }
        sum.add(&product);
    });
    (found.complete && !found.cycles).then(|| sum.compare(&Fixed::new(1).times(u128::from(part))))
}

/// Whether a search found everything.
struct Walked {
    complete: bool,
    cycles: bool,
}

/// Goes up from `company`, and gives each chain that ends at an owner to `take`.
fn walk(
    network: &Network,
    resolvent: &Resolvent,
    company: u32,
    owners: &[u32],
    steps: usize,
    mut take: impl FnMut(usize, Found<'_>),
) -> Walked {
    let mut links = vec![Link {
        owner: company,
        below: None,
        share: 1.0,
    }];
    let mut waiting = BinaryHeap::from([Waiting { product: 1.0, link: 0 }]);
    let mut cycles = false;
    for _ in 0..steps {
        let Some(Waiting { product, link }) = waiting.pop() else {
            return Walked { complete: true, cycles };
        };
        let here = links[link as usize].owner;
        if let Some(which) = owners.iter().position(|&owner| owner == here) {
            let links = &links;
            take(which, Found { links, link, product });
            continue;
        }
        if here as usize >= network.len() {
            continue;
        }
        for (holder, share) in network.holders(here) {
            let owner = group(resolvent, holder).map_or(holder, |group| to_u32(network.len()) + group);
            if is_on(&links, link, owner) {
                cycles = true;
                continue;
            }
            // Nobody above, and not asked for.
            let ends = owner as usize >= network.len() || network.holder_ids(owner).is_empty();
            if ends && !owners.contains(&owner) {
                continue;
            }
            let next = to_u32(links.len());
            links.push(Link {
                owner,
                below: Some(link),
                share,
            });
            waiting.push(Waiting {
                product: product * share,
                link: next,
            });
        }
    }
    Walked {
        complete: waiting.is_empty(),
        cycles,
    }
}

/// The end of a path: someone, what they hold, and of whom.
#[derive(Clone, Copy)]
struct Link {
    owner: u32,
    below: Option<u32>,
    share: f64,
}

/// A chain that ends at an owner.
struct Found<'a> {
    links: &'a [Link],
    link: u32,
    product: f64,
}

impl Found<'_> {
    /// Everyone on the chain, the owner first.
    fn path(&self) -> impl Iterator<Item = u32> + '_ {
        up(self.links, self.link).map(|link| link.owner)
    }

    /// The holders of the chain and their stakes, the owner first.
    fn links(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        let holders = up(self.links, self.link).filter(|link| link.below.is_some());
        holders.map(|link| (link.owner, link.share))
    }
}

/// The links from one down to the company.
fn up(links: &[Link], link: u32) -> impl Iterator<Item = &Link> {
    std::iter::successors(links.get(link as usize), |link| links.get(link.below? as usize))
}

fn is_on(links: &[Link], link: u32, owner: u32) -> bool {
    up(links, link).any(|link| link.owner == owner)
}

/// A path to go on from: that with the largest product first, of equals the one found first.
#[derive(Clone, Copy)]
struct Waiting {
    product: f64,
    link: u32,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_product = self.product.total_cmp(&other.product);
        by_product.then_with(|| other.link.cmp(&self.link))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}
