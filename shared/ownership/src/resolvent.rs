//! The resolvent `V = (I - W)^-1`, factored by components.

use serde::{Deserialize, Serialize};

use crate::closed::{ClosedComponents, ClosedGroup, OnClosed};
use crate::components::Components;
use crate::finding::Tally;
use crate::ring::Ring;
use crate::{Error, Finding, Network, Progress, Stopped, gth, memory, parallel};

/// Components up to this size are solved side by side, larger ones one after
/// another with their products in parallel.
const SMALL: usize = 128;

/// Small components solved between two calls of the progress callback.
const BATCH: usize = 512;

/// Cycles that multiply a share by more than this are worth a finding.
const AMPLIFICATION: f64 = 1e8;

/// A residual above this is worth a finding.
const RESIDUAL: f64 = 1e-10;

/// The resolvent of a network.
///
/// Within a component with cycles V is a dense block; between components it
/// follows from the stakes by substitution in topological order. So this holds
/// 16 bytes a company and 8 for each pair of companies in the same component.
///
/// **Closed components.** V exists where every company is in the end owned by
/// someone outside of cycles. The members of a component that nobody else
/// holds anything of have no such owner. They are ring-fenced: for everything
/// below they are one owner, with the id `network.len() + k` and the name
/// `closed-group:<k + 1>`; pairs inside are undefined and absent, and who else
/// holds shares of members (possible only with columns over one) loses that
/// claim.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Resolvent {
    pub(crate) components: Components,
    pub(crate) numbers: Vec<u32>,
    /// In topological order.
    pub(crate) rings: Vec<Ring>,
    pub(crate) closed: ClosedComponents,
    pub(crate) groups: Vec<ClosedGroup>,
    findings: Vec<Finding>,
}

/// The components of a network, in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentsSummary {
    /// Components of two companies or more: rings of cross-holdings.
    pub count: u64,
    /// Companies in the largest component, 1 where there is no ring.
    pub largest: u64,
    /// Closed components.
    pub closed: Vec<ClosedGroup>,
}

impl ComponentsSummary {
    /// Of a network that was not solved: closed components are not known.
    ///
    /// O(companies + stakes).
    #[must_use]
    pub fn of(network: &Network) -> Self {
        Self::new(&Components::of(network), Vec::new())
    }

    fn new(components: &Components, closed: Vec<ClosedGroup>) -> Self {
        let sizes = components
            .starts
            .windows(2)
            .map(|bounds| u64::from(bounds[1] - bounds[0]));
        Self {
            count: sizes.clone().filter(|&size| size > 1).count() as u64,
            largest: sizes.max().unwrap_or(0),
            closed,
        }
    }
}

impl Resolvent {
    /// Finds the components and inverts those with cycles.
    ///
    /// O(companies + stakes) and `2 n^3` operations for each component of n
    /// companies. `progress` is called often with the part done, 0 to 1.
    /// Findings: `closed_component` and `near_singular_component`.
    ///
    /// # Errors
    ///
    /// [`Error::ClosedComponent`] with [`OnClosed::Fail`], and
    /// [`Error::Stopped`] when `progress` says so.
    pub fn new(network: &Network, on_closed: OnClosed, progress: &mut Progress<'_>) -> Result<Self, Error> {
        Self::within(network, on_closed, u64::MAX, progress)
    }

