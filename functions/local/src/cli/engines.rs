//! `stakegraph engines`: DynamoDB, SQS and S3 alone, for functions that run elsewhere, or for a look inside.

use tokio::signal::unix::{SignalKind, signal};

use super::flags::EnginesFlags;
use super::{Ended, complain, say};
use crate::engines::{Credentials, Engines, Settings};

const REGION: &str = "us-east-1";

/// Prints the environment that points the AWS SDK and its command line at the engines, then waits.
pub(super) async fn engines(flags: EnginesFlags) -> anyhow::Result<Ended> {
    let mut terminate = signal(SignalKind::terminate())?;
    let credentials = Credentials {
        access_key: flags.access_key,
        secret_key: flags.secret_key,
    };
    let engines = Engines::start(Settings {
        data: flags.data,
        credentials: credentials.clone(),
        region: REGION.to_owned(),
    })
    .await?;
    for (name, value) in [
        ("AWS_ENDPOINT_URL_DYNAMODB", &engines.dynamodb_url),
        ("AWS_ENDPOINT_URL_SQS", &engines.sqs_url),
        ("AWS_ENDPOINT_URL_S3", &engines.s3_url),
        ("AWS_REGION", &REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", &credentials.access_key),
        ("AWS_SECRET_ACCESS_KEY", &credentials.secret_key),
    ] {
        say(&format!("export {name}={value}"));
    }
    complain("the engines run until ctrl-c");
    let ended = tokio::select! {
        _ = tokio::signal::ctrl_c() => Ended::Interrupted,
        _ = terminate.recv() => Ended::Success,
    };
    engines.stop().await;
    Ok(ended)
}
