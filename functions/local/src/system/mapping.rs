//! What AWS does between a queue and a function: receive, call the handler with a real event, delete what succeeded.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// The longest that SQS lets a receive wait.
const LONG_POLL_S: i32 = 20;

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

    /// The next message, or none within the time of a long poll. Batch size is one, as in the stack's template.
    async fn receive(&self) -> Option<Message> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .wait_time_seconds(LONG_POLL_S)
            .max_number_of_messages(1)
            .send()
            .await;
        match received {
            Ok(received) => received.messages.unwrap_or_default().pop(),
            Err(error) => {
                tracing::warn!(%error, "the queue did not answer");
                sleep(PAUSE).await;
                None
            }
        }
    }

    /// Forgets a message that was handled. One that is not forgotten comes again.
    async fn settle(&self, message: &Message, response: &SqsBatchResponse) {
        if !response.batch_item_failures.is_empty() {
            return;
        }
        let delete = self
            .client
            .delete_message()
            .queue_url(&self.url)
            .set_receipt_handle(message.receipt_handle.clone());
        if let Err(error) = delete.send().await {
            tracing::warn!(%error, "a message will come again");
        }
    }
}

/// Hands each message of `inbox` to `handle`, one at a time, until it is time to stop. What `handle` answers nothing to
/// was not handled.
pub(super) async fn map<H, F>(inbox: Inbox, handle: H, mut stopping: watch::Receiver<bool>)
where
    H: Fn(SqsEvent) -> F,
    F: Future<Output = Option<SqsBatchResponse>>,
{
    while let Some(message) = next(&inbox, &mut stopping).await {
        if let Some(response) = handle(event(&message)).await {
            inbox.settle(&message, &response).await;
        }
    }
}

/// As [`map`], with up to `most` messages handled side by side.
pub(super) async fn map_many<H, F>(inbox: Inbox, handle: H, most: usize, mut stopping: watch::Receiver<bool>)
where
    H: Fn(SqsEvent) -> F,
    F: Future<Output = Option<SqsBatchResponse>> + Send + 'static,
{
    let mut handled = JoinSet::new();
    while let Some(message) = next(&inbox, &mut stopping).await {
        let handling = handle(event(&message));
        let inbox = inbox.clone();
        handled.spawn(async move {
            if let Some(response) = handling.await {
                inbox.settle(&message, &response).await;
            }
        });
        while handled.try_join_next().is_some() {}
        if handled.len() >= most {
            handled.join_next().await;
        }
    }
    while handled.join_next().await.is_some() {}
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

/// The next message; none when it is time to stop.
async fn next(inbox: &Inbox, stopping: &mut watch::Receiver<bool>) -> Option<Message> {
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return None,
            received = inbox.receive() => {
                if let Some(message) = received {
                    return Some(message);
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
