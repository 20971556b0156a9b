//! Telling whoever asked: signed requests to addresses that strangers name.
//!
//! Requests follow [Standard Webhooks](https://www.standardwebhooks.com): headers `webhook-id`, `webhook-timestamp`
//! (seconds since 1970) and `webhook-signature`, an HMAC-SHA256 over `id.timestamp.body`.
//!
//! ```
//! use webhooks::Secret;
//!
//! let secret: Secret = "whsec_c3Rha2VncmFwaC1leGFtcGxlLXNlY3JldA==".parse().expect("a secret");
//! let signature = secret.sign("evt_1", 1_700_000_000, b"{}");
//! assert!(signature.starts_with("v1,"));
//! // Secrets do not reach logs.
//! assert_eq!(format!("{secret:?}"), "Secret(redacted)");
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may stop at the first surprise"))]

mod address;
mod deliver;
mod policy;
mod schedule;
mod sign;

pub use deliver::{Answer, Deliverer, Request};
pub use policy::{BadPort, Policy, Ports, RefusedUrl};
pub use schedule::{ATTEMPTS, LONGEST_ASKED_MS, asked_ms, wait_ms};
pub use sign::{BadSecret, Secret, Secrets};
