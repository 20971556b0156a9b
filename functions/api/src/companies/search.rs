//! Companies by the beginning of their ids, of their names, or of a word in them, upper and lower case not told apart.
//!
//! A result of many blocks has keys beside its rows, sorted as the answer is, so that a page is a block or two of them,
//! and the names of whom it shows. Of a small result all companies are looked through.

use std::collections::BTreeMap;

use formats::search::{Place, first_key, fold, id_of_key, start_of_keys};
use formats::{Block, Cell, MAX_ID_BYTES};
use futures::stream::{self, StreamExt, TryStreamExt};
use jobs::{RowBlock, Search};

use super::table::{Table, decode};
use super::{CompanyPage, CompanyRows, PageQuery, page};
use crate::Problem;
use crate::names::{self, Named, names_of};

/// A page ends where this many blocks of keys were read.
const BLOCKS_OF_A_PAGE: usize = 16;

/// Names of a page are looked up in this many parts at once.
const TOGETHER: usize = 8;

/// Someone who is found.
struct Found {
    key: String,
    total: usize,
}

impl Found {
    fn id(&self) -> &str {
        id_of_key(&self.key).unwrap_or_default()
    }
}

type Names = BTreeMap<String, Named>;

/// A page of those whom a search for `wanted` finds.
///
/// # Errors
///
/// A problem if the table does not answer.
pub(super) async fn search(
    table: &Table<'_>,
    query: PageQuery,
    wanted: &str,
    limit: usize,
) -> Result<CompanyPage, Problem> {
    let folded = fold(wanted);
    if folded.is_empty() {
        return in_rows(table, query, None, limit).await;
    }
    let after = query.after.as_deref();
    let (found, names, next) = match table.rows.search {
        _ if table.rows.blocks <= 1 => look_through(table, &folded, after, limit).await?,
        Search::Blocks(_) => by_keys(table, &folded, after, limit).await?,
        Search::Lower => return in_rows(table, query, Some(folded), limit).await,
        Search::Upper => return in_rows(table, query, Some(folded.to_ascii_uppercase()), limit).await,
        Search::No => return in_rows(table, query, Some(wanted.to_owned()), limit).await,
    };
    let companies = found.into_iter().map(|found| CompanyRows {
        names: names.get_key_value(found.id()).into_iter().map(owned).collect(),
        total: found.total,
        ..CompanyRows::new(found.id().to_owned())
    });
    Ok(CompanyPage {
        companies: companies.collect(),
        next,
    })
}

fn owned((id, named): (&String, &Named)) -> (String, Named) {
    (id.clone(), named.clone())
}

/// Rows whose order is that of the search.
async fn in_rows(
    table: &Table<'_>,
    query: PageQuery,
    prefix: Option<String>,
    limit: usize,
) -> Result<CompanyPage, Problem> {
    // To fold a text may make it longer than any id.
    if prefix.as_ref().is_some_and(|prefix| prefix.len() > MAX_ID_BYTES) {
        return Ok(CompanyPage::default());
    }
    let query = PageQuery {
        prefix,
        brief: Some(true),
        ..query
    };
    table.named(page(table, &query, limit).await?).await
}

async fn look_through(
    table: &Table<'_>,
    wanted: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Found>, Names, Option<String>), Problem> {
    let Some(stored) = table.store.rows_after(table.job, table.rows.epoch, None).await? else {
        return Ok((Vec::new(), Names::new(), None));
    };
    let block = decode(&stored)?;
    let names = names_together(table, block.companies.iter()).await?;
    let companies = block.companies.iter().zip(&block.counts);
    let found = companies.filter_map(|(id, &count)| {
        let key = first_key(wanted, id, name(&names, id))?;
        let total = count as usize;
        after
            .is_none_or(|after| key.as_str() > after)
            .then_some(Found { key, total })
    });
    let mut found: Vec<Found> = found.collect();
    found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| is_more).map(|last| last.key.clone());
    Ok((found, names, next))
}

