//! `stakegraph serve`: the whole system, until it is told to stop.

use jobs::Bus;
use tokio::signal::unix::{SignalKind, signal};

use super::flags::ServeFlags;
use super::{Ended, complain, settings};
use crate::System;

pub(super) async fn serve(flags: ServeFlags) -> anyhow::Result<Ended> {
    let mut terminate = signal(SignalKind::terminate())?;
    let data = flags.data.clone();
    let mut settings = settings(flags.data, flags.listen)?;
    settings.bus = Bus::from_env().await?;
    settings.workers = flags.workers.map_or(settings.workers, usize::from);
    let system = System::start(settings).await?;
    if !flags.listen.ip().is_loopback() {
        complain("warning: there are no users and keys yet, so whoever reaches this address reads and writes all jobs");
    }
    complain(&format!("listening on {}, data in {}", system.url(), data.display()));
    let ended = tokio::select! {
        _ = tokio::signal::ctrl_c() => Ended::Interrupted,
        _ = terminate.recv() => Ended::Success,
    };
    complain("stopping");
    system.stop().await;
    Ok(ended)
}
