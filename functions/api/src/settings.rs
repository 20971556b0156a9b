//! What an operator can set.

use jobs::{MissingSetting, setting_or};

/// Limits and addresses of the API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest body of a request in bytes. `MAX_BODY_BYTES`, default 4 MiB: Lambda takes 6 MB, base64 included.
    pub max_body_bytes: usize,
    /// The largest upload in bytes. `MAX_UPLOAD_BYTES`, default 1 GiB.
    pub max_upload_bytes: u64,
    /// How long a job's record and files are kept, in days. `KEEP_DAYS`, default 30.
    pub keep_days: u32,
    /// Which callback URLs are accepted. `ALLOW_LOOPBACK_CALLBACKS`, default false, and `CALLBACK_PORTS`, those beside
    /// 443 with commas between, default none.
    pub callbacks: webhooks::Policy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_body_bytes: 4 << 20,
            max_upload_bytes: 1 << 30,
            keep_days: 30,
            callbacks: webhooks::Policy::default(),
        }
    }
}

impl Settings {
    /// Reads the variables named above.
    ///
    /// # Errors
    ///
    /// [`MissingSetting`], naming the variable.
    pub fn from_env() -> Result<Self, MissingSetting> {
        let fallback = Self::default();
        Ok(Self {
            max_body_bytes: setting_or("MAX_BODY_BYTES", fallback.max_body_bytes)?,
            max_upload_bytes: setting_or("MAX_UPLOAD_BYTES", fallback.max_upload_bytes)?,
            keep_days: setting_or("KEEP_DAYS", fallback.keep_days)?,
            callbacks: webhooks::Policy {
                allow_loopback: setting_or("ALLOW_LOOPBACK_CALLBACKS", false)?,
                ports: setting_or("CALLBACK_PORTS", webhooks::Ports::default())?,
            },
        })
    }
}
