//! The API as a Lambda function behind an HTTP API of API Gateway.
#![recursion_limit = "256"]

use api::{Api, Settings, router};
use jobs::Clients;
use lambda_http::{Error, run, tracing};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    function()
        .await
        .inspect_err(|error| tracing::error!(error, "the function cannot run"))
}

async fn function() -> Result<(), Error> {
    let clients = Clients::from_env().await?;
    let api = Api::new(clients, calculations::registry(), Settings::from_env()?);
    run(router(api)).await
}
