//! Kill points: a build with feature `faults` can be made to die, as by `kill -9`, before or after any of its writes.
//!
//! A point is called `<role>.<write>#<n>.<before|after>`: who writes (what [`Clients::playing`](crate::Clients::playing)
//! was given), what is written, and the how-manieth such write of the process it is. *Before* is when the request has
//! been made up and not sent; *after* is when the service has answered and nobody has been told. Names of writes:
//!
//! | write | name |
//! |---|---|
//! | a job, an event, an attempt, a key | `job-pending`, `job-progress`, `job-progress-building` (`building` is committed), `event`, `try`, `key`; joined by `+` in a transaction |
//! | result rows, packed reports | `rows`, `reports`; joined by `+` to what ends their job |
//! | a message, and its deletion | `send-jobs`, `delete-jobs`, `send-callbacks`, `delete-callbacks` |
//! | an object, or a part of one | `put-result.csv`, `start-spool`, `part-spool`, `complete-spool`; an input is `put-input`, unless it is in the job |
//! | an event on a bus | `put-events` |
//! | what a system is made of | `create-table`, `create-queue`, `create-bucket`, `set-cors`, `set-ttl` |
//!
//! Two environment variables steer it. `STAKEGRAPH_POINTS` names a file to which each point passed is appended as a
//! line; `STAKEGRAPH_KILL_AT` names the point at which to die. Without them nothing is done. A call that is neither a
//! known read nor a named write is appended as `unnamed <what>`, so that a new kind of write cannot go unnoticed.

use std::collections::HashMap;
use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

mod names;

const KILL_AT: &str = "STAKEGRAPH_KILL_AT";
const POINTS: &str = "STAKEGRAPH_POINTS";

/// A client of DynamoDB whose writes are points.
#[must_use]
pub fn dynamodb(client: &aws_sdk_dynamodb::Client, role: &'static str) -> aws_sdk_dynamodb::Client {
    let config = client.config().to_builder().interceptor(Points { role });
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// A client of SQS whose writes are points.
#[must_use]
pub fn sqs(client: &aws_sdk_sqs::Client, role: &'static str) -> aws_sdk_sqs::Client {
    let config = client.config().to_builder().interceptor(Points { role });
    aws_sdk_sqs::Client::from_conf(config.build())
}

/// A client of S3 whose writes are points.
#[must_use]
pub fn s3(client: &aws_sdk_s3::Client, role: &'static str) -> aws_sdk_s3::Client {
    let config = client.config().to_builder().interceptor(Points { role });
    aws_sdk_s3::Client::from_conf(config.build())
}

/// A client of EventBridge whose writes are points.
#[must_use]
pub fn eventbridge(client: &aws_sdk_eventbridge::Client, role: &'static str) -> aws_sdk_eventbridge::Client {
    let config = client.config().to_builder().interceptor(Points { role });
    aws_sdk_eventbridge::Client::from_conf(config.build())
}

/// What the environment asks for.
#[derive(Debug)]
struct Script {
    kill_at: Option<String>,
    log: Option<File>,
    passed: Mutex<HashMap<String, u32>>,
}

static SCRIPT: LazyLock<Option<Script>> = LazyLock::new(|| {
    let kill_at = env::var(KILL_AT).ok().filter(|point| !point.is_empty());
    let log = env::var_os(POINTS).map(|path| {
        let opened = OpenOptions::new().append(true).create(true).open(&path);
        opened.unwrap_or_else(|error| panic!("{POINTS}: {}: {error}", path.display()))
    });
    (kill_at.is_some() || log.is_some()).then(|| Script {
        kill_at,
        log,
        passed: Mutex::default(),
    })
});

impl Script {
    /// Counts a write that is about to be sent.
    fn count(&self, write: &str) -> u32 {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let count = passed.entry(write.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn pass(&self, point: &str) {
        if let Some(mut log) = self.log.as_ref() {
            log.write_all(format!("{point}\n").as_bytes())
                .expect("the file of points can be written");
        }
        if self.kill_at.as_deref() == Some(point) {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                .expect("a process may kill itself");
            // The signal may reach another thread first: this one goes no further.
            loop {
                std::thread::park();
            }
        }
    }
}

/// Sees every call of a client.
#[derive(Debug)]
struct Points {
    role: &'static str,
}

/// What a call writes, from when its input is known until it is answered. Of several roles the last one given counts.
#[derive(Debug)]
struct Named {
    role: &'static str,
    write: String,
}

impl Storable for Named {
    type Storer = StoreReplace<Self>;
}

/// As `<role>.<write>#<n>`, once it is being sent.
#[derive(Debug)]
struct Numbered(String);

impl Storable for Numbered {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Points {
    fn name(&self) -> &'static str {
        "KillPoints"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if SCRIPT.is_some()
            && let Some(write) = names::of(context.input())
        {
            let role = self.role;
            cfg.interceptor_state().store_put(Named { role, write });
        }
        Ok(())
    }

    /// Not reached by a call that is signed and handed to somebody else.
    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(script) = SCRIPT.as_ref() else { return Ok(()) };
        let Some(Named { role, write }) = cfg.load::<Named>() else {
            let request = context.request();
            let action = request.headers().get("x-amz-target").unwrap_or(request.method());
            if !names::is_read(action) {
                script.pass(&format!("unnamed {} {action}", self.role));
            }
            return Ok(());
        };
        if *role != self.role {
            return Ok(());
        }
        let write = format!("{role}.{write}");
        let numbered = format!("{write}#{}", script.count(&write));
        script.pass(&format!("{numbered}.before"));
        cfg.interceptor_state().store_put(Numbered(numbered));
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        _: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(script), Some(named), Some(Numbered(numbered))) =
            (SCRIPT.as_ref(), cfg.load::<Named>(), cfg.load::<Numbered>())
            && named.role == self.role
        {
            script.pass(&format!("{numbered}.after"));
        }
        Ok(())
    }
}
