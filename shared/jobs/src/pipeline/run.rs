//! What a calculation sees while it runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use super::{Hold, Settings};
use crate::protocol::Event;
use crate::shelf::Shelf;
use crate::{
    Clients, Committed, Error, Failure, Input, InputStream, Job, Percentage, ReportWriter, RowsWriter, Source, Spool,
    SpoolWriter, Stage, Stopped, Timestamp,
};

/// A running job. Its calculation asks it for the input, runs stages in it, and writes through it.
#[derive(Debug)]
pub struct Run {
    clients: Clients,
    runtime: Handle,
    hold: Arc<Hold>,
    shelf: Shelf,
    job: Job,
    stages: &'static [Stage],
    settings: Settings,
    /// From when on it hands over to another invocation.
    hand_over_at: Option<Timestamp>,
    committed: HashMap<String, Committed>,
    timings: Vec<(&'static str, f64)>,
    committed_here: bool,
}

/// A stage at work.
#[derive(Debug)]
pub struct StageRun<'r> {
    run: &'r Run,
    stage: &'static str,
    from: f64,
    weight: f64,
}

impl Run {
    pub(crate) fn new(
        clients: Clients,
        hold: Arc<Hold>,
        shelf: Shelf,
        job: Job,
        stages: &'static [Stage],
        settings: Settings,
        deadline: Option<Timestamp>,
    ) -> Self {
        let committed = job.state.committed.iter();
        let hand_over_at = deadline.and_then(|deadline| hand_over_at(deadline, clients.store.clock().now(), &settings));
        Self {
            clients,
            runtime: Handle::current(),
            hold,
            shelf,
            committed: committed.map(|output| (output.stage.clone(), output.clone())).collect(),
            job,
            stages,
            settings,
            hand_over_at,
            timings: Vec::new(),
            committed_here: false,
        }
    }

    /// The job as it was claimed.
    #[must_use]
    pub const fn job(&self) -> &Job {
        &self.job
    }

    /// Seconds that each stage took, in order; those of a committed stage are from when it ran.
    #[must_use]
    pub fn timings(&self) -> &[(&'static str, f64)] {
        &self.timings
    }

    /// Runs stage `name`, or hands back what it left when it was committed before. The output of a stage that took
    /// long is committed, so that it does not run again after a crash.
    ///
    /// # Errors
    ///
    /// What `work` fails with; [`Failure::Continue`] when the deadline is near and another invocation should go on.
    pub fn stage<T: Serialize + DeserializeOwned>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&StageRun<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Some(output) = self.load(name)? {
            return Ok(output);
        }
        if self.committed_here && self.near_deadline() {
            return Err(Failure::Continue);
        }
        let stage = self.begin(name);
        let started = Instant::now();
        let worked = stage.progress(0.0).map_err(Failure::from).and_then(|()| work(&stage));
        let output = match worked {
            Err(Failure::Stopped(_)) if stage.out_of_time() => return Err(self.cut_short(name)),
            worked => worked?,
        };
        let elapsed = started.elapsed();
        self.timings.push((name, elapsed.as_secs_f64()));
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        if elapsed_ms >= self.settings.commit_after_ms || self.near_deadline() {
            self.commit(name, &output, elapsed_ms)?;
        }
        Ok(output)
    }

