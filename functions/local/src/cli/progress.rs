//! How far a job is, on stderr: a bar on a terminal, a line per change elsewhere.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

use super::client::Job;
use super::complain;

/// Shows a job as it goes.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    said: String,
}

impl Progress {
    pub(super) fn start() -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:28} [{bar:40}] {pos:>3}%");
            ProgressBar::new(100).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            said: String::new(),
        }
    }

    pub(super) fn show(&mut self, job: &Job) {
        let stage = job.stage.as_deref().unwrap_or("waiting");
        let line = format!("{} {stage}", job.status);
        if let Some(bar) = &self.bar {
            bar.set_message(line);
            bar.set_position(u64::from(job.percentage));
            if job.has_ended() {
                bar.abandon();
            }
        } else if line != self.said {
            complain(&format!("{line} {}%", job.percentage));
            self.said = line;
        }
    }
}
