//! What a client does with a system that dies on it, and what it may rely on all the same.
//!
//! A [`Scenario`] is a list of things that a client does, each of them repeated until it was acknowledged, as clients do
//! when a connection breaks. [`Scenario::undisturbed`] runs it once and lists the kill points that the process passed
//! (see `jobs::faults`); [`Scenario::killed_at`] runs it again with a process that dies at one of them, starts the next
//! process on the same data, and looks at what is left, by the API alone.

mod aftermath;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bus::Bus;
use crate::cluster::Services;
use crate::process::Process;
use crate::receiver::Receiver;
use crate::{Api, PATIENCE, has_ended};
use aftermath::whole;

/// Signal number of `kill -9`.
const KILLED: i32 = 9;

/// A course of things.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// How the processes are started, before the name of the data folder.
    pub arguments: &'static [&'static str],
    /// Whether the engines live in the process, and die with it.
    pub home: Home,
    /// Settings of all processes.
    pub environment: &'static [(&'static str, &'static str)],
    /// Points at which earlier processes die, one each, before the one that this is about.
    pub before: &'static [&'static str],
    /// The job; is given the name of a file that does not exist.
    pub job: fn(gate: &str) -> Value,
    /// Whether its events go to a bus too.
    pub bus: bool,
    /// What the client does.
    pub steps: &'static [Step],
    /// Whether a job may end so.
    pub may_end: fn(&Value) -> bool,
}

/// Where the engines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// In the process. The next one knows that no worker is left.
    Embedded,
    /// Elsewhere, as on AWS. The next process knows nothing of the one before, whose lease must run out.
    Elsewhere,
}

/// Something that the client does, or waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Submits the job, with an idempotency key.
    Submit,
    /// Waits until the job is in the stage `waiting` and says so.
    Waiting,
    /// Makes the file that the job waits for.
    Open,
    /// Revokes the job.
    Revoke,
    /// Waits for the end of the job.
    End,
    /// Waits for the delivery of its event.
    Delivered,
    /// Fetches all reports.
    Reports,
    /// Wants the event delivered again.
    Replay,
    /// Wants the job tried again, as a new one.
    Retry,
    /// Asks the process to stop, as a service manager does.
    Terminate,
}

/// What a course without faults led to.
#[derive(Debug, Clone)]
pub struct Undisturbed {
    /// The points that its process passed, in order.
    pub points: Vec<String>,
    results: BTreeMap<String, String>,
}

/// The connection broke: the process is dying, or dead.
#[derive(Debug)]
struct Gone;

#[derive(Debug)]
struct Course {
    scenario: Scenario,
    binary: &'static str,
    kill_at: Option<String>,
    data: TempDir,
    gate: PathBuf,
    receiver: Receiver,
    bus: Option<Bus>,
    services: Option<Services>,
    process: Process,
    started: usize,
    id: String,
    /// Attempt and percentage, each time somebody looked.
    seen: Vec<(u64, u64)>,
}

impl Scenario {
    /// Runs it with nobody killed but in what comes before.
    pub async fn undisturbed(self, binary: &'static str) -> Undisturbed {
        let mut course = Course::start(self, binary, None).await;
        course.run().await;
        // What is under way is finished first.
        course.process.signal("TERM");
        assert_eq!(course.process.end().await, None);
        let points = course.points(self.before.len());
        course.next_process().await;
        let results = course.check(None).await;
        Undisturbed { points, results }
    }

    /// Runs it with a process that dies at `point`; fails unless everything promised holds all the same.
    pub async fn killed_at(self, binary: &'static str, point: &str, undisturbed: &Undisturbed) {
        let mut course = Course::start(self, binary, Some(point.to_owned())).await;
        course.run().await;
        if course.started == self.before.len() + 1 {
            // It passes the point after the client has all that it wants.
            assert_eq!(course.process.end().await, Some(KILLED), "{point} was not passed");
            course.next_process().await;
        }
        let passed = course.points(self.before.len());
        assert_eq!(passed.last().map(String::as_str), Some(point), "it died elsewhere");
        course.check(Some(undisturbed)).await;
        if point.contains(".put-events#") && point.ends_with(".after") {
            let events = course.bus.iter().flat_map(|bus| bus.events_of(&course.id));
            assert!(
                events.count() > 1,
                "who dies before a delivery is recorded delivers again"
            );
        }
    }
}

impl Course {
    async fn start(scenario: Scenario, binary: &'static str, kill_at: Option<String>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let gate = data.path().join("gate");
        let services = match scenario.home {
            Home::Embedded => None,
            Home::Elsewhere => Some(Services::start(&data.path().join("engines")).await),
        };
        let bus = match scenario.bus {
            true => Some(Bus::start().await),
            false => None,
        };
        let mut course = Self {
            scenario,
            binary,
            kill_at,
            receiver: Receiver::start().await,
            bus,
            services,
            process: Process::nothing(),
            started: 0,
            id: String::new(),
            seen: Vec::new(),
            gate,
            data,
        };
        course.next_process().await;
        course
    }

    async fn next_process(&mut self) {
        let before = self.scenario.before;
        let kill_at = before.get(self.started).map(|point| (*point).to_owned());
        let kill_at = kill_at.or_else(|| self.kill_at.take_if(|_| self.started == before.len()));
        let settings = self.scenario.environment.iter();
        let mut environment: Vec<_> = settings.map(|(name, value)| (*name, (*value).to_owned())).collect();
        environment.extend(self.bus.iter().flat_map(Bus::environment));
        let services = self.services.iter();
        environment.extend(services.flat_map(|services| services.environment(services.urls())));
        environment.push(("STAKEGRAPH_POINTS", self.log(self.started).display().to_string()));
        environment.extend(kill_at.map(|point| ("STAKEGRAPH_KILL_AT", point)));
        let system = self.data.path().join("system");
        self.process = Process::start(self.binary, self.scenario.arguments, &system, &environment).await;
        self.started += 1;
    }