    /// [`Resolvent::new`] in `memory` bytes, the network's own among them.
    ///
    /// # Errors
    ///
    /// Those of [`Resolvent::new`], and [`Error::NotEnoughMemory`] before it is
    /// allocated.
    pub fn within(
        network: &Network,
        on_closed: OnClosed,
        memory: u64,
        progress: &mut Progress<'_>,
    ) -> Result<Self, Error> {
        progress(0.0)?;
        let components = Components::of(network);
        let numbers = components.numbers();
        let cyclic = cyclic(network, components.iter());
        let sizes = cyclic.iter().map(|(_, members)| members.len());
        let largest = sizes.clone().max().unwrap_or(1);
        let what = || format!("invert rings of up to {largest} companies");
        let needed = memory::of_network(network).saturating_add(memory::of_resolvent(network, sizes));
        memory::check(what, needed, memory)?;
        let solved = for_each_cyclic(&cyclic, gth::operations, progress, |component, members, step| {
            Ring::solve(network, component, members, step)
        })?;
        let closed = solved.iter().filter(|(_, ring)| ring.is_none());
        let mut closed: Vec<u32> = closed.map(|&(component, _)| component).collect();
        let rings: Vec<Ring> = solved.into_iter().filter_map(|(_, ring)| ring).collect();
        closed.sort_unstable_by_key(|&component| numbers[component as usize]);
        let members: Vec<&[u32]> = closed.iter().map(|&component| components.members(component)).collect();
        let groups = ClosedGroup::of(network, &members);
        if on_closed == OnClosed::Fail {
            fail(&groups)?;
        }
        let findings = findings(network, &components, &numbers, &rings, &groups);
        progress(1.0)?;
        Ok(Self {
            closed: ClosedComponents::new(&closed),
            components,
            numbers,
            rings,
            groups,
            findings,
        })
    }

    /// How many components have cycles, how large, and which are closed.
    #[must_use]
    pub fn components(&self) -> ComponentsSummary {
        ComponentsSummary::new(&self.components, self.groups.clone())
    }

    /// The largest `|(I - W) V - I| / ((I + W) V + I)` over all entries of all
    /// components: near `1e-16` where all is well. 0 without cycles.
    #[must_use]
    pub fn residual(&self) -> f64 {
        self.rings.iter().map(|ring| ring.residual).fold(0.0, f64::max)
    }

    /// What was noticed while the network was solved.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The name of an owner: a company, or from `network.len()` on a closed group.
    ///
    /// # Panics
    ///
    /// If there is no such owner.
    #[must_use]
    pub fn owner_name<'a>(&'a self, network: &'a Network, owner: u32) -> &'a str {
        match (owner as usize).checked_sub(network.len()) {
            None => network.name(owner),
            Some(group) => &self.groups[group].name,
        }
    }

    /// `V[j][j]` of a company, by how much cycles multiply what is held of it:
    /// 1 outside of cycles, `None` in a closed component.
    #[must_use]
    pub fn amplification(&self, company: u32) -> Option<f64> {
        let component = self.components.of[company as usize];
        if self.closed.group(component).is_some() {
            return None;
        }
        let members = self.components.members(component);
        let position = members.partition_point(|&member| member < company);
        Some(self.ring(component).map_or(1.0, |ring| ring.amplification(position)))
    }

    /// `T[j][j] = V[j][j] - 1` of a company, what it holds of itself, without taking 1 from what is nearly 1: 0 outside of
    /// cycles, `None` in a closed component.
    #[must_use]
    pub fn loops(&self, company: u32) -> Option<f64> {
        let component = self.components.of[company as usize];
        if self.closed.group(component).is_some() {
            return None;
        }
        let members = self.components.members(component);
        let position = members.partition_point(|&member| member < company);
        Some(self.ring(component).map_or(0.0, |ring| ring.loops[position]))
    }

    /// The block of a component that has cycles and is not closed.
    pub(crate) fn ring(&self, component: u32) -> Option<&Ring> {
        let found = self.rings.binary_search_by_key(&component, |ring| ring.component);
        found.ok().map(|position| &self.rings[position])
    }
}

/// A component by its number, with its members.
pub(crate) type Members<'a> = (u32, &'a [u32]);

/// Components with cycles: two companies or more, or one that holds itself.
pub(crate) fn cyclic<'a>(network: &Network, components: impl Iterator<Item = Members<'a>>) -> Vec<Members<'a>> {
    let has_cycle = |(_, members): &Members<'_>| match members {
        // Most companies hold nothing, which costs less to see.
        [company] => network.is_holder(*company) && network.holder_ids(*company).binary_search(company).is_ok(),
        _ => true,
    };
    components.filter(has_cycle).collect()
}

