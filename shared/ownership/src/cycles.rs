//! Where cycles can be: companies between others, and their components.
//!
//! A cycle goes through companies that are held and hold others. These are few
//! where most companies of a network are at its ends, so they are copied out
//! with places of their own, 0 to their number, and all that a search of the
//! graph touches fits into a cache.

use crate::Network;
use crate::names::to_u32;

/// No place: a company without holders, or without holdings.
const NONE: u32 = u32::MAX;

/// A company that the search has not come to.
const UNSEEN: u32 = u32::MAX;

/// The strongly connected components of companies that are held and hold
/// others: owners come before what they own.
///
/// Every other company is a component of its own, without a cycle.
#[derive(Debug)]
pub(crate) struct Between {
    /// Companies, component by component, each component in the order of ids.
    pub(crate) order: Vec<u32>,
    /// Component `c` is `order[starts[c]..starts[c + 1]]`.
    pub(crate) starts: Vec<u32>,
}

impl Between {
    /// Tarjan's search (1972) with its own stack, in O(companies + stakes).
    ///
    /// The search walks from a company to its holders. A component is complete
    /// once everything above it is, so components come out owners first, which
    /// is the order that every sweep needs.
    pub(crate) fn of(network: &Network) -> Self {
        let companies = (0..to_u32(network.len())).filter(|&company| network.is_inner(company));
        let companies: Vec<u32> = companies.collect();
        let graph = Graph::new(network, &companies);
        let mut search = Search::new(&graph);
        for place in 0..to_u32(companies.len()) {
            if search.seen[place as usize] == UNSEEN {
                search.visit(place);
            }
        }
        let mut found = search.found;
        // Places are in the order of ids, so each component stays in that order.
        found
            .order
            .iter_mut()
            .for_each(|place| *place = companies[*place as usize]);
        found
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Every component: its number, and its members.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u32, &[u32])> {
        (0..to_u32(self.len())).map(|component| (component, self.members(component)))
    }

    pub(crate) fn members(&self, component: u32) -> &[u32] {
        let component = component as usize;
        &self.order[self.starts[component] as usize..self.starts[component + 1] as usize]
    }
}

/// Who holds whom among some companies, by their places in the list of these.
struct Graph {
    /// Holders of place k are `holders[starts[k]..starts[k + 1]]`.
    starts: Vec<u32>,
    holders: Vec<u32>,
}

impl Graph {
    /// `companies` in the order of ids.
    fn new(network: &Network, companies: &[u32]) -> Self {
        let mut places = vec![NONE; network.len()];
        for (place, &company) in (0..).zip(companies) {
            places[company as usize] = place;
        }
        let mut graph = Self {
            starts: Vec::with_capacity(companies.len() + 1),
            holders: Vec::new(),
        };
        graph.starts.push(0);
        for &company in companies {
            let holders = network.holder_ids(company).iter();
            let holders = holders.map(|&holder| places[holder as usize]);
            graph.holders.extend(holders.filter(|&place| place != NONE));
            graph.starts.push(to_u32(graph.holders.len()));
        }
        graph
    }
}

struct Search<'g> {
    graph: &'g Graph,
    /// When a place was first seen; `UNSEEN` before.
    seen: Vec<u32>,
    /// The earliest place on the stack that it reaches.
    low: Vec<u32>,
    /// Whether the component of a place is complete.
    is_done: Vec<bool>,
    /// Places seen whose component is not complete.
    open: Vec<u32>,
    /// The path of the search: places, each with where its next holder is listed.
    path: Vec<(u32, u32)>,
    clock: u32,
    /// Of places, in the place of companies.
    found: Between,
}

impl<'g> Search<'g> {
    fn new(graph: &'g Graph) -> Self {
        let places = graph.starts.len() - 1;
        Self {
            graph,
            seen: vec![UNSEEN; places],
            low: vec![UNSEEN; places],
            is_done: vec![false; places],
            open: Vec::new(),
            path: Vec::new(),
            clock: 0,
            found: Between {
                order: Vec::with_capacity(places),
                starts: vec![0],
            },
        }
    }

    fn enter(&mut self, place: u32) {
        self.seen[place as usize] = self.clock;
        self.low[place as usize] = self.clock;
        self.clock += 1;
        self.open.push(place);
        self.path.push((place, self.graph.starts[place as usize]));
    }

    fn visit(&mut self, start: u32) {
        self.enter(start);
        while let Some((place, next)) = self.path.last_mut() {
            let k = *place as usize;
            if *next < self.graph.starts[k + 1] {
                let holder = self.graph.holders[*next as usize];
                *next += 1;
                if self.seen[holder as usize] == UNSEEN {
                    self.enter(holder);
                } else if !self.is_done[holder as usize] {
                    self.low[k] = self.low[k].min(self.seen[holder as usize]);
                }
                continue;
            }
            self.path.pop();
            if let Some(&(below, _)) = self.path.last() {
                self.low[below as usize] = self.low[below as usize].min(self.low[k]);
            }
            if self.low[k] == self.seen[k] {
                self.close(to_u32(k));
            }
        }
    }

    /// Takes the component of which `root` was seen first off the stack.
    fn close(&mut self, root: u32) {
        let first = self.found.order.len();
        while let Some(member) = self.open.pop() {
            self.is_done[member as usize] = true;
            self.found.order.push(member);
            if member == root {
                break;
            }
        }
        self.found.order[first..].sort_unstable();
        self.found.starts.push(to_u32(self.found.order.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NetworkBuilder, Policies, Share, Unit};

    #[test]
    fn owners_come_before_what_they_own() {
        let mut builder = NetworkBuilder::new(Policies::default());
        let stakes = [
            ("P", "a"),
            ("a", "b"),
            ("b", "c"),
            ("c", "a"),
            ("c", "d"),
            ("d", "d"),
            ("d", "e"),
            ("b", "e"),
            ("e", "Q"),
        ];
        for (owner, owned) in stakes {
            let share = Share::parse("0.2", Unit::Fraction).unwrap();
            builder.add(owner, owned, share, 1).unwrap();
        }
        let network = builder.finish().unwrap();
        let between = Between::of(&network);
        let names = |component| -> Vec<&str> {
            let members = between.members(component).iter();
            members.map(|&member| network.name(member)).collect()
        };
        let found: Vec<_> = (0..to_u32(between.len())).map(names).collect();
        assert_eq!(found, [vec!["a", "b", "c"], vec!["d"], vec!["e"]]);
    }
}
