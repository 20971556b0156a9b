//! The sweeper as a scheduled Lambda function.
#![recursion_limit = "256"]

use jobs::Clients;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    function()
        .await
        .inspect_err(|error| tracing::error!(error, "the function cannot run"))
}

async fn function() -> Result<(), Error> {
    let clients = &Clients::from_env().await?;
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        let swept = sweeper::sweep(clients).await?;
        tracing::info!(?swept, "swept");
        Ok::<_, Error>(())
    }))
    .await
}
