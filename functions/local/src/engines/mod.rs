//! AWS-compatible engines inside this process: DynamoDB, SQS and S3 on loopback, their data in one folder.
//!
//! The functions talk to them through the AWS SDK, as they talk to AWS: by endpoint, with signed requests. Nothing
//! above this module knows which of the two it is. A process has a shorter way to its own engines
//! ([`Engines::http_client`]).
//!
//! ```text
//! <data>/lock              held while the engines run: a folder serves one process
//! <data>/dynamodb.sqlite   tables
//! <data>/sqs.sqlite        queues and messages
//! <data>/s3/               objects: an index and their bytes
//! ```
//!
//! **Invariants.** Listeners bind loopback only, on ports that the system chooses. A request that is not signed with
//! the engines' credentials does nothing. Whatever was answered survives the end of the process at any moment.
//!
//! ```
//! use local::engines::{Credentials, Engines, Settings};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engines = Engines::start(Settings {
//!     data: "data".into(),
//!     credentials: Credentials {
//!         access_key: "local".to_owned(),
//!         secret_key: "a secret of at least forty characters, or so".to_owned(),
//!     },
//!     region: "eu-west-1".to_owned(),
//! })
//! .await?;
//! // As AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SQS and AWS_ENDPOINT_URL_S3 (with path-style addresses).
//! println!("{} {} {}", engines.dynamodb_url, engines.sqs_url, engines.s3_url);
//! engines.stop().await;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

mod clock;
mod direct;
mod dynamodb;
mod json;
mod s3;
mod signature;
mod sqlite;
mod sqs;
#[cfg(test)]
mod tests;

use clock::Clock;
use direct::{Direct, Route};
use signature::Gate;

/// How long requests under way may take to finish when the engines stop.
const GRACE: Duration = Duration::from_secs(5);

/// The key pair that requests must be signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The public half, which names the key.
    pub access_key: String,
    /// The secret half.
    pub secret_key: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// What the engines are started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder that holds everything; made if it is missing.
    pub data: PathBuf,
    /// Who may call.
    pub credentials: Credentials,
    /// The region in the ARNs of queues. Requests signed for any region are accepted.
    pub region: String,
}

/// Why the engines did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has its engines on the folder.
    #[error("use the folder {}: another process is using it", .0.display())]
    InUse(PathBuf),
    /// The folder or a listener cannot be had.
    #[error("start the engines: {0}")]
    Io(#[from] io::Error),
    /// A file of an engine cannot be used.
    #[error("open the {engine} file {}: {reason}", .path.display())]
    Open {
        /// `DynamoDB`, `SQS` or `S3`.
        engine: &'static str,
        /// The file, or the folder.
        path: PathBuf,
        /// What the engine said.
        reason: String,
    },
}

/// The running engines. They stop when this is dropped; [`Engines::stop`] also waits for it.
pub struct Engines {
    /// DynamoDB's endpoint, such as `http://127.0.0.1:40001`.
    pub dynamodb_url: String,
    /// SQS's endpoint.
    pub sqs_url: String,
    /// S3's endpoint, for path-style addresses.
    pub s3_url: String,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    routes: Arc<[Route]>,
    dynamodb: Arc<dynamodb::Service>,
    sqs: Arc<sqs::Service>,
    s3: s3::Store,
    lock: Arc<File>,
}

impl fmt::Debug for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engines")
            .field("dynamodb_url", &self.dynamodb_url)
            .field("sqs_url", &self.sqs_url)
            .field("s3_url", &self.s3_url)
            .finish_non_exhaustive()
    }
}

