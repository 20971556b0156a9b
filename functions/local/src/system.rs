//! The four functions and what AWS is to them, in one process.

mod backend;
mod data;
mod elsewhere;
mod mapping;

pub use data::SystemError;
pub(crate) use elsewhere::Elsewhere;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use api::{Api, Settings as ApiSettings, router};
use jobs::pipeline::Settings as PipelineSettings;
use jobs::protocol::Limits;
use jobs::{Bus, Clients, Clock, Registry};
use notifier::Notifier;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use webhooks::{Deliverer, Policy, Secret, Secrets};
use worker::Worker;

use backend::Backend;
use data::DataFolder;

/// How long work may take to finish when the system stops.
const GRACE: Duration = Duration::from_secs(2);

/// What a system is to be.
#[derive(Debug, Clone)]
pub struct SystemSettings {
    /// Where its data lies; made if it is not there.
    pub data: PathBuf,
    /// Where the API listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The bounds of a job's life.
    pub limits: Limits,
    /// How pipelines run.
    pub pipeline: PipelineSettings,
    /// How many jobs run at once.
    pub workers: usize,
    /// How many events are delivered at once: more than jobs run, since receivers may be slow.
    pub notifiers: usize,
    /// Where completion events go beside whoever asked for the job.
    pub bus: Option<Bus>,
    /// The limits of the API.
    pub api: ApiSettings,
    /// How often the sweeper looks.
    pub sweep_every: Duration,
    /// The job types.
    pub registry: Registry,
    /// Where the functions' time comes from.
    pub clock: Clock,
}

impl SystemSettings {
    /// A system for one machine: short leases, since the one process knows at its start that all workers are gone,
    /// and callbacks to loopback, unless strangers can reach the API.
    #[must_use]
    pub fn new(data: PathBuf, listen: SocketAddr) -> Self {
        // A small job mostly waits for the disk.
        let workers = 2 * std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            data,
            listen,
            limits: Limits {
                lease_ms: 15_000,
                grace_ms: 10_000,
                ..Limits::default()
            },
            pipeline: PipelineSettings::default(),
            workers,
            notifiers: 10,
            bus: None,
            api: ApiSettings {
                callbacks: Policy {
                    allow_loopback: listen.ip().is_loopback(),
                    ..Policy::default()
                },
                ..ApiSettings::default()
            },
            sweep_every: Duration::from_secs(1),
            registry: calculations::registry(),
            clock: Clock::system(),
        }
    }
}

/// A running system.
#[derive(Debug)]
pub struct System {
    address: SocketAddr,
    secrets: Secrets,
    clients: Clients,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    backend: Backend,
}

impl System {
    /// Starts everything. When this returns the API answers, and whatever an earlier process left unfinished in the
    /// data folder is on its way again.
    ///
    /// # Errors
    ///
    /// [`SystemError`], naming the folder, address or service at fault.
    pub async fn start(settings: SystemSettings) -> Result<Self, SystemError> {
        let data = DataFolder::open(&settings.data)?;
        let backend = Backend::start(&settings.data).await?;
        let secrets = data.webhook_secrets()?;
        let mut clients = backend.clients(settings.limits, settings.clock).await?;
        if let Some(bus) = settings.bus {
            clients = clients.with_bus(bus);
        }
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|error| SystemError::Listen(settings.listen, error))?;
        let address = listener
            .local_addr()
            .map_err(|error| SystemError::Listen(settings.listen, error))?;
        if backend.is_ours() {
            sweeper::recover(&clients.playing("sweeper")).await?;
        }

        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let worker = Worker::new(clients.playing("worker"), settings.registry.clone(), settings.pipeline);
        if settings.workers > 0 {
            let handle = move |event| {
                let worker = worker.clone();
                async move { Some(worker.handle(event, None).await) }
            };
            let inbox = backend.jobs_queue();
            tasks.spawn(mapping::map(inbox, handle, settings.workers, stopping.clone()));
        }
        let deliverer = Deliverer::new(settings.api.callbacks.clone()).map_err(SystemError::HttpClient)?;
        let notifier = Notifier::new(clients.playing("notifier"), deliverer, secrets.clone());
        if settings.notifiers > 0 {
            let handle = move |event| {
                let notifier = notifier.clone();
                async move { Some(notifier.handle(event).await) }
            };
            let inbox = backend.callbacks_queue();
            tasks.spawn(mapping::map(inbox, handle, settings.notifiers, stopping.clone()));
        }
        let swept = clients.playing("sweeper");
        let sweep = move || sweep(swept.clone());
        tasks.spawn(mapping::each(settings.sweep_every, sweep, stopping.clone()));
        let api = Api::new(clients.playing("api"), settings.registry, settings.api);
        tasks.spawn(serve(listener, router(api), stopping));
        Ok(Self {
            address,
            secrets,
            clients,
            stop,
            tasks,
            backend,
        })
    }

    /// Where the API listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What completion events are signed with.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        self.secrets.current()
    }

    /// The clients that its functions use.
    #[must_use]
    pub const fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Ends everything: requests and short jobs under way finish, longer jobs go on when the system starts again.
    pub async fn stop(mut self) {
        // Nobody is left to hear it if all tasks have ended.
        let _ = self.stop.send(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let finished = tokio::time::timeout(GRACE, all).await.is_ok();
        self.tasks.shutdown().await;
        if !finished
            && self.backend.is_ours()
            && let Err(error) = sweeper::hand_back(&self.clients.playing("sweeper")).await
        {
            tracing::warn!(error = error.with_causes(), "jobs are not handed back");
        }
        self.backend.stop().await;
    }
}

async fn sweep(clients: Clients) {
    if let Err(error) = sweeper::sweep(&clients).await {
        tracing::warn!(error = error.with_causes(), "not swept");
    }
}

async fn serve(listener: TcpListener, router: axum::Router, mut stopping: watch::Receiver<bool>) {
    let stopped = async move {
        // An error means that the sender is gone, which is a stop too.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "the API ended");
    }
}
