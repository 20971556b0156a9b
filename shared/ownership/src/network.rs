//! The ownership network: who holds how much of whom, by company and by holder.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize};

use crate::apart::Settled;
use crate::labels::Labels;
use crate::lists::Lists;
use crate::names::{Names, to_u32};
use crate::ranges::Ranges;
use crate::share::fraction;
use crate::{Finding, Kind};

/// An ownership network, whose matrix is `W[i][j]` = share of company j held by i.
///
/// Companies have the ids `0..len()` in the order of their names (bytewise), so
/// nothing in a network or in what is computed from it depends on the order in
/// which stakes were added. Stakes are stored by column (who holds company j)
/// and by row (what company i holds), each list in the order of names.
///
/// 40 bytes a stake and about 30 a company besides its name. It serialises (by
/// column only); what is read back is checked, so damaged data is an error and
/// not a panic later.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Network {
    names: Names,
    columns: Lists,
    rows: Lists,
    undisclosed: Vec<f64>,
    over: Vec<Over>,
    findings: Vec<Finding>,
    ranges: Ranges,
    controls: Vec<(u32, u32)>,
    labels: Labels,
}

/// A column that sums to more than one: its stakes in units of `1e-18`, in the
/// order of the column.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Over {
    pub(crate) company: u32,
    pub(crate) units: Vec<u128>,
}

/// How the stakes in a company that were changed add up.
pub(crate) enum Column {
    /// They were not changed.
    AsBefore,
    /// To one with this share, which is undisclosed.
    Undisclosed(f64),
    /// To more than one; what they are in units of `1e-18`.
    Over(Vec<u128>),
}

impl Network {
    pub(crate) fn new(
        names: Names,
        columns: Lists,
        undisclosed: Vec<f64>,
        over: Vec<Over>,
        findings: Vec<Finding>,
    ) -> Self {
        let rows = columns.transposed();
        Self {
            names,
            columns,
            rows,
            undisclosed,
            over,
            findings,
            ranges: Ranges::default(),
            controls: Vec::new(),
            labels: Labels::default(),
        }
    }

    /// The same network with what is known beside shares.
    pub(crate) fn with_apart(mut self, settled: Settled, labels: Labels) -> Self {
        self.ranges = settled.ranges;
        self.controls = settled.controls;
        self.findings.extend(settled.findings);
        self.labels = labels;
        self
    }

    /// Companies: everyone who holds or is held, persons among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no company; never so for what a builder finished.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Stakes, after duplicates were put together and zeros dropped.
    #[must_use]
    pub fn stakes(&self) -> usize {
        self.columns.ids.len()
    }

    /// The name of a company.
    ///
    /// # Panics
    ///
    /// If there is no such company.
    #[must_use]
    pub fn name(&self, company: u32) -> &str {
        self.names.get(company)
    }

    /// The company of that name, in O(log companies).
    #[must_use]
    pub fn find(&self, name: &str) -> Option<u32> {
        self.names.search(name).ok()
    }

    /// What the company is called, where the input says so and has ids for names.
    #[must_use]
    pub fn label(&self, company: u32) -> Option<&str> {
        self.labels.name(company)
    }

    /// Whether the company is a natural person, where the input says so.
    #[must_use]
    pub fn kind(&self, company: u32) -> Kind {
        self.labels.kind(company)
    }

    /// Whether the input says of anyone what they are called or are.
    #[must_use]
    pub fn has_labels(&self) -> bool {
        !self.labels.is_empty()
    }

    /// Who controls whom by what is no known share: (controller, company), in the order of names, each once.
    #[must_use]
    pub fn control_edges(&self) -> &[(u32, u32)] {
        &self.controls
    }

    /// The same network with other control edges, which are in order.
    pub(crate) fn with_control_edges(self, controls: Vec<(u32, u32)>) -> Self {
        Self { controls, ..self }
    }

    /// The edges of one controller.
    pub(crate) fn control_edges_of(&self, controller: u32) -> &[(u32, u32)] {
        let start = self.controls.partition_point(|&(other, _)| other < controller);
        let edges = &self.controls[start..];
        &edges[..edges.partition_point(|&(other, _)| other == controller)]
    }

    /// Whether there are stakes of which only bounds are known, and more than one share is possible.
    #[must_use]
    pub fn has_ranges(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// Who holds the company: (owner, share), in the order of names.
    ///
    /// # Panics
    ///
    /// If there is no such company.
    #[must_use]
    pub fn holders(&self, company: u32) -> impl ExactSizeIterator<Item = (u32, f64)> + Clone + '_ {
        self.columns.list(company)
    }

