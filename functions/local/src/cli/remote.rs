//! Commands on a running system.

use serde_json::Value;

use super::client::{Client, Job};
use super::flags::{Remote, RemoteCommand};
use super::progress::Progress;
use super::run::{reason, report_warnings};
use super::{Ended, complain, say};

pub(super) async fn remote(command: RemoteCommand) -> anyhow::Result<Ended> {
    match command {
        RemoteCommand::Submit {
            job,
            callback_url,
            watch,
            at,
        } => {
            let client = Client::new(&at.url)?;
            let submitted = client.submit(&job, callback_url.as_deref()).await?;
            if watch {
                return follow(&client, &submitted.id, &at).await;
            }
            tell(&submitted, &at);
            Ok(Ended::Success)
        }
        RemoteCommand::List {
            status,
            job_type,
            limit,
            at,
        } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(status.map(|status| ("status", status)));
            query.extend(job_type.map(|job_type| ("type", job_type)));
            list(&Client::new(&at.url)?.list(&query).await?, &at)
        }
        RemoteCommand::Status { id, at } => {
            let job = Client::new(&at.url)?.job(&id).await?;
            tell(&job, &at);
            Ok(Ended::Success)
        }
        RemoteCommand::Watch { id, at } => follow(&Client::new(&at.url)?, &id, &at).await,
        RemoteCommand::Revoke { id, at } => act(&id, "revoke", &at).await,
        RemoteCommand::Retry { id, at } => act(&id, "retry", &at).await,
        RemoteCommand::Reports { id, out, at } => {
            let client = Client::new(&at.url)?;
            let job = client.job(&id).await?;
            if let Some(folder) = out {
                let paths = client.fetch(&job, &folder).await?;
                if at.json {
                    say(&Value::from_iter(paths.iter().map(|path| path.display().to_string())).to_string());
                } else {
                    paths.iter().for_each(|path| say(&path.display().to_string()));
                }
            } else if at.json {
                say(&job.whole["reports"].to_string());
            } else {
                for report in &job.reports {
                    say(&format!("{:>12}  {}", report.size, report.name));
                }
            }
            Ok(Ended::Success)
        }
    }
}

async fn act(id: &str, action: &str, at: &Remote) -> anyhow::Result<Ended> {
    let job = Client::new(&at.url)?.act(id, action).await?;
    tell(&job, at);
    Ok(Ended::Success)
}

async fn follow(client: &Client, id: &str, at: &Remote) -> anyhow::Result<Ended> {
    let mut progress = Progress::start();
    let job = client.watch(id, |job| progress.show(job)).await?;
    report_warnings(&job);
    tell(&job, at);
    if job.status == "SUCCESS" {
        return Ok(Ended::Success);
    }
    complain(&reason(&job));
    Ok(Ended::Failure)
}

fn list(page: &Value, at: &Remote) -> anyhow::Result<Ended> {
    if at.json {
        say(&page.to_string());
        return Ok(Ended::Success);
    }
    for job in page["jobs"].as_array().into_iter().flatten() {
        let job: Job = serde_json::from_value(job.clone())?;
        say(&line(&job));
    }
    Ok(Ended::Success)
}

fn tell(job: &Job, at: &Remote) {
    if at.json {
        say(&job.whole.to_string());
    } else {
        say(&line(job));
    }
}

fn line(job: &Job) -> String {
    format!(
        "{}  {:<8} {:>3}%  {}  {}  {}",
        job.id,
        job.status,
        job.percentage,
        job.created_at,
        job.job_type,
        job.stage.as_deref().unwrap_or("")
    )
}