/// Solves components with cycles, the small ones side by side. Returns them in topological order.
///
/// `operations` says how many a component of some size takes.
pub(crate) fn for_each_cyclic<T: Send>(
    cyclic: &[Members<'_>],
    operations: impl Fn(usize) -> f64,
    progress: &mut Progress<'_>,
    solve: impl Fn(u32, &[u32], &mut dyn FnMut(f64) -> Result<(), Stopped>) -> Result<T, Stopped> + Sync,
) -> Result<Vec<(u32, T)>, Error> {
    let work = |&(_, members): &Members<'_>| operations(members.len());
    let total: f64 = cyclic.iter().map(work).sum();
    let mut done = 0.0;
    let mut solved: Vec<(u32, T)> = Vec::with_capacity(cyclic.len());
    let (small, large): (Vec<Members<'_>>, Vec<Members<'_>>) =
        cyclic.iter().partition(|(_, members)| members.len() <= SMALL);
    for batch in small.chunks(BATCH) {
        let entries = batch.iter().map(|(_, members)| members.len().pow(2)).sum();
        let found: Vec<Result<_, Stopped>> = parallel::map(batch, entries, |&(component, members)| {
            Ok((component, solve(component, members, &mut |_| Ok(()))?))
        });
        for found in found {
            solved.push(found?);
        }
        done += batch.iter().map(work).sum::<f64>();
        progress((done / total).min(1.0))?;
    }
    for (component, members) in large {
        let found = solve(component, members, &mut |operations| {
            done += operations;
            progress((done / total).min(1.0))
        })?;
        solved.push((component, found));
    }
    solved.sort_unstable_by_key(|&(component, _)| component);
    Ok(solved)
}

/// Fails if there is a closed component.
pub(crate) fn fail(groups: &[ClosedGroup]) -> Result<(), Error> {
    match groups.first() {
        None => Ok(()),
        Some(group) => Err(Error::ClosedComponent {
            name: group.name.clone(),
            members: group.members.clone(),
        }),
    }
}

fn findings(
    network: &Network,
    components: &Components,
    numbers: &[u32],
    rings: &[Ring],
    groups: &[ClosedGroup],
) -> Vec<Finding> {
    let mut closed = Tally::default();
    for group in groups {
        closed.note(1, || group.describe());
    }
    let amplification = |ring: &Ring| (0..ring.size()).map(|j| ring.amplification(j)).fold(1.0, f64::max);
    let mut singular: Vec<&Ring> = rings
        .iter()
        .filter(|ring| amplification(ring) > AMPLIFICATION || ring.residual > RESIDUAL)
        .collect();
    singular.sort_unstable_by_key(|ring| numbers[ring.component as usize]);
    let mut near_singular = Tally::default();
    for ring in singular {
        near_singular.note(1, || {
            format!(
                "component {} of {} with {} companies: amplification {:.3e}, residual {:.1e}",
                numbers[ring.component as usize],
                network.name(components.members(ring.component)[0]),
                ring.size(),
                amplification(ring),
                ring.residual
            )
        });
    }
    [
        closed.into_finding(
            "closed_component",
            "its members count as one owner; pairs inside it are undefined and absent",
        ),
        near_singular.into_finding(
            "near_singular_component",
            "nothing was changed: results near it depend on the last digits of its shares",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A resolvent as it is read, before it is checked.
#[derive(Deserialize)]
struct Stored {
    components: Components,
    numbers: Vec<u32>,
    rings: Vec<Ring>,
    closed: ClosedComponents,
    groups: Vec<ClosedGroup>,
    findings: Vec<Finding>,
}

impl TryFrom<Stored> for Resolvent {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored {
            components,
            numbers,
            rings,
            closed,
            groups,
            findings,
        } = stored;
        if !components.is_partition() || numbers.len() != components.len() {
            return Err("components are not those of a network");
        }
        let is_block = |ring: &Ring| {
            let size = ring.size();
            (ring.component as usize) < components.len()
                && components.members(ring.component).len() == size
                && ring.inverse.len() == size * size
        };
        if !rings.iter().all(is_block) || !rings.is_sorted_by(|a, b| a.component < b.component) {
            return Err("blocks are not those of the components");
        }
        if !closed.is_valid(components.len(), groups.len()) {
            return Err("closed groups are not those of the components");
        }
        Ok(Self {
            components,
            numbers,
            rings,
            closed,
            groups,
            findings,
        })
    }
}
