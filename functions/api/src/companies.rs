//! Results, company by company.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use formats::{Block, MAX_ID_BYTES, Values};
use jobs::{Job, JobId, RowBlock, RowsRef, Status, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::body::{JobPath, NamedPath, Parameters};
use crate::names::{Named, names_of};
use crate::{Api, Problem};

/// Of one company at most this many rows are shown.
const ROWS_OF_A_COMPANY: usize = 10_000;

/// A page ends after the company with which it has this many rows.
const ROWS_OF_A_PAGE: usize = 5_000;

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

/// Which companies.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 1000 companies, default 100.
    limit: Option<u32>,
}

/// A page of companies, in the order of their names' bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CompanyPage {
    companies: Vec<CompanyRows>,
    /// `after` of the next page; null at the end.
    next: Option<String>,
}

/// The rows of one company.
#[utoipa::path(get, path = "/jobs/{id}/companies/{company}",
    params(("id" = String, Path, description = "The job's UUID"), ("company" = String, Path, description = "The company's id in the input")),
    responses((status = 200, body = CompanyRows), (status = 400, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "The job has no result (yet)"), (status = 503, body = Problem)))]
pub(crate) async fn get(
    State(api): State<Api>,
    NamedPath(id, company): NamedPath,
) -> Result<Json<CompanyRows>, Problem> {
    let job = api.clients.store.get(id).await?;
    let table = Table::of(&api.clients.store, &job)?;
    // No longer name was read, and the store does not take longer keys.
    if company.len() > MAX_ID_BYTES {
        return Err(unknown(&company));
    }
    let mut blocks = Vec::new();
    let mut found = table.store.rows_at(id, table.rows.epoch, &company).await?;
    while let Some(row_block) = found {
        let block = decode(&row_block)?;
        let may_have_begun_before = block.companies.first() == Some(company.as_str());
        blocks.push(block);
        if !may_have_begun_before {
            break;
        }
        found = table.store.rows_before(id, table.rows.epoch, &row_block).await?;
    }
    let known = blocks.iter().any(|block| block.companies.search(&company).is_some());
    if !known {
        return Err(unknown(&company));
    }
    let mut all = CompanyRows::new(company);
    for part in blocks.iter().rev().flat_map(|block| table.companies(block)) {
        if part.company == all.company {
            all.extend(part);
        }
    }
    all.names = names_of(table.store, id, &table.rows, all.ids()).await?;
    Ok(Json(all))
}

/// All companies of the result, page by page.
#[utoipa::path(get, path = "/jobs/{id}/companies",
    params(("id" = String, Path, description = "The job's UUID"), PageQuery),
    responses((status = 200, body = CompanyPage), (status = 400, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem, description = "The job has no result (yet)"), (status = 503, body = Problem)))]
pub(crate) async fn list(
    State(api): State<Api>,
    JobPath(id): JobPath,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<CompanyPage>, Problem> {
    let limit = query.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return Err(Problem::bad_request("invalid_limit", "limit", "a limit is 1 to 1000"));
    }
    if query.after.as_ref().is_some_and(|after| after.len() > MAX_ID_BYTES) {
        return Err(Problem::bad_request(
            "invalid_after",
            "after",
            "no company has so long a name",
        ));
    }
    let job = api.clients.store.get(id).await?;
    let table = Table::of(&api.clients.store, &job)?;
    let epoch = table.rows.epoch;
    let mut block = match &query.after {
        Some(after) => table.store.rows_at(id, epoch, after).await?,
        None => None,
    };
    if block.is_none() {
        block = table.store.rows_after(id, epoch, None).await?;
    }
    let mut page: Vec<CompanyRows> = Vec::new();
    let mut rows = 0;
    while let Some(row_block) = block {
        for company in table.companies(&decode(&row_block)?) {
            if query.after.as_ref().is_some_and(|after| company.company <= *after) {
                continue;
            }
            let full = page.len() >= limit as usize || rows >= ROWS_OF_A_PAGE;
            match page.last_mut() {
                Some(last) if last.company == company.company => last.extend(company),
                Some(last) if full => {
                    let next = Some(last.company.clone());
                    return table.page(id, page, next).await.map(Json);
                }
                _ => {
                    rows += company.rows.len();
                    page.push(company);
                }
            }
        }
        block = table.store.rows_after(id, epoch, Some(&row_block)).await?;
    }
    table.page(id, page, None).await.map(Json)
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

    /// Everything that can be an id: the company, and the texts of its rows.
    fn ids(&self) -> impl Iterator<Item = &str> {
        let texts = self.rows.iter().flat_map(Map::values).filter_map(Value::as_str);
        std::iter::once(self.company.as_str()).chain(texts)
    }

    /// Adds later rows of the same company.
    fn extend(&mut self, more: Self) {
        let room = ROWS_OF_A_COMPANY.saturating_sub(self.rows.len());
        self.rows.extend(more.rows.into_iter().take(room));
        self.total += more.total;
    }
}

/// The result rows of a job.
struct Table<'a> {
    store: &'a Store,
    rows: RowsRef,
}

impl<'a> Table<'a> {
    fn of(store: &'a Store, job: &Job) -> Result<Self, Problem> {
        let rows = job.state.outcome.as_ref().and_then(|outcome| outcome.rows.clone());
        match rows {
            Some(rows) if job.state.status == Status::Success => Ok(Self { store, rows }),
            _ => Err(Problem::new(
                StatusCode::CONFLICT,
                "job_not_successful",
                format!("the job is {}; only a SUCCESS has results", job.state.status),
            )),
        }
    }

    /// A page, with the names of everyone in it.
    async fn page(
        &self,
        job: JobId,
        mut companies: Vec<CompanyRows>,
        next: Option<String>,
    ) -> Result<CompanyPage, Problem> {
        let all = names_of(self.store, job, &self.rows, companies.iter().flat_map(CompanyRows::ids)).await?;
        for company in &mut companies {
            let known = company
                .ids()
                .filter_map(|id| Some((id.to_owned(), all.get(id)?.clone())));
            company.names = known.collect();
        }
        Ok(CompanyPage { companies, next })
    }

    /// The companies of a block with their rows as JSON objects, columns in order.
    fn companies(&self, block: &Block) -> Vec<CompanyRows> {
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

fn cell(column: &Values, row: usize) -> Value {
    match column {
        Values::Text { dictionary, index } => index
            .get(row)
            .and_then(|at| dictionary.get(*at as usize))
            .map_or(Value::Null, Value::from),
        // NaN, which is how a block says undefined, becomes null.
        Values::Number(numbers) => numbers.get(row).map_or(Value::Null, |number| Value::from(*number)),
        Values::Count(counts) => counts.get(row).map_or(Value::Null, |count| Value::from(*count)),
    }
}

fn unknown(company: &str) -> Problem {
    let shown: String = company.chars().take(80).collect();
    Problem::not_found("company_not_found", format!("the result has no company {shown:?}"))
}

pub(crate) fn decode(block: &RowBlock) -> Result<Block, Problem> {
    Block::decode(&block.bytes).map_err(|error| {
        tracing::error!(%error, "a block of rows cannot be read");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the stored result cannot be read",
        )
    })
}
