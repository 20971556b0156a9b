//! Who controls whom: majorities of votes, through chains, jointly and in cycles.
//!
//! A holder x controls a company y if x and all that x controls together hold
//! more than a threshold of the votes of y. "All that x controls" is defined
//! by itself, so it is taken as the least set that satisfies the rule: nothing
//! is controlled but what follows from x's own stakes (the company control
//! problem of Ceri, Gottlob, Tanca 1990; Bellomarini, Sallinger, Gottlob 2018).
//!
//! The set grows step by step. Start with x. Whenever someone is taken in, add
//! their stakes to a sum for each company held; a company whose sum passes the
//! threshold is taken in next. Sums only grow, and each member's stakes are
//! added once, so this ends with the least set in O(stakes of its members),
//! whatever order is followed. Companies that the set holds nothing of are
//! never looked at, so the whole costs what the result and its edge are long,
//! not companies times companies.
//!
//! **Votes.** A company has no votes in itself: its own shares are neither
//! counted as held nor among the votes that there are (Directive (EU)
//! 2017/1132, Art. 63; Directive 2013/34/EU, Art. 22(5), for own shares). So a
//! share here is a part of the votes others can have.
//!
//! **Exact.** Sums and the threshold are decimals in units of `1e-18`, so that
//! 0.3 and 0.2 are never more than 0.5.
//!
//! **Control without a share**, as registers state it (the right to appoint the
//! board, the consolidating parent), takes the controlled company into the set
//! at once, if it is asked for.
//!
//! **Ultimate.** Who controls a controller controls all that it controls, so
//! those that control each other are a class, and classes are in a partial
//! order. A controller is ultimate if its class is at the top: nobody controls
//! it but those that it controls.

mod joint;
mod votes;

pub(crate) use joint::{Interest, Joint, Rule, joint_holdings};

use serde::{Deserialize, Serialize};

use crate::{Error, Network, Progress, Resolvent, Share};

/// What control without a share counts for ([`Network::control_edges`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlEdges {
    /// Nothing.
    #[default]
    Ignore,
    /// As much as a majority.
    Use,
}

/// One company controlled by one holder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// Who controls: a company, or from `network.len()` on a closed group.
    pub controller: u32,
    /// What is controlled.
    pub company: u32,
    /// The part of its votes that the controller and all that it controls hold.
    pub share: f64,
    /// Whether nobody controls the controller but those that it controls: members of a ring of majorities are ultimate
    /// together.
    pub ultimate: bool,
}

/// Every pair of a controller and a company that it controls, in the order of
/// companies and then of controllers.
///
/// A holder doesn't control itself, even where its own subsidiaries hold the
/// majority of it. A closed group (see [`Resolvent`]) is one holder, its members
/// are neither holders nor companies here.
///
/// # Arguments
///
/// * `threshold`: more than this part of the votes is control. Below one half
///   a company can have several controllers that don't control each other.
/// * `edges`: whether control without a share counts.
/// * `limit`: the most pairs, 24 bytes each.
/// * `progress`: called often with the part of holders that is done.
///
/// # Errors
///
/// [`Error::TooManyPairs`] past the limit, [`Error::Stopped`] when `progress`
/// says so.
///
/// # Cost
///
/// For each holder with a majority of something, the stakes of all it controls:
/// near linear where chains of majorities are short. A chain of n companies has
/// `n^2 / 2` pairs. 24 bytes a company for each thread.
///
/// # Example
///
/// Half of T and 20% more make a majority only together:
///
/// ```
/// use ownership::*;
///
/// let mut builder = NetworkBuilder::new(Policies::default());
/// for (row, (owner, owned, share)) in (1..).zip([("P", "H", "0.6"), ("H", "T", "0.5"), ("P", "T", "0.2")]) {
///     builder.add(owner, owned, Share::parse(share, Unit::Fraction)?, row)?;
/// }
/// let network = builder.finish()?;
/// let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(()))?;
/// let half = Share::parse("0.5", Unit::Fraction)?;
/// let pairs = company_control(&network, &resolvent, half, ControlEdges::Ignore, 1_000, &mut |_| Ok(()))?;
/// let shown: Vec<_> = pairs.iter().map(|pair| (network.name(pair.controller), network.name(pair.company), pair.share)).collect();
/// assert_eq!(shown, [("P", "H", 0.6), ("P", "T", 0.7)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn company_control(
    network: &Network,
    resolvent: &Resolvent,
    threshold: Share,
    edges: ControlEdges,
    limit: usize,
    progress: &mut Progress<'_>,
) -> Result<Vec<Control>, Error> {
    let rule = Rule {
        control: threshold,
        edges,
        interest: None,
    };
    let joint = joint_holdings(network, resolvent, rule, limit, progress)?;
    let mut is_under = vec![false; network.len() + resolvent.groups.len()];
    for pair in &joint {
        let back = joint.binary_search_by_key(&(pair.holder, pair.company), |pair| (pair.company, pair.holder));
        is_under[pair.company as usize] |= back.is_err();
    }
    Ok(joint
        .into_iter()
        .map(|pair| Control {
            controller: pair.holder,
            company: pair.company,
            share: pair.share,
            ultimate: !is_under[pair.holder as usize],
        })
        .collect())
}

/// The closed group that a company belongs to.
pub(crate) fn group(resolvent: &Resolvent, company: u32) -> Option<u32> {
    resolvent.closed.group(resolvent.components.of[company as usize])
}
