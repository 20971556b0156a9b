//! Strongly connected components, in topological order.

use serde::{Deserialize, Serialize};

use crate::Network;
use crate::cycles::Between;
use crate::names::to_u32;

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
    /// In O(companies + stakes); [`Between`] finds those with cycles.
    ///
    /// Companies without holders come first, those without holdings last, each
    /// a component of its own.
    pub(crate) fn of(network: &Network) -> Self {
        let companies = 0..to_u32(network.len());
        let between = Between::of(network);
        let mut found = Self {
            of: vec![0; network.len()],
            order: Vec::with_capacity(network.len()),
            starts: Vec::with_capacity(network.len() + 1),
        };
        found.starts.push(0);
        let above = companies.clone().filter(|&company| !network.is_held(company));
        above.for_each(|company| found.push(&[company]));
        (0..to_u32(between.len())).for_each(|component| found.push(between.members(component)));
        let below = companies.filter(|&company| network.is_held(company) && !network.is_holder(company));
        below.for_each(|company| found.push(&[company]));
        found
    }

    fn push(&mut self, members: &[u32]) {
        let component = to_u32(self.len());
        members.iter().for_each(|&member| self.of[member as usize] = component);
        self.order.extend_from_slice(members);
        self.starts.push(to_u32(self.order.len()));
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn members(&self, component: u32) -> &[u32] {
        let component = component as usize;
        &self.order[self.starts[component] as usize..self.starts[component + 1] as usize]
    }

    /// Every component: its number, and its members.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u32, &[u32])> {
        (0..to_u32(self.len())).map(|component| (component, self.members(component)))
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
