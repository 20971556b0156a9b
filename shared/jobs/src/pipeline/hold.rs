//! Holding a job: the lease is renewed and progress is written while the calculation computes.

use std::sync::Arc;
use std::sync::Mutex as SyncMutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval};

use crate::item::Item;
use crate::protocol::Event;
use crate::{Error, Percentage, Seen, Status, Stopped, Store};

/// Progress is written at most this often.
const THROTTLE: Duration = Duration::from_millis(500);

/// The record is looked at, or written, at least this often, so that a revoke is noticed soon. Milliseconds.
const LOOK_MS: i64 = 1_000;

/// How far the calculation is, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Place {
    stage: &'static str,
    percentage: Percentage,
}

/// A claimed job in the hands of its worker.
#[derive(Debug)]
pub(crate) struct Hold {
    store: Store,
    epoch: u64,
    seen: Mutex<Seen>,
    place: SyncMutex<Place>,
    stopped: AtomicBool,
}

impl Hold {
    pub(crate) fn new(store: Store, seen: Seen) -> Self {
        Self {
            store,
            epoch: seen.job().state.epoch,
            seen: Mutex::new(seen),
            place: SyncMutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    /// The stage that the calculation is at.
    pub(crate) fn stage(&self) -> String {
        self.place().stage.to_owned()
    }

    /// Notes how far the calculation is. Costs no write; [`Hold::beat`] writes.
    pub(crate) fn at(&self, stage: &'static str, percentage: Percentage) -> Result<(), Stopped> {
        *self.place.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Place { stage, percentage };
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Stopped);
        }
        Ok(())
    }

    fn place(&self) -> Place {
        *self.place.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Tells the calculation to stop.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether the job is not ours any more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Changes the job as its holder.
    pub(crate) async fn change(&self, event: &Event) -> Result<Seen, Error> {
        self.change_with(event, &[]).await
    }

    /// As [`Hold::change`]; if it is the job's end, `with` is written in the same transaction.
    pub(crate) async fn change_with(&self, event: &Event, with: &[Item]) -> Result<Seen, Error> {
        let mut seen = self.seen.lock().await;
        match self.store.change_with(&seen, event, with).await {
            Ok(changed) => {
                *seen = changed.clone();
                Ok(changed)
            }
            Err(error) => {
                if matches!(error, Error::Refused(_)) {
                    self.stop();
                }
                Err(error)
            }
        }
    }

    /// Sees whether the job is still ours.
    async fn look(&self) -> Result<(), Error> {
        let id = self.seen.lock().await.job().id;
        let state = self.store.get(id).await?.state;
        if state.status != Status::Progress || state.epoch != self.epoch {
            self.stop();
        }
        Ok(())
    }

    /// Writes progress when it changed, and renews the lease when a third of it has passed. Ends when the job is no
    /// longer ours.
    pub(crate) async fn beat(self: Arc<Self>) {
        let renew_ms = self.store.limits().lease_ms / 3;
        let mut renewed = self.store.clock().now();
        let mut looked = renewed;
        let mut written = Place::default();
        let mut tick = interval(THROTTLE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.tick().await;
        while !self.stopped.load(Ordering::Relaxed) {
            tick.tick().await;
            let place = self.place();
            let now = self.store.clock().now();
            let quiet = place == written && now.ms() - renewed.ms() < renew_ms;
            if place.stage.is_empty() || quiet {
                if now.ms() - looked.ms() >= LOOK_MS && self.look().await.is_ok() {
                    looked = now;
                }
                continue;
            }
            let event = Event::Progress {
                epoch: self.epoch,
                stage: place.stage.to_owned(),
                percentage: place.percentage,
            };
            match self.change(&event).await {
                Ok(_) => {
                    written = place;
                    renewed = now;
                    looked = now;
                }
                Err(error) => tracing::warn!(error = error.with_causes(), "progress not written"),
            }
        }
    }
}
