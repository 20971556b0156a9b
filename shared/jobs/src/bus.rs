//! The EventBridge bus: where every completion event goes, if a setting names one.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Builder;
use aws_sdk_eventbridge::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use crate::{Clients, Completion, MissingSetting, setting_if};

/// What events on the bus come from.
const SOURCE: &str = "stakegraph";

/// An attempt may take this long in all, the SDK's own retries included.
const TIME: Duration = Duration::from_secs(15);

/// A bus to put events on.
#[derive(Debug, Clone)]
pub struct Bus {
    pub(crate) client: Client,
    name: String,
}

/// Why an event is not on the bus: the service's own word for it, such as `ThrottlingException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotPut(pub String);

impl Bus {
    /// The bus called `name`, or of that ARN.
    #[must_use]
    pub fn new(config: &SdkConfig, name: String) -> Self {
        let time = TimeoutConfig::builder().operation_timeout(TIME).build();
        let config = Builder::from(config).timeout_config(time);
        Self {
            client: Client::from_conf(config.build()),
            name,
        }
    }

    /// The bus that `EVENT_BUS` names, in the account that the process's environment names; none if it names none.
    /// `AWS_ENDPOINT_URL_EVENTBRIDGE` leads elsewhere.
    ///
    /// # Errors
    ///
    /// [`MissingSetting`], naming the variable.
    pub async fn from_env() -> Result<Option<Self>, MissingSetting> {
        let Some(name) = setting_if("EVENT_BUS")? else {
            return Ok(None);
        };
        Ok(Some(Self::new(&Clients::sdk_config().load().await, name)))
    }

    /// Its name or ARN, as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Puts `event` on the bus: its type as `detail-type`, `body` as `detail`. When this returns, the bus has it.
    ///
    /// # Errors
    ///
    /// [`NotPut`]. What the service said beyond its code is logged.
    pub async fn put(&self, event: &Completion, body: &str) -> Result<(), NotPut> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(&event.event_type)
            .detail(body)
            .time(DateTime::from_secs(event.occurred_at.seconds()))
            .build();
        let answer = self.client.put_events().entries(entry).send().await.map_err(|error| {
            tracing::warn!(error = %DisplayErrorContext(&error), "the bus did not answer");
            not_put(&error)
        })?;
        let refused = answer.entries().iter().find_map(|entry| entry.error_code());
        match refused {
            Some(code) => Err(NotPut(code.to_owned())),
            None if answer.failed_entry_count() > 0 => Err(NotPut("refused without a word".to_owned())),
            None => Ok(()),
        }
    }
}

fn not_put<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> NotPut {
    NotPut(match error {
        SdkError::TimeoutError(_) => format!("no answer within {} s", TIME.as_secs()),
        SdkError::ServiceError(said) => said.err().code().unwrap_or("refused without a word").to_owned(),
        SdkError::DispatchFailure(_) => "EventBridge is not reached".to_owned(),
        _ => "EventBridge answered what is no answer".to_owned(),
    })
}
