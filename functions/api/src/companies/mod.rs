//! Results, company by company.

mod chains;
mod search;
mod table;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use formats::MAX_ID_BYTES;
use formats::chains::parts;
use formats::search::MAX_KEY_BYTES;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use chains::{Above, above};
use search::search;
pub(crate) use table::decode;
use table::{ROWS_OF_A_COMPANY, Table};

use crate::body::{JobPath, NamedPath, Parameters};
use crate::codes::Code;
use crate::names::{Named, names_of};
use crate::{Api, Problem};

/// A page ends after the company with which it has this many rows.
const ROWS_OF_A_PAGE: usize = 5_000;

/// A page ends after the company at which this many blocks were read.
const BLOCKS_OF_A_PAGE: usize = 64;

/// A company and its rows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CompanyRows {
    /// Whom the rows are about.
    company: String,
    /// Rows of the result, with the columns that `GET /job-types` describes. Undefined values are null.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Map<String, Value>>,
    /// How many rows there are. Of more than ten thousand the first ten thousand are shown; the files have all.
    total: usize,
    /// What the company, and whoever is in its rows, is called and is, by id. Only where the input says so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    names: BTreeMap<String, Named>,
}

/// Whose chains.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompanyQuery {
    /// Only chains that begin at this owner. Without it they begin at owners whom nobody is recorded to hold.
    owner: Option<String>,
}

/// A company, its rows, and who stands above it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CompanyView {
    /// Whom the rows are about.
    company: String,
    /// Rows of the result, with the columns that `GET /job-types` describes. Undefined values are null.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Map<String, Value>>,
    /// How many rows there are. Of more than ten thousand the first ten thousand are shown; the files have all.
    total: usize,
    /// The chains of stakes that lead to it; null where the rows of the job type do not say who holds whom directly.
    /// What the company itself holds is not told: rows are stored by the company held.
    above: Option<Above>,
    /// What the company, and whoever is in its rows and chains, is called and is, by id. Only where the input says so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    names: BTreeMap<String, Named>,
}

/// Which companies.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 1000 companies, default 100.
    limit: Option<u32>,
    /// Only companies whose ids begin so, upper and lower case told apart.
    prefix: Option<String>,
    /// Only companies whose ids or names begin so, or have a word that does, upper and lower case not told apart: first
    /// those that begin so, in the order of what follows. Tells names and numbers of rows alone. Not together with
    /// `prefix`. In a result of an earlier version it is taken for `prefix`.
    search: Option<String>,
    /// Whether to tell names and numbers of rows alone: `false` by default.
    brief: Option<bool>,
}

/// A page of companies, in the order of their ids' bytes, or of the texts by which a search finds them.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct CompanyPage {
    companies: Vec<CompanyRows>,
    /// `after` of the next page; null at the end.
    next: Option<String>,
}

