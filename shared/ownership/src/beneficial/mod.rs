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
//! law means natural persons, whom [`Network::kind`] knows where the input says so.
//!
//! **Control via other means** (Art. 53), which registers state without a share,
//! counts as control if [`BeneficialRules::edges`] says so.
//!
//! **Ranges.** Where only bounds of stakes are known, a rule *applies* if it does
//! with every share at its lower bound, and is *possible* if it does with the
//! upper bounds, or their best choice ([`crate::share_bounds`]). Every rule
//! holds more often the more somebody holds, so what applies does so whatever
//! the shares are, and what is not possible never does. For ownership the
//! bounds are attained; for votes upper bounds are taken stake by stake, each
//! at most what the others' lower bounds leave.
//!
//! **At the threshold.** Shares within a relative `1e-12` of it are decided
//! exactly, on the decimals that were recorded, where the owner's chains can
//! all be followed and have no cycle; else they count as the threshold itself, as
//! bounds do.

mod explain;
mod search;

pub use explain::{explain, without_owner};

use search::{Search, merge};

use crate::{ControlEdges, Error, Network, Progress, Resolvent, Share};

/// Who counts as a beneficial owner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeneficialRules {
    /// The interest that matters: 0.25 in Art. 52.
    pub interest: Share,
    /// Whether exactly that much is enough, as in Art. 52.
    pub inclusive: bool,
    /// More than this part of the votes is control: 0.5 in Art. 53.
    pub control: Share,
    /// Whether control without a share is control: control via other means in Art. 53.
    pub edges: ControlEdges,
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

impl Basis {
    /// Whether any rule applies.
    #[must_use]
    pub fn is_any(self) -> bool {
        self != Self::default()
    }

    /// The rules of either.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            ownership: self.ownership | other.ownership,
            control: self.control | other.control,
            control_of_holder: self.control_of_holder | other.control_of_holder,
            interest_in_controller: self.interest_in_controller | other.interest_in_controller,
        }
    }

    /// The rules of this that are not among the others.
    #[must_use]
    pub(crate) fn without(self, other: Self) -> Self {
        Self {
            ownership: self.ownership & !other.ownership,
            control: self.control & !other.control,
            control_of_holder: self.control_of_holder & !other.control_of_holder,
            interest_in_controller: self.interest_in_controller & !other.interest_in_controller,
        }
    }
}

/// A beneficial owner of a company.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeneficialOwner {
    /// The company.
    pub company: u32,
    /// A company or person that nobody holds, or from `network.len()` on a closed group.
    pub owner: u32,
    /// The least integrated share that the ranges of stakes allow.
    pub lower: f64,
    /// The integrated share `V[owner][company]`.
    pub share: f64,
    /// The largest one that the ranges allow.
    pub upper: f64,
    /// The rules that apply, whatever the shares are.
    pub basis: Basis,
    /// Further rules, that may apply. At least one is here or there.
    pub possible: Basis,
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
/// owners below the threshold the stakes of everyone below them. With ranges,
/// joint holdings twice, and [`share_bounds`](crate::share_bounds).
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
/// let (interest, control) = (share("0.25")?, share("0.5")?);
/// let rules = BeneficialRules { interest, inclusive: true, control, edges: ControlEdges::Ignore };
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
    search.add_by_control(&mut owners, &mut |part| progress(0.4 + part * 0.3))?;
    merge(&mut owners);
    search.fill_in(&mut owners, &mut |part| progress(0.7 + part * 0.3))?;
    owners.sort_unstable_by(|a, b| {
        let by_share = b.share.total_cmp(&a.share);
        a.company.cmp(&b.company).then(by_share).then(a.owner.cmp(&b.owner))
    });
    Ok(owners)
}
