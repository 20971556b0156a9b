//! The notifier as a Lambda function.
#![recursion_limit = "256"]

use aws_lambda_events::event::sqs::SqsEvent;
use jobs::{Clients, setting, setting_if, setting_or};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use notifier::Notifier;
use webhooks::{Deliverer, Policy, Ports, Secrets};

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
        ports: setting_or("CALLBACK_PORTS", Ports::default())?,
    })?;
    let secrets = Secrets::new(setting("WEBHOOK_SECRET")?, setting_if("WEBHOOK_SECRET_PREVIOUS")?);
    let notifier = &Notifier::new(clients, deliverer, secrets);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        Ok::<_, Error>(notifier.handle(event.payload).await)
    }))
    .await
}