/// The rows of one company, and the chains of stakes above it.
#[utoipa::path(get, path = "/jobs/{id}/companies/{*company}", operation_id = "company",
    params(("id" = String, Path, description = "The job's UUID"),
           ("company" = String, Path, description = "The company's id in the input", example = "B"), CompanyQuery),
    responses((status = 200, body = CompanyView, description = "Its rows and chains"), (status = 400, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "The job has no result (yet)"), (status = 503, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Api>,
    NamedPath(id, company): NamedPath,
    Parameters(query): Parameters<CompanyQuery>,
) -> Result<Json<CompanyView>, Problem> {
    check(query.owner.as_deref(), MAX_ID_BYTES, Code::InvalidOwner, "owner")?;
    let job = api.clients.store.get(id).await?;
    let table = Table::of(&api.clients.store, &job)?;
    // No longer name was read, and the store does not take longer keys.
    if company.len() > MAX_ID_BYTES {
        return Err(unknown(&company));
    }
    let blocks = table.blocks_of(&company, usize::MAX).await?;
    if blocks.is_empty() {
        return Err(unknown(&company));
    }
    let above = above(&table, &company, &blocks, query.owner.as_deref()).await?;
    let rows = table.rows_of(&company, &blocks);
    let mut ids = rows.ids();
    ids.extend(above.iter().flat_map(Above::ids).map(Cow::from));
    let names = names_of(table.store, id, &table.rows, ids.iter().map(Cow::as_ref)).await?;
    drop(ids);
    Ok(Json(CompanyView {
        company: rows.company,
        rows: rows.rows,
        total: rows.total,
        above,
        names,
    }))
}

/// All companies of the result, page by page.
#[utoipa::path(get, path = "/jobs/{id}/companies", operation_id = "companies",
    params(("id" = String, Path, description = "The job's UUID"), PageQuery),
    responses((status = 200, body = CompanyPage, description = "A page"), (status = 400, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "The job has no result (yet)"), (status = 503, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Api>,
    JobPath(id): JobPath,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<CompanyPage>, Problem> {
    let limit = query.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return Err(Problem::bad_request(
            Code::InvalidLimit,
            "limit",
            "a limit is 1 to 1000",
        ));
    }
    // A search goes on after a key, which has a text beside the id.
    let most = query.search.as_ref().map_or(MAX_ID_BYTES, |_| MAX_KEY_BYTES);
    check(query.after.as_deref(), most, Code::InvalidAfter, "after")?;
    check(query.prefix.as_deref(), MAX_ID_BYTES, Code::InvalidPrefix, "prefix")?;
    check(query.search.as_deref(), MAX_ID_BYTES, Code::InvalidSearch, "search")?;
    if query.search.is_some() && query.prefix.is_some() {
        return Err(Problem::bad_request(
            Code::InvalidSearch,
            "search",
            "companies are found by search or by prefix, not by both",
        ));
    }
    let job = api.clients.store.get(id).await?;
    let table = Table::of(&api.clients.store, &job)?;
    if let Some(wanted) = query.search.clone() {
        return search(&table, query, &wanted, limit as usize).await.map(Json);
    }
    let page = page(&table, &query, limit as usize).await?;
    table.named(page).await.map(Json)
}

async fn page(table: &Table<'_>, query: &PageQuery, limit: usize) -> Result<CompanyPage, Problem> {
    let (store, id, epoch) = (table.store, table.job, table.rows.epoch);
    let (after, prefix) = (query.after.as_deref(), query.prefix.as_deref().unwrap_or(""));
    let mut block = match after.unwrap_or("").max(prefix) {
        "" => None,
        from => store.rows_at(id, epoch, from).await?,
    };
    if let Some(found) = &block
        && after.is_none()
    {
        // Where the prefix is the name of a company of many blocks, its first one is wanted.
        let first = table.blocks_before(found, prefix).await?;
        block = first.or(block);
    }
    if block.is_none() {
        block = store.rows_after(id, epoch, None).await?;
    }
    let mut page = CompanyPage::default();
    let (mut rows, mut blocks) = (0, 0);
    while let Some(row_block) = block {
        blocks += 1;
        for mut company in table.companies(&decode(&row_block)?) {
            let name = company.company.as_str();
            if after.is_some_and(|after| name <= after) || name < prefix {
                continue;
            }
            if !name.starts_with(prefix) {
                return Ok(page);
            }
            if query.brief == Some(true) {
                company.rows.clear();
            }
            let full = page.companies.len() >= limit || rows >= ROWS_OF_A_PAGE || blocks > BLOCKS_OF_A_PAGE;
            match page.companies.last_mut() {
                Some(last) if last.company == company.company => last.extend(company),
                Some(last) if full => {
                    page.next = Some(last.company.clone());
                    return Ok(page);
                }
                _ => {
                    rows += company.rows.len();
                    page.companies.push(company);
                }
            }
        }
        block = store.rows_after(id, epoch, Some(&row_block)).await?;
    }
    Ok(page)
}

fn check(name: Option<&str>, most: usize, code: Code, field: &str) -> Result<(), Problem> {
    if name.is_some_and(|name| name.len() > most) {
        return Err(Problem::bad_request(code, field, "no company has so long a name"));
    }
    Ok(())
}

impl CompanyRows {
    const fn new(company: String) -> Self {
        Self {
            company,
            rows: Vec::new(),
            total: 0,
            names: BTreeMap::new(),
        }
    }

    /// Everything that can be an id: the company, and the texts of its rows, and the names in chains.
    fn ids(&self) -> BTreeSet<Cow<'_, str>> {
        let mut ids = BTreeSet::from([Cow::from(&self.company)]);
        for (column, value) in self.rows.iter().flatten() {
            let Some(text) = value.as_str() else { continue };
            if column == "chains" {
                ids.extend(parts(text).into_iter().flat_map(|part| part.names));
            } else {
                ids.insert(text.into());
            }
        }
        ids
    }

    /// Adds later rows of the same company.
    fn extend(&mut self, more: Self) {
        let room = ROWS_OF_A_COMPANY.saturating_sub(self.rows.len());
        self.rows.extend(more.rows.into_iter().take(room));
        self.total += more.total;
    }
}

fn unknown(company: &str) -> Problem {
    let shown: String = company.chars().take(80).collect();
    Problem::not_found(Code::CompanyNotFound, format!("the result has no company {shown:?}"))
}
