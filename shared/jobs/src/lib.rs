//! The job: its record, its life, and where it lives.
//!
//! A *job* is one asked-for calculation. Its life is the state machine of [`protocol`]; its record is one item of a
//! DynamoDB table ([`Store`]); an SQS queue ([`Queue`]) only wakes workers; reports and outputs of stages are objects of
//! an S3 bucket ([`Files`]). A *job type* implements [`Calculation`] and is listed in a [`Registry`], which checks
//! parameters when a job is submitted and makes the calculation in the worker. [`pipeline::execute`] runs it.
//!
//! Invariants kept here:
//!
//! - every change of a job is one conditional write of its one item;
//! - only the holder of the newest *epoch* writes while a job is in progress;
//! - the end of a job and its completion event are one transaction;
//! - the store is the truth: a lost or doubled message changes nothing but when work starts.
//!
//! ```
//! use jobs::protocol::{Event, Limits, State, apply};
//! use jobs::{Status, Timestamp};
//!
//! let now = Timestamp::from_ms(1_000);
//! let state = State::new(now);
//! let claimed = apply(&state, &Event::Claim, now, &Limits::default()).expect("a new job can be claimed");
//! assert_eq!(claimed.status, Status::Progress);
//! assert_eq!((claimed.attempt, claimed.epoch), (1, 1));
//! // A second worker that got the same message is refused.
//! assert!(apply(&claimed, &Event::Claim, now, &Limits::default()).is_err());
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop at the first surprise"))]

mod bus;
mod calculation;
mod clients;
mod clock;
mod completion;
mod error;
#[cfg(feature = "faults")]
pub mod faults;
mod files;
mod id;
mod item;
mod job;
pub mod pipeline;
pub mod protocol;
mod queue;
mod registry;
mod rows;
mod shelf;
mod store;
mod table;

pub use bus::{Bus, NotPut};
pub use calculation::{Calculation, Invalid, Stage};
pub use clients::{Clients, Endpoints, MissingSetting, Names, setting, setting_if, setting_or};
pub use clock::{Clock, Timestamp};
pub use completion::{Completion, Delivery, DeliveryTry, Next, Subscriber, Subscription, TryEnd};
pub use error::{Error, Failure, Stopped};
pub use files::{Files, InputStream, Report, ReportWriter, SignedRequest, Spool, SpoolWriter};
pub use id::{InvalidJobId, JobId};
pub use job::{
    Committed, Input, Job, JobError, Json, Outcome, Percentage, RowsRef, Search, Source, Status, ValuesInput, Warning,
};
pub use pipeline::{Run, StageRun};
pub use queue::{Message, Queue};
pub use registry::{JobType, ParameterError, Registry};
pub use rows::{RowBlock, RowsWriter};
pub use store::{Begun, Created, Due, DuePages, Ended, Filter, Idempotency, Page, Seen, Store};
pub use table::create_table;
