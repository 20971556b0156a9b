//! Who meets a rule: by ownership, by control, and what they hold.
//!
//! Ownership follows from the pairs above the threshold, control from joint
//! holdings. Shares of those whom only control makes an owner may be small:
//! they are found from the owner down ([`crate::bounds`]), which costs what is
//! below these owners and not all owners of their companies.

use super::{Basis, BeneficialOwner, BeneficialRules, PairLimits};
use crate::bounds::{Below, each_owner};
use crate::chains::compare_exactly;
use crate::control::{Interest, Joint, Rule, joint_holdings};
use crate::names::to_u32;
use crate::network::Column;
use crate::share::{ONE, fraction};
use crate::{
    Emit, Error, Network, Pair, Progress, Resolvent, ShareBounds, Stopped, integrated_ownership_within, share_bounds,
};

/// Shares this close to the threshold, relatively, are not decided by floats.
const CLOSE: f64 = 1e-12;

/// Companies visited for an exact decision.
const EXACT_STEPS: usize = 10_000;

pub(super) struct Search<'a> {
    pub(super) network: &'a Network,
    pub(super) resolvent: &'a Resolvent,
    pub(super) rules: BeneficialRules,
    pub(super) limits: PairLimits,
}

impl Search<'_> {
    /// Whether nobody is above: nobody holds it, and it is in no closed group, or is one.
    fn is_ultimate(&self, owner: u32) -> bool {
        owner as usize >= self.network.len() || self.network.holder_ids(owner).is_empty()
    }

    /// Art. 52, in the order of companies.
    pub(super) fn by_ownership(&self, progress: &mut Progress<'_>) -> Result<Vec<BeneficialOwner>, Error> {
        let least = self.rules.interest.value() * (1.0 - CLOSE);
        let is_ultimate = |owner| self.is_ultimate(owner);
        let most = self.limits.pairs;
        let bounds = share_bounds(self.network, self.resolvent, &is_ultimate, least, most, &mut |part| {
            progress(0.5 * part)
        })?;
        let mut owners: Vec<BeneficialOwner> = bounds.iter().map(|bounds| self.by_bounds(bounds)).collect();
        let begun = if bounds.is_empty() { 0.0 } else { 0.5 };
        let order: Vec<u32> = (0..to_u32(self.network.len())).collect();
        let mut emit = |company: u32, pairs: &[Pair]| {
            for pair in pairs
                .iter()
                .filter(|pair| pair.owner != company && self.is_ultimate(pair.owner))
            {
                let found = bounds.binary_search_by_key(&(company, pair.owner), |pair| (pair.company, pair.owner));
                match found {
                    Ok(uncertain) => owners[uncertain].share = pair.integrated,
                    Err(_) if self.is_enough(company, pair) => owners.push(BeneficialOwner {
                        lower: pair.integrated,
                        share: pair.integrated,
                        upper: pair.integrated,
                        basis: OWNERSHIP,
                        ..unknown(company, pair.owner)
                    }),
                    Err(_) => {}
                }
            }
            if owners.len() > most { Err(Stopped) } else { Ok(()) }
        };
        let mut progress = |part| progress(begun + (1.0 - begun) * part);
        let streamed = self.stream(least, &order, &mut progress, &mut emit);
        if owners.len() > most {
            return Err(Error::TooManyPairs { limit: most });
        }
        streamed?;
        owners.retain(|owner| owner.basis.or(owner.possible).is_any());
        owners.sort_unstable_by_key(|owner| (owner.company, owner.owner));
        Ok(owners)
    }

    /// An owner whose share is uncertain, with the rule if it applies or is possible.
    ///
    /// An end that is that of the direct stake alone is compared exactly: "more than a quarter" ends just above it.
    fn by_bounds(&self, bounds: &ShareBounds) -> BeneficialOwner {
        let interest = self.rules.interest.value();
        let direct = self.network.ranges().of(bounds.company);
        let direct = direct.and_then(|mut ranges| ranges.find(|range| range.owner == bounds.owner));
        let is_enough = |share: f64| {
            let ends = direct.iter().flat_map(|range| [range.lower, range.upper]);
            if let Some(units) = ends
                .into_iter()
                .find(|&units| fraction(u128::from(units)).total_cmp(&share).is_eq())
            {
                let interest = self.rules.interest.units();
                return units > interest || self.rules.inclusive && units == interest;
            }
            if self.rules.inclusive {
                share >= interest * (1.0 - CLOSE)
            } else {
                share > interest * (1.0 + CLOSE)
            }
        };
        let by = |is_enough| if is_enough { OWNERSHIP } else { Basis::default() };
        BeneficialOwner {
            lower: bounds.lower,
            upper: bounds.upper,
            basis: by(is_enough(bounds.lower)),
            possible: by(is_enough(bounds.upper)),
            ..unknown(bounds.company, bounds.owner)
        }
    }

    /// Whether a share reaches the threshold, exactly where that is close.
    fn is_enough(&self, company: u32, pair: &Pair) -> bool {
        let BeneficialRules {
            interest, inclusive, ..
        } = self.rules;
        if pair.integrated > interest.value() * (1.0 + CLOSE) {
            return true;
        }
        let ends = (company, pair.owner);
        let exact = compare_exactly(self.network, self.resolvent, ends, interest.units(), EXACT_STEPS);
        exact.map_or(inclusive, |exact| if inclusive { exact.is_ge() } else { exact.is_gt() })
    }

    /// Art. 53 and 54; owners of Art. 52 are there already, in the order of companies.
    pub(super) fn add_by_control(
        &self,
        owners: &mut Vec<BeneficialOwner>,
        progress: &mut Progress<'_>,
    ) -> Result<(), Error> {
        let by_ownership = owners.len();
        let certain = self.joint(End::Lower, &mut |part| progress(0.5 * part))?;
        let more = match self.network.has_ranges() {
            true => self.joint(End::Upper, &mut |part| progress(0.5 + 0.5 * part))?,
            false => Vec::new(),
        };
        for (joint, applies) in certain
            .iter()
            .map(|pair| (pair, true))
            .chain(more.iter().map(|pair| (pair, false)))
        {
            if owners.len() > self.limits.pairs {
                return Err(Error::TooManyPairs {
                    limit: self.limits.pairs,
                });
            }
            if !self.is_ultimate(joint.holder) {
                if joint.controls {
                    add_interests(owners, by_ownership, joint, applies);
                }
                continue;
            }
            let basis = Basis {
                control: joint.controls,
                control_of_holder: joint.is_interest && joint.through_others,
                ..Basis::default()
            };
            if basis.is_any() {
                owners.push(found(joint.company, joint.holder, basis, applies));
            }
        }
        Ok(())
    }

    /// Joint holdings with all stakes at one end of their ranges.
    fn joint(&self, end: End, progress: &mut Progress<'_>) -> Result<Vec<Joint>, Error> {
        let rule = Rule {
            control: self.rules.control,
            edges: self.rules.edges,
            interest: Some(Interest {
                part: self.rules.interest,
                inclusive: self.rules.inclusive,
            }),
        };
        let most = self.limits.pairs;
        if !self.network.has_ranges() {
            return joint_holdings(self.network, self.resolvent, rule, most, progress);
        }
        let network = at_end(self.network, end);
        joint_holdings(&network, self.resolvent, rule, most, progress)
    }

    /// Fills in shares and bounds that are not known yet.
    pub(super) fn fill_in(&self, owners: &mut [BeneficialOwner], progress: &mut Progress<'_>) -> Result<(), Error> {
        let shares = Below::of_shares(self.network, self.resolvent);
        follow(
            &shares,
            owners,
            |owner| owner.share.is_nan(),
            &mut |part| progress(0.5 * part),
            |owner, share, _| {
                owner.share = share;
            },
        )?;
        if self.network.has_ranges() {
            let bounds = Below::of_bounds(self.network, self.resolvent);
            let mut progress = |part| progress(0.5 + 0.5 * part);
            follow(
                &bounds,
                owners,
                |owner| owner.lower.is_nan(),
                &mut progress,
                |owner, lower, upper| {
                    (owner.lower, owner.upper) = if lower < upper {
                        (lower, upper)
                    } else {
                        (owner.share, owner.share)
                    };
                },
            )?;
        }
        for owner in owners {
            // Without ranges there are none, and with them the share is rounded in another order.
            owner.lower = owner.lower.min(owner.share);
            owner.upper = owner.upper.max(owner.share);
        }
        Ok(())
    }

    fn stream(&self, floor: f64, order: &[u32], progress: &mut Progress<'_>, emit: &mut Emit<'_>) -> Result<(), Error> {
        let memory = self.limits.memory;
        integrated_ownership_within(self.network, self.resolvent, floor, memory, order, progress, emit).map(drop)
    }
}

