//! Beneficial owners by Regulation (EU) 2024/1624, Articles 52 to 54.
//!
//! | basis | an owner u of company T |
//! |---|---|
//! | ownership, Art. 52 | holds a quarter of T or more: shares multiplied along each chain, chains added up |
//! | control, Art. 53 | controls T by the majority of votes, directly or through those it controls |
//! | control of a holder, Art. 54 (a) | controls companies that hold a quarter of T directly, together with u's own stake |
//! | interest in a controller, Art. 54 (b) | holds a quarter of someone who controls T |
//!
//! Multiplying and adding over all chains, and round the cycles among them, is
//! the integrated share `V[u][T]` ([`integrated_ownership`](crate::integrated_ownership)). Control is the
//! least fixpoint of [`crate::company_control`], at each level of the structure.
//!
//! **Owners** are those whom nobody is recorded to hold, and closed groups. The
//! law means natural persons; the network doesn't know who is one.
//!
//! **At the threshold.** Shares within a relative `1e-12` of it are decided
//! exactly, on the decimals that were recorded, where the owner's chains can
//! all be followed and have no cycle; else they count as the threshold itself.

use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSlice;

use crate::chains::{ChainLimits, Chains, chains, compare_exactly};
use crate::control::{Interest, Joint, Rule, group, joint_holdings};
use crate::names::to_u32;
use crate::{Emit, Error, Network, Progress, Resolvent, Share, integrated_ownership_within};

/// Shares this close to the threshold, relatively, are not decided by floats.
const CLOSE: f64 = 1e-12;

/// Companies visited for an exact decision.
const EXACT_STEPS: usize = 10_000;

/// Who counts as a beneficial owner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeneficialRules {
    /// The interest that matters: 0.25 in Art. 52.
    pub interest: Share,
    /// Whether exactly that much is enough, as in Art. 52.
    pub inclusive: bool,
    /// More than this part of the votes is control: 0.5 in Art. 53.
    pub control: Share,
}

/// Why someone is a beneficial owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four rules, each of which applies or not")]
pub struct Basis {
    /// Art. 52.
    pub ownership: bool,
    /// Art. 53.
    pub control: bool,
    /// Art. 54 (a).
    pub control_of_holder: bool,
    /// Art. 54 (b).
    pub interest_in_controller: bool,
}

/// A beneficial owner of a company.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeneficialOwner {
    /// The company.
    pub company: u32,
    /// A company or person that nobody holds, or from `network.len()` on a closed group.
    pub owner: u32,
    /// The integrated share `V[owner][company]`.
    pub share: f64,
    /// At least one of the rules.
    pub basis: Basis,
}

/// What a search for owners may take.
#[derive(Clone, Copy, Debug)]
pub struct PairLimits {
    /// Pairs of an owner and a company that are kept.
    pub pairs: usize,
    /// Bytes that streaming pairs may take, those of network and resolvent among them.
    pub memory: u64,
}

/// No limits.
impl Default for PairLimits {
    fn default() -> Self {
        Self {
            pairs: usize::MAX,
            memory: u64::MAX,
        }
    }
}

