//! Integrated ownership, pair by pair.
//!
//! Column j of V says what everyone holds of company j, itself included. From
//! `(I - W) V = I` it is found upwards: start with 1 at j, and pass what
//! arrives at a company on to its holders, in proportion, owners last; in a
//! component with cycles multiply what arrives by its block first. Every
//! operation adds or multiplies what is not negative, so each entry keeps the
//! relative accuracy of the blocks.
//!
//! Done for each company by itself this walks the same stakes over and over.
//! So companies that hold others keep a *list*: what a share in them means for
//! everyone above, as far as that is short ([`lists`]). Members of large rings,
//! and companies whose list would be long, stay *open*: lists name them only.
//!
//! Columns of open companies are kept in a [`table`]. For any other company the
//! few open companies in its list say who can reach the floor at all, and these
//! are looked up. Everyone else below a large ring, nearly all owners, is never
//! touched; what they hold together follows from column sums.
//!
//! Where the table would not fit into memory, open companies are expanded when
//! a column is made ([`column`]), each at most once a column, owners last.
//! Memory doesn't grow with the number of pairs either way.

mod candidates;
mod column;
mod large;
mod lists;
mod stream;
mod table;
mod upstream;

use serde::{Deserialize, Serialize};

pub use stream::{integrated_ownership, integrated_ownership_within};

use crate::Stopped;

/// Called with each company and its owners. What it returns ends the work or
/// lets it go on.
pub type Emit<'a> = dyn FnMut(u32, &[Pair]) -> Result<(), Stopped> + 'a;

/// What one owner holds of a company.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The owner: a company, or from `network.len()` on a closed group.
    pub owner: u32,
    /// `W[i][j]`, the recorded stake.
    pub direct: f64,
    /// `T[i][j]` of `T = V - I`: directly and through every chain and cycle
    /// (Brioschi, Buzzacchi, Colombo 1989).
    pub integrated: f64,
    /// `T[i][j] / V[i][i]`: the same without the owner's own cycles (Baldone,
    /// Brioschi, Paleari 1998).
    pub corrected: f64,
}

/// What was positive but below the floor. Both are exact: pairs are counted,
/// and mass is what is missing to the sums of all columns, right to the
/// rounding of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Pairs of an owner and a company.
    pub pairs: u64,
    /// The sum of their integrated shares.
    pub mass: f64,
}
