//! Where each company stands: its component, its place in the bow-tie, its sums.

use serde::{Deserialize, Serialize};

use crate::components::Components;
use crate::names::to_u32;
use crate::{Network, Resolvent};

/// A company's place relative to the largest component (Vitali, Glattfelder,
/// Battiston 2011).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// Holds, directly or not, a stake in the largest component.
    In,
    /// Is in the largest component.
    Scc,
    /// Is held, directly or not, by the largest component.
    Out,
    /// On a chain from IN to OUT that passes by the largest component.
    Tube,
    /// Held from IN or holding of OUT, but not both.
    Tendril,
    /// None of these; every company where there is no ring.
    Other,
}

impl Position {
    /// The name in results: `in`, `scc`, `out`, `tube`, `tendril`, `other`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Scc => "scc",
            Self::Out => "out",
            Self::Tube => "tube",
            Self::Tendril => "tendril",
            Self::Other => "other",
        }
    }
}

/// What the network says about one company as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Structure {
    /// The company.
    pub company: u32,
    /// Its strongly connected component, counted from 1: the largest first,
    /// equals by the name of their first member.
    pub component: u32,
    /// Companies in that component.
    pub component_size: u32,
    /// Its place in the bow-tie.
    pub position: Position,
    /// The sum of its recorded stakes, as a fraction.
    pub column_sum: f64,
    /// The integrated undisclosed share: what undisclosed owners hold of it
    /// directly and through its holders, `m V` with m the direct undisclosed
    /// shares. `None` in a closed component, and from [`places`].
    pub undisclosed: Option<f64>,
    /// `V[j][j]`: by how much cycles multiply what is held of it. `None` in a
    /// closed component, and from [`places`].
    pub amplification: Option<f64>,
}

/// The structure of every company, in the order of ids.
///
/// Cost: O(companies + stakes), and a product with each block of the resolvent.
#[must_use]
pub fn structure(network: &Network, resolvent: &Resolvent) -> Vec<Structure> {
    let undisclosed = resolvent.sweep(network, |company| network.undisclosed(company), 0.0);
    let mut found = placed(network, &resolvent.components, &resolvent.numbers);
    for structure in &mut found {
        structure.amplification = resolvent.amplification(structure.company);
        let undisclosed = undisclosed[structure.company as usize];
        structure.undisclosed = structure.amplification.map(|_| undisclosed);
    }
    found
}

/// The structure of every company as far as it follows from the graph alone: without undisclosed shares and
/// amplification, which take an inverse.
///
/// O(companies + stakes).
#[must_use]
pub fn places(network: &Network) -> Vec<Structure> {
    let components = Components::of(network);
    placed(network, &components, &components.numbers())
}

fn placed(network: &Network, components: &Components, numbers: &[u32]) -> Vec<Structure> {
    let positions = positions(network, components, numbers);
    let place = |company: u32| {
        let component = components.of[company as usize];
        Structure {
            company,
            component: numbers[component as usize],
            component_size: to_u32(components.members(component).len()),
            position: positions[company as usize],
            column_sum: network.column_sum(company),
            undisclosed: None,
            amplification: None,
        }
    };
    (0..to_u32(network.len())).map(place).collect()
}

/// The place of every company in the bow-tie, in the order of ids.
///
/// The same as in [`structure`], without a resolvent: O(companies + stakes).
#[must_use]
pub fn bow_tie(network: &Network) -> Vec<Position> {
    let components = Components::of(network);
    positions(network, &components, &components.numbers())
}

fn positions(network: &Network, components: &Components, numbers: &[u32]) -> Vec<Position> {
    let mut positions = vec![Position::Other; network.len()];
    let core = (0..to_u32(components.len())).find(|&component| numbers[component as usize] == 1);
    let core = core
        .map(|component| components.members(component))
        .filter(|members| members.len() > 1);
    let Some(core) = core else { return positions };
    let holders = |company: u32| network.holder_ids(company).iter().copied();
    let holdings = |company: u32| network.holdings(company).map(|(owned, _)| owned);

    core.iter()
        .for_each(|&company| positions[company as usize] = Position::Scc);
    let outside = |position| position == Position::Other;
    let above = reach(positions.len(), core, holders, |company| {
        outside(positions[company as usize])
    });
    let below = reach(positions.len(), core, holdings, |company| {
        outside(positions[company as usize])
    });
    above
        .iter()
        .for_each(|&company| positions[company as usize] = Position::In);
    below
        .iter()
        .for_each(|&company| positions[company as usize] = Position::Out);

    let from_in = reach(positions.len(), &above, holdings, |company| {
        outside(positions[company as usize])
    });
    let to_out = reach(positions.len(), &below, holders, |company| {
        outside(positions[company as usize])
    });
    from_in
        .iter()
        .for_each(|&company| positions[company as usize] = Position::Tendril);
    for company in to_out {
        let position = &mut positions[company as usize];
        *position = if *position == Position::Tendril {
            Position::Tube
        } else {
            Position::Tendril
        };
    }
    positions
}

/// Companies reached from `starts` by `next` through companies that may be
/// `entered`, the starts themselves not included.
fn reach<I: Iterator<Item = u32>>(
    companies: usize,
    starts: &[u32],
    next: impl Fn(u32) -> I,
    entered: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let mut seen = vec![false; companies];
    let mut reached: Vec<u32> = Vec::new();
    let mut visit = |from: u32, reached: &mut Vec<u32>| {
        let new = next(from).filter(|&company| entered(company));
        reached.extend(new.filter(|&company| !std::mem::replace(&mut seen[company as usize], true)));
    };
    starts.iter().for_each(|&start| visit(start, &mut reached));
    let mut done = 0;
    while let Some(&company) = reached.get(done) {
        visit(company, &mut reached);
        done += 1;
    }
    reached
}
