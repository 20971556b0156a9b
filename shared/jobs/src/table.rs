//! The shape of the one table.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TimeToLiveSpecification, TimeToLiveStatus,
};

use crate::Error;
use crate::item::{BY_DUE, BY_TENANT};

/// Creates the table, its two sparse indexes and its time to live, unless the table is there. On AWS the stack's
/// template does this; the attributes must agree with it.
///
/// # Errors
///
/// [`Error::Unavailable`] when the service refuses.
pub async fn create_table(client: &Client, table: &str) -> Result<(), Error> {
    const ACTION: &str = "create the table";
    if client.describe_table().table_name(table).send().await.is_ok() {
        return forget_in_time(client, table).await;
    }
    let text = ["pk", "sk", "tenant", "job", "due_shard"].map(|name| attribute(name, ScalarAttributeType::S));
    let number = attribute("due_at", ScalarAttributeType::N);
    client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(text.into_iter().chain([number]).collect()))
        .set_key_schema(Some(keys("pk", "sk")))
        .global_secondary_indexes(index(BY_TENANT, "tenant", "job")?)
        .global_secondary_indexes(index(BY_DUE, "due_shard", "due_at")?)
        .send()
        .await
        .map_err(Error::unavailable(ACTION))?;
    client
        .wait_until_table_exists()
        .table_name(table)
        .wait(Duration::from_secs(120))
        .await
        .map_err(Error::unavailable(ACTION))?;
    forget_in_time(client, table).await
}

/// Turns on the time to live, unless it is on.
async fn forget_in_time(client: &Client, table: &str) -> Result<(), Error> {
    const ACTION: &str = "set the time to live";
    let now = client
        .describe_time_to_live()
        .table_name(table)
        .send()
        .await
        .map_err(Error::unavailable(ACTION))?;
    let status = now.time_to_live_description().and_then(|now| now.time_to_live_status());
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let time_to_live = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name("ttl")
        .build()
        .map_err(Error::unavailable(ACTION))?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(time_to_live)
        .send()
        .await
        .map_err(Error::unavailable(ACTION))?;
    Ok(())
}

fn attribute(name: &str, kind: ScalarAttributeType) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(kind)
        .build()
        .expect("name and type are set")
}

fn keys(hash: &str, range: &str) -> Vec<KeySchemaElement> {
    [(hash, KeyType::Hash), (range, KeyType::Range)]
        .map(|(name, kind)| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
                .expect("name and type are set")
        })
        .to_vec()
}

/// Keys only: the record is read from the table, so that progress does not write the index.
fn index(name: &str, hash: &str, range: &str) -> Result<GlobalSecondaryIndex, Error> {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(keys(hash, range)))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .map_err(Error::unavailable("describe an index"))
}
