//! What AWS does between a queue and a function: receive, call the handler with a real event, delete what succeeded.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// The longest that SQS lets a receive wait.
const LONG_POLL_S: i32 = 20;

/// SQS hands out, and deletes, at most this many messages at once.
const BATCH: usize = 10;

/// How long to wait after the queue did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// A queue to receive from.
#[derive(Debug, Clone)]
pub(super) struct Inbox {
    client: Client,
    url: String,
}

impl Inbox {
    pub(super) const fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// The next messages, at most `most`, or none within the time of a long poll.
    async fn receive(&self, most: usize) -> Vec<Message> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .wait_time_seconds(LONG_POLL_S)
            .max_number_of_messages(i32::try_from(most.min(BATCH)).unwrap_or(1))
            .send()
            .await;
        match received {
            Ok(received) => received.messages.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "the queue did not answer");
                sleep(PAUSE).await;
                Vec::new()
            }
        }
    }

    /// Forgets messages that were handled, at most [`BATCH`]. One that is not forgotten comes again.
    async fn forget(&self, receipts: Vec<String>) {
        let entries = receipts.into_iter().enumerate().map(|(id, receipt)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(id.to_string());
            entry.receipt_handle(receipt).build()
        });
        let delete = match entries.collect() {
            Ok(entries) => self.client.delete_message_batch().set_entries(Some(entries)),
            Err(error) => return tracing::error!(%error, "a batch cannot be made up"),
        };
        match delete.queue_url(&self.url).send().await {
            Ok(answer) if answer.failed().is_empty() => {}
            Ok(answer) => tracing::warn!(messages = answer.failed().len(), "some messages will come again"),
            Err(error) => tracing::warn!(%error, "messages will come again"),
        }
    }
}

/// Hands each message of `inbox` to `handle`, up to `most` side by side, until it is time to stop. Each is an event of its
/// own: batch size is one, as in the stack's template. What `handle` answers nothing to was not handled.
///
/// Messages are received and deleted several at once, as many as there are. No message waits here for its turn: it stays
/// in the queue, where its time does not run.
pub(super) async fn map<H, F>(inbox: Inbox, handle: H, most: usize, mut stopping: watch::Receiver<bool>)
where
    H: Fn(SqsEvent) -> F,
    F: Future<Output = Option<SqsBatchResponse>> + Send + 'static,
{
    let (handled, receipts) = mpsc::unbounded_channel();
    let mut forgetting = JoinSet::new();
    forgetting.spawn(forget(inbox.clone(), receipts));
    let mut handling = JoinSet::new();
    while let Some(messages) = next(&inbox, most - handling.len(), &mut stopping).await {
        for message in messages {
            let handled = handled.clone();
            let answer = handle(event(&message));
            handling.spawn(async move {
                let answer = answer.await;
                if answer.is_some_and(|answer| answer.batch_item_failures.is_empty())
                    && let Some(receipt) = message.receipt_handle
                {
                    // Whoever forgets is there until all of these are gone, or this is too.
                    let _ = handled.send(receipt);
                }
            });
        }
        if handling.len() >= most {
            handling.join_next().await;
        }
        while handling.try_join_next().is_some() {}
    }
    while handling.join_next().await.is_some() {}
    drop(handled);
    forgetting.join_next().await;
}

async fn forget(inbox: Inbox, mut receipts: mpsc::UnboundedReceiver<String>) {
    let mut some = Vec::new();
    while receipts.recv_many(&mut some, BATCH).await > 0 {
        inbox.forget(std::mem::take(&mut some)).await;
    }
}

/// Sweeps every now and then, until it is time to stop.
pub(super) async fn each<S, F>(every: Duration, sweep: S, mut stopping: watch::Receiver<bool>)
where
    S: Fn() -> F,
    F: Future<Output = ()>,
{
    let mut tick = interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            _ = tick.tick() => {}
        }
        sweep().await;
    }
}

/// The next messages; none when it is time to stop.
async fn next(inbox: &Inbox, most: usize, stopping: &mut watch::Receiver<bool>) -> Option<Vec<Message>> {
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return None,
            received = inbox.receive(most) => {
                if !received.is_empty() {
                    return Some(received);
                }
            }
        }
    }
}

fn event(message: &Message) -> SqsEvent {
    let mut record = SqsMessage::default();
    record.message_id.clone_from(&message.message_id);
    record.receipt_handle.clone_from(&message.receipt_handle);
    record.body.clone_from(&message.body);
    let mut event = SqsEvent::default();
    event.records.push(record);
    event
}
