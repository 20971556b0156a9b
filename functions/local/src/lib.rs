//! The whole system in one process, and the command line.
//!
//! [`System`] starts AWS-compatible engines on loopback ([`engines`]), points the AWS SDK at them, and plays what AWS
//! plays around the four functions: API Gateway (the router is served directly), the SQS event source mapping (receive,
//! call the handler, delete what succeeded) and the schedule of the sweeper. The functions are the very ones that run as
//! Lambdas. [`main`] is the binary `stakegraph`.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop at the first surprise"))]

mod cli;
pub mod engines;
mod system;

pub use cli::main;
pub use system::{System, SystemError, SystemSettings};
