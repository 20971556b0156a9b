//! A SQLite file behind one thread, with group commit.
//!
//! Each engine that keeps its state in SQLite owns one [`Database`]: a thread that alone holds the connection and
//! takes work from a channel. Whatever has queued up while one commit waited for the disk is run in the next
//! transaction, so a commit's `fsync` is shared by everyone who is waiting and nobody is told of success before it.
//!
//! **Invariants.** An answer is given only after the commit that made it durable. Work that fails is undone by its
//! own savepoint and does not touch its neighbours. There is one writer, so no work sees another half done.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

/// At most this many pieces of work share a commit: bounds how long the first of them waits.
const GROUP: usize = 128;

/// Why work on a database was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// SQLite refused: a full disk, a damaged file, or a statement of ours that is wrong.
    #[error("use the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The transaction that the work was part of could not be made durable; nothing of it remains.
    #[error("commit: {0}")]
    Commit(String),
    /// The thread could not be started.
    #[error("start the database's thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The database has been closed.
    #[error("use a database that is closed")]
    Closed,
}

/// Tells whoever waits how it went, once the group's transaction has committed or failed.
type Answer = Box<dyn FnOnce(&Result<(), rusqlite::Error>) + Send>;

/// Runs in a savepoint of the group's transaction.
type Work = Box<dyn FnOnce(&mut rusqlite::Transaction<'_>) -> Option<Answer> + Send>;

enum Message {
    Run(Work),
    Close,
}

/// A SQLite file that is open for as long as this lives, or until [`Database::close`].
pub(crate) struct Database {
    messages: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Database {
    /// Opens the file at `path`, or makes it, and runs `schema`, which must be repeatable. Blocks on the disk.
    ///
    /// Write-ahead log with `synchronous = FULL`: what was committed survives the end of the process and of the
    /// machine.
    pub(crate) fn open(path: &Path, schema: &str) -> Result<Self, Error> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.execute_batch(schema)?;
        let (messages, inbox) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("sqlite".into())
            .spawn(move || serve(connection, &inbox))?;
        Ok(Self {
            messages,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs `work` and returns its value once everything it wrote is durable.
    ///
    /// If `work` fails, what it wrote is undone. Work of a caller that stopped waiting before it began is skipped.
    ///
    /// # Errors
    ///
    /// The error of `work`, or that of the commit.
    pub(crate) async fn run<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let work: Work = Box::new(move |transaction| {
            if sender.is_closed() {
                return None;
            }
            let done = attempt(transaction, work);
            Some(Box::new(move |committed| {
                let done = match committed {
                    Ok(()) => done,
                    Err(error) => done.and_then(|_| Err(Error::Commit(error.to_string()).into())),
                };
                // Whoever asked may be gone; what is committed stays.
                drop(sender.send(done));
            }))
        });
        self.messages.send(Message::Run(work)).map_err(|_| Error::Closed)?;
        receiver.await.map_err(|_| Error::Closed)?
    }

    /// Finishes the work already asked for and closes the file. Later work is refused. Blocks on the disk.
    pub(crate) fn close(&self) {
        drop(self.messages.send(Message::Close));
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("a database thread had panicked");
        }
    }
}

fn attempt<T, E: From<Error>>(
    transaction: &mut rusqlite::Transaction<'_>,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let savepoint = transaction.savepoint().map_err(Error::from)?;
    let value = work(&savepoint)?;
    savepoint.commit().map_err(Error::from)?;
    Ok(value)
}

fn serve(mut connection: Connection, inbox: &Receiver<Message>) {
    let mut open = true;
    while open {
        let Ok(Message::Run(first)) = inbox.recv() else {
            return;
        };
        let mut answers = Vec::new();
        let committed = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|mut transaction| {
                answers.extend(first(&mut transaction));
                while answers.len() < GROUP {
                    match inbox.try_recv() {
                        Ok(Message::Run(work)) => answers.extend(work(&mut transaction)),
                        Ok(Message::Close) => {
                            open = false;
                            break;
                        }
                        Err(_) => break,
                    }
                }
                transaction.commit()
            });
        for answer in answers {
            answer(&committed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS entry (name TEXT PRIMARY KEY)";

    async fn insert(database: &Database, name: String) -> Result<(), Error> {
        database
            .run(move |connection| {
                connection.execute("INSERT INTO entry VALUES (?1)", [name])?;
                Ok(())
            })
            .await
    }

    async fn count(database: &Database) -> i64 {
        database
            .run(|connection| {
                connection
                    .query_row("SELECT count(*) FROM entry", [], |row| row.get(0))
                    .map_err(Error::from)
            })
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn work_that_fails_leaves_nothing_and_spares_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        let database = Arc::new(Database::open(&folder.path().join("db"), SCHEMA).unwrap());
        let mut tasks = tokio::task::JoinSet::new();
        for i in 0..50 {
            let database = Arc::clone(&database);
            tasks.spawn(async move {
                database
                    .run(move |connection| {
                        connection.execute("INSERT INTO entry VALUES (?1)", [i.to_string()])?;
                        if i % 2 == 0 { Ok(()) } else { Err(Error::Closed) }
                    })
                    .await
                    .is_ok()
            });
        }
        let succeeded = tasks.join_all().await.into_iter().filter(|ok| *ok).count();
        assert_eq!(succeeded, 25);
        assert_eq!(count(&database).await, 25);
    }

    #[tokio::test]
    async fn what_was_answered_is_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let database = Database::open(&path, SCHEMA).unwrap();
        insert(&database, "kept".into()).await.unwrap();
        database.close();
        let error = insert(&database, "late".into()).await.unwrap_err();
        assert!(matches!(error, Error::Closed));

        let database = Database::open(&path, SCHEMA).unwrap();
        assert_eq!(count(&database).await, 1);
    }
}
