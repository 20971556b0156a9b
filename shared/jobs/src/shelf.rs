//! What a small job leaves waits here for the job's end, and is written in the same transaction.
//!
//! A report of a few kilobytes costs a call and a sync, wherever it goes, and so do a few result rows. Those of a small
//! job lie in memory until it ends; then the rows are one item more in the transaction of its end, and the reports,
//! packed, another. A packed report becomes an object when somebody asks for it ([`Clients::materialise`]).
//!
//! What does not fit goes to the bucket and the table as it is made, and all of it does before the output of a stage is
//! committed, which may speak of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use sha2::{Digest, Sha256};

use crate::item::{Item, key, number};
use crate::{Clients, Error, Job, JobId, Outcome, Report, Timestamp};

/// Reports wait together up to this many bytes, as they are.
const REPORTS: usize = 128 << 10;

/// Packed reports are at most this long. In a transaction the table asks for them about what the bucket asks for five
/// objects.
const PACKED: usize = 32 << 10;

/// Rows wait up to this many bytes, a quarter of a full block.
const ROWS: usize = 16 << 10;

/// The fastest level that still halves what is mostly text.
const LEVEL: i32 = 1;

const ATTRIBUTE: &str = "packed";

fn packed_key(job: JobId, epoch: u64) -> Item {
    key(job, format!("REPORTS#{epoch:06}"))
}

/// The reports and rows of one epoch that wait.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    clients: Clients,
    job: JobId,
    epoch: u64,
    expires_at: Timestamp,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    reports: Vec<(Report, Vec<u8>)>,
    rows: Vec<Item>,
}

impl Shelf {
    pub(crate) fn new(clients: &Clients, job: &Job) -> Self {
        Self {
            clients: clients.clone(),
            job: job.id,
            epoch: job.state.epoch,
            expires_at: job.expires_at,
            waiting: Arc::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a report, or hands its bytes back if there is no room.
    pub(crate) fn take_report(&self, report: &Report, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let mut waiting = self.waiting();
        let there: usize = waiting.reports.iter().map(|(_, bytes)| bytes.len()).sum();
        if there + bytes.len() > REPORTS {
            return Some(bytes);
        }
        waiting.reports.push((report.clone(), bytes));
        None
    }

    /// Takes all rows of the job, or hands them back if there is no room.
    pub(crate) fn take_rows(&self, rows: Vec<Item>) -> Vec<Item> {
        let bytes = |item: &Item| {
            let blobs = item.values().filter_map(|value| value.as_b().ok());
            blobs.map(|blob| blob.as_ref().len()).sum::<usize>()
        };
        if rows.iter().map(bytes).sum::<usize>() > ROWS {
            return rows;
        }
        self.waiting().rows.extend(rows);
        Vec::new()
    }

    /// Sends everything where it would be without the shelf. When this returns, it is durable.
    pub(crate) async fn clear(&self) -> Result<(), Error> {
        let Waiting { reports, rows } = std::mem::take(&mut *self.waiting());
        self.clients.store.write_rows(rows).await?;
        self.send(reports).await
    }

    async fn send(&self, reports: Vec<(Report, Vec<u8>)>) -> Result<(), Error> {
        let files = &self.clients.files;
        let puts = reports.into_iter().map(|(report, bytes)| async move {
            let Report { key, content_type, .. } = report;
            files.put(&key, &content_type, bytes).await
        });
        try_join_all(puts).await.map(drop)
    }

    /// The items that must be written with the end of the job, and `outcome` with their mention. Reports that are not
    /// small enough together are durable when this returns.
    pub(crate) async fn pack(&self, outcome: Outcome) -> Result<(Outcome, Vec<Item>), Error> {
        let Waiting { mut reports, rows } = std::mem::take(&mut *self.waiting());
        reports.retain(|(report, _)| outcome.reports.contains(report));
        let mut items = rows;
        if reports.is_empty() {
            return Ok((outcome, items));
        }
        let all: Vec<u8> = reports.iter().flat_map(|(_, bytes)| bytes).copied().collect();
        let packed = zstd::bulk::compress(&all, LEVEL).map_err(Error::unavailable("pack reports"))?;
        if packed.len() > PACKED {
            self.send(reports).await?;
            return Ok((outcome, items));
        }
        let mut item = packed_key(self.job, self.epoch);
        item.insert(ATTRIBUTE.to_owned(), AttributeValue::B(Blob::new(packed)));
        item.insert("ttl".to_owned(), number(self.expires_at.seconds()));
        items.push(item);
        let in_table = reports.into_iter().map(|(report, _)| report.name).collect();
        Ok((Outcome { in_table, ..outcome }, items))
    }
}

impl Clients {
    /// Sees to it that `report` of `job` is the object that its key names. When this returns, the object is whole and
    /// durable. Costs nothing if the job stored it as one, else a look, and a read and a write the first time. May be
    /// done again, and by many at once: the object is written once.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`], [`Error::NoObject`] if it expired, or [`Error::Corrupt`] when what lies in the table is
    /// not the report.
    pub async fn materialise(&self, job: &Job, report: &Report) -> Result<(), Error> {
        let in_table = job.state.outcome.as_ref().map_or(&[][..], |outcome| &outcome.in_table);
        if !in_table.contains(&report.name) {
            return Ok(());
        }
        if self.files.has(&report.key).await? {
            return Ok(());
        }
        // Items that expired go one by one: the reports may be gone while the job is not.
        let Some(mut item) = self.store.read_item(packed_key(job.id, job.state.epoch)).await? else {
            return Err(Error::NoObject(report.key.clone()));
        };
        let packed = item.remove(ATTRIBUTE).and_then(|packed| packed.as_b().ok().cloned());
        let bytes = unpack(job, &report.name, packed.unwrap_or_else(|| Blob::new([])).as_ref())
            .filter(|bytes| hex::encode(Sha256::digest(bytes)) == report.sha256)
            .ok_or_else(|| {
                let not = std::io::Error::other("it is not what the job stored");
                Error::corrupt(format!("report {}", report.name))(not)
            })?;
        self.files.put_new(&report.key, &report.content_type, bytes).await
    }
}

/// The bytes of report `name`: reports lie one after the other, in the order in which the outcome names them.
fn unpack(job: &Job, name: &str, packed: &[u8]) -> Option<Vec<u8>> {
    let all = zstd::bulk::decompress(packed, REPORTS).ok()?;
    let outcome = job.state.outcome.as_ref()?;
    let mut rest = all.as_slice();
    for named in &outcome.in_table {
        let size = outcome.reports.iter().find(|report| report.name == *named)?.size;
        let (bytes, after) = rest.split_at_checked(usize::try_from(size).ok()?)?;
        if named == name {
            return Some(bytes.to_vec());
        }
        rest = after;
    }
    None
}
