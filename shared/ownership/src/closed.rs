//! Closed components: companies that own each other entirely.

use serde::{Deserialize, Serialize};

use crate::Network;
use crate::names::to_u32;

/// What becomes of a closed component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnClosed {
    /// Its members count as one owner, for everything below it.
    #[default]
    RingFence,
    /// End with [`Error::ClosedComponent`](crate::Error::ClosedComponent).
    Fail,
}

/// A closed component, ring-fenced: one owner without owners.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClosedGroup {
    /// `closed-group:<k>`, k from 1: the largest first, equals by their first
    /// member. A name that a company has already is passed over.
    pub name: String,
    /// Its companies, in the order of names.
    pub members: Vec<String>,
    /// Stakes in its members held from outside. They exist only where columns
    /// over one were kept, and count for nothing.
    pub outside_holders: Vec<OutsideHolder>,
}

/// A stake in a member of a closed group, held from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutsideHolder {
    /// Who holds it.
    pub owner: String,
    /// The member.
    pub owned: String,
    /// The share, as a fraction.
    pub share: f64,
}

impl ClosedGroup {
    /// The groups of closed components, given by their members and sorted by number.
    pub(crate) fn of(network: &Network, closed: &[&[u32]]) -> Vec<Self> {
        let mut names = (1_u64..)
            .map(|k| format!("closed-group:{k}"))
            .filter(|name| network.find(name).is_none());
        closed
            .iter()
            .zip(names.by_ref())
            .map(|(companies, name)| Self::new(network, companies, name))
            .collect()
    }

    fn new(network: &Network, companies: &[u32], name: String) -> Self {
        let mut outside_holders = Vec::new();
        for &company in companies {
            for (owner, share) in network.holders(company) {
                if companies.binary_search(&owner).is_err() {
                    outside_holders.push(OutsideHolder {
                        owner: network.name(owner).to_owned(),
                        owned: network.name(company).to_owned(),
                        share,
                    });
                }
            }
        }
        let members = companies
            .iter()
            .map(|&company| network.name(company).to_owned())
            .collect();
        Self {
            name,
            members,
            outside_holders,
        }
    }

    /// The group in one line, for a finding.
    pub(crate) fn describe(&self) -> String {
        let shown = self
            .members
            .iter()
            .take(5)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        let more = if self.members.len() > 5 {
            format!(" and {} more", self.members.len() - 5)
        } else {
            String::new()
        };
        let claims = match self.outside_holders.as_slice() {
            [] => String::new(),
            [first, rest @ ..] => {
                let rest = if rest.is_empty() {
                    String::new()
                } else {
                    format!(" and {} more", rest.len())
                };
                format!(
                    "; without effect: {} of {} held by {}{rest}",
                    first.share, first.owned, first.owner
                )
            }
        };
        format!("{}: {shown}{more}{claims}", self.name)
    }
}

/// Which components are closed: (component, its group), by component.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ClosedComponents(Vec<(u32, u32)>);

impl ClosedComponents {
    /// From closed components in the order of their groups.
    pub(crate) fn new(closed: &[u32]) -> Self {
        let mut groups: Vec<(u32, u32)> = closed.iter().copied().zip(0..to_u32(closed.len())).collect();
        groups.sort_unstable();
        Self(groups)
    }

    /// The group of a component, counted from 0.
    pub(crate) fn group(&self, component: u32) -> Option<u32> {
        let found = self.0.binary_search_by_key(&component, |&(component, _)| component);
        found.ok().map(|position| self.0[position].1)
    }

    /// All of them: (component, group).
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }

    /// Whether this lists each of `groups` groups once.
    pub(crate) fn is_valid(&self, components: usize, groups: usize) -> bool {
        let mut seen = vec![false; groups];
        for &(_, group) in &self.0 {
            match seen.get_mut(group as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return false,
            }
        }
        self.0.len() == groups
            && self.0.is_sorted_by(|a, b| a.0 < b.0)
            && self
                .0
                .last()
                .is_none_or(|&(component, _)| (component as usize) < components)
    }
}
