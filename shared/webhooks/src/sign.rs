//! Signatures of Standard Webhooks, version 1.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";

/// A key shared with the receiver: `whsec_` and 24 to 64 bytes in base64.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// The text is not a secret. Does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("read a webhook secret: want whsec_ and 24 to 64 bytes in base64")]
pub struct BadSecret;

impl Secret {
    /// A secret of these bytes.
    ///
    /// # Errors
    ///
    /// [`BadSecret`] unless there are 24 to 64 of them.
    pub fn new(bytes: &[u8]) -> Result<Self, BadSecret> {
        if !(24..=64).contains(&bytes.len()) {
            return Err(BadSecret);
        }
        Ok(Self(bytes.to_vec()))
    }

    /// The text that the receiver's library wants. Show it to its owner alone.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// One signature of header `webhook-signature`: `v1,` and an HMAC-SHA256 over `id.timestamp.body` in base64.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of every length");
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// What events are signed with: a secret, and the one before while receivers change over.
#[derive(Debug, Clone)]
pub struct Secrets {
    current: Secret,
    previous: Option<Secret>,
}

impl Secrets {
    /// `current` signs, and so does `previous` until it is taken away.
    #[must_use]
    pub const fn new(current: Secret, previous: Option<Secret>) -> Self {
        Self { current, previous }
    }

    /// The secret that stays.
    #[must_use]
    pub const fn current(&self) -> &Secret {
        &self.current
    }

    /// The secret that goes.
    #[must_use]
    pub const fn previous(&self) -> Option<&Secret> {
        self.previous.as_ref()
    }

    /// The value of header `webhook-signature`: a signature with each secret, the current one's first, blanks between.
    /// A receiver accepts an event if it knows one of them.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let mut signatures = self.current.sign(id, timestamp_s, body);
        if let Some(previous) = &self.previous {
            signatures.push(' ');
            signatures += &previous.sign(id, timestamp_s, body);
        }
        signatures
    }
}

impl FromStr for Secret {
    type Err = BadSecret;

    fn from_str(text: &str) -> Result<Self, BadSecret> {
        let bytes = text.strip_prefix(PREFIX).ok_or(BadSecret)?;
        Self::new(&STANDARD.decode(bytes).map_err(|_| BadSecret)?)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standard() {
        // Computed with Python's hmac module over "msg_1.1614265330.{\"test\": 2432232314}".
        let secret = Secret::new(&[7; 24]).unwrap();
        let signature = secret.sign("msg_1", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signature, "v1,7uBtESEWGtDKv2DcFOvwVnDWKwiIT+87mO9EJbkknYM=");
        // The example with which the libraries of Standard Webhooks test themselves.
        let secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_secret_rotates_both_sign() {
        let (new, old) = (Secret::new(&[1; 24]).unwrap(), Secret::new(&[2; 24]).unwrap());
        let sign = |secret: &Secret| secret.sign("evt_1", 7, b"{}");
        let both = Secrets::new(new.clone(), Some(old.clone())).sign("evt_1", 7, b"{}");
        assert_eq!(both, format!("{} {}", sign(&new), sign(&old)));
        assert_eq!(Secrets::new(new.clone(), None).sign("evt_1", 7, b"{}"), sign(&new));
    }

    #[test]
    fn a_secret_survives_its_text() {
        let secret = Secret::new(&[9; 32]).unwrap();
        let again: Secret = secret.reveal().parse().unwrap();
        assert_eq!(again.sign("a", 1, b""), secret.sign("a", 1, b""));
    }

    #[test]
    fn a_short_or_foreign_secret_is_refused() {
        assert!("whsec_AAAA".parse::<Secret>().is_err());
        assert!("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse::<Secret>().is_err());
    }
}
