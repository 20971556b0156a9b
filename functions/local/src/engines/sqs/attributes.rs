//! A queue's attributes: their defaults, limits, and forms on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::error::Error;

/// The most that a message, or the messages of one batch, may measure: 1 MiB.
pub(crate) const MAX_BYTES: i64 = 1024 * 1024;

/// What can be set on a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    /// For how long a received message is hidden, in seconds.
    pub(crate) visibility_s: i64,
    /// For how long a new message is hidden, in seconds.
    pub(crate) delay_s: i64,
    /// After how long a message is dropped, in seconds.
    pub(crate) retention_s: i64,
    /// How long a receive waits unless it says otherwise, in seconds.
    pub(crate) wait_s: i64,
    /// The longest message, in bytes.
    pub(crate) max_bytes: i64,
    /// Where messages go that were received too often.
    pub(crate) redrive: Option<Redrive>,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            visibility_s: 30,
            delay_s: 0,
            retention_s: 4 * 24 * 3600,
            wait_s: 0,
            max_bytes: MAX_BYTES,
            redrive: None,
        }
    }
}

/// A redrive policy, in the JSON that the API uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redrive {
    /// The dead-letter queue's name, last in its ARN.
    #[serde(rename = "deadLetterTargetArn")]
    pub(crate) target_arn: String,
    /// A message received this often goes there instead of being received again.
    #[serde(rename = "maxReceiveCount", deserialize_with = "number_or_text")]
    pub(crate) max_receives: i64,
}

impl Redrive {
    /// The name of the dead-letter queue.
    pub(crate) fn target(&self) -> &str {
        self.target_arn.rsplit(':').next().unwrap_or_default()
    }
}

impl Attributes {
    /// Sets what `given` names.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAttributeName`], or [`Error::InvalidAttributeValue`] for a value out of its range.
    pub(crate) fn apply(&mut self, given: &BTreeMap<String, String>) -> Result<(), Error> {
        for (name, value) in given {
            let invalid = || Error::InvalidAttributeValue {
                attribute: name.clone(),
                value: value.clone(),
            };
            let seconds = |least: i64, most: i64| {
                let number: i64 = value.parse().map_err(|_| invalid())?;
                if (least..=most).contains(&number) {
                    Ok(number)
                } else {
                    Err(invalid())
                }
            };
            match name.as_str() {
                "VisibilityTimeout" => self.visibility_s = seconds(0, 43_200)?,
                "DelaySeconds" => self.delay_s = seconds(0, 900)?,
                "MessageRetentionPeriod" => self.retention_s = seconds(60, 1_209_600)?,
                "ReceiveMessageWaitTimeSeconds" => self.wait_s = seconds(0, 20)?,
                "MaximumMessageSize" => self.max_bytes = seconds(1024, MAX_BYTES)?,
                "RedrivePolicy" if value.is_empty() => self.redrive = None,
                "RedrivePolicy" => {
                    let redrive: Redrive = serde_json::from_str(value).map_err(|_| invalid())?;
                    if !(1..=1000).contains(&redrive.max_receives) || redrive.target().is_empty() {
                        return Err(invalid());
                    }
                    self.redrive = Some(redrive);
                }
                _ => return Err(Error::InvalidAttributeName(name.clone())),
            }
        }
        Ok(())
    }

    /// The attributes by the API's names.
    pub(crate) fn render(&self) -> BTreeMap<String, String> {
        let mut rendered = BTreeMap::from([
            ("VisibilityTimeout".to_owned(), self.visibility_s.to_string()),
            ("DelaySeconds".to_owned(), self.delay_s.to_string()),
            ("MessageRetentionPeriod".to_owned(), self.retention_s.to_string()),
            ("ReceiveMessageWaitTimeSeconds".to_owned(), self.wait_s.to_string()),
            ("MaximumMessageSize".to_owned(), self.max_bytes.to_string()),
        ]);
        if let Some(redrive) = &self.redrive
            && let Ok(policy) = serde_json::to_string(redrive)
        {
            rendered.insert("RedrivePolicy".to_owned(), policy);
        }
        rendered
    }
}

/// The console and some SDKs write the count as a string.
fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Number(i64),
        Text(String),
    }
    match Form::deserialize(deserializer)? {
        Form::Number(number) => Ok(number),
        Form::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn what_is_rendered_can_be_applied_again() {
        let mut attributes = Attributes::default();
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead","maxReceiveCount":"5"}"#;
        attributes.apply(&given("RedrivePolicy", policy)).unwrap();
        attributes.apply(&given("VisibilityTimeout", "7")).unwrap();
        let redrive = attributes.redrive.clone().unwrap();
        assert_eq!((redrive.target(), redrive.max_receives), ("dead", 5));

        let mut copy = Attributes::default();
        copy.apply(&attributes.render()).unwrap();
        assert_eq!(copy, attributes);
    }

    #[test]
    fn values_outside_the_limits_are_refused() {
        for (name, value) in [
            ("VisibilityTimeout", "43201"),
            ("DelaySeconds", "-1"),
            ("MessageRetentionPeriod", "59"),
            ("ReceiveMessageWaitTimeSeconds", "21"),
            ("MaximumMessageSize", "1048577"),
            ("VisibilityTimeout", "soon"),
            (
                "RedrivePolicy",
                r#"{"deadLetterTargetArn":"arn:dead","maxReceiveCount":0}"#,
            ),
            ("RedrivePolicy", "{}"),
        ] {
            let error = Attributes::default().apply(&given(name, value)).unwrap_err();
            assert!(matches!(error, Error::InvalidAttributeValue { .. }), "{name}={value}");
        }
        let error = Attributes::default().apply(&given("FifoQueue", "true")).unwrap_err();
        assert!(matches!(error, Error::InvalidAttributeName(_)));
    }
}