/// The beneficial owners of all companies, by company, then by falling share,
/// then by owner.
///
/// `progress` is called often.
///
/// # Errors
///
/// [`Error::TooManyPairs`] and [`Error::NotEnoughMemory`] past the limits,
/// [`Error::Stopped`] when `progress` says so.
///
/// # Cost
///
/// The pairs of [`integrated_ownership`](crate::integrated_ownership) at the threshold as its floor, the
/// joint holdings of [`company_control`](crate::company_control), and for
/// companies with owners below the threshold all their pairs.
///
/// # Example
///
/// P holds less than a quarter of T, but controls who holds more:
///
/// ```
/// use ownership::*;
///
/// let mut builder = NetworkBuilder::new(Policies::default());
/// for (row, (owner, owned, share)) in (1..).zip([("P", "H", "0.51"), ("O", "H", "0.49"), ("H", "T", "0.26"), ("R", "T", "0.74")]) {
///     builder.add(owner, owned, Share::parse(share, Unit::Fraction)?, row)?;
/// }
/// let network = builder.finish()?;
/// let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(()))?;
/// let share = |text| Share::parse(text, Unit::Fraction);
/// let rules = BeneficialRules { interest: share("0.25")?, inclusive: true, control: share("0.5")? };
/// let owners = beneficial_owners(&network, &resolvent, rules, PairLimits::default(), &mut |_| Ok(()))?;
/// let of_t: Vec<_> = owners.iter().filter(|owner| network.name(owner.company) == "T").collect();
/// assert_eq!((network.name(of_t[0].owner), network.name(of_t[1].owner)), ("R", "P"));
/// assert!(of_t[1].basis.control_of_holder && !of_t[1].basis.ownership);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn beneficial_owners(
    network: &Network,
    resolvent: &Resolvent,
    rules: BeneficialRules,
    limits: PairLimits,
    progress: &mut Progress<'_>,
) -> Result<Vec<BeneficialOwner>, Error> {
    let search = Search {
        network,
        resolvent,
        rules,
        limits,
    };
    let mut owners = search.by_ownership(&mut |part| progress(part * 0.4))?;
    let rule = Rule {
        control: rules.control,
        interest: Some(Interest {
            part: rules.interest,
            inclusive: rules.inclusive,
        }),
    };
    let joint = joint_holdings(network, resolvent, rule, limits.pairs, &mut |part| {
        progress(0.4 + part * 0.3)
    })?;
    search.add_by_control(&mut owners, &joint)?;
    merge(&mut owners);
    search.find_shares(&mut owners, &mut |part| progress(0.7 + part * 0.3))?;
    owners.sort_unstable_by(|a, b| {
        let by_share = b.share.total_cmp(&a.share);
        a.company.cmp(&b.company).then(by_share).then(a.owner.cmp(&b.owner))
    });
    Ok(owners)
}

/// The chains of each of `owners`, in their order, which is that of companies.
///
/// Cost: a search of [`chains`] for each company, side by side.
#[must_use]
pub fn explain(
    network: &Network,
    resolvent: &Resolvent,
    owners: &[BeneficialOwner],
    limits: ChainLimits,
) -> Vec<Chains> {
    let by_company = owners.par_chunk_by(|a, b| a.company == b.company);
    let explained: Vec<Vec<Chains>> = by_company
        .map(|here| {
            let ids: Vec<u32> = here.iter().map(|owner| owner.owner).collect();
            chains(network, resolvent, here[0].company, &ids, limits)
        })
        .collect();
    explained.into_iter().flatten().collect()
}

struct Search<'a> {
    network: &'a Network,
    resolvent: &'a Resolvent,
    rules: BeneficialRules,
    limits: PairLimits,
}

