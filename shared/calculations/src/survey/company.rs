//! Who owns one company in the end, and through what.

use ownership::{Chain, ChainLimits, Chains};
use reports::{Company, Owner};

use super::Surveyed;

/// Ultimate owners that are named.
const OWNERS: usize = 10;

/// Chains kept for each of them.
const CHAINS: usize = 3;

/// Companies that the search for a company's chains visits.
const STEPS: usize = 600;

impl Surveyed<'_> {
    /// The section of a company. `unit` is zeros and left so; `x` is memory to work in.
    pub(super) fn company(&self, company: u32, why: String, unit: &mut [f64], x: &mut Vec<f64>) -> Company {
        let network = self.network;
        let place = &self.structure[company as usize];
        let group = self.groups.0.get(&company);
        let mut told = Company {
            name: self.name(company),
            why,
            undisclosed: place.undisclosed,
            undisclosed_directly: network.undisclosed(company),
            column_sum: place.column_sum,
            group: group.map(|&group| self.resolvent.owner_name(network, group).to_owned()),
            amplification: place.amplification,
            ring: u64::from(place.component_size),
            holders: network.holders(company).len() as u64,
            holdings: network.holdings(company).len() as u64,
            ..Company::default()
        };
        if group.is_some() {
            return told;
        }
        unit[company as usize] = 1.0;
        self.solver.solve_into(unit, x);
        unit[company as usize] = 0.0;
        let held = self
            .ultimate
            .iter()
            .map(|&owner| (owner, x[self.representative(owner) as usize]));
        let mut owners: Vec<(u32, f64)> = held.filter(|&(_, share)| share > 0.0).collect();
        owners.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let others = owners.split_off(owners.len().min(OWNERS));
        told.others = (others.len() as u64, others.iter().map(|&(_, share)| share).sum());
        let ids: Vec<u32> = owners.iter().map(|&(owner, _)| owner).collect();
        let limits = ChainLimits {
            chains: CHAINS,
            steps: STEPS,
        };
        let found = ownership::chains(network, self.resolvent, company, &ids, limits);
        let merged: Vec<Vec<Chain>> = found.iter().map(|chains| merged(&chains.best)).collect();
        told.picture = self.picture(company, &merged, x, &others);
        let owners = owners.iter().zip(found.iter().zip(&merged));
        told.owners = owners
            .map(|(&(owner, share), (chains, best))| self.owner(owner, company, share, chains, best))
            .collect();
        told
    }

    fn owner(&self, owner: u32, company: u32, share: f64, chains: &Chains, best: &[Chain]) -> Owner {
        let listed: f64 = best.iter().map(|chain| chain.product).sum();
        let rest = share - listed - chains.further.1;
        Owner {
            name: self.name(owner),
            integrated: share,
            direct: self.direct(owner, company),
            chains: best.iter().map(|chain| self.told(chain)).collect(),
            further: chains.further,
            // Less than this is what rounding leaves.
            rest: if rest > 1e-12 * share { rest } else { 0.0 },
            complete: chains.complete,
        }
    }

    /// The recorded stake of an owner; that of a closed group is what its members have together.
    pub(super) fn direct(&self, owner: u32, company: u32) -> f64 {
        let mut holders = self.network.holders(company);
        if (owner as usize) < self.network.len() {
            return holders
                .find(|&(holder, _)| holder == owner)
                .map_or(0.0, |(_, share)| share);
        }
        let of = holders.filter(|&(holder, _)| self.counts_as(holder) == owner);
        of.fold(0.0, |sum, (_, share)| sum + share)
    }

    fn told(&self, chain: &Chain) -> reports::Chain {
        let links = chain.path.windows(2);
        let steps = links.map(|link| (self.name(link[0]), self.direct(link[0], link[1])));
        reports::Chain {
            steps: steps.collect(),
            product: chain.product,
        }
    }
}

/// Chains that come from several members of a closed group as the one that they are to whatever is below.
fn merged(chains: &[Chain]) -> Vec<Chain> {
    let mut merged: Vec<Chain> = Vec::with_capacity(chains.len());
    for chain in chains {
        match merged.iter_mut().find(|same| same.path == chain.path) {
            Some(same) => same.product += chain.product,
            None => merged.push(chain.clone()),
        }
    }
    merged.sort_by(|a, b| b.product.total_cmp(&a.product));
    merged
}
