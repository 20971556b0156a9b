//! The rows about some companies.

use std::collections::BTreeMap;
use std::ops::Bound;

use formats::Block;

use super::OwnedCell;

/// Rows kept of each company.
const MOST: usize = 12;

/// The rows about one company.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excerpt {
    /// The first of them: the cells without the company.
    pub(crate) rows: Vec<Vec<OwnedCell>>,
    /// How many there are.
    pub(crate) count: u64,
}

/// Those of the companies that were asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excerpts(BTreeMap<String, Excerpt>);

impl Excerpts {
    pub(crate) fn of(companies: impl IntoIterator<Item = String>) -> Self {
        Self(
            companies
                .into_iter()
                .map(|company| (company, Excerpt::default()))
                .collect(),
        )
    }

    pub(crate) fn get(&self, company: &str) -> Option<&Excerpt> {
        self.0.get(company)
    }

    /// Takes what a block has. Companies of a block ascend, so most blocks cost two comparisons.
    pub(crate) fn add(&mut self, block: &Block) {
        let (Some(first), Some(last)) = (block.companies.first(), block.companies.last()) else {
            return;
        };
        let within = (Bound::Included(first), Bound::Included(last));
        for (company, excerpt) in self.0.range_mut::<str, _>(within) {
            let Some(position) = block.companies.search(company) else {
                continue;
            };
            let before: usize = block.counts[..position].iter().map(|&count| count as usize).sum();
            let count = block.counts[position] as usize;
            let room = MOST.saturating_sub(excerpt.rows.len());
            let rows = (before..before + count).take(room);
            excerpt
                .rows
                .extend(rows.map(|row| block.columns.iter().map(|values| values.cell(row).into()).collect()));
            excerpt.count += count as u64;
        }
    }
}
