//! Result rows in the table: blocks of rows sorted by company, so that one company is one query.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::item::{Item, job_pk, key, number, text};
use crate::shelf::Shelf;
use crate::{Error, JobId, Store, Timestamp};

/// DynamoDB takes at most this many items in one batch, and 16 MiB; blocks are at most 64 KiB.
const BATCH: usize = 25;

/// Batches on their way at once, while the next is gathered: about 5 MiB.
const AT_ONCE: usize = 3;

const WRITE: &str = "write result rows";

/// How often a throttled table is offered the same rows: about sixteen seconds, less than an invocation keeps for its end.
const TRIES: u32 = 10;

/// A block's sort key ends in this and its number. It sorts before every character that a company's name may hold.
const BEFORE_ANY: char = '\u{1}';

fn prefix(epoch: u64) -> String {
    format!("ROWS#{epoch:06}#")
}

fn names_prefix(epoch: u64) -> String {
    format!("NAMES#{epoch:06}#")
}

fn search_prefix(epoch: u64) -> String {
    format!("SEARCH#{epoch:06}#")
}

fn sort_key(prefix: &str, company: &str, number: u64) -> String {
    format!("{prefix}{company}{BEFORE_ANY}{number:010}")
}

/// A block of result rows, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowBlock {
    sort: String,
    /// What [`RowsWriter::write`] was given.
    pub bytes: Vec<u8>,
}

/// Writes blocks in order, from a thread that may block.
#[derive(Debug)]
pub struct RowsWriter {
    store: Store,
    runtime: Handle,
    job: JobId,
    prefix: String,
    expires_at: Timestamp,
    blocks: u64,
    waiting: Vec<Item>,
    /// What is on its way; given up with the writer.
    sending: JoinSet<Result<(), Error>>,
    /// Where a few rows wait for the job's end.
    shelf: Option<Shelf>,
}

impl Store {
    /// Starts writing the result rows of a job under the epoch of its holder.
    #[must_use]
    pub fn rows_writer(&self, runtime: Handle, job: JobId, epoch: u64, expires_at: Timestamp) -> RowsWriter {
        RowsWriter {
            store: self.clone(),
            runtime,
            job,
            prefix: prefix(epoch),
            expires_at,
            blocks: 0,
            waiting: Vec::new(),
            sending: JoinSet::new(),
            shelf: None,
        }
    }

    /// Starts writing what the companies of a job are called, in blocks as those of rows.
    #[must_use]
    pub fn names_writer(&self, runtime: Handle, job: JobId, epoch: u64, expires_at: Timestamp) -> RowsWriter {
        RowsWriter {
            prefix: names_prefix(epoch),
            ..self.rows_writer(runtime, job, epoch, expires_at)
        }
    }

    /// Starts writing the keys by which companies are found, in blocks as those of rows.
    #[must_use]
    pub fn search_writer(&self, runtime: Handle, job: JobId, epoch: u64, expires_at: Timestamp) -> RowsWriter {
        RowsWriter {
            prefix: search_prefix(epoch),
            ..self.rows_writer(runtime, job, epoch, expires_at)
        }
    }

    /// The block of keys in which those that begin with `start` may begin: the last one that begins before it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn search_from(&self, job: JobId, epoch: u64, start: &str) -> Result<Option<RowBlock>, Error> {
        let prefix = search_prefix(epoch);
        // The sort key of a block that begins with `start` is longer.
        let found = self
            .block_query(job, &prefix, &format!("{prefix}{start}"), false, 1)
            .await?;
        match found.into_iter().next() {
            Some(block) => Ok(Some(block)),
            None => self.block_after(job, &prefix, None).await,
        }
    }

    /// The block of keys after `block`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn search_after(&self, job: JobId, epoch: u64, block: &RowBlock) -> Result<Option<RowBlock>, Error> {
        self.block_after(job, &search_prefix(epoch), Some(block)).await
    }

    /// The block of names that has `company`, if any has.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn names_at(&self, job: JobId, epoch: u64, company: &str) -> Result<Option<RowBlock>, Error> {
        self.block_at(job, &names_prefix(epoch), company).await
    }

    /// The last block that starts at or before `company`, which holds its last rows if there are any.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn rows_at(&self, job: JobId, epoch: u64, company: &str) -> Result<Option<RowBlock>, Error> {
        self.block_at(job, &prefix(epoch), company).await
    }

    async fn block_at(&self, job: JobId, first: &str, company: &str) -> Result<Option<RowBlock>, Error> {
        let last = format!("{first}{company}{BEFORE_ANY}~");
        let found = self.block_query(job, first, &last, false, 1).await?;
        Ok(found.into_iter().next())
    }

    /// The block before `block`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn rows_before(&self, job: JobId, epoch: u64, block: &RowBlock) -> Result<Option<RowBlock>, Error> {
        let last = just_before(&block.sort);
        let found = self.block_query(job, &prefix(epoch), &last, false, 1).await?;
        Ok(found.into_iter().next())
    }

    /// The block after `block`, or the first one.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn rows_after(
        &self,
        job: JobId,
        epoch: u64,
        block: Option<&RowBlock>,
    ) -> Result<Option<RowBlock>, Error> {
        self.block_after(job, &prefix(epoch), block).await
    }

    async fn block_after(&self, job: JobId, prefix: &str, block: Option<&RowBlock>) -> Result<Option<RowBlock>, Error> {
        let first = block.map_or_else(|| prefix.to_owned(), |block| format!("{}!", block.sort));
        let last = format!("{prefix}\u{10FFFF}");
        let found = self.block_query(job, &first, &last, true, 1).await?;
        Ok(found.into_iter().next())
    }

    async fn block_query(
        &self,
        job: JobId,
        first: &str,
        last: &str,
        forward: bool,
        limit: i32,
    ) -> Result<Vec<RowBlock>, Error> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :job AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":job", text(job_pk(job)))
            .expression_attribute_values(":first", text(first))
            .expression_attribute_values(":last", text(last))
            .scan_index_forward(forward)
            .limit(limit)
            .consistent_read(true)
            .send()
            .await
            .map_err(Error::unavailable("read result rows"))?;
        let items = found.items.unwrap_or_default();
        Ok(items.into_iter().filter_map(block_of).collect())
    }
}

