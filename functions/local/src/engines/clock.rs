//! Time as a parameter, and waiting for it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(test)]
use tokio::sync::watch;

/// Where an engine's time comes from: the system, or a test that moves it.
#[derive(Debug, Clone, Default)]
pub(crate) enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A clock that stands still until a test advances it. Clones share it.
    #[cfg(test)]
    Manual(watch::Sender<i64>),
}

impl Clock {
    /// The current time, in milliseconds since the Unix epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        match self {
            Self::System => unix_ms(SystemTime::now()),
            #[cfg(test)]
            Self::Manual(now) => *now.borrow(),
        }
    }

    /// Returns once the time is `moment_ms` or later; at once if it already is.
    pub(crate) async fn wait_until(&self, moment_ms: i64) {
        match self {
            Self::System => {
                let wait = moment_ms.saturating_sub(self.now_ms());
                tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
            }
            #[cfg(test)]
            Self::Manual(now) => {
                // The sender is held by `self`, so the channel cannot close under the wait.
                let _ = now.subscribe().wait_for(|now| *now >= moment_ms).await;
            }
        }
    }
}

#[cfg(test)]
impl Clock {
    pub(crate) fn manual(start_ms: i64) -> Self {
        Self::Manual(watch::Sender::new(start_ms))
    }

    /// Moves a manual clock forward and wakes whoever waits for a moment it reached.
    pub(crate) fn advance_ms(&self, ms: i64) {
        if let Self::Manual(now) = self {
            now.send_modify(|now| *now += ms);
        }
    }

    /// How many tasks wait for a manual clock.
    pub(crate) fn waiting(&self) -> usize {
        match self {
            Self::System => 0,
            Self::Manual(now) => now.receiver_count(),
        }
    }
}

fn unix_ms(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
