//! What a call writes, in a word.

use aws_sdk_dynamodb::operation as table;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_eventbridge::operation as bus;
use aws_sdk_s3::operation as bucket;
use aws_sdk_sqs::operation as queue;
use aws_smithy_runtime_api::client::interceptors::context::Input;

use crate::item::{EVENT, Item, JOB};

/// Calls that change nothing, by their target or method.
pub(super) fn is_read(action: &str) -> bool {
    const READS: [&str; 12] = [
        "GET",
        "HEAD",
        "BatchGetItem",
        "DescribeTable",
        "DescribeTimeToLive",
        "GetItem",
        "GetQueueAttributes",
        "GetQueueUrl",
        "Query",
        "ReceiveMessage",
        "Scan",
        "TransactGetItems",
    ];
    let action = action.rsplit('.').next().unwrap_or(action);
    READS.contains(&action)
}

/// The name of what a call with this input writes; none if it only reads.
pub(super) fn of(input: &Input) -> Option<String> {
    in_table(input)
        .or_else(|| in_queue(input))
        .or_else(|| in_bucket(input))
        .or_else(|| on_bus(input))
}

fn in_table(input: &Input) -> Option<String> {
    if let Some(put) = input.downcast_ref::<table::put_item::PutItemInput>() {
        return put.item().map(item);
    }
    if let Some(all) = input.downcast_ref::<table::transact_write_items::TransactWriteItemsInput>() {
        let items = all.transact_items().iter().map(|one| match (one.put(), one.update()) {
            (Some(put), _) => item(put.item()),
            (None, Some(update)) => item(update.key()),
            (None, None) => "check".to_owned(),
        });
        return Some(items.collect::<Vec<_>>().join("+"));
    }
    if let Some(update) = input.downcast_ref::<table::update_item::UpdateItemInput>() {
        let values = update.expression_attribute_values().into_iter().flatten();
        let states = values.filter(|(_, value)| value.as_m().is_ok_and(|map| map.contains_key("status")));
        let changed: Item = states.map(|(_, state)| ("state".to_owned(), state.clone())).collect();
        return update
            .key()
            .map(|key| item(&key.clone().into_iter().chain(changed).collect()));
    }
    if let Some(delete) = input.downcast_ref::<table::delete_item::DeleteItemInput>() {
        return delete.key().map(|key| format!("delete-{}", item(key)));
    }
    if input
        .downcast_ref::<table::batch_write_item::BatchWriteItemInput>()
        .is_some()
    {
        return Some("rows".to_owned());
    }
    if input.downcast_ref::<table::create_table::CreateTableInput>().is_some() {
        return Some("create-table".to_owned());
    }
    let ttl = input.downcast_ref::<table::update_time_to_live::UpdateTimeToLiveInput>();
    ttl.map(|_| "set-ttl".to_owned())
}

fn in_queue(input: &Input) -> Option<String> {
    if let Some(send) = input.downcast_ref::<queue::send_message::SendMessageInput>() {
        return Some(format!("send-{}", last(send.queue_url())));
    }
    if let Some(delete) = input.downcast_ref::<queue::delete_message::DeleteMessageInput>() {
        return Some(format!("delete-{}", last(delete.queue_url())));
    }
    if let Some(delete) = input.downcast_ref::<queue::delete_message_batch::DeleteMessageBatchInput>() {
        return Some(format!("delete-{}", last(delete.queue_url())));
    }
    let create = input.downcast_ref::<queue::create_queue::CreateQueueInput>();
    create.map(|create| format!("create-queue-{}", create.queue_name().unwrap_or_default()))
}

fn in_bucket(input: &Input) -> Option<String> {
    if let Some(put) = input.downcast_ref::<bucket::put_object::PutObjectInput>() {
        return Some(format!("put-{}", object(put.key())));
    }
    if let Some(start) = input.downcast_ref::<bucket::create_multipart_upload::CreateMultipartUploadInput>() {
        return Some(format!("start-{}", object(start.key())));
    }
    if let Some(part) = input.downcast_ref::<bucket::upload_part::UploadPartInput>() {
        return Some(format!("part-{}", object(part.key())));
    }
    if let Some(all) = input.downcast_ref::<bucket::complete_multipart_upload::CompleteMultipartUploadInput>() {
        return Some(format!("complete-{}", object(all.key())));
    }
    if input
        .downcast_ref::<bucket::create_bucket::CreateBucketInput>()
        .is_some()
    {
        return Some("create-bucket".to_owned());
    }
    let cors = input.downcast_ref::<bucket::put_bucket_cors::PutBucketCorsInput>();
    cors.map(|_| "set-cors".to_owned())
}

fn on_bus(input: &Input) -> Option<String> {
    let put = input.downcast_ref::<bus::put_events::PutEventsInput>();
    put.map(|_| "put-events".to_owned())
}

/// An input's key ends in an identity, which says nothing.
fn object(key: Option<&str>) -> &str {
    match key {
        Some(key) if key.starts_with("inputs/") => "input",
        key => last(key),
    }
}

fn last(path: Option<&str>) -> &str {
    path.and_then(|path| path.rsplit('/').next()).unwrap_or_default()
}

/// What kind of item it is, and where a job stands in its life.
fn item(item: &Item) -> String {
    let sort = word(item.get("sk")).unwrap_or_default();
    match sort {
        JOB => job(item),
        EVENT => "event".to_owned(),
        other => other.split('#').next().unwrap_or(other).to_lowercase(),
    }
}

fn job(item: &Item) -> String {
    let Some(AttributeValue::M(state)) = item.get("state") else {
        return "job".to_owned();
    };
    let status = word(state.get("status")).unwrap_or_default().to_lowercase();
    let committed = state.get("committed").and_then(|committed| committed.as_l().ok());
    let stage = committed.and_then(|committed| {
        let stage = committed.last()?.as_m().ok()?;
        word(stage.get("stage"))
    });
    match stage {
        Some(stage) if status == "progress" => format!("job-progress-{stage}"),
        _ => format!("job-{status}"),
    }
}

fn word(value: Option<&AttributeValue>) -> Option<&str> {
    value?.as_s().ok().map(String::as_str)
}
