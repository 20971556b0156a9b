//! `stakegraph engines`: DynamoDB, SQS and S3 alone, for functions that run elsewhere, or for a look inside.

use anyhow::Context;
use tokio::process::Command;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::flags::EnginesFlags;
use super::{Ended, complain, say};
use crate::engines::{Credentials, Engines, Settings};
use crate::system::Elsewhere;

const REGION: &str = "us-east-1";

/// Prints the environment that points the AWS SDK and its command line at the engines, then waits; or runs a command with
/// the settings of functions, which are not printed, since a secret is among them.
pub(super) async fn engines(flags: EnginesFlags) -> anyhow::Result<Ended> {
    let terminate = signal(SignalKind::terminate())?;
    let credentials = Credentials {
        access_key: flags.access_key,
        secret_key: flags.secret_key,
    };
    if let Some(url) = flags.functions {
        let elsewhere = Elsewhere::start(&flags.data, credentials, &url).await?;
        let ended = run(elsewhere.environment(), &flags.command, terminate).await;
        elsewhere.stop().await;
        return ended;
    }
    let engines = Engines::start(Settings {
        data: flags.data,
        credentials: credentials.clone(),
        region: REGION.to_owned(),
    })
    .await?;
    let environment = [
        ("AWS_ENDPOINT_URL_DYNAMODB", engines.dynamodb_url.clone()),
        ("AWS_ENDPOINT_URL_SQS", engines.sqs_url.clone()),
        ("AWS_ENDPOINT_URL_S3", engines.s3_url.clone()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_key),
    ];
    let ended = run(&environment, &[], terminate).await;
    engines.stop().await;
    ended
}

/// Runs `command` with `environment`; without a command, prints the environment and waits to be told to stop.
async fn run(
    environment: &[(&'static str, String)],
    command: &[String],
    mut terminate: Signal,
) -> anyhow::Result<Ended> {
    let Some((program, arguments)) = command.split_first() else {
        for (name, value) in environment {
            say(&format!("export {name}={value}"));
        }
        complain("the engines run until ctrl-c");
        return Ok(tokio::select! {
            _ = tokio::signal::ctrl_c() => Ended::Interrupted,
            _ = terminate.recv() => Ended::Success,
        });
    };
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("start {program}"))?;
    tokio::select! {
        status = child.wait() => Ok(if status?.success() { Ended::Success } else { Ended::Failure }),
        // The shell sends ctrl-c to the command too.
        _ = tokio::signal::ctrl_c() => {
            child.wait().await?;
            Ok(Ended::Interrupted)
        }
        _ = terminate.recv() => Ok(Ended::Success),
    }
}
