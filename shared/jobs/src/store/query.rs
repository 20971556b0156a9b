//! Lists of jobs, and what the sweeper must look at.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use super::Store;
use crate::item::{BY_DUE, BY_TENANT, DUE_SHARDS, EVENT, Item, JOB, due_shard, job_pk, key, number, text, versioned};
use crate::{Error, Job, JobId, Status, Timestamp};

/// DynamoDB hands out at most this many items in one batch.
const BATCH: usize = 100;

/// A page looks at this many batches at most.
const BATCHES: usize = 20;

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those in this status.
    pub status: Option<Status>,
    /// Only those of this type.
    pub job_type: Option<String>,
}

/// A page of jobs, newest first.
#[derive(Debug, Clone)]
pub struct Page {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Where the next page starts; absent at the end.
    pub next: Option<JobId>,
}

/// Something that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A job that waits without a message, or whose worker fell silent.
    Job(JobId),
    /// A completion event that was not delivered.
    Completion(JobId),
}

impl Store {
    /// Jobs of a tenant, newest first, at most `limit`, after `cursor`. Looks at two thousand at most; where
    /// the filter keeps few of them, a page is short and `next` says where to go on.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn list(
        &self,
        tenant: &str,
        filter: &Filter,
        limit: usize,
        cursor: Option<JobId>,
    ) -> Result<Page, Error> {
        let mut jobs = Vec::new();
        let mut cursor = cursor;
        for _ in 0..BATCHES {
            let ids = self.newest(tenant, cursor).await?;
            let more = ids.len() == BATCH;
            for job in self.get_many(&ids).await? {
                if filter.keeps(&job) {
                    jobs.push(job);
                }
                if jobs.len() > limit {
                    jobs.truncate(limit);
                    let next = jobs.last().map(|job| job.id);
                    return Ok(Page { jobs, next });
                }
            }
            cursor = ids.last().copied();
            if !more {
                return Ok(Page { jobs, next: None });
            }
        }
        // Few jobs are kept by the filter: the caller goes on from here.
        Ok(Page { jobs, next: cursor })
    }

    /// Identities of up to a hundred jobs of a tenant, newest first.
    async fn newest(&self, tenant: &str, after: Option<JobId>) -> Result<Vec<JobId>, Error> {
        let start = after.map(|id| {
            let mut start = key(id, JOB);
            start.insert("tenant".to_owned(), text(tenant));
            start.insert("job".to_owned(), text(id.to_string()));
            start
        });
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_TENANT)
            .key_condition_expression("tenant = :tenant")
            .expression_attribute_values(":tenant", text(tenant))
            .scan_index_forward(false)
            .limit(i32::try_from(BATCH).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(Error::unavailable("list jobs"))?;
        Ok(found
            .items
            .unwrap_or_default()
            .iter()
            .filter_map(|item| item.get("job")?.as_s().ok()?.parse().ok())
            .collect())
    }

    /// The records of `ids`, in that order; those that are gone are left out.
    async fn get_many(&self, ids: &[JobId]) -> Result<Vec<Job>, Error> {
        let mut found: HashMap<JobId, Job> = HashMap::new();
        let mut keys: Vec<Item> = ids.iter().map(|id| key(*id, JOB)).collect();
        while !keys.is_empty() {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .consistent_read(true)
                .build()
                .map_err(Error::unavailable("read jobs"))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(Error::unavailable("read jobs"))?;
            for item in answer.responses.into_iter().flatten().flat_map(|(_, i)| i) {
                let job: Job = versioned(item, "a job")?.record;
                found.insert(job.id, job);
            }
            keys = answer
                .unprocessed_keys
                .into_iter()
                .flatten()
                .flat_map(|(_, rest)| rest.keys)
                .collect();
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// What is due at `now`, for each shard in pages of `limit` things. Asks for nothing yet.
    #[must_use]
    pub fn due(&self, now: Timestamp, limit: i32) -> Vec<DuePages> {
        (0..DUE_SHARDS)
            .map(|shard| DuePages {
                store: self.clone(),
                shard,
                now,
                limit,
                after: None,
                over: false,
            })
            .collect()
    }

    /// Puts the next look at a record that cannot be read off until `at`, and touches nothing else of it. A change in
    /// between is left as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn postpone_unreadable(&self, thing: Due, at: Timestamp) -> Result<(), Error> {
        const ACTION: &str = "put off what cannot be read";
        let (Due::Job(id) | Due::Completion(id)) = thing;
        let sort = match thing {
            Due::Job(_) => JOB,
            Due::Completion(_) => EVENT,
        };
        let Some(mut item) = self.read_item(key(id, sort)).await? else {
            return Ok(());
        };
        item.insert("due_at".to_owned(), number(at.ms()));
        let seen = item.get("rev").cloned();
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = match seen {
            Some(rev) => put
                .condition_expression("rev = :seen")
                .expression_attribute_values(":seen", rev),
            None => put.condition_expression("attribute_exists(pk) AND attribute_not_exists(rev)"),
        };
        match put.send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            put => put.map(drop).map_err(Error::unavailable(ACTION)),
        }
    }

    /// Everything that is not settled, whenever it is due.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn unsettled(&self) -> Result<Vec<Due>, Error> {
        let mut due = Vec::new();
        for shard in 0..DUE_SHARDS {
            let mut items = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(BY_DUE)
                .key_condition_expression("due_shard = :shard")
                .expression_attribute_values(":shard", text(due_shard(shard)))
                .into_paginator()
                .items()
                .send();
            while let Some(item) = items.next().await {
                let item = item.map_err(Error::unavailable("look for what is due"))?;
                due.extend(due_of(&item));
            }
        }
        Ok(due)
    }
}

/// Pages of what is due in one shard, the longest due first.
#[derive(Debug)]
pub struct DuePages {
    store: Store,
    shard: u64,
    now: Timestamp,
    limit: i32,
    after: Option<Item>,
    over: bool,
}

impl DuePages {
    /// The next page; none at the end. What was put off in the meantime is not seen twice.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn next(&mut self) -> Result<Option<Vec<Due>>, Error> {
        if self.over {
            return Ok(None);
        }
        let query = self.store.client.query();
        let found = query
            .table_name(&self.store.table)
            .index_name(BY_DUE)
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", text(due_shard(self.shard)))
            .expression_attribute_values(":now", number(self.now.ms()))
            .limit(self.limit)
            .set_exclusive_start_key(self.after.take())
            .send()
            .await
            .map_err(Error::unavailable("look for what is due"))?;
        self.over = found.last_evaluated_key.is_none();
        self.after = found.last_evaluated_key;
        Ok(Some(
            found.items.unwrap_or_default().iter().filter_map(due_of).collect(),
        ))
    }
}

impl Filter {
    fn keeps(&self, job: &Job) -> bool {
        self.status.is_none_or(|status| status == job.state.status)
            && self.job_type.as_ref().is_none_or(|wanted| *wanted == job.job_type)
    }
}

fn due_of(item: &Item) -> Option<Due> {
    let attribute = |name: &str| item.get(name).map(AttributeValue::as_s);
    let pk = attribute("pk")?.ok()?;
    let id: JobId = pk.strip_prefix("JOB#")?.parse().ok()?;
    debug_assert_eq!(*pk, job_pk(id));
    match attribute("sk")?.ok()?.as_str() {
        JOB => Some(Due::Job(id)),
        EVENT => Some(Due::Completion(id)),
        _ => None,
    }
}