const OWNERSHIP: Basis = Basis {
    ownership: true,
    control: false,
    control_of_holder: false,
    interest_in_controller: false,
};

/// Someone of whom nothing is known yet.
fn unknown(company: u32, owner: u32) -> BeneficialOwner {
    BeneficialOwner {
        company,
        owner,
        lower: f64::NAN,
        share: f64::NAN,
        upper: f64::NAN,
        basis: Basis::default(),
        possible: Basis::default(),
    }
}

fn found(company: u32, owner: u32, basis: Basis, applies: bool) -> BeneficialOwner {
    let nothing = Basis::default();
    BeneficialOwner {
        basis: if applies { basis } else { nothing },
        possible: if applies { nothing } else { basis },
        ..unknown(company, owner)
    }
}

/// Art. 54 (b): those with an interest in a controller, who are among the first `by_ownership`.
fn add_interests(owners: &mut Vec<BeneficialOwner>, by_ownership: usize, control: &Joint, applies: bool) {
    let basis = Basis {
        interest_in_controller: true,
        ..Basis::default()
    };
    let start = owners[..by_ownership].partition_point(|owner| owner.company < control.holder);
    for position in start..by_ownership {
        let owner = owners[position];
        if owner.company != control.holder {
            break;
        }
        owners.push(found(
            control.company,
            owner.owner,
            basis,
            applies && owner.basis.ownership,
        ));
    }
}

