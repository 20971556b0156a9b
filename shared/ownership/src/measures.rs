//! What each company could steer: network value and network control.
//!
//! Every company has a value v of its own. With the control matrix C in the
//! place of W, `V = (I - C)^-1` and `D = diag(V)^-1` (Vitali, Glattfelder,
//! Battiston 2011; Glattfelder 2013):
//!
//! | | | |
//! |---|---|---|
//! | network value | `V v` | own value and what is held, through every chain and cycle |
//! | integrated value | `V v - v` | the same without the own value |
//! | corrected value | `D V v` | network value without the company's own cycles |
//! | control | `D V v - v` | corrected value without the own value |
//!
//! In a ring value goes round and counts each time, up to tens of times the
//! value that there is. `D` undoes that: row i of `D V` is row i of the
//! resolvent of the network in which nobody holds company i. (Without column i
//! of C, `I - C` changes by a matrix of rank one, and the Sherman-Morrison
//! formula divides row i of V by `V[i][i]`.) So `D V v` is what Vitali et al.
//! find by following i's stakes down while its own in-links are removed.
//!
//! `y = V v` solves `y = v + C y`, companies first that hold nothing:
//!
//! ```text
//! y[i] = v[i] + below[i],   below[i] = sum over j below of C[i][j] y[j]
//! ```
//!
//! and in a component with cycles, with its block of V and
//! `others[i] = sum over members j other than i of V[i][j] (v[j] + below[j])`,
//!
//! ```text
//! V v     = others + V[i][i] (v[i] + below[i])
//! V v - v = others + V[i][i] below[i] + T[i][i] v[i]
//! D V v   = others / V[i][i] + v[i] + below[i]
//! control = others / V[i][i] + below[i]
//! ```
//!
//! Nothing is subtracted, so a control that is tiny beside the own value keeps
//! all its digits.

use crate::names::to_u32;
use crate::{Network, Resolvent};

/// A company's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkControl {
    /// Its own value; of a closed group the sum of its members'.
    pub value: f64,
    /// `None` for a member of a closed group, whose group has them.
    pub measures: Option<Measures>,
}

/// What follows from the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// `V v`.
    pub network_value: f64,
    /// `V v - v`.
    pub integrated_value: f64,
    /// `D V v`.
    pub corrected_value: f64,
    /// `D V v - v`.
    pub control: f64,
    /// By falling control, from 1; equals share the first of their ranks.
    pub rank: u32,
}

/// The values of every company in the order of ids, then of every closed group.
///
/// A closed group has the values of its members and holds what they hold
/// together. `network` and `resolvent` are those of control, see
/// [`ControlModel::apply`](crate::ControlModel::apply); in the linear model, of
/// ownership.
///
/// # Arguments
///
/// * `values`: v, a value for each company, not negative, in any unit.
///
/// # Panics
///
/// If there is not a value for each company.
///
/// # Cost
///
/// O(companies + stakes), a product with each block, and a sort.
///
/// # Example
///
/// ```
/// use ownership::*;
///
/// let mut builder = NetworkBuilder::new(Policies::default());
/// builder.add("P", "H", Share::parse("0.5", Unit::Fraction)?, 1)?;
/// builder.add("H", "T", Share::parse("0.5", Unit::Fraction)?, 2)?;
/// let network = builder.finish()?;
/// let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(()))?;
/// let found = network_control(&network, &resolvent, &[10.0, 0.0, 100.0]);
/// let control = |name| found[network.find(name).unwrap() as usize].measures.unwrap().control;
/// // Half of H's 10 and a quarter of T's 100.
/// assert_eq!((control("P"), control("H"), control("T")), (30.0, 50.0, 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn network_control(network: &Network, resolvent: &Resolvent, values: &[f64]) -> Vec<NetworkControl> {
    assert_eq!(values.len(), network.len(), "a value for each company");
    let mut found: Vec<NetworkControl> = values
        .iter()
        .map(|&value| NetworkControl { value, measures: None })
        .collect();
    let mut groups = vec![
        NetworkControl {
            value: 0.0,
            measures: None
        };
        resolvent.groups.len()
    ];
    let mut sweep = Sweep {
        network,
        resolvent,
        reached: vec![0.0; network.len()],
        below: Vec::new(),
        others: Vec::new(),
    };
    let mut rings = resolvent.rings.iter().rev().peekable();
    for component in (0..to_u32(resolvent.components.len())).rev() {
        let members = resolvent.components.members(component);
        if let Some(group) = resolvent.closed.group(component) {
            groups[group as usize] = sweep.group(component, values);
        } else if let Some(ring) = rings.next_if(|ring| ring.component == component) {
            sweep.ring(ring, component, &mut found);
        } else {
            let company = members[0] as usize;
            let below = sweep.below(members[0], component);
            found[company].measures = Some(Measures::straight(values[company], below));
            sweep.reached[company] = values[company] + below;
        }
    }
    found.append(&mut groups);
    rank(&mut found);
    found
}

