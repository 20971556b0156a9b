//! The operations on queues, and the dispatch of all operations.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::Error;
use super::messages::{self, Counts};
use super::queues::{self, Queue};
use super::wire::{CreateQueue, GetQueueAttributes, GetQueueUrl, ListQueues, OneQueue, SetQueueAttributes};
use super::{ACCOUNT, Service};

/// Runs `operation` with the JSON in `body` and returns the answer.
///
/// # Errors
///
/// Those that the API documents for the operation.
pub(crate) async fn run(service: &Service, operation: &str, body: &[u8]) -> Result<Value, Error> {
    match operation {
        "CreateQueue" => service.create_queue(read(body)?).await,
        "GetQueueUrl" => service.get_queue_url(read(body)?).await,
        "ListQueues" => service.list_queues(read(body)?).await,
        "GetQueueAttributes" => service.get_queue_attributes(read(body)?).await,
        "SetQueueAttributes" => service.set_queue_attributes(read(body)?).await,
        "DeleteQueue" => service.delete_queue(read(body)?).await,
        "PurgeQueue" => service.purge_queue(read(body)?).await,
        "SendMessage" => service.send(read(body)?).await,
        "SendMessageBatch" => service.send_batch(read(body)?).await,
        "ReceiveMessage" => service.receive(read(body)?).await,
        "DeleteMessage" => service.delete(read(body)?).await,
        "DeleteMessageBatch" => service.delete_batch(read(body)?).await,
        "ChangeMessageVisibility" => service.hide(read(body)?).await,
        "ChangeMessageVisibilityBatch" => service.hide_batch(read(body)?).await,
        _ => Err(Error::UnknownOperation),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    Ok(serde_json::from_slice(body)?)
}

/// The value, as the answer's JSON.
pub(crate) fn write(value: &impl Serialize) -> Result<Value, Error> {
    Ok(serde_json::to_value(value)?)
}

/// The name of the queue that `url` is for: the last of its segments, so that a URL outlives the port it was made
/// with.
///
/// # Errors
///
/// [`Error::MissingParameter`] without a URL.
pub(crate) fn queue_name(url: &str) -> Result<String, Error> {
    match url.rsplit('/').next() {
        None | Some("") => Err(Error::MissingParameter("QueueUrl")),
        Some(name) => Ok(name.to_owned()),
    }
}

impl Service {
    fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.url)
    }

    async fn create_queue(&self, request: CreateQueue) -> Result<Value, Error> {
        let (name, now_ms) = (request.queue_name.clone(), self.clock.now_ms());
        if name.is_empty() {
            return Err(Error::MissingParameter("QueueName"));
        }
        self.database
            .run(move |connection| queues::create(connection, &request.queue_name, &request.attributes, now_ms))
            .await?;
        Ok(json!({ "QueueUrl": self.queue_url(&name) }))
    }

    async fn get_queue_url(&self, request: GetQueueUrl) -> Result<Value, Error> {
        let queue = self
            .database
            .run(move |connection| queues::find(connection, &request.queue_name))
            .await?;
        Ok(json!({ "QueueUrl": self.queue_url(&queue.name) }))
    }

    async fn list_queues(&self, request: ListQueues) -> Result<Value, Error> {
        let limit = within("MaxResults", request.max_results, 1, 1000)?.unwrap_or(1000);
        let mut names = self
            .database
            .run(move |connection| queues::list(connection, &request.queue_name_prefix, &request.next_token, limit + 1))
            .await?;
        let more = i64::try_from(names.len()).is_ok_and(|found| found > limit);
        if more {
            names.pop();
        }
        let urls: Vec<String> = names.iter().map(|name| self.queue_url(name)).collect();
        let mut answer = json!({ "QueueUrls": urls });
        if more && let Some(last) = names.pop() {
            answer["NextToken"] = last.into();
        }
        Ok(answer)
    }

    async fn get_queue_attributes(&self, request: GetQueueAttributes) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        let now_ms = self.clock.now_ms();
        let (queue, counts) = self
            .database
            .run(move |connection| {
                let queue = queues::find(connection, &name)?;
                let counts = messages::count(connection, &queue, now_ms)?;
                Ok::<_, Error>((queue, counts))
            })
            .await?;
        let mut attributes = self.describe(&queue, &counts);
        if !request.attribute_names.iter().any(|wanted| wanted == "All") {
            attributes.retain(|name, _| request.attribute_names.contains(name));
        }
        Ok(json!({ "Attributes": attributes }))
    }

    fn describe(&self, queue: &Queue, counts: &Counts) -> BTreeMap<String, String> {
        let mut attributes = queue.attributes.render();
        let arn = format!("arn:aws:sqs:{}:{ACCOUNT}:{}", self.region, queue.name);
        for (name, value) in [
            ("QueueArn", arn),
            ("CreatedTimestamp", (queue.created_ms / 1000).to_string()),
            ("LastModifiedTimestamp", (queue.modified_ms / 1000).to_string()),
            ("ApproximateNumberOfMessages", counts.visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
            ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
        ] {
            attributes.insert(name.to_owned(), value);
        }
        attributes
    }

    async fn set_queue_attributes(&self, request: SetQueueAttributes) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        let now_ms = self.clock.now_ms();
        self.database
            .run(move |connection| queues::set(connection, &name, &request.attributes, now_ms))
            .await?;
        self.changed.notify_all();
        Ok(json!({}))
    }

    async fn delete_queue(&self, request: OneQueue) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        self.database
            .run(move |connection| queues::delete(connection, &name))
            .await?;
        self.changed.notify_all();
        Ok(json!({}))
    }

    async fn purge_queue(&self, request: OneQueue) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        self.database
            .run(move |connection| messages::purge(connection, &queues::find(connection, &name)?))
            .await?;
        Ok(json!({}))
    }
}

/// `value` if it is from `least` to `most`.
///
/// # Errors
///
/// [`Error::InvalidParameter`] if it is not.
pub(crate) fn within(parameter: &'static str, value: Option<i64>, least: i64, most: i64) -> Result<Option<i64>, Error> {
    match value {
        Some(given) if !(least..=most).contains(&given) => Err(Error::InvalidParameter {
            parameter,
            value: given.to_string(),
            reason: "out of range",
        }),
        in_range => Ok(in_range),
    }
}
