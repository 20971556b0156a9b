//! The notifier as a Lambda function.
#![recursion_limit = "256"]

use aws_lambda_events::event::sqs::SqsEvent;
use jobs::{Clients, setting, setting_or};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use notifier::Notifier;
use webhooks::{Deliverer, Policy};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    function()
        .await
        .inspect_err(|error| tracing::error!(error, "the function cannot run"))
}

async fn function() -> Result<(), Error> {
    let clients = Clients::from_env().await?;
    let deliverer = Deliverer::new(Policy {
        allow_loopback: setting_or("ALLOW_LOOPBACK_CALLBACKS", false)?,
    })?;
    let notifier = &Notifier::new(clients, deliverer, setting("WEBHOOK_SECRET")?);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        Ok::<_, Error>(notifier.handle(event.payload).await)
    }))
    .await
}