impl Measures {
    /// Outside of cycles; not ranked yet.
    fn straight(value: f64, below: f64) -> Self {
        Self {
            network_value: value + below,
            integrated_value: below,
            corrected_value: value + below,
            control: below,
            rank: 0,
        }
    }
}

struct Sweep<'a> {
    network: &'a Network,
    resolvent: &'a Resolvent,
    /// `V v` of companies done; 0 in closed groups, of whom nobody else holds anything.
    reached: Vec<f64>,
    below: Vec<f64>,
    others: Vec<f64>,
}

impl Sweep<'_> {
    /// What a member of a component holds outside of it. The sums begin with 0, because `sum` makes -0 of nothing.
    fn below(&self, member: u32, component: u32) -> f64 {
        let outside = |&(owned, _): &(u32, f64)| self.resolvent.components.of[owned as usize] != component;
        let holdings = self.network.holdings(member).filter(outside);
        holdings.fold(0.0, |sum, (owned, share)| sum + share * self.reached[owned as usize])
    }

    fn group(&self, component: u32, values: &[f64]) -> NetworkControl {
        let members = self.resolvent.components.members(component).iter();
        let value = members.clone().fold(0.0, |sum, &member| sum + values[member as usize]);
        let below = members.fold(0.0, |sum, &member| sum + self.below(member, component));
        NetworkControl {
            value,
            measures: Some(Measures::straight(value, below)),
        }
    }

    fn ring(&mut self, ring: &crate::ring::Ring, component: u32, found: &mut [NetworkControl]) {
        let members = self.resolvent.components.members(component);
        let mut below = std::mem::take(&mut self.below);
        below.clear();
        below.extend(members.iter().map(|&member| self.below(member, component)));
        self.others.clear();
        self.others.resize(members.len(), 0.0);
        for (j, &member) in members.iter().enumerate() {
            let inflow = found[member as usize].value + below[j];
            for (i, (other, v)) in self.others.iter_mut().zip(ring.column(j)).enumerate() {
                *other += if i == j { 0.0 } else { v * inflow };
            }
        }
        for (i, &member) in members.iter().enumerate() {
            let value = found[member as usize].value;
            let (others, below, amplification) = (self.others[i], below[i], ring.amplification(i));
            let measures = Measures {
                network_value: others + amplification * (value + below),
                integrated_value: others + amplification * below + ring.loops[i] * value,
                corrected_value: others / amplification + value + below,
                control: others / amplification + below,
                rank: 0,
            };
            self.reached[member as usize] = measures.network_value;
            found[member as usize].measures = Some(measures);
        }
        self.below = below;
    }
}

fn rank(found: &mut [NetworkControl]) {
    let control = |company: &NetworkControl| company.measures.map(|measures| measures.control);
    let mut order: Vec<u32> = (0..to_u32(found.len()))
        .filter(|&company| found[company as usize].measures.is_some())
        .collect();
    order.sort_unstable_by(|&a, &b| {
        let [a, b] = [a, b].map(|company| control(&found[company as usize]).unwrap_or(0.0));
        b.total_cmp(&a)
    });
    let mut previous = (None, 0);
    for (position, &company) in (1..).zip(&order) {
        let here = control(&found[company as usize]).map(f64::to_bits);
        if previous.0 != here {
            previous = (here, position);
        }
        if let Some(measures) = &mut found[company as usize].measures {
            measures.rank = previous.1;
        }
    }
}