    fn begin(&self, name: &'static str) -> StageRun<'_> {
        let before = self.stages.iter().take_while(|stage| stage.name != name);
        let from: u32 = before.map(|stage| u32::from(stage.weight)).sum();
        let this = self.stages.iter().find(|stage| stage.name == name);
        StageRun {
            run: self,
            stage: name,
            from: f64::from(from),
            weight: this.map_or(0.0, |stage| f64::from(stage.weight)),
        }
    }

    fn load<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<T>, Failure> {
        let Some(output) = self.committed.get(name).cloned() else {
            return Ok(None);
        };
        self.begin(name).at(1.0)?;
        let bytes = match self.runtime.block_on(self.clients.files.get(&output.key)) {
            Ok(bytes) => bytes,
            // It outlived the bucket's lifecycle: the stage runs again.
            Err(Error::NoObject(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Ok(value) = postcard::from_bytes(&bytes) else {
            // Written by a build with another layout: the stage runs again.
            return Ok(None);
        };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a stage are few")]
        self.timings.push((name, output.elapsed_ms as f64 / 1000.0));
        Ok(Some(value))
    }

    fn commit<T: Serialize>(&mut self, name: &'static str, output: &T, elapsed_ms: u64) -> Result<(), Failure> {
        let bytes =
            postcard::to_stdvec(output).map_err(|error| Failure::Transient(format!("encode stage {name}: {error}")))?;
        debug_assert!(!name.contains('.'), "{name} looks like a report");
        let key = self.key(name);
        // The output may speak of what is on the shelf.
        self.runtime.block_on(self.shelf.clear())?;
        let put = self.clients.files.put(&key, "application/octet-stream", bytes);
        self.runtime.block_on(put)?;
        let event = Event::Commit {
            epoch: self.job.state.epoch,
            output: Committed {
                stage: name.to_owned(),
                key,
                elapsed_ms,
            },
        };
        self.runtime.block_on(self.hold.change(&event))?;
        self.committed_here = true;
        Ok(())
    }

    /// What a stage that ran into the deadline leads to. Another invocation goes on where this one committed; one that
    /// committed nothing was given to this stage alone, and the next may come no further.
    const fn cut_short(&self, stage: &'static str) -> Failure {
        if self.committed_here {
            return Failure::Continue;
        }
        Failure::TooLong(stage)
    }

    fn near_deadline(&self) -> bool {
        let now = self.clients.store.clock().now();
        self.hand_over_at.is_some_and(|at| now >= at)
    }

    /// Keys carry the epoch: a worker that was overtaken cannot touch what a newer one wrote.
    fn key(&self, name: &str) -> String {
        format!("jobs/{}/{}/{name}", self.job.id, self.job.state.epoch)
    }
}

/// The margin before the deadline, or a quarter of the time there is if that is less. A deadline that has passed before
/// the work begins is none: `cargo lambda watch` names one of 1970.
fn hand_over_at(deadline: Timestamp, now: Timestamp, settings: &Settings) -> Option<Timestamp> {
    let time_ms = deadline.ms() - now.ms();
    (time_ms > 0).then(|| deadline.plus_ms(-settings.margin_ms.min(time_ms / 4)))
}

impl StageRun<'_> {
    /// Says how far the stage is, 0 to 1. Cheap: call it often.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when the job was revoked or taken over, or the invocation is near its deadline: stop at once.
    pub fn progress(&self, fraction: f64) -> Result<(), Stopped> {
        if self.run.near_deadline() {
            return Err(Stopped);
        }
        self.at(fraction)
    }

    fn at(&self, fraction: f64) -> Result<(), Stopped> {
        let percent = self.from + self.weight * fraction.clamp(0.0, 1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a value from 0 to 99"
        )]
        let whole = percent.clamp(0.0, 99.0) as u8;
        self.run.hold.at(self.stage, Percentage::new(whole))
    }

    /// Whether it was stopped by the deadline, and not because the job is another's.
    fn out_of_time(&self) -> bool {
        self.run.near_deadline() && !self.run.hold.is_stopped()
    }

    /// The job as it was claimed.
    #[must_use]
    pub const fn job(&self) -> &Job {
        &self.run.job
    }

    /// How this pipeline runs.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.run.settings
    }

    /// Seconds that each stage before this one took, in order.
    #[must_use]
    pub fn timings(&self) -> &[(&'static str, f64)] {
        &self.run.timings
    }

    /// The stakes of the job.
    #[must_use]
    pub const fn input(&self) -> &Input {
        &self.run.job.input
    }

    /// Opens the stakes of the job.
    ///
    /// # Errors
    ///
    /// [`Failure::Permanent`] with code `input_missing` when nobody uploaded them, or [`Failure::Transient`].
    pub fn open_input(&self) -> Result<InputStream, Failure> {
        self.open(&self.run.job.input.source)
    }

    /// Opens the values of companies, if the job has any.
    ///
    /// # Errors
    ///
    /// Those of [`StageRun::open_input`].
    pub fn open_values(&self) -> Result<Option<InputStream>, Failure> {
        let values = self.run.job.input.values.as_ref();
        values.map(|values| self.open(&values.source)).transpose()
    }

    fn open(&self, source: &Source) -> Result<InputStream, Failure> {
        let key = match source {
            Source::Text(text) => return Ok(InputStream::of(self.run.runtime.clone(), text)),
            Source::Object(key) => key,
        };
        match self.run.runtime.block_on(self.run.clients.files.open(key)) {
            Ok(stream) => Ok(stream),
            Err(Error::NoObject(_)) => Err(Failure::permanent(
                "input_missing",
                "nothing was uploaded under this id",
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// Starts bytes for a later stage.
    #[must_use]
    pub fn spool(&self, name: &str) -> SpoolWriter {
        let key = self.run.key(name);
        self.run.clients.files.spool(self.run.runtime.clone(), key)
    }

    /// Reads bytes of an earlier stage.
    ///
    /// # Errors
    ///
    /// [`Failure::Transient`].
    pub fn read_spool<'s>(&self, spool: &'s Spool) -> Result<Box<dyn std::io::Read + 's>, Failure> {
        Ok(self.run.clients.files.read_spool(&self.run.runtime, spool)?)
    }

    /// Starts a file for whoever asked. Its name has an ending, such as `.csv`: by that the API's role tells it from the
    /// output of a stage, which it may not write.
    #[must_use]
    pub fn report(&self, name: &str, content_type: &str) -> ReportWriter {
        debug_assert!(name.contains('.'), "{name} has no ending");
        let files = &self.run.clients.files;
        let writer = files.writer(self.run.runtime.clone(), name, self.run.key(name), content_type);
        writer.onto(self.run.shelf.clone())
    }

    /// Starts result rows in the database.
    #[must_use]
    pub fn rows(&self) -> RowsWriter {
        let job = &self.run.job;
        self.run
            .clients
            .store
            .rows_writer(self.run.runtime.clone(), job.id, job.state.epoch, job.expires_at)
            .onto(self.run.shelf.clone())
    }

    /// Starts what companies are called, beside the rows.
    #[must_use]
    pub fn names(&self) -> RowsWriter {
        let job = &self.run.job;
        self.run
            .clients
            .store
            .names_writer(self.run.runtime.clone(), job.id, job.state.epoch, job.expires_at)
    }

    /// Starts the keys by which companies are found, beside the rows.
    #[must_use]
    pub fn search(&self) -> RowsWriter {
        let job = &self.run.job;
        self.run
            .clients
            .store
            .search_writer(self.run.runtime.clone(), job.id, job.state.epoch, job.expires_at)
    }
}
