//! Many small jobs from several clients against `stakegraph serve`, and what became of each.
//!
//! Each client submits a job of five companies, waits for its completion event, and submits the next. With `kill`, the
//! server is killed in the middle and started again on the same data; clients repeat what was not answered under the
//! same `Idempotency-Key`. At the end every accepted job is looked up: one that has not ended is lost.
//!
//! Usage: `load BINARY SECONDS CLIENTS [kill]`. Ends with 1 if a job is lost or an event did not come.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::routing::post;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// How long a client waits for one event, and for a server that was killed.
const PATIENCE: Duration = Duration::from_secs(90);

/// `stakegraph serve`, killed when dropped.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(binary: &Path, data: &Path) -> Result<Self, Failed> {
        let mut process = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("RUST_LOG", "off")
            .stderr(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let mut stderr = BufReader::new(process.stderr.take().ok_or("the server has no stderr")?);
        stderr.read_line(&mut line)?;
        // What else it says is read, so that it can go on saying it.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::stderr()));
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.ok_or_else(|| format!("no address in {line:?}"))?;
        Ok(Self {
            url: url.trim_end_matches(',').to_owned(),
            process,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Events that came, and who waits for one.
#[derive(Default)]
struct Inbox {
    came: HashMap<String, u32>,
    waiting: HashMap<String, oneshot::Sender<()>>,
}

type Events = Arc<Mutex<Inbox>>;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(State(events): State<Events>, UrlPath(id): UrlPath<String>) -> StatusCode {
    let mut inbox = lock(&events);
    *inbox.came.entry(id.clone()).or_default() += 1;
    if let Some(waiting) = inbox.waiting.remove(&id) {
        let _ = waiting.send(());
    }
    StatusCode::NO_CONTENT
}

/// What all clients share.
struct Load {
    http: Client,
    /// Where the API is now.
    url: Mutex<String>,
    events: Events,
    callback_url: String,
    until: Instant,
}

impl Load {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", lock(&self.url))
    }

    /// Submits until the answer is 202; gives the id.
    async fn submit(&self, key: &str) -> Result<String, Failed> {
        // A job of a paper's size: Baldone et al. 1998 discuss rings of five.
        let stake = |owner: &str, owned: &str, share: f64| json!({"owner": owner, "owned": owned, "share": share});
        let body = json!({
            "type": "integrated-ownership",
            "input": {"stakes": [stake("alice", "H", 0.6), stake("bob", "H", 0.4), stake("H", "B", 0.7),
                stake("G", "B", 0.1), stake("bob", "B", 0.2), stake("B", "G", 0.8), stake("H", "G", 0.2)]},
            "callback_url": self.callback_url,
        });
        let start = Instant::now();
        loop {
            let request = self
                .http
                .post(self.url("/jobs"))
                .header("idempotency-key", key)
                .json(&body);
            match request.send().await {
                Ok(answer) if answer.status() == StatusCode::ACCEPTED.as_u16() => {
                    let job: Value = answer.json().await?;
                    return Ok(job["id"].as_str().ok_or("no id")?.to_owned());
                }
                Ok(answer) if answer.status().is_client_error() && answer.status() != 409 => {
                    return Err(format!("refused: {}", answer.text().await?).into());
                }
                _ if start.elapsed() > PATIENCE => return Err("the server does not answer".into()),
                _ => sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Whether the event of `id` came.
    async fn event(&self, id: &str) -> bool {
        let (sender, receiver) = oneshot::channel();
        {
            let mut inbox = lock(&self.events);
            if inbox.came.contains_key(id) {
                return true;
            }
            inbox.waiting.insert(id.to_owned(), sender);
        }
        timeout(PATIENCE, receiver).await.is_ok()
    }

    /// One client: the jobs that were accepted, and how long each took from the answer to the event.
    async fn client(self: Arc<Self>, number: usize) -> Result<Vec<(String, Duration)>, Failed> {
        let mut accepted = Vec::new();
        while Instant::now() < self.until {
            let id = self.submit(&format!("client-{number}-job-{}", accepted.len())).await?;
            let start = Instant::now();
            self.event(&id).await;
            accepted.push((id, start.elapsed()));
        }
        Ok(accepted)
    }

    async fn job(&self, id: &str) -> Result<Value, Failed> {
        Ok(self
            .http
            .get(self.url(&format!("/jobs/{id}")))
            .send()
            .await?
            .json()
            .await?)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &[String]) -> Result<bool, Failed> {
    let [binary, seconds, clients, kill @ ..] = arguments else {
        return Err("usage: load BINARY SECONDS CLIENTS [kill]".into());
    };
    let (seconds, clients): (u64, usize) = (seconds.parse()?, clients.parse()?);
    let kill = kill.first().is_some_and(|word| word == "kill");
    let data = tempfile::tempdir()?;
    let binary = Path::new(binary);
    let mut server = Server::start(binary, data.path())?;

    let events = Events::default();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let callback_url = format!("http://{}/{{job_id}}", listener.local_addr()?);
    let router = Router::new()
        .route("/{id}", post(receive))
        .with_state(Arc::clone(&events));
    let receiver = tokio::spawn(async move { axum::serve(listener, router).await });

    let start = Instant::now();
    let load = Arc::new(Load {
        http: Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?,
        url: Mutex::new(server.url.clone()),
        events: Arc::clone(&events),
        callback_url,
        until: start + Duration::from_secs(seconds),
    });
    let running: Vec<_> = (0..clients)
        .map(|number| tokio::spawn(Arc::clone(&load).client(number)))
        .collect();
    if kill {
        sleep(Duration::from_secs(seconds) / 2).await;
        drop(server);
        server = Server::start(binary, data.path())?;
        lock(&load.url).clone_from(&server.url);
    }
    let mut accepted = Vec::new();
    for client in running {
        accepted.extend(client.await??);
    }
    let elapsed = start.elapsed();
    let good = report(&load, &accepted, elapsed, clients, kill).await?;
    receiver.abort();
    drop(server);
    Ok(good)
}

/// Looks every accepted job up and prints what became of it.
async fn report(
    load: &Load,
    accepted: &[(String, Duration)],
    elapsed: Duration,
    clients: usize,
    kill: bool,
) -> Result<bool, Failed> {
    let mut ended = HashMap::<String, u32>::new();
    let mut to_end = Vec::new();
    let mut lost = 0;
    for (id, _) in accepted {
        let job = load.job(id).await?;
        let status = job["status"].as_str().unwrap_or("unknown").to_owned();
        match (moment(&job["created_at"]), moment(&job["finished_at"])) {
            (Some(created), Some(finished)) => to_end.push(finished - created),
            _ => lost += 1,
        }
        *ended.entry(status).or_default() += 1;
    }
    let mut to_event: Vec<f64> = accepted.iter().map(|(_, took)| took.as_secs_f64() * 1e3).collect();
    let (told, deliveries) = {
        let inbox = lock(&load.events);
        let told = accepted.iter().filter(|(id, _)| inbox.came.contains_key(id)).count();
        (told, inbox.came.values().sum::<u32>())
    };
    let rate = accepted.len() as f64 / elapsed.as_secs_f64();
    let killed = if kill {
        ", the server killed once in the middle"
    } else {
        ""
    };
    println!("{clients} clients for {:.1} s{killed}", elapsed.as_secs_f64());
    println!("accepted            {:>8}    {rate:.0} a second", accepted.len());
    println!("ended               {:>8}    {ended:?}", accepted.len() - lost);
    println!("lost                {lost:>8}");
    println!("events delivered    {told:>8}    {deliveries} deliveries");
    for (name, times) in [("accept to end", &mut to_end), ("accept to event", &mut to_event)] {
        times.sort_unstable_by(f64::total_cmp);
        println!(
            "{name:<16} p50 {:>6.0} ms   p99 {:>6.0} ms",
            quantile(times, 50),
            quantile(times, 99)
        );
    }
    Ok(lost == 0 && told == accepted.len())
}

fn quantile(sorted: &[f64], percent: usize) -> f64 {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

/// RFC 3339 with milliseconds, as milliseconds.
fn moment(text: &Value) -> Option<f64> {
    let moment: jiff::Timestamp = text.as_str()?.parse().ok()?;
    Some(moment.as_millisecond() as f64)
}
