//! A system in a process of its own, to be stopped, woken and killed.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Api, PATIENCE};

/// The process; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    url: Option<String>,
}

impl Process {
    /// Starts `binary` with `arguments`, waits until it listens, or has died before.
    pub async fn start(binary: &str, arguments: &[&str], data: &Path, environment: &[(&str, String)]) -> Self {
        let mut child = Command::new(binary)
            .args(arguments)
            .arg(data)
            .env("RUST_LOG", "off")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        // On a thread of its own: the services that the process waits for may live in this one.
        let first_line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            // Whatever it says later is of no interest, but a full pipe would stop it.
            std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
            line
        });
        let line = first_line.await.unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        Self {
            url: url.map(|url| url.trim_end_matches(',').to_owned()),
            child,
        }
    }

    /// One that has ended.
    #[must_use]
    pub fn nothing() -> Self {
        let child = Command::new("true").spawn().unwrap();
        Self { child, url: None }
    }

    /// A client of its API; none if it died before it had one.
    #[must_use]
    pub fn api(&self) -> Option<Api> {
        self.url.as_deref().map(Api::new)
    }

    /// Whether it is gone.
    pub fn is_gone(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it is gone; gives the signal that ended it, if one did.
    pub async fn end(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.signal();
            }
            assert!(start.elapsed() < PATIENCE, "the process does not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends it a signal, such as `STOP`, `CONT` or `TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.unwrap().success());
    }
}

/// `kill -9`, and wait until it is gone.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
