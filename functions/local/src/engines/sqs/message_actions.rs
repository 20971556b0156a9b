//! The operations on messages.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Service;
use super::actions::{queue_name, within, write};
use super::attributes::MAX_BYTES;
use super::batch;
use super::error::Error;
use super::message_attributes::{self, MessageAttributes};
use super::messages::{self, Delivery, Draft, Received};
use super::queues;
use super::wire::{Batch, Message, OneMessage, ReceiveMessage, SendMessage, Sent};

/// The longest that a message can be hidden at once, in seconds: 12 hours.
const MAX_VISIBILITY_S: i64 = 43_200;

impl Service {
    pub(super) async fn send(&self, request: SendMessage) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        let (draft, sent) = draft(request)?;
        let now_ms = self.clock.now_ms();
        let queue_name = name.clone();
        self.database
            .run(move |connection| {
                let queue = queues::find(connection, &name)?;
                messages::send(connection, &queue, &draft, now_ms)
            })
            .await?;
        self.changed.notify(&queue_name);
        write(&sent)
    }

    pub(super) async fn send_batch(&self, request: Batch<SendMessage>) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        batch::check(&request.entries)?;
        let drafts: Vec<_> = request
            .entries
            .into_iter()
            .map(|entry| (entry.id.clone(), draft(entry)))
            .collect();
        let bytes: usize = drafts
            .iter()
            .filter_map(|(_, draft)| draft.as_ref().ok())
            .map(|(draft, _)| draft.bytes)
            .sum();
        if i64::try_from(bytes).unwrap_or(i64::MAX) > MAX_BYTES {
            return Err(Error::BatchTooLong(bytes));
        }
        let now_ms = self.clock.now_ms();
        let queue_name = name.clone();
        let answer = self
            .database
            .run(move |connection| {
                let queue = queues::find(connection, &name)?;
                let send = |(draft, mut sent): (Draft, Sent), id: &str| {
                    messages::send(connection, &queue, &draft, now_ms)?;
                    sent.id = Some(id.to_owned());
                    write(&sent)
                };
                batch::answer(
                    drafts
                        .into_iter()
                        .map(|(id, draft)| {
                            let outcome = draft.and_then(|draft| send(draft, &id));
                            (id, outcome)
                        })
                        .collect(),
                )
            })
            .await?;
        self.changed.notify(&queue_name);
        Ok(answer)
    }

    /// Waits for messages, up to the request's or the queue's wait time, waking at every change and whenever a hidden
    /// message becomes visible.
    pub(super) async fn receive(&self, request: ReceiveMessage) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        let limit = within("MaxNumberOfMessages", request.max_number_of_messages, 1, 10)?.unwrap_or(1);
        let limit = usize::try_from(limit).unwrap_or(1);
        let visibility_s = within("VisibilityTimeout", request.visibility_timeout, 0, MAX_VISIBILITY_S)?;
        let wait_s = within("WaitTimeSeconds", request.wait_time_seconds, 0, 20)?;
        let started_ms = self.clock.now_ms();
        loop {
            // Listening starts before looking, so that nothing falls between the two.
            let waiting = self.changed.of(&name);
            let mut changed = std::pin::pin!(waiting.notified());
            changed.as_mut().enable();
            let (wait_s, delivery) = self.look(name.clone(), limit, visibility_s, wait_s).await?;
            if delivery.buried {
                self.changed.notify_all();
            }
            let deadline_ms = started_ms + wait_s * 1000;
            let now_ms = self.clock.now_ms();
            if !delivery.messages.is_empty() || now_ms >= deadline_ms || self.is_stopping() {
                return self.answer(delivery, &request);
            }
            let wake_ms = delivery.next_ms.map_or(deadline_ms, |next_ms| next_ms.min(deadline_ms));
            let mut stop = self.stop.clone();
            tokio::select! {
                () = changed => {}
                () = self.clock.wait_until(wake_ms) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// One look at the queue: how long to wait at most, and what there is now.
    async fn look(
        &self,
        name: String,
        limit: usize,
        visibility_s: Option<i64>,
        wait_s: Option<i64>,
    ) -> Result<(i64, Delivery), Error> {
        let now_ms = self.clock.now_ms();
        self.database
            .run(move |connection| {
                let queue = queues::find(connection, &name)?;
                let delivery = messages::receive(connection, &queue, limit, visibility_s, now_ms)?;
                Ok((wait_s.unwrap_or(queue.attributes.wait_s), delivery))
            })
            .await
    }

    fn answer(&self, delivery: Delivery, request: &ReceiveMessage) -> Result<Value, Error> {
        if delivery.messages.is_empty() {
            return Ok(json!({}));
        }
        let messages = delivery
            .messages
            .into_iter()
            .map(|received| self.render(received, request))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(json!({ "Messages": write(&messages)? }))
    }

    fn render(&self, received: Received, request: &ReceiveMessage) -> Result<Message, Error> {
        let stored: MessageAttributes = serde_json::from_str(&received.attributes)?;
        let message_attributes = message_attributes::select(stored, &request.message_attribute_names);
        let mut attributes = BTreeMap::from([
            ("SenderId", self.sender.clone()),
            ("SentTimestamp", received.sent_ms.to_string()),
            ("ApproximateReceiveCount", received.receipt.receive.to_string()),
            (
                "ApproximateFirstReceiveTimestamp",
                received.first_received_ms.to_string(),
            ),
        ]);
        attributes.retain(|name, _| {
            request
                .attribute_names
                .iter()
                .chain(&request.message_system_attribute_names)
                .any(|wanted| wanted == "All" || wanted == name)
        });
        Ok(Message {
            message_id: received.id,
            receipt_handle: received.receipt.to_string(),
            md5_of_body: hex::encode(Md5::digest(&received.body)),
            body: received.body,
            attributes,
            md5_of_attributes: message_attributes::digest(&message_attributes),
            message_attributes,
        })
    }

    pub(super) async fn delete(&self, request: OneMessage) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        let receipt = request.receipt_handle.parse()?;
        self.database
            .run(move |connection| messages::delete(connection, &queues::find(connection, &name)?, &receipt))
            .await?;
        Ok(json!({}))
    }

    pub(super) async fn delete_batch(&self, request: Batch<OneMessage>) -> Result<Value, Error> {
        self.each(request, |connection, queue, entry, _| {
            messages::delete(connection, queue, &entry.receipt_handle.parse()?)
        })
        .await
    }

    pub(super) async fn hide(&self, request: OneMessage) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        let now_ms = self.clock.now_ms();
        let queue_name = name.clone();
        self.database
            .run(move |connection| hide(connection, &queues::find(connection, &name)?, &request, now_ms))
            .await?;
        self.changed.notify(&queue_name);
        Ok(json!({}))
    }

    pub(super) async fn hide_batch(&self, request: Batch<OneMessage>) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        let answer = self.each(request, hide).await?;
        self.changed.notify(&name);
        Ok(answer)
    }

    /// Runs `act` for each entry, in one transaction.
    async fn each(
        &self,
        request: Batch<OneMessage>,
        act: impl Fn(&rusqlite::Connection, &queues::Queue, &OneMessage, i64) -> Result<(), Error> + Send + 'static,
    ) -> Result<Value, Error> {
        let name = queue_name(&request.queue_url)?;
        batch::check(&request.entries)?;
        let now_ms = self.clock.now_ms();
        self.database
            .run(move |connection| {
                let queue = queues::find(connection, &name)?;
                batch::answer(
                    request
                        .entries
                        .into_iter()
                        .map(|entry| {
                            let outcome = act(connection, &queue, &entry, now_ms);
                            let answer = json!({ "Id": entry.id });
                            (entry.id, outcome.map(|()| answer))
                        })
                        .collect(),
                )
            })
            .await
    }
}

