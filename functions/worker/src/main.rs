//! The worker as a Lambda function.
#![recursion_limit = "256"]

use aws_lambda_events::event::sqs::SqsEvent;
use jobs::{Clients, Timestamp};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use worker::{Worker, settings_from_env};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    function()
        .await
        .inspect_err(|error| tracing::error!(error, "the function cannot run"))
}

async fn function() -> Result<(), Error> {
    let clients = Clients::from_env().await?;
    let worker = &Worker::new(clients, calculations::registry(), settings_from_env()?);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        let deadline = i64::try_from(event.context.deadline).map(Timestamp::from_ms);
        Ok::<_, Error>(worker.handle(event.payload, deadline.ok()).await)
    }))
    .await
}
