//! What a report shows of the network behind a result: who is on top, who owns some companies and through what, the
//! rings, the shape of the whole.
//!
//! Plain data, filled by whoever has the network; every list in it is bounded by whom it is filled by, and cut again
//! where it is drawn.

use serde::{Deserialize, Serialize};

use crate::Curve;

/// Everything a report may show of a network. What is `None` makes no section.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// Who holds or controls the most.
    pub holders: Option<Holders>,
    /// Some companies with their owners and chains.
    pub companies: Option<Companies>,
    /// The rings of cross-holdings.
    pub rings: Option<Rings>,
    /// The shape of the network.
    pub shape: Option<Shape>,
}

/// Who someone is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The id, as result columns have it.
    pub id: String,
    /// What people call it; empty where the input has no names beside ids.
    pub label: String,
}

/// A ranking, and how it adds up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Holders {
    /// The heading: `Top holders`.
    pub title: String,
    /// What is ranked by what, in a sentence or two.
    pub explained: String,
    /// The head of the column of values: `control`.
    pub measure: String,
    /// What 100 percent of the cumulative column is.
    pub whole: f64,
    /// The first of them, the largest first.
    pub rows: Vec<Holder>,
    /// How many have more than nothing.
    pub count: u64,
    /// How the ranking adds up.
    pub curve: Option<Curve>,
}

/// One in a ranking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// Who.
    pub name: Name,
    /// By what is ranked.
    pub value: f64,
    /// The sum of the values down to here.
    pub cumulative: f64,
}

/// Companies that have a section of their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Companies {
    /// How many could have one: those with a recorded holder.
    pub all: u64,
    /// Why these, where they are not all.
    pub chosen_by: String,
    /// What a share is here: `share`, or `share of votes by the threshold model`.
    pub share: String,
    /// What the rows of the result about a company are called: `Who controls it`.
    pub rows_title: String,
    /// The columns of the result that are shown of each; none, no rows.
    pub rows_columns: Vec<&'static str>,
    /// In the order of the report.
    pub shown: Vec<Company>,
}

/// Who owns one company.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Company {
    /// The company.
    pub name: Name,
    /// Why it is shown; empty where all are.
    pub why: String,
    /// Its ultimate owners with the largest shares: those nobody is recorded to hold, and closed groups.
    pub owners: Vec<Owner>,
    /// How many further ultimate owners there are, and the sum of their shares.
    pub others: (u64, f64),
    /// What nobody known holds, directly or through holders; `None` in a closed group.
    pub undisclosed: Option<f64>,
    /// What nobody known holds directly.
    pub undisclosed_directly: f64,
    /// The sum of its recorded stakes.
    pub column_sum: f64,
    /// The closed group it is a member of.
    pub group: Option<String>,
    /// `V[j][j]`; `None` in a closed group.
    pub amplification: Option<f64>,
    /// Companies in its ring, 1 if it is in none.
    pub ring: u64,
    /// How many hold it directly.
    pub holders: u64,
    /// How many it holds directly.
    pub holdings: u64,
    /// Who is above and below it.
    pub picture: Picture,
}

/// What an ultimate owner has of a company.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Owner {
    /// Who.
    pub name: Name,
    /// Held through everything.
    pub integrated: f64,
    /// The recorded stake; 0 if there is none.
    pub direct: f64,
    /// The chains with the largest products.
    pub chains: Vec<Chain>,
    /// Chains found besides, and the sum of their products.
    pub further: (u64, f64),
    /// What is left of the integrated share: what goes round in cycles, and chains that were not looked for.
    pub rest: f64,
    /// Whether there are no chains but those found, so that all of the rest goes round in cycles.
    pub complete: bool,
}

/// A path of stakes on which nobody occurs twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    /// From the owner down: who, and what is held of the next. The company itself is not in it.
    pub steps: Vec<(Name, f64)>,
    /// The product of the shares.
    pub product: f64,
}

/// A company among those above and below it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// The company first.
    pub nodes: Vec<Node>,
    /// Stakes between them.
    pub edges: Vec<Edge>,
    /// Owners and holders above that are left out.
    pub more_above: u64,
    /// Holdings that are left out.
    pub more_below: u64,
}

/// Someone in a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Who.
    pub name: Name,
    /// Where.
    pub role: Role,
    /// Of an owner or one between: what it has of the company, through everything. Of a holding: the company's stake.
    pub share: f64,
}

/// What someone is in a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// The company the picture is of.
    #[default]
    Company,
    /// Nobody is recorded to hold it, or it is a closed group.
    Ultimate,
    /// Above the company, and held itself.
    Between,
    /// Held by the company.
    Holding,
}

/// A stake in a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Edge {
    /// The position of the owner among the nodes.
    pub owner: usize,
    /// The position of the owned.
    pub owned: usize,
    /// The recorded share.
    pub share: f64,
}

/// The rings of cross-holdings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rings {
    /// The largest rings, the largest first.
    pub shown: Vec<Ring>,
    /// How many there are.
    pub count: u64,
    /// Sizes and how many rings have them, ascending.
    pub sizes: Vec<(u64, u64)>,
    /// Companies outside of rings that are recorded to hold shares of themselves.
    pub own_shares: u64,
}

/// A ring: companies that each hold all the others, directly or through others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ring {
    /// Its number, from 1, the largest first.
    pub number: u64,
    /// How many companies are in it.
    pub size: u64,
    /// The name of the closed group that it is, if it is one.
    pub group: Option<String>,
    /// Members, those with the largest amplification first; as many as were asked for.
    pub members: Vec<Member>,
}

/// A company in a ring.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Member {
    /// Which.
    pub name: Name,
    /// `V[i][i]`; `None` in a closed group, or where the result is of another matrix.
    pub amplification: Option<f64>,
    /// What nobody known holds of it.
    pub undisclosed: Option<f64>,
}

/// The shape of a network in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// How many companies are in each place of the bow-tie: in, scc, out, tube, tendril, other.
    pub positions: [u64; 6],
    /// Numbers of holders and how many companies have them, ascending, from 1.
    pub holders: Vec<(u64, u64)>,
    /// Numbers of holdings and how many owners have them, ascending, from 1.
    pub holdings: Vec<(u64, u64)>,
    /// Those that nobody is recorded to hold.
    pub ultimate: u64,
    /// What nobody known holds of a company, through everything, on average; `None` where it was not calculated.
    pub undisclosed: Option<f64>,
}

impl Name {
    /// Someone with an id alone.
    #[must_use]
    pub fn of(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            label: String::new(),
        }
    }

    /// What to show first: the label, where there is one.
    pub(crate) fn shown(&self) -> &str {
        if self.label.is_empty() { &self.id } else { &self.label }
    }
}
