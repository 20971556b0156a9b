//! What a report shows of the network behind a result.
//!
//! A result has a row for everything; a reader asks about some. So this looks at the network once more, for a bounded
//! number of companies: a product with the resolvent for each, and a search for its largest chains. On 600,000
//! companies that is a fraction of a second, on five it is nothing.

mod chosen;
mod company;
mod picture;
mod rings;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jobs::{Failure, StageRun};
use ownership::{Network, Position, Resolvent, Solver, Structure};
use reports::{Companies, Curve, Holder, Holders, Name, Shape, Survey};

/// Rows of a ranking that are kept, for the report and the spreadsheet.
const MOST_HOLDERS: usize = 1000;

/// A network and what was calculated of it, looked at by a report.
pub(crate) struct Surveyed<'a> {
    network: &'a Network,
    resolvent: &'a Resolvent,
    structure: Vec<Structure>,
    solver: Solver<'a>,
    /// The owner that each member of a closed group counts as, and one member of each group in their order.
    groups: (HashMap<u32, u32>, Vec<u32>),
    /// Who counts as an ultimate owner: companies that nobody holds, and closed groups.
    ultimate: Vec<u32>,
}

impl<'a> Surveyed<'a> {
    /// O(companies + stakes), and a product with each block of the resolvent.
    pub(crate) fn new(network: &'a Network, resolvent: &'a Resolvent) -> Self {
        let groups = groups(network, resolvent);
        let companies = to_u32(network.len());
        let holds = |&company: &u32| network.holders(company).len() == 0 && network.holdings(company).len() > 0;
        let mut ultimate: Vec<u32> = (0..companies).filter(holds).collect();
        ultimate.extend((companies..).take(groups.1.len()));
        Self {
            network,
            resolvent,
            structure: ownership::structure(network, resolvent),
            solver: Solver::new(network, resolvent),
            groups,
            ultimate,
        }
    }

    /// Everything that a report of ownership shows. `step` is called between companies.
    fn survey(&self, wanted: Wanted<'_>, step: &dyn Fn() -> Result<(), Failure>) -> Result<Survey, Failure> {
        let share = wanted.share;
        step()?;
        let chosen = chosen::choose(self.network, &self.structure);
        let mut shown = Vec::with_capacity(chosen.companies.len());
        let mut x = Vec::new();
        let mut unit = vec![0.0; self.network.len()];
        for (id, why) in chosen.companies {
            step()?;
            shown.push(self.company(id, why, &mut unit, &mut x));
        }
        Ok(Survey {
            holders: wanted.holders.or_else(|| self.ranking(share)),
            companies: (chosen.all > 0).then(|| Companies {
                all: chosen.all,
                chosen_by: chosen.by,
                share: share.to_owned(),
                rows_title: wanted.rows.0.to_owned(),
                rows_columns: wanted.rows.1.to_vec(),
                shown,
            }),
            rings: Some(self.rings()),
            shape: Some(self.shape()),
        })
    }

    /// Ultimate owners by the sum of what they hold, every company counting as much as any other.
    fn ranking(&self, share: &str) -> Option<Holders> {
        let counts = |place: &Structure| self.is_held(place.company) && place.amplification.is_some();
        let values: Vec<f64> = self
            .structure
            .iter()
            .map(|place| f64::from(u8::from(counts(place))))
            .collect();
        let whole: f64 = values.iter().sum();
        let x = self.solver.solve(&values);
        let held = self
            .ultimate
            .iter()
            .map(|&owner| (owner, x[self.representative(owner) as usize]));
        let held: Vec<(u32, f64)> = held.filter(|&(_, value)| value > 0.0).collect();
        let curve = Curve::of_whole(
            "How much of all companies the largest owners hold together",
            "ultimate owners",
            held.iter().map(|&(_, value)| value).collect(),
            whole,
        );
        let count = held.len() as u64;
        (count > 0).then(|| Holders {
            title: "Top holders".to_owned(),
            explained: format!(
                "Ultimate owners, whom nobody is recorded to hold, ranked by the {share} that they have of all \
                 companies, directly and through every chain and ring. Every company counts as one, whatever it is \
                 worth; what is not reached in the end is undisclosed."
            ),
            measure: "companies held (sum of shares)".to_owned(),
            whole,
            rows: self.ranked(held),
            count,
            curve,
        })
    }

    /// The first of a ranking, largest first, equals by name.
    fn ranked(&self, values: Vec<(u32, f64)>) -> Vec<Holder> {
        rank(values, MOST_HOLDERS, |owner| self.name(owner))
    }