    fn log(&self, process: usize) -> PathBuf {
        self.data.path().join(format!("points-{process}"))
    }

    /// The points that a process passed.
    fn points(&self, process: usize) -> Vec<String> {
        let log = std::fs::read_to_string(self.log(process)).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    async fn run(&mut self) {
        for step in self.scenario.steps {
            self.insist(*step).await;
        }
    }

    /// Takes a step, as often as it needs.
    async fn insist(&mut self, step: Step) {
        loop {
            let taken = match self.process.api() {
                Some(api) => self.take(step, &api).await,
                None => Err(Gone),
            };
            if taken.is_ok() {
                return;
            }
            assert_eq!(self.process.end().await, Some(KILLED), "it died of something else");
            self.next_process().await;
        }
    }

    async fn take(&mut self, step: Step, api: &Api) -> Result<(), Gone> {
        match step {
            Step::Submit => {
                let mut job = (self.scenario.job)(&self.gate.display().to_string());
                job["callback_url"] = json!(self.receiver.url());
                let answer = call(api, Method::POST, "/jobs", Some(&job)).await?;
                assert_eq!(answer.0, 202, "{}", answer.1);
                self.id = answer.1["id"].as_str().unwrap().to_owned();
            }
            Step::Waiting => {
                self.until(api, |job| job["stage"] == "waiting").await?;
            }
            Step::Open => std::fs::write(&self.gate, "").unwrap(),
            Step::Revoke => {
                let answer = self.act(api, "revoke").await?;
                assert!(matches!(answer.0, 200 | 409), "{}", answer.1);
            }
            Step::End => {
                self.until(api, has_ended).await?;
            }
            Step::Delivered => self.delivered(api, &self.id).await?,
            Step::Reports => {
                let job = self.until(api, has_ended).await?;
                whole(api, &job).await?;
            }
            Step::Replay => {
                let answer = self.act(api, "deliveries/replay").await?;
                assert_eq!(answer.0, 202, "{}", answer.1);
            }
            Step::Retry => {
                let answer = self.act(api, "retry").await?;
                assert_eq!(answer.0, 202, "{}", answer.1);
                self.id = answer.1["id"].as_str().unwrap().to_owned();
                self.seen.clear();
            }
            Step::Terminate => {
                self.process.signal("TERM");
                let signal = self.process.end().await;
                assert!(matches!(signal, None | Some(KILLED)), "{signal:?}");
                self.next_process().await;
            }
        }
        Ok(())
    }

    async fn act(&self, api: &Api, action: &str) -> Result<(u16, Value), Gone> {
        call(api, Method::POST, &format!("/jobs/{}/{action}", self.id), None).await
    }

    /// Looks at the job until `wanted` is true of it. It is found, always, and its percentage never falls.
    async fn until(&mut self, api: &Api, wanted: impl Fn(&Value) -> bool) -> Result<Value, Gone> {
        let start = Instant::now();
        loop {
            let (status, job) = call(api, Method::GET, &format!("/jobs/{}", self.id), None).await?;
            assert_eq!(status, 200, "a job that was accepted is found: {job}");
            let seen = (job["attempt"].as_u64().unwrap(), job["percentage"].as_u64().unwrap());
            let before = self.seen.last().copied().unwrap_or_default();
            assert!(seen >= before, "{before:?} was followed by {seen:?}");
            self.seen.push(seen);
            if wanted(&job) {
                return Ok(job);
            }
            assert!(start.elapsed() < PATIENCE, "gave up waiting for {job}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn delivered(&self, api: &Api, id: &str) -> Result<(), Gone> {
        let start = Instant::now();
        loop {
            let (status, deliveries) = call(api, Method::GET, &format!("/jobs/{id}/deliveries"), None).await?;
            assert_eq!(status, 200, "{deliveries}");
            if deliveries["delivery"] == "delivered" {
                return Ok(());
            }
            assert!(start.elapsed() < PATIENCE, "gave up waiting for {deliveries}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A call that may meet a dying process.
async fn call(api: &Api, method: Method, path: &str, body: Option<&Value>) -> Result<(u16, Value), Gone> {
    let key = format!("the one of {path}");
    let mut request = api.request(method, path).header("idempotency-key", key);
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await.map_err(|_| Gone)?;
    let status = response.status().as_u16();
    let bytes = response.bytes().await.map_err(|_| Gone)?;
    let value = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
    Ok((status, value))
}

/// Runs `scenario` with a process that dies at each of `points`, several at a time.
pub async fn killed_at_each(scenario: Scenario, binary: &'static str, points: &[String], undisturbed: &Undisturbed) {
    const TOGETHER: usize = 10;
    let mut courses = tokio::task::JoinSet::new();
    // The last first: an attempt to deliver that was interrupted is repeated after half a minute, while others run.
    for point in points.iter().rev() {
        while courses.len() >= TOGETHER {
            done(courses.join_next().await);
        }
        let (point, undisturbed) = (point.clone(), undisturbed.clone());
        courses.spawn(async move {
            let survived = tokio::spawn({
                let point = point.clone();
                async move { scenario.killed_at(binary, &point, &undisturbed).await }
            });
            (point, survived.await)
        });
    }
    while !courses.is_empty() {
        done(courses.join_next().await);
    }
}

type Done = Option<Result<(String, Result<(), tokio::task::JoinError>), tokio::task::JoinError>>;

fn done(course: Done) {
    if let Some(Ok((point, Err(error)))) = course {
        panic!("killed at {point}: {error}");
    }
}
