//! Who is above and below one company, as many as a picture can show.

use std::collections::HashMap;

use ownership::Chain;
use reports::{Edge, Node, Picture, Role};

use super::Surveyed;

/// Owners and holders above.
const ABOVE: usize = 36;

/// Holdings below.
const BELOW: usize = 13;

/// The people in a picture, in the order of their coming.
struct Cast {
    ids: Vec<u32>,
    positions: HashMap<u32, usize>,
}

impl Cast {
    fn add(&mut self, id: u32) {
        let next = self.ids.len();
        if *self.positions.entry(id).or_insert(next) == next {
            self.ids.push(id);
        }
    }

    fn has(&self, id: u32) -> bool {
        self.positions.contains_key(&id)
    }
}

impl Surveyed<'_> {
    /// The company; the chains of its largest owners, whole ones, largest owners first; its largest direct holders; its
    /// largest holdings. `x` is what everyone has of it, `others` the owners without chains.
    pub(super) fn picture(&self, company: u32, chains: &[Vec<Chain>], x: &[f64], others: &[(u32, f64)]) -> Picture {
        let mut cast = Cast {
            ids: Vec::new(),
            positions: HashMap::new(),
        };
        cast.add(company);
        for chain in chains.iter().flatten() {
            let new = chain.path.iter().filter(|&&id| !cast.has(id)).count();
            if cast.ids.len() + new <= ABOVE {
                chain.path.iter().for_each(|&id| cast.add(id));
            }
        }
        let mut holders: Vec<(u32, f64)> = self.network.holders(company).collect();
        holders.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        for &(holder, _) in &holders {
            if cast.ids.len() < ABOVE {
                cast.add(self.counts_as(holder));
            }
        }
        let above = cast.ids.len();
        let mut holdings: Vec<(u32, f64)> = self
            .network
            .holdings(company)
            .filter(|&(id, _)| id != company)
            .collect();
        holdings.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        for &(holding, _) in holdings.iter().take(BELOW) {
            cast.add(self.counts_as(holding));
        }
        let left_out = |id: u32| !cast.has(self.counts_as(id));
        // An owner whom nobody holds may be among the holders too.
        let held = |id: u32| self.is_held(id) && self.counts_as(id) == id;
        let more_holders = holders.iter().filter(|&&(id, _)| left_out(id) && held(id)).count();
        let mut ultimate: Vec<u32> = chains
            .iter()
            .flatten()
            .filter_map(|chain| chain.path.first().copied())
            .collect();
        ultimate.extend(others.iter().map(|&(owner, _)| owner));
        ultimate.sort_unstable();
        ultimate.dedup();
        let more_owners = ultimate.iter().filter(|&&owner| !cast.has(owner)).count();
        Picture {
            nodes: cast
                .ids
                .iter()
                .enumerate()
                .map(|(at, &id)| self.node(company, id, at < above, x))
                .collect(),
            edges: self.edges(company, &cast, above),
            more_above: (more_holders + more_owners) as u64,
            more_below: holdings.iter().filter(|&&(id, _)| left_out(id)).count() as u64,
        }
    }

    fn node(&self, company: u32, id: u32, is_above: bool, x: &[f64]) -> Node {
        let is_ultimate = id as usize >= self.network.len() || !self.is_held(id);
        let role = match (id == company, is_above, is_ultimate) {
            (true, ..) => Role::Company,
            (_, false, _) => Role::Holding,
            (_, true, true) => Role::Ultimate,
            (_, true, false) => Role::Between,
        };
        let share = if role == Role::Holding {
            self.direct(company, id)
        } else {
            x[self.representative(id) as usize]
        };
        Node {
            name: self.name(id),
            role,
            share,
        }
    }

    /// Stakes between those above, and those of the company.
    fn edges(&self, company: u32, cast: &Cast, above: usize) -> Vec<Edge> {
        let mut edges: Vec<Edge> = Vec::new();
        for (owned, &id) in cast.ids.iter().enumerate() {
            if id as usize >= self.network.len() {
                continue;
            }
            let mut of_this: Vec<Edge> = Vec::new();
            for (holder, share) in self.network.holders(id) {
                let owner = self.counts_as(holder);
                let Some(&owner) = cast.positions.get(&owner).filter(|&&owner| owner != owned) else {
                    continue;
                };
                if owner >= above || (owned >= above && cast.ids[owner] != company) {
                    continue;
                }
                match of_this.iter_mut().find(|edge| edge.owner == owner) {
                    Some(edge) => edge.share += share,
                    None => of_this.push(Edge { owner, owned, share }),
                }
            }
            edges.append(&mut of_this);
        }
        edges
    }
}