impl Search<'_> {
    /// Whether nobody is above: nobody holds it, and it is in no closed group, or is one.
    fn is_ultimate(&self, owner: u32) -> bool {
        owner as usize >= self.network.len() || self.network.holder_ids(owner).is_empty()
    }

    /// Art. 52, in the order of companies.
    fn by_ownership(&self, progress: &mut Progress<'_>) -> Result<Vec<BeneficialOwner>, Error> {
        let order: Vec<u32> = (0..to_u32(self.network.len())).collect();
        let least = self.rules.interest.value() * (1.0 - CLOSE);
        let mut owners = Vec::new();
        let mut emit = |company: u32, pairs: &[crate::Pair]| {
            let enough = |pair: &&crate::Pair| {
                pair.owner != company && self.is_ultimate(pair.owner) && self.is_enough(company, pair)
            };
            owners.extend(pairs.iter().filter(enough).map(|pair| BeneficialOwner {
                company,
                owner: pair.owner,
                share: pair.integrated,
                basis: Basis {
                    ownership: true,
                    ..Basis::default()
                },
            }));
            if owners.len() > self.limits.pairs {
                return Err(crate::Stopped);
            }
            Ok(())
        };
        let streamed = self.stream(least, &order, progress, &mut emit);
        if owners.len() > self.limits.pairs {
            return Err(Error::TooManyPairs {
                limit: self.limits.pairs,
            });
        }
        streamed?;
        Ok(owners)
    }

    /// Whether a share reaches the threshold, exactly where that is close.
    fn is_enough(&self, company: u32, pair: &crate::Pair) -> bool {
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
    fn add_by_control(&self, owners: &mut Vec<BeneficialOwner>, joint: &[Joint]) -> Result<(), Error> {
        let by_ownership = owners.len();
        for pair in joint {
            if owners.len() > self.limits.pairs {
                return Err(Error::TooManyPairs {
                    limit: self.limits.pairs,
                });
            }
            let found = |owner, basis| BeneficialOwner {
                company: pair.company,
                owner,
                share: f64::NAN,
                basis,
            };
            if self.is_ultimate(pair.holder) {
                let basis = Basis {
                    control: pair.controls,
                    control_of_holder: pair.is_interest && pair.through_others,
                    ..Basis::default()
                };
                if basis != Basis::default() {
                    owners.push(found(pair.holder, basis));
                }
            } else if pair.controls {
                let basis = Basis {
                    interest_in_controller: true,
                    ..Basis::default()
                };
                let start = owners[..by_ownership].partition_point(|owner| owner.company < pair.holder);
                for position in start..by_ownership {
                    if owners[position].company != pair.holder {
                        break;
                    }
                    owners.push(found(owners[position].owner, basis));
                }
            }
        }
        Ok(())
    }

    /// Fills in shares below the threshold: all pairs of the companies that have such owners.
    fn find_shares(&self, owners: &mut [BeneficialOwner], progress: &mut Progress<'_>) -> Result<(), Error> {
        let mut order: Vec<u32> = owners
            .iter()
            .filter(|owner| owner.share.is_nan())
            .map(|owner| owner.company)
            .collect();
        order.dedup();
        let mut rest = owners;
        let mut emit = |company: u32, pairs: &[crate::Pair]| {
            let start = rest.partition_point(|owner| owner.company < company);
            let (_, after) = std::mem::take(&mut rest).split_at_mut(start);
            let (here, after) = after.split_at_mut(after.partition_point(|owner| owner.company == company));
            for owner in here.iter_mut().filter(|owner| owner.share.is_nan()) {
                let pair = pairs.iter().find(|pair| pair.owner == owner.owner);
                owner.share = pair.map_or(0.0, |pair| pair.integrated);
            }
            rest = after;
            Ok(())
        };
        self.stream(0.0, &order, progress, &mut emit)
    }

    fn stream(&self, floor: f64, order: &[u32], progress: &mut Progress<'_>, emit: &mut Emit<'_>) -> Result<(), Error> {
        let memory = self.limits.memory;
        integrated_ownership_within(self.network, self.resolvent, floor, memory, order, progress, emit).map(drop)
    }
}

/// Puts what was found of the same owner and company together; the order is by company, then owner.
fn merge(owners: &mut Vec<BeneficialOwner>) {
    owners.sort_by_key(|owner| (owner.company, owner.owner));
    owners.dedup_by(|next, kept| {
        if (next.company, next.owner) != (kept.company, kept.owner) {
            return false;
        }
        kept.share = if kept.share.is_nan() { next.share } else { kept.share };
        kept.basis.ownership |= next.basis.ownership;
        kept.basis.control |= next.basis.control;
        kept.basis.control_of_holder |= next.basis.control_of_holder;
        kept.basis.interest_in_controller |= next.basis.interest_in_controller;
        true
    });
}

/// How many held companies have nobody in `owners`, which are in the order of companies, and the first of them.
///
/// Members of closed groups, which have no owners, do not count.
#[must_use]
pub fn without_owner(
    network: &Network,
    resolvent: &Resolvent,
    owners: &[BeneficialOwner],
    examples: usize,
) -> (u64, Vec<u32>) {
    let mut found = (0, Vec::new());
    let mut rest = owners;
    for company in 0..to_u32(network.len()) {
        let (here, after) = rest.split_at(rest.iter().take_while(|owner| owner.company == company).count());
        rest = after;
        let is_held = !network.holder_ids(company).is_empty() && group(resolvent, company).is_none();
        if here.is_empty() && is_held {
            found.0 += 1;
            if found.1.len() < examples {
                found.1.push(company);
            }
        }
    }
    found
}