fn hide(
    connection: &rusqlite::Connection,
    queue: &queues::Queue,
    request: &OneMessage,
    now_ms: i64,
) -> Result<(), Error> {
    let seconds = within("VisibilityTimeout", request.visibility_timeout, 0, MAX_VISIBILITY_S)?
        .ok_or(Error::MissingParameter("VisibilityTimeout"))?;
    messages::hide(connection, queue, &request.receipt_handle.parse()?, seconds, now_ms)
}

/// What a request sends, checked, and the answer it will get.
fn draft(request: SendMessage) -> Result<(Draft, Sent), Error> {
    if request.message_system_attributes.is_some()
        || request.message_group_id.is_some()
        || request.message_deduplication_id.is_some()
    {
        return Err(Error::Unsupported(
            "system attributes, groups and deduplication are not supported",
        ));
    }
    if request.message_body.is_empty() {
        return Err(Error::MissingParameter("MessageBody"));
    }
    if !request.message_body.chars().all(is_allowed) {
        return Err(Error::InvalidMessageContents);
    }
    let draft = Draft {
        id: Uuid::new_v4().to_string(),
        bytes: request.message_body.len() + message_attributes::measure(&request.message_attributes)?,
        attributes: serde_json::to_string(&request.message_attributes)?,
        delay_s: within("DelaySeconds", request.delay_seconds, 0, 900)?,
        body: request.message_body,
    };
    let sent = Sent {
        id: None,
        message_id: draft.id.clone(),
        md5_of_body: hex::encode(Md5::digest(&draft.body)),
        md5_of_attributes: message_attributes::digest(&request.message_attributes),
    };
    Ok((draft, sent))
}

/// The characters that a body may hold: those of XML 1.0, section 2.2.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
