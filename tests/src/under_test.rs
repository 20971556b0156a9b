//! A system in a process of its own, by settings that only tests want: short leases, a clock that is wrong, a job type
//! that waits until it is let go, and one that leaves as much as it is told to.
//!
//! | variable | default | |
//! |---|---|---|
//! | `LEASE_MS`, `GRACE_MS`, `MAX_ATTEMPTS` | as `serve` | the bounds of a job's life |
//! | `WORKERS` | as `serve` | jobs, and callbacks, handled at once |
//! | `SWEEP_MS` | as `serve` | how often the sweeper looks |
//! | `EVENT_BUS` | as `serve` | the bus of the events |
//! | `CLOCK_AHEAD_MS` | 0 | how far ahead of the system's its clock is; may be negative |

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use jobs::{Bus, Calculation, Clock, Failure, Json, Outcome, Run, Stage, setting_or};
use local::{System, SystemSettings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::sized::Sized;

/// Runs the system on `data` until it is told to stop.
#[must_use]
pub fn main(data: PathBuf) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        let mut settings = settings(data);
        settings.bus = Bus::from_env().await.unwrap();
        let system = System::start(settings).await.unwrap();
        let _ = writeln!(std::io::stderr(), "listening on {}", system.url());
        terminate.recv().await;
        system.stop().await;
    });
    // A calculation that nobody wants any more is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(200));
    ExitCode::SUCCESS
}

fn settings(data: PathBuf) -> SystemSettings {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut settings = SystemSettings::new(data, listen);
    let limits = &mut settings.limits;
    limits.lease_ms = setting_or("LEASE_MS", limits.lease_ms).unwrap();
    limits.grace_ms = setting_or("GRACE_MS", limits.grace_ms).unwrap();
    limits.max_attempts = setting_or("MAX_ATTEMPTS", limits.max_attempts).unwrap();
    settings.workers = setting_or("WORKERS", settings.workers).unwrap();
    let sweep_ms = setting_or("SWEEP_MS", 1_000).unwrap();
    settings.sweep_every = Duration::from_millis(sweep_ms);
    settings.pipeline = worker::settings_from_env().unwrap();
    settings.registry = settings.registry.with::<Gated>().with::<Sized>();
    settings.clock = clock(setting_or("CLOCK_AHEAD_MS", 0).unwrap());
    settings
}

fn clock(ahead_ms: i64) -> Clock {
    let system = Clock::system();
    if ahead_ms == 0 {
        return system;
    }
    let wrong = Clock::manual(system.now().plus_ms(ahead_ms));
    let ticking = wrong.clone();
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_millis(1));
            let behind = system.now().plus_ms(ahead_ms).ms() - ticking.now().ms();
            ticking.advance_ms(behind.max(0));
        }
    });
    wrong
}

/// Works in three stages, of which the second waits until a file is there. The result names the epoch of who worked.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Gated {
    /// The file that lets it go on. Each run of a stage leaves a line in the file of this name with `.runs` at its end.
    gate: String,
    /// Whether the last stage fails when it runs first, in a way that may pass.
    stumble: bool,
}

impl Gated {
    fn note(&self, stage: &str) -> Result<usize, Failure> {
        let path = format!("{}.runs", self.gate);
        let noted = || {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&path)?;
            file.write_all(format!("{stage}\n").as_bytes())?;
            std::fs::read_to_string(&path)
        };
        let all = noted().map_err(|error| Failure::of_service(&error))?;
        Ok(all.lines().filter(|line| *line == stage).count())
    }
}

impl Calculation for Gated {
    const NAME: &'static str = "gated";
    const SUMMARY: &'static str = "Waits until it is let go.";
    const STAGES: &'static [Stage] = &[stage("first", 30), stage("waiting", 40), stage("last", 30)];

    fn columns() -> Value {
        json!([])
    }

    fn run(&self, run: &mut Run) -> Result<Outcome, Failure> {
        run.stage("first", |_| self.note("first").map(drop))?;
        run.stage("waiting", |stage| {
            self.note("waiting")?;
            while !Path::new(&self.gate).exists() {
                stage.progress(0.5)?;
                thread::sleep(Duration::from_millis(5));
            }
            Ok(())
        })?;
        let report = run.stage("last", |stage| {
            if self.note("last")? == 1 && self.stumble {
                return Err(Failure::Transient("the service is away".to_owned()));
            }
            let mut report = stage.report("result.csv", "text/csv");
            report
                .write_all(b"answer\n42\n")
                .map_err(|error| Failure::of_service(&error))?;
            Ok(report.finish()?)
        })?;
        Ok(Outcome {
            result: Json(json!({ "answer": 42, "epoch": run.job().state.epoch })),
            reports: vec![report],
            ..Outcome::default()
        })
    }
}

const fn stage(name: &'static str, weight: u8) -> Stage {
    Stage {
        name,
        weight,
        carries: true,
    }
}
