//! `stakegraph run`: one job through the whole system, in one process.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::client::{Client, Job};
use super::flags::RunFlags;
use super::progress::Progress;
use super::receiver::Receiver;
use super::{Ended, complain, own, say, settings};
use crate::System;

/// What a run leaves.
const FILES: [&str; 5] = [
    "result.csv",
    "result.parquet",
    "summary.json",
    "report.html",
    "names.csv",
];

/// How long to wait for the completion event after the job has ended.
const EVENT: Duration = Duration::from_secs(5);

pub(super) async fn run(flags: RunFlags) -> anyhow::Result<Ended> {
    let data = tempfile::Builder::new()
        .prefix("stakegraph-")
        .tempdir()
        .context("cannot make a temporary folder")?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let system = System::start(settings(data.path().to_owned(), listen)?).await?;
    let ended = tokio::select! {
        ended = run_on(&system, &flags) => ended,
        _ = tokio::signal::ctrl_c() => Ok(Ended::Interrupted),
    };
    system.stop().await;
    ended
}

async fn run_on(system: &System, flags: &RunFlags) -> anyhow::Result<Ended> {
    let client = Client::new(&system.url())?;
    let mut receiver = Receiver::start(system.secret().clone()).await?;
    let submitted = client.submit(&flags.job, Some(receiver.url())).await?;
    clear(&flags.out)?;
    let mut progress = Progress::start();
    let job = client.watch(&submitted.id, |job| progress.show(job)).await?;
    match receiver.event(EVENT).await {
        Some(event) => complain(&format!("completion event received: {event}")),
        None => complain("no completion event came"),
    }
    report_warnings(&job);
    if job.status != "SUCCESS" {
        complain(&reason(&job));
        return Ok(Ended::Failure);
    }
    let paths = client.fetch(&job, &flags.out).await?;
    if let Some(csv) = paths.iter().find(|path| path.ends_with("result.csv")) {
        own::show(&job.job_type, csv)?;
    }
    for path in paths {
        say(&path.display().to_string());
    }
    Ok(Ended::Success)
}

/// Takes away what an earlier run left, so that nobody takes it for the result of this one.
fn clear(out: &Path) -> anyhow::Result<()> {
    for name in FILES {
        let path = out.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot replace {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn report_warnings(job: &Job) {
    for warning in &job.warnings {
        complain(&format!(
            "{} ({} times): {}",
            warning.code, warning.count, warning.message
        ));
    }
}

/// Why a job did not succeed.
pub(super) fn reason(job: &Job) -> String {
    match &job.error {
        Some(error) => format!("{}: {} ({})", job.status, error.message, error.code),
        None => job.status.clone(),
    }
}
