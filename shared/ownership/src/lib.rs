//! Who owns what: ownership networks, their resolvent, and what follows from it.
//!
//! Companies hold shares of companies, through chains and in cycles. This crate
//! makes a network of recorded stakes, solves it, and says what everyone holds
//! of everyone directly and indirectly. It computes only: it reads no file and
//! knows no format.
//!
//! # Notation
//!
//! | | |
//! |---|---|
//! | W | the ownership matrix: `W[i][j]` is the share of company j that i holds |
//! | V | the resolvent `(I - W)^-1` |
//! | T | integrated ownership `V - I`: direct and through every chain and cycle (Brioschi, Buzzacchi, Colombo 1989) |
//! | corrected | `T[i][j] / V[i][i]`: without the owner's own cycles (Baldone, Brioschi, Paleari 1998) |
//! | component | a strongly connected component; a *ring* if it has a cycle |
//! | leak | the part of a company that is held from outside its component, or by nobody known |
//!
//! Shares are fractions of one. Companies are `u32` ids in the order of their
//! names, values `f64`; shares of a column are added up as exact decimals.
//! Whatever is computed depends neither on the order of rows nor on the number
//! of threads, to the last bit.
//!
//! # The way of a network
//!
//! [`NetworkBuilder`] interns names, applies [`Policies`] to dirty data and
//! yields a [`Network`]. [`Resolvent::new`] finds components and inverts those
//! with cycles, without subtraction, so that rings which are all but closed
//! come out right too; closed ones are ring-fenced ([`OnClosed`]). From both follow
//! [`integrated_ownership`] (pair by pair, streamed), [`structure()`] (a row for each company),
//! [`network_control`] (what each could steer), [`company_control`] (majorities, joint ones too),
//! [`beneficial_owners`] (who counts as one by law, with the [`chains()`] that show why)
//! [`share_bounds`] (what is certain and possible where a [`Batch`] has ranges of shares)
//! and [`Resolvent::balance`] (the check that owners add up to one); [`Solver`]
//! multiplies V by vectors. [`Amounts`] are the same graph with amounts of money for shares: claims for
//! [`debtrank()`] and [`clearing()`], flows whose [`Amounts::coefficients`] are a network. Steps that may take much memory have a variant that
//! is told how much there is, and refuses before it allocates. Whatever was
//! odd about the data is a [`Finding`].
//!
//! # Example
//!
//! Foo and Bar hold shares of each other:
//!
//! ```
//! use ownership::*;
//!
//! let mut builder = NetworkBuilder::new(Policies::default());
//! let stakes = [("A", "Foo", "0.33"), ("Bar", "Foo", "0.34"), ("C", "Foo", "33%"),
//!               ("Foo", "Bar", "0.5"), ("B", "Bar", "0.5")];
//! for (row, (owner, owned, share)) in (1..).zip(stakes) {
//!     builder.add(owner, owned, Share::parse(share, Unit::Fraction)?, row)?;
//! }
//! let network = builder.finish()?;
//! let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(()))?;
//!
//! let bar = network.find("Bar").unwrap();
//! let mut owners = Vec::new();
//! integrated_ownership(&network, &resolvent, 0.1, &[bar], &mut |_| Ok(()), &mut |_, pairs| {
//!     for pair in pairs {
//!         owners.push((resolvent.owner_name(&network, pair.owner).to_owned(), format!("{:.8}", pair.integrated)));
//!     }
//!     Ok(())
//! })?;
//! // Foo and B come first, then Bar itself, by the cycle; then A and C.
//! assert_eq!(owners[3], ("A".to_owned(), "0.19879518".to_owned()));
//! assert!(resolvent.balance(&network).largest_error < 1e-15);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test fails by panicking")
)]

mod amounts;
mod apart;
mod balance;
mod batch;
mod beneficial;
mod bounds;
mod builder;
mod chains;
mod clearing;
mod closed;
mod coefficients;
mod columns;
mod components;
mod control;
mod cycles;
mod debtrank;
mod decimal;
mod error;
mod factors;
mod finding;
mod fixed;
mod gth;
mod interner;
mod katz;
mod labels;
mod layout;
mod lists;
mod measures;
mod memory;
mod models;
mod names;
mod network;
mod packed;
mod pairs;
mod parallel;
mod policies;
mod progress;
mod ranges;
mod repeated;
mod resolvent;
mod ring;
mod share;
mod solve;
mod sparse;
mod structure;
mod sweep;

pub use amounts::{Amounts, AmountsBuilder, ToItself};
pub use balance::Balance;
pub use batch::Batch;
pub use beneficial::{Basis, BeneficialOwner, BeneficialRules, PairLimits, beneficial_owners, explain, without_owner};
pub use bounds::{ShareBounds, share_bounds};
pub use builder::{Limits, NetworkBuilder};
pub use chains::{Chain, ChainLimits, Chains, chains};
pub use clearing::{Clearing, clearing};
pub use closed::{ClosedGroup, OnClosed, OutsideHolder};
pub use control::{Control, ControlEdges, company_control};
pub use debtrank::{DebtRank, DebtRankRules, debtrank};
pub use error::Error;
pub use finding::Finding;
pub use gth::dense_resolvent;
pub use katz::katz;
pub use labels::Kind;
pub use measures::{Measures, NetworkControl, network_control};
pub use models::ControlModel;
pub use network::Network;
pub use packed::ShortName;
pub use pairs::{Emit, LeftOut, Pair, integrated_ownership, integrated_ownership_within};
pub use policies::{ColumnsOver100, Duplicates, ImputedShare, Policies};
pub use progress::{Progress, Stopped};
pub use resolvent::{ComponentsSummary, Resolvent};
pub use share::{Share, ShareError, Unit};
pub use solve::Solver;
pub use structure::{Position, Structure, bow_tie, places, structure};