    /// Counts by place, degree and so on.
    fn shape(&self) -> Shape {
        let mut shape = Shape {
            ultimate: self.ultimate.len() as u64,
            ..Shape::default()
        };
        let (mut sum, mut defined) = (0.0, 0_u64);
        let (mut holders, mut holdings) = (Vec::new(), Vec::new());
        for place in &self.structure {
            shape.positions[ordinal(place.position)] += 1;
            count(&mut holders, self.network.holders(place.company).len());
            count(&mut holdings, self.network.holdings(place.company).len());
            if let Some(undisclosed) = place.undisclosed.filter(|_| self.is_held(place.company)) {
                sum += undisclosed;
                defined += 1;
            }
        }
        shape.holders = degrees(&holders);
        shape.holdings = degrees(&holdings);
        shape.undisclosed = (defined > 0).then(|| sum / defined as f64);
        shape
    }

    fn is_held(&self, company: u32) -> bool {
        self.network.holders(company).len() > 0
    }

    /// The company that stands for an owner in a solution: itself, or a member of the group.
    fn representative(&self, owner: u32) -> u32 {
        match (owner as usize).checked_sub(self.network.len()) {
            None => owner,
            Some(group) => self.groups.1[group],
        }
    }

    /// The owner that a holder counts as: itself, or its closed group.
    fn counts_as(&self, holder: u32) -> u32 {
        self.groups.0.get(&holder).copied().unwrap_or(holder)
    }

    fn name(&self, owner: u32) -> Name {
        named(self.network, self.resolvent, owner)
    }
}

/// Who an owner is: a company with what it is called, if the input says so, or a closed group.
pub(crate) fn named(network: &Network, resolvent: &Resolvent, owner: u32) -> Name {
    let is_company = (owner as usize) < network.len();
    let label = is_company.then(|| network.label(owner)).flatten();
    Name {
        id: resolvent.owner_name(network, owner).to_owned(),
        label: label.unwrap_or_default().to_owned(),
    }
}

/// What a job type has to say about its survey.
pub(crate) struct Wanted<'a> {
    /// Its own ranking; without one, ultimate owners are ranked by what they hold.
    pub(crate) holders: Option<Holders>,
    /// What a share is.
    pub(crate) share: &'a str,
    /// What the rows of its result about a company are called, and the columns of them to show.
    pub(crate) rows: (&'a str, &'a [&'static str]),
}

/// The survey of a job type about ownership or control.
pub(crate) fn survey(
    stage: &StageRun<'_>,
    network: &Network,
    resolvent: &Resolvent,
    wanted: Wanted<'_>,
) -> Result<Survey, Failure> {
    let step = || stage.progress(0.0).map_err(Failure::from);
    Surveyed::new(network, resolvent).survey(wanted, &step)
}

/// The survey of a job type whose shares are no ownership: rings and shape, without what the inverse says of them.
pub(crate) fn outline(network: &Network, resolvent: &Resolvent) -> Survey {
    let surveyed = Surveyed::new(network, resolvent);
    let mut rings = surveyed.rings();
    for member in rings.shown.iter_mut().flat_map(|ring| &mut ring.members) {
        (member.amplification, member.undisclosed) = (None, None);
    }
    let shape = Shape {
        undisclosed: None,
        ..surveyed.shape()
    };
    Survey {
        rings: Some(rings),
        shape: Some(shape),
        ..Survey::default()
    }
}

/// The first `most` of a ranking: largest first, equals in the order of ids, which is that of names.
pub(crate) fn rank(mut values: Vec<(u32, f64)>, most: usize, name: impl Fn(u32) -> Name) -> Vec<Holder> {
    let order = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if values.len() > most {
        values.select_nth_unstable_by(most, order);
        values.truncate(most);
    }
    values.sort_unstable_by(order);
    let mut cumulative = 0.0;
    let rows = values.into_iter().map(|(owner, value)| {
        cumulative += value;
        Holder {
            name: name(owner),
            value,
            cumulative,
        }
    });
    rows.collect()
}

fn groups(network: &Network, resolvent: &Resolvent) -> (HashMap<u32, u32>, Vec<u32>) {
    let (mut member_of, mut first) = (HashMap::new(), Vec::new());
    for (group, closed) in (to_u32(network.len())..).zip(resolvent.components().closed) {
        let members: Vec<u32> = closed.members.iter().filter_map(|name| network.find(name)).collect();
        first.extend(members.first());
        member_of.extend(members.into_iter().map(|member| (member, group)));
    }
    (member_of, first)
}

/// Adds one to the count of a degree.
fn count(counts: &mut Vec<u64>, degree: usize) {
    if counts.len() <= degree {
        counts.resize(degree + 1, 0);
    }
    counts[degree] += 1;
}

/// Degrees from 1 that occur, with their counts.
fn degrees(counts: &[u64]) -> Vec<(u64, u64)> {
    let degrees = (0..).zip(counts.iter().copied()).skip(1);
    degrees.filter(|&(_, count)| count > 0).collect()
}

fn ordinal(position: Position) -> usize {
    match position {
        Position::In => 0,
        Position::Scc => 1,
        Position::Out => 2,
        Position::Tube => 3,
        Position::Tendril => 4,
        Position::Other => 5,
    }
}

/// A count of companies, which the builder keeps within 32 bits.
fn to_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