/// Puts what was found of the same owner and company together; the order is by company, then owner.
pub(super) fn merge(owners: &mut Vec<BeneficialOwner>) {
    owners.sort_by_key(|owner| (owner.company, owner.owner));
    owners.dedup_by(|next, kept| {
        if (next.company, next.owner) != (kept.company, kept.owner) {
            return false;
        }
        for (kept, next) in [
            (&mut kept.lower, next.lower),
            (&mut kept.share, next.share),
            (&mut kept.upper, next.upper),
        ] {
            *kept = if kept.is_nan() { next } else { *kept };
        }
        kept.basis = kept.basis.or(next.basis);
        kept.possible = kept.possible.or(next.possible);
        true
    });
    for owner in owners {
        owner.possible = owner.possible.without(owner.basis);
    }
}

/// Follows the owners of those that are wanted down to their companies.
fn follow(
    below: &Below<'_>,
    owners: &mut [BeneficialOwner],
    is_wanted: impl Fn(&BeneficialOwner) -> bool,
    progress: &mut Progress<'_>,
    mut set: impl FnMut(&mut BeneficialOwner, f64, f64),
) -> Result<(), Error> {
    let mut wanted: Vec<(u32, u32, usize)> = owners
        .iter()
        .enumerate()
        .filter(|(_, owner)| is_wanted(owner))
        .map(|(position, owner)| (owner.owner, owner.company, position))
        .collect();
    wanted.sort_unstable();
    let ids: Vec<u32> = wanted.chunk_by(|a, b| a.0 == b.0).map(|same| same[0].0).collect();
    let of = |id: u32| {
        let start = wanted.partition_point(|&(owner, ..)| owner < id);
        let same = &wanted[start..];
        &same[..same.partition_point(|&(owner, ..)| owner == id)]
    };
    let last = |id| {
        of(id)
            .iter()
            .map(|&(_, company, _)| below.component_of(company))
            .max()
            .unwrap_or(0)
    };
    let found = each_owner(below, &ids, &last, usize::MAX, progress, |id, held, found| {
        let companies = of(id);
        found.extend(held.iter().filter_map(|held| {
            let at = companies
                .binary_search_by_key(&held.company, |&(_, company, _)| company)
                .ok()?;
            Some((companies[at].2, held.lower, held.upper))
        }));
    })?;
    // Someone who controls by no share at all holds nothing.
    wanted
        .iter()
        .for_each(|&(.., position)| set(&mut owners[position], 0.0, 0.0));
    for (position, lower, upper) in found {
        set(&mut owners[position], lower, upper);
    }
    Ok(())
}

/// An end of all ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Lower,
    Upper,
}

/// The network with every stake at one end of its range.
fn at_end(network: &Network, end: End) -> Network {
    let controls = network.control_edges().to_vec();
    let at_end = network.with_stakes(|company, stakes| {
        let Some(bounds) = network.ranges().of(company) else {
            return Column::AsBefore;
        };
        let units = bounds.map(|stake| match end {
            End::Lower => (stake.owner, stake.lower),
            End::Upper => (stake.owner, stake.upper),
        });
        let units: Vec<(u32, u64)> = units.filter(|&(_, units)| units > 0).collect();
        stakes.clear();
        stakes.extend(units.iter().map(|&(owner, units)| (owner, fraction(units.into()))));
        let sum: u128 = units.iter().map(|&(_, units)| u128::from(units)).sum();
        match u128::from(ONE).checked_sub(sum) {
            Some(missing) => Column::Undisclosed(fraction(missing)),
            None => Column::Over(units.iter().map(|&(_, units)| units.into()).collect()),
        }
    });
    at_end.with_control_edges(controls)
}
