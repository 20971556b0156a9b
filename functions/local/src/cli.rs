//! The command line.

mod client;
mod engines;
mod flags;
mod inspect;
mod own;
mod progress;
mod receiver;
mod remote;
mod run;
mod serve;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::Runtime;

use crate::SystemSettings;
use flags::{Command, Flags};

/// How long threads may take to end when the command has.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// As asked.
    Success,
    /// The job is a FAILURE or REVOKED.
    Failure,
    /// The command was not understood, or names something that is not there.
    Usage,
    /// Somebody pressed ctrl-c.
    Interrupted,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        Self::from(match ended {
            Ended::Success => 0,
            Ended::Failure => 1,
            Ended::Usage => 2,
            Ended::Interrupted => 130,
        })
    }
}

/// An error that is the caller's: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UsageError(String);

/// The binary `stakegraph`. Results go to stdout, all else to stderr. Exit status: 0 success, 1 the job failed or the
/// command could not be carried out, 2 usage, 130 interrupted.
#[must_use]
pub fn main() -> ExitCode {
    let flags = Flags::parse();
    start_log(&flags.command);
    let ended = Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        let ended = runtime.block_on(dispatch(flags.command));
        // A calculation that was interrupted is not waited for.
        runtime.shutdown_timeout(LAST_WORDS);
        ended
    });
    match ended {
        Ok(ended) => ended.into(),
        Err(error) => {
            complain(&format!("{error:#}"));
            let usage = error.downcast_ref::<UsageError>().is_some();
            if usage { Ended::Usage } else { Ended::Failure }.into()
        }
    }
}

async fn dispatch(command: Command) -> anyhow::Result<Ended> {
    match command {
        Command::Serve(flags) => serve::serve(flags).await,
        Command::Run(flags) => run::run(flags).await,
        Command::Engines(flags) => engines::engines(flags).await,
        Command::Inspect(flags) => inspect::inspect(&flags),
        Command::Remote(command) => {
            tokio::select! {
                ended = remote::remote(command) => ended,
                _ = tokio::signal::ctrl_c() => Ok(Ended::Interrupted),
            }
        }
    }
}

/// The log goes to stderr: warnings, or what `RUST_LOG` says. `serve` tells a little more.
fn start_log(command: &Command) {
    use tracing_subscriber::EnvFilter;
    let usual = match command {
        Command::Serve(_) => "warn,s3s=off,worker=info,notifier=info,sweeper=info",
        _ => "error,s3s=off",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none())
        .init();
}

/// A system with the limits that the environment sets, as for the functions on AWS.
fn settings(data: PathBuf, listen: SocketAddr) -> anyhow::Result<SystemSettings> {
    let mut settings = SystemSettings {
        pipeline: worker::settings_from_env()?,
        ..SystemSettings::new(data, listen)
    };
    settings.api.callbacks.ports = jobs::setting_or("CALLBACK_PORTS", webhooks::Ports::default())?;
    Ok(settings)
}

fn say(line: &str) {
    use std::io::Write;
    // A reader that went away, as `head` does, is no failure.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn complain(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "stakegraph: {line}");
}