async fn by_keys(
    table: &Table<'_>,
    wanted: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Found>, Names, Option<String>), Problem> {
    let mut keys = Keys {
        table,
        after: after.map(str::to_owned),
        blocks: 0,
    };
    let (mut found, mut all) = (Vec::new(), Names::new());
    for place in Place::ALL {
        let start = start_of_keys(place, wanted);
        loop {
            // One more than wanted says whether there is another page.
            let (next, end) = keys.next(&start, limit + 1 - found.len()).await?;
            let names = names_together(table, next.iter().map(Found::id)).await?;
            // Whom the search finds in several places is told at the first.
            let firsts = next.into_iter().filter(|one| {
                let first = first_key(wanted, one.id(), name(&names, one.id()));
                first.as_ref() == Some(&one.key)
            });
            found.extend(firsts);
            all.extend(names);
            if found.len() > limit {
                found.truncate(limit);
                let next = found.last().map(|last| last.key.clone());
                return Ok((found, all, next));
            }
            match end {
                End::Enough if keys.blocks < BLOCKS_OF_A_PAGE => {}
                End::Enough => return Ok((found, all, keys.after)),
                End::OfPlace => break,
            }
        }
    }
    Ok((found, all, None))
}

/// Why there are no further keys.
enum End {
    /// As many were read as may be at once.
    Enough,
    /// No further one begins so.
    OfPlace,
}

/// Keys in order, from one on.
struct Keys<'t> {
    table: &'t Table<'t>,
    /// The last one that was read.
    after: Option<String>,
    blocks: usize,
}

impl Keys<'_> {
    /// The next keys that begin with `start`, at most `most`.
    async fn next(&mut self, start: &str, most: usize) -> Result<(Vec<Found>, End), Problem> {
        let (store, job, epoch) = (self.table.store, self.table.job, self.table.rows.epoch);
        let from = self.after.as_deref().unwrap_or_default().max(start).to_owned();
        let mut stored: Option<RowBlock> = store.search_from(job, epoch, &from).await?;
        let mut found = Vec::new();
        while let Some(row_block) = stored {
            self.blocks += 1;
            let block = decode(&row_block)?;
            for (key, total) in keys_of(&block) {
                if key < from.as_str() || self.after.as_deref().is_some_and(|after| key <= after) {
                    continue;
                }
                if !key.starts_with(start) {
                    return Ok((found, End::OfPlace));
                }
                self.after = Some(key.to_owned());
                found.push(Found {
                    key: key.to_owned(),
                    total,
                });
                if found.len() == most {
                    return Ok((found, End::Enough));
                }
            }
            stored = store.search_after(job, epoch, &row_block).await?;
        }
        Ok((found, End::OfPlace))
    }
}

fn keys_of(block: &Block) -> impl Iterator<Item = (&str, usize)> {
    block.rows().map(|row| match row.cell(0) {
        Cell::Count(total) => (row.company, usize::try_from(total).unwrap_or(usize::MAX)),
        Cell::Text(_) | Cell::Number(_) => (row.company, 0),
    })
}

fn name<'n>(names: &'n Names, id: &str) -> Option<&'n str> {
    names.get(id).map(Named::name)
}

/// All names of `ids`: without its name somebody may not be found.
async fn names_together<'i>(table: &Table<'_>, ids: impl Iterator<Item = &'i str>) -> Result<Names, Problem> {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    // Each id may be in another block of names, and no part may have more of these than are read.
    let parts = ids.chunks(ids.len().div_ceil(TOGETHER).clamp(1, names::BLOCKS));
    let names = parts.map(|part| names_of(table.store, table.job, &table.rows, part.iter().copied()));
    let names: Vec<_> = names.collect();
    let names: Vec<Names> = stream::iter(names).buffered(TOGETHER).try_collect().await?;
    Ok(names.into_iter().flatten().collect())
}
