//! Strongly connected components, in topological order.

use serde::{Deserialize, Serialize};

use crate::Network;
use crate::names::to_u32;

/// A company that the search has not come to.
const UNSEEN: u32 = u32::MAX;

/// The components of a network: owners come before what they own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Components {
    /// The component of each company, counted in topological order.
    pub(crate) of: Vec<u32>,
    /// Companies, component by component, each component in the order of ids.
    pub(crate) order: Vec<u32>,
    /// Component `c` is `order[starts[c]..starts[c + 1]]`.
    pub(crate) starts: Vec<u32>,
}

impl Components {
    /// Tarjan's search (1972) with its own stack, in O(companies + stakes).
    ///
    /// The search walks from a company to its holders. A component is complete
    /// once everything above it is, so components come out owners first, which
    /// is the order that every sweep needs. Most companies need no search:
    /// those without holders come first, those without holdings last, each a
    /// component of its own.
    pub(crate) fn of(network: &Network) -> Self {
        let companies = 0..to_u32(network.len());
        let is_held = |company: u32| network.is_held(company);
        let holds = |company: u32| network.is_holder(company);
        let mut search = Search::new(network);
        for company in companies.clone().filter(|&company| !is_held(company)) {
            search.found.push_single(company);
            search.seen[company as usize] = 0;
        }
        for company in companies.clone().filter(|&company| holds(company)) {
            if search.seen[company as usize] == UNSEEN {
                search.visit(company);
            }
        }
        for company in companies.filter(|&company| is_held(company) && !holds(company)) {
            search.found.push_single(company);
        }
        search.found
    }

    fn push_single(&mut self, company: u32) {
        self.of[company as usize] = to_u32(self.starts.len() - 1);
        self.order.push(company);
        self.starts.push(to_u32(self.order.len()));
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn members(&self, component: u32) -> &[u32] {
        let component = component as usize;
        &self.order[self.starts[component] as usize..self.starts[component + 1] as usize]
    }

    /// Whether these are components at all: every company is a member of its
    /// own component, once.
    pub(crate) fn is_partition(&self) -> bool {
        self.starts.first() == Some(&0)
            && self.starts.is_sorted_by(|a, b| a < b)
            && self.starts.last().is_some_and(|&end| end as usize == self.order.len())
            && self.of.len() == self.order.len()
            && (0..to_u32(self.len())).all(|component| {
                let members = self.members(component);
                members.is_sorted_by(|a, b| a < b)
                    && members
                        .iter()
                        .all(|&member| self.of.get(member as usize) == Some(&component))
            })
    }

    /// Numbers from 1, the largest component first, equals by smallest member.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        let is_single = |&component: &u32| self.members(component).len() == 1;
        let mut rings: Vec<u32> = (0..to_u32(self.len()))
            .filter(|component| !is_single(component))
            .collect();
        rings.sort_unstable_by_key(|&component| {
            let members = self.members(component);
            (std::cmp::Reverse(members.len()), members[0])
        });
        let singles = self.of.iter().copied().filter(is_single);
        let mut numbers = vec![0; self.len()];
        for (number, component) in (1..).zip(rings.iter().copied().chain(singles)) {
            numbers[component as usize] = number;
        }
        numbers
    }
}

struct Search<'a> {
    network: &'a Network,
    /// When a company was first seen; `UNSEEN` before.
    seen: Vec<u32>,
    /// The earliest company on the stack that it reaches.
    low: Vec<u32>,
    /// Companies seen whose component is not complete.
    open: Vec<u32>,
    /// The path of the search: companies, each with its next holder.
    path: Vec<(u32, u32)>,
    clock: u32,
    found: Components,
}

impl<'a> Search<'a> {
    fn new(network: &'a Network) -> Self {
        let companies = network.len();
        let found = Components {
            of: vec![UNSEEN; companies],
            order: Vec::with_capacity(companies),
            starts: vec![0],
        };
        Self {
            network,
            seen: vec![UNSEEN; companies],
            low: vec![UNSEEN; companies],
            open: Vec::new(),
            path: Vec::new(),
            clock: 0,
            found,
        }
    }

    fn enter(&mut self, company: u32) {
        self.seen[company as usize] = self.clock;
        self.low[company as usize] = self.clock;
        self.clock += 1;
        self.open.push(company);
        self.path.push((company, 0));
    }

    fn visit(&mut self, start: u32) {
        self.enter(start);
        while let Some((company, next)) = self.path.last_mut() {
            let (company, position) = (*company as usize, *next as usize);
            if let Some(&holder) = self.network.holder_ids(to_u32(company)).get(position) {
                *next += 1;
                if self.seen[holder as usize] == UNSEEN {
                    self.enter(holder);
                } else if self.found.of[holder as usize] == UNSEEN {
                    self.low[company] = self.low[company].min(self.seen[holder as usize]);
                }
                continue;
            }
            self.path.pop();
            if let Some(&(below, _)) = self.path.last() {
                self.low[below as usize] = self.low[below as usize].min(self.low[company]);
            }
            if self.low[company] == self.seen[company] {
                self.close(to_u32(company));
            }
        }
    }

    /// Takes the component of which `root` was seen first off the stack.
    fn close(&mut self, root: u32) {
        let component = to_u32(self.found.starts.len() - 1);
        let first = self.found.order.len();
        while let Some(member) = self.open.pop() {
            self.found.of[member as usize] = component;
            self.found.order.push(member);
            if member == root {
                break;
            }
        }
        self.found.order[first..].sort_unstable();
        self.found.starts.push(to_u32(self.found.order.len()));
    }
}
