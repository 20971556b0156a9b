//! The notifier as a Lambda function.
#![recursion_limit = "256"]

use aws_lambda_events::event::sqs::SqsEvent;
use jobs::{Clients, setting};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use notifier::Notifier;
use webhooks::{Deliverer, Policy};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = Clients::from_env().await?;
    let deliverer = Deliverer::new(Policy::default())?;
    let notifier = &Notifier::new(clients, deliverer, setting("WEBHOOK_SECRET")?);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| async move {
        Ok::<_, Error>(notifier.handle(event.payload).await)
    }))
    .await
}