/// A key that no block has, between that of a block and that of the block before it. Numbers grow through all blocks,
/// so it is the same key with the number before.
fn just_before(sort: &str) -> String {
    let (head, number) = sort.rsplit_once(BEFORE_ANY).unwrap_or((sort, "0"));
    match number.parse::<u64>().unwrap_or(0).checked_sub(1) {
        Some(previous) => format!("{head}{BEFORE_ANY}{previous:010}"),
        None => head.to_owned(),
    }
}

fn block_of(mut item: Item) -> Option<RowBlock> {
    match (item.remove("sk"), item.remove("rows")) {
        (Some(AttributeValue::S(sort)), Some(AttributeValue::B(rows))) => Some(RowBlock {
            sort,
            bytes: rows.into_inner(),
        }),
        _ => None,
    }
}

impl RowsWriter {
    /// The same, for rows that may wait on `shelf` for the end of their job if they are few.
    pub(crate) fn onto(self, shelf: Shelf) -> Self {
        let shelf = Some(shelf);
        Self { shelf, ..self }
    }

    /// Takes the next block; `company` is the first one in it, not before that of the last block.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub fn write(&mut self, company: &str, block: Vec<u8>) -> Result<(), Error> {
        let mut item = key(self.job, sort_key(&self.prefix, company, self.blocks));
        item.insert("rows".to_owned(), AttributeValue::B(Blob::new(block)));
        item.insert("ttl".to_owned(), number(self.expires_at.seconds()));
        self.waiting.push(item);
        self.blocks += 1;
        if self.waiting.len() == BATCH {
            self.wait(AT_ONCE - 1)?;
            self.flush();
        }
        Ok(())
    }

    /// Writes what is left; gives the number of blocks. When this returns, all of them are durable, or will be with the
    /// end of their job.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub fn finish(mut self) -> Result<u64, Error> {
        let all_wait = self.waiting.len() as u64 == self.blocks;
        match self.shelf.take() {
            Some(shelf) if all_wait => self.waiting = shelf.take_rows(std::mem::take(&mut self.waiting)),
            _ => {}
        }
        if !self.waiting.is_empty() {
            self.flush();
        }
        self.wait(0)?;
        Ok(self.blocks)
    }

    /// Begins to write what is gathered.
    fn flush(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let store = self.store.clone();
        let write = async move { store.write_rows(waiting).await };
        self.sending.spawn_on(write, &self.runtime);
    }

    /// Waits until at most `most` batches are on their way.
    fn wait(&mut self, most: usize) -> Result<(), Error> {
        while self.sending.len() > most {
            match self.runtime.block_on(self.sending.join_next()) {
                Some(Ok(written)) => written?,
                Some(Err(error)) => return Err(Error::unavailable(WRITE)(error)),
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

impl Store {
    /// Writes blocks of rows. When this returns, all of them are durable.
    pub(crate) async fn write_rows(&self, mut blocks: Vec<Item>) -> Result<(), Error> {
        while !blocks.is_empty() {
            let rest = blocks.split_off(blocks.len().min(BATCH));
            self.write_batch(blocks).await?;
            blocks = rest;
        }
        Ok(())
    }

    async fn write_batch(&self, blocks: Vec<Item>) -> Result<(), Error> {
        let requests = blocks.into_iter().map(|item| {
            let put = PutRequest::builder().set_item(Some(item)).build()?;
            Ok(WriteRequest::builder().put_request(put).build())
        });
        let mut waiting: Vec<_> = requests
            .collect::<Result<_, _>>()
            .map_err(Error::unavailable::<BuildError>(WRITE))?;
        let mut pause_ms = 50;
        let mut tries = 0;
        while !waiting.is_empty() {
            let batch = self.client.batch_write_item().request_items(&self.table, waiting);
            let answer = batch.send().await.map_err(Error::unavailable(WRITE))?;
            waiting = answer
                .unprocessed_items
                .into_iter()
                .flatten()
                .flat_map(|(_, rest)| rest)
                .collect();
            if !waiting.is_empty() {
                tries += 1;
                if tries == TRIES {
                    let refused = std::io::Error::other("ThrottlingException: the table takes no more");
                    return Err(Error::unavailable(WRITE)(refused));
                }
                // The table is throttled: what it did not take is offered again, more and more slowly.
                tokio::time::sleep(std::time::Duration::from_millis(pause_ms)).await;
                pause_ms = (pause_ms * 2).min(5_000);
            }
        }
        Ok(())
    }
}