impl Engines {
    /// Starts the engines; they answer when this returns. Must be called within a tokio runtime that has time and
    /// I/O enabled.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] if another process has the folder, and the others if a file or listener cannot be had.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        Self::start_with(settings, Clock::System).await
    }

    async fn start_with(settings: Settings, clock: Clock) -> Result<Self, Error> {
        let [dynamodb_listener, sqs_listener, s3_listener] = [bind().await?, bind().await?, bind().await?];
        let (stop, stopped) = watch::channel(false);
        let queues = sqs::Options {
            url: url(&sqs_listener)?,
            region: settings.region,
            sender: settings.credentials.access_key.clone(),
            clock: clock.clone(),
            stop: stopped.clone(),
        };
        let data = settings.data;
        let store_clock = clock.clone();
        let open = tokio::task::spawn_blocking(move || open(data, queues, store_clock));
        let opened = open.await.map_err(io::Error::other)??;
        opened
            .s3
            .tidy()
            .await
            .map_err(|error| failed("S3", &opened.s3_path, &error))?;

        let gate = |service, body_limit| {
            let gate = Gate {
                credentials: settings.credentials.clone(),
                service,
                body_limit,
                clock: clock.clone(),
            };
            middleware::from_fn_with_state(Arc::new(gate), signature::require)
        };
        // The gates limit bodies; axum's own limit is lower than what the services accept.
        let dynamodb = dynamodb::router(Arc::clone(&opened.dynamodb))
            .layer(DefaultBodyLimit::disable())
            .layer(gate("dynamodb", dynamodb::BODY_LIMIT));
        let sqs = sqs::router(Arc::clone(&opened.sqs))
            .layer(DefaultBodyLimit::disable())
            .layer(gate("sqs", sqs::BODY_LIMIT));
        let s3 = s3::router(opened.s3.clone(), &settings.credentials);
        let (dynamodb_url, sqs_url) = (url(&dynamodb_listener)?, url(&sqs_listener)?);
        let routes = [(&dynamodb_url, &dynamodb), (&sqs_url, &sqs)].map(|(url, router)| Route {
            url: url.clone(),
            router: router.clone(),
        });
        Ok(Self {
            dynamodb_url,
            sqs_url,
            s3_url: url(&s3_listener)?,
            routes: Arc::new(routes),
            servers: vec![
                serve(dynamodb_listener, dynamodb, stopped.clone(), &opened.lock),
                serve(sqs_listener, sqs, stopped.clone(), &opened.lock),
                serve(s3_listener, s3, stopped.clone(), &opened.lock),
                tokio::spawn(Arc::clone(&opened.dynamodb).sweep(stopped)),
            ],
            stop,
            dynamodb: opened.dynamodb,
            sqs: opened.sqs,
            s3: opened.s3,
            lock: opened.lock,
        })
    }

    /// A client for this process: requests to DynamoDB and SQS do not leave it, the others go by `otherwise`.
    #[must_use]
    pub fn http_client(&self, otherwise: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Direct::new(Arc::clone(&self.routes), otherwise))
    }

    /// Stops listening, lets requests under way finish (long polls end at once; after 5 seconds the rest is cut off),
    /// closes the files, and frees the folder for another process.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let deadline = tokio::time::Instant::now() + GRACE;
        for mut server in self.servers {
            if tokio::time::timeout_at(deadline, &mut server).await.is_err() {
                server.abort();
            }
        }
        self.dynamodb.close().await;
        let close = tokio::task::spawn_blocking(move || {
            self.sqs.close();
            self.s3.close();
            // A server that was cut off may still hold the file; the folder is free all the same.
            drop(self.lock.unlock());
        });
        if close.await.is_err() {
            tracing::error!("closing the engines' files failed");
        }
    }
}

struct Opened {
    dynamodb: Arc<dynamodb::Service>,
    sqs: Arc<sqs::Service>,
    s3: s3::Store,
    s3_path: PathBuf,
    lock: Arc<File>,
}

fn open(data: PathBuf, queues: sqs::Options, clock: Clock) -> Result<Opened, Error> {
    fs::create_dir_all(&data)?;
    let lock = File::create(data.join("lock"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::InUse(data)),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let (dynamodb_path, sqs_path, s3_path) = (data.join("dynamodb.sqlite"), data.join("sqs.sqlite"), data.join("s3"));
    // Each waits for the disk, mostly; together they take as long as the slowest.
    std::thread::scope(|scope| {
        let dynamodb = scope.spawn(|| dynamodb::Service::open(&dynamodb_path));
        let s3 = scope.spawn(|| s3::Store::open(&s3_path, clock));
        let sqs = sqs::Service::open(&sqs_path, queues).map_err(|error| failed("SQS", &sqs_path, &error));
        let panicked = |_| io::Error::other("a thread that opens a file panicked");
        let dynamodb = dynamodb.join().map_err(panicked)?;
        let s3 = s3.join().map_err(panicked)?;
        Ok(Opened {
            dynamodb: Arc::new(dynamodb.map_err(|error| failed("DynamoDB", &dynamodb_path, &error))?),
            sqs: Arc::new(sqs?),
            s3: s3.map_err(|error| failed("S3", &s3_path, &error))?,
            s3_path: s3_path.clone(),
            lock: Arc::new(lock),
        })
    })
}

fn failed(engine: &'static str, path: &std::path::Path, reason: &dyn fmt::Display) -> Error {
    Error::Open {
        engine,
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

async fn bind() -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0)).await
}

fn url(listener: &TcpListener) -> io::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

/// Serves until `stop`, and keeps the folder's lock until the last request is done.
fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>, lock: &Arc<File>) -> JoinHandle<()> {
    let lock = Arc::clone(lock);
    let shutdown = async move {
        // An error means that the engines were dropped, which is a stop too.
        drop(stop.wait_for(|stop| *stop).await);
    };
    // Answers are small and written at once; waiting to fill a packet costs 40 ms on a kept connection.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(shutdown).await {
            tracing::error!(%error, "an engine's server failed");
        }
        drop(lock);
    })
}
