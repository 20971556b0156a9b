//! The stored rows of a job, company by company.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use formats::{Block, Values};
use jobs::{Job, JobId, RowBlock, RowsRef, Status, Store};
use serde_json::{Map, Value};

use super::{CompanyPage, CompanyRows};
use crate::Problem;
use crate::codes::Code;
use crate::names::names_of;

/// Of one company at most this many rows are shown.
pub(super) const ROWS_OF_A_COMPANY: usize = 10_000;

/// The result rows of a job.
pub(super) struct Table<'a> {
    pub(super) store: &'a Store,
    pub(super) job: JobId,
    pub(super) rows: RowsRef,
}

impl<'a> Table<'a> {
    pub(super) fn of(store: &'a Store, job: &Job) -> Result<Self, Problem> {
        let rows = job.state.outcome.as_ref().and_then(|outcome| outcome.rows.clone());
        match rows {
            Some(rows) if job.state.status == Status::Success => Ok(Self {
                store,
                job: job.id,
                rows,
            }),
            _ => Err(Problem::new(
                StatusCode::CONFLICT,
                Code::JobNotSuccessful,
                format!("the job is {}; only a SUCCESS has results", job.state.status),
            )),
        }
    }

    /// The last `most` of the blocks that hold the rows of a company, in order; none if the result does not know it.
    /// One query for each block, and one more for a company that begins a block.
    pub(super) async fn blocks_of(&self, company: &str, most: usize) -> Result<Vec<Block>, Problem> {
        let mut blocks = Vec::new();
        let mut found = self.store.rows_at(self.job, self.rows.epoch, company).await?;
        while let Some(row_block) = found {
            let block = decode(&row_block)?;
            if block.companies.search(company).is_none() {
                break;
            }
            let may_have_begun_before = block.companies.first() == Some(company);
            blocks.push(block);
            if !may_have_begun_before || blocks.len() == most {
                break;
            }
            found = self.store.rows_before(self.job, self.rows.epoch, &row_block).await?;
        }
        blocks.reverse();
        Ok(blocks)
    }

    /// The first of the blocks before `block` from which on all rows up to it are those of `company`, if there is one.
    pub(super) async fn blocks_before(&self, block: &RowBlock, company: &str) -> Result<Option<RowBlock>, Problem> {
        let mut first = None;
        let mut begins = begins_with(block, company)?;
        while begins {
            let at = first.as_ref().unwrap_or(block);
            let Some(before) = self.store.rows_before(self.job, self.rows.epoch, at).await? else {
                break;
            };
            begins = begins_with(&before, company)?;
            if begins {
                first = Some(before);
            }
        }
        Ok(first)
    }

    /// The position of a column among the values of a block.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        let at = self.rows.columns.iter().position(|column| column == name)?;
        match at.cmp(&self.rows.key) {
            std::cmp::Ordering::Less => Some(at),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(at - 1),
        }
    }

    /// A page with the names of everyone in it.
    pub(super) async fn named(&self, mut page: CompanyPage) -> Result<CompanyPage, Problem> {
        if self.rows.names == 0 {
            return Ok(page);
        }
        let ids: Vec<_> = page.companies.iter().map(CompanyRows::ids).collect();
        let every = ids.iter().flatten().map(std::convert::AsRef::as_ref);
        let all = names_of(self.store, self.job, &self.rows, every).await?;
        let known = ids.iter().map(|ids| {
            let known = ids.iter().filter_map(|id| all.get_key_value(id.as_ref()));
            known.map(|(id, named)| (id.clone(), named.clone())).collect()
        });
        let known: Vec<BTreeMap<_, _>> = known.collect();
        for (company, names) in page.companies.iter_mut().zip(known) {
            company.names = names;
        }
        Ok(page)
    }

    /// The companies of a block with their rows as JSON objects, columns in order.
    pub(super) fn companies(&self, block: &Block) -> Vec<CompanyRows> {
        let mut row = 0;
        let mut companies = Vec::with_capacity(block.companies.len());
        for (company, count) in block.companies.iter().zip(&block.counts) {
            let total = *count as usize;
            let shown = row..row + total.min(ROWS_OF_A_COMPANY);
            companies.push(CompanyRows {
                company: company.to_owned(),
                rows: shown.map(|row| self.row(block, company, row)).collect(),
                total,
                names: BTreeMap::new(),
            });
            row += total;
        }
        companies
    }

    /// The rows of one company in its blocks.
    pub(super) fn rows_of(&self, company: &str, blocks: &[Block]) -> CompanyRows {
        let mut all = CompanyRows::new(company.to_owned());
        for block in blocks {
            let rows = span(block, company);
            all.total += rows.len();
            let room = ROWS_OF_A_COMPANY.saturating_sub(all.rows.len());
            all.rows
                .extend(rows.take(room).map(|row| self.row(block, company, row)));
        }
        all
    }

    fn row(&self, block: &Block, company: &str, row: usize) -> Map<String, Value> {
        let mut values = block.columns.iter();
        let named = self.rows.columns.iter().enumerate().map(|(at, name)| {
            let value = if at == self.rows.key {
                Value::from(company)
            } else {
                values.next().map_or(Value::Null, |column| cell(column, row))
            };
            (name.clone(), value)
        });
        named.collect()
    }
}

fn begins_with(block: &RowBlock, company: &str) -> Result<bool, Problem> {
    Ok(decode(block)?.companies.first().is_some_and(|name| name == company))
}

/// Which rows of a block are about a company.
pub(super) fn span(block: &Block, company: &str) -> std::ops::Range<usize> {
    let Some(at) = block.companies.search(company) else {
        return 0..0;
    };
    let first: usize = block.counts[..at].iter().map(|&count| count as usize).sum();
    first..first + block.counts[at] as usize
}

fn cell(column: &Values, row: usize) -> Value {
    match column {
        Values::Text { .. } => text(column, row).map_or(Value::Null, Value::from),
        // NaN, which is how a block says undefined, becomes null.
        Values::Number(_) => number(column, row).map_or(Value::Null, Value::from),
        Values::Count(counts) => counts.get(row).map_or(Value::Null, |count| Value::from(*count)),
    }
}

/// The text in a row of a column of texts.
pub(super) fn text(column: &Values, row: usize) -> Option<&str> {
    let Values::Text { dictionary, index } = column else {
        return None;
    };
    dictionary.get(*index.get(row)? as usize)
}

/// The number in a row of a column of numbers.
pub(super) fn number(column: &Values, row: usize) -> Option<f64> {
    match column {
        Values::Number(numbers) => numbers.get(row).copied(),
        _ => None,
    }
}

pub(crate) fn decode(block: &RowBlock) -> Result<Block, Problem> {
    Block::decode(&block.bytes).map_err(|error| {
        tracing::error!(%error, "a block of rows cannot be read");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "the stored result cannot be read",
        )
    })
}