    /// What the company holds: (owned, share), in the order of names.
    ///
    /// # Panics
    ///
    /// If there is no such company.
    #[must_use]
    pub fn holdings(&self, company: u32) -> impl ExactSizeIterator<Item = (u32, f64)> + Clone + '_ {
        self.rows.list(company)
    }

    /// The direct undisclosed share of a company: what its recorded stakes lack
    /// to one.
    ///
    /// It is the difference of exact decimals, rounded once. Zero for a company
    /// without recorded holders, which is an ultimate owner, and for one whose
    /// stakes sum to more than one.
    #[must_use]
    pub fn undisclosed(&self, company: u32) -> f64 {
        self.undisclosed[company as usize]
    }

    /// The sum of the recorded stakes in a company.
    #[must_use]
    pub fn column_sum(&self, company: u32) -> f64 {
        match self.over(company) {
            Some(units) => fraction(units.iter().sum()),
            None if self.holders(company).len() == 0 => 0.0,
            None => 1.0 - self.undisclosed(company),
        }
    }

    /// What was noticed while the network was built.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The same companies with other stakes, in O(stakes + companies); without ranges, control edges and labels.
    ///
    /// `change` gets each company with its stakes in the order of ids. It leaves
    /// them as they are, or changes them without giving up that order, and says
    /// what their sum is then. Findings are those of this network.
    pub(crate) fn with_stakes(&self, mut change: impl FnMut(u32, &mut Vec<(u32, f64)>) -> Column) -> Self {
        let mut columns = Lists {
            starts: vec![0],
            ..Lists::default()
        };
        let mut undisclosed = self.undisclosed.clone();
        let mut over = Vec::new();
        let mut stakes = Vec::new();
        for company in (0..).take(self.len()) {
            stakes.clear();
            stakes.extend(self.holders(company));
            match change(company, &mut stakes) {
                Column::Undisclosed(missing) => undisclosed[company as usize] = missing,
                Column::Over(units) => over.push(Over { company, units }),
                Column::AsBefore => over.extend(self.over(company).map(|units| Over {
                    company,
                    units: units.to_vec(),
                })),
            }
            columns.ids.extend(stakes.iter().map(|&(owner, _)| owner));
            columns.shares.extend(stakes.iter().map(|&(_, share)| share));
            columns.starts.push(to_u32(columns.ids.len()));
        }
        Self::new(self.names.clone(), columns, undisclosed, over, self.findings.clone())
    }

    /// The same with more findings.
    pub(crate) fn with_findings(mut self, more: impl Iterator<Item = Finding>) -> Self {
        self.findings.extend(more);
        self
    }

    /// The stakes in a company that sum to more than one, in units of `1e-18`.
    pub(crate) fn over(&self, company: u32) -> Option<&[u128]> {
        let found = self.over.binary_search_by_key(&company, |over| over.company);
        found.ok().map(|position| self.over[position].units.as_slice())
    }

    /// Stakes of which only bounds are known.
    pub(crate) fn ranges(&self) -> &Ranges {
        &self.ranges
    }

    /// Whether there is a recorded holder of the company.
    #[inline]
    pub(crate) fn is_held(&self, company: u32) -> bool {
        !self.columns.range(company).is_empty()
    }

    /// Whether the company holds anything.
    #[inline]
    pub(crate) fn is_holder(&self, company: u32) -> bool {
        !self.rows.range(company).is_empty()
    }

    /// Whether the company is held and holds others: cycles are among these.
    pub(crate) fn is_inner(&self, company: u32) -> bool {
        self.is_held(company) && self.is_holder(company)
    }

    /// Ids of the holders alone, which a search of the graph wants by position.
    pub(crate) fn holder_ids(&self, company: u32) -> &[u32] {
        &self.columns.ids[self.columns.range(company)]
    }

    /// Bytes of all names together.
    pub(crate) fn name_bytes(&self) -> u64 {
        self.names.bytes() as u64
    }

    /// Where a name stands among the names.
    pub(crate) fn search(&self, name: &str) -> Result<u32, u32> {
        self.names.search(name)
    }
}

/// A network as it is read: the rows follow from the columns.
#[derive(Deserialize)]
struct Stored {
    names: Names,
    columns: Lists,
    undisclosed: Vec<f64>,
    over: Vec<Over>,
    findings: Vec<Finding>,
    ranges: Ranges,
    controls: Vec<(u32, u32)>,
    labels: Labels,
}

impl Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Stored", 8)?;
        fields.serialize_field("names", &self.names)?;
        fields.serialize_field("columns", &self.columns)?;
        fields.serialize_field("undisclosed", &self.undisclosed)?;
        fields.serialize_field("over", &self.over)?;
        fields.serialize_field("findings", &self.findings)?;
        fields.serialize_field("ranges", &self.ranges)?;
        fields.serialize_field("controls", &self.controls)?;
        fields.serialize_field("labels", &self.labels)?;
        fields.end()
    }
}

impl TryFrom<Stored> for Network {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let companies = stored.names.len();
        if !stored.names.is_sorted() || !stored.columns.is_matrix(companies) {
            return Err("names or stakes are not those of a network");
        }
        let undisclosed = &stored.undisclosed;
        if undisclosed.len() != companies || !undisclosed.iter().all(|share| (0.0..=1.0).contains(share)) {
            return Err("undisclosed shares are not those of a network");
        }
        let mut previous = None;
        for over in &stored.over {
            if previous >= Some(over.company)
                || over.company as usize >= companies
                || over.units.len() != stored.columns.range(over.company).len()
            {
                return Err("columns over one are not those of a network");
            }
            previous = Some(over.company);
        }
        let exists = |&(controller, company): &(u32, u32)| (controller.max(company) as usize) < companies;
        if !stored.ranges.is_valid(companies)
            || !stored.controls.is_sorted_by(|a, b| a < b)
            || !stored.controls.iter().all(exists)
            || !stored.labels.is_valid(companies)
        {
            return Err("ranges, control or labels are not those of a network");
        }
        let network = Self::new(
            stored.names,
            stored.columns,
            stored.undisclosed,
            stored.over,
            stored.findings,
        );
        let settled = Settled {
            ranges: stored.ranges,
            controls: stored.controls,
            findings: Vec::new(),
        };
        Ok(network.with_apart(settled, stored.labels))
    }
}
