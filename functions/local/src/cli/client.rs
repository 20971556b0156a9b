//! A client of the API.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use super::UsageError;
use super::flags::JobFlags;

/// Between two looks at a job: short at first, for small jobs, then twice a second.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
];
const LOOK: Duration = Duration::from_millis(500);

/// The API of one system.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
}

/// A job, as far as the command line looks at it; the whole answer is kept for `--json`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) job_type: String,
    pub(super) status: String,
    pub(super) stage: Option<String>,
    pub(super) percentage: u8,
    pub(super) created_at: String,
    pub(super) error: Option<JobError>,
    #[serde(default)]
    pub(super) warnings: Vec<Warning>,
    #[serde(default)]
    pub(super) reports: Vec<Report>,
    #[serde(skip)]
    pub(super) whole: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct JobError {
    pub(super) code: String,
    pub(super) message: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Warning {
    pub(super) code: String,
    pub(super) count: u64,
    pub(super) message: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Report {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) href: String,
}

#[derive(Debug, Deserialize)]
struct Upload {
    id: String,
    url: String,
    headers: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    code: String,
    detail: String,
    field: Option<String>,
}

impl Job {
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.status.as_str(), "SUCCESS" | "FAILURE" | "REVOKED")
    }

    fn read(whole: Value) -> anyhow::Result<Self> {
        let mut job: Self = serde_json::from_value(whole.clone()).context("the answer is not a job")?;
        job.whole = whole;
        Ok(job)
    }
}

impl Client {
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        let url = Url::parse(url).map_err(|error| UsageError(format!("{url:?} is not a URL: {error}")))?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { http, url })
    }

    /// Puts up the file and asks for the job.
    pub(super) async fn submit(&self, flags: &JobFlags, callback_url: Option<&str>) -> anyhow::Result<Job> {
        let parameters = parameters(&flags.parameters)?;
        let mut input = Map::new();
        input.insert("name".into(), file_name(&flags.file).into());
        if let Some(format) = &flags.format {
            input.insert("format".into(), format.as_str().into());
        }
        if let Some(columns) = &flags.columns {
            input.insert("columns".into(), three_columns(columns)?.to_vec().into());
        }
        if let Some(unit) = flags.unit {
            input.insert("unit".into(), unit.as_str().into());
        }
        input.insert("upload".into(), self.upload(&flags.file).await?.into());
        if let Some(values) = &flags.values {
            let upload = self.upload(values).await?;
            input.insert("values".into(), json!({"upload": upload, "name": file_name(values)}));
        }
        let mut request = json!({"type": flags.job_type, "input": input, "parameters": parameters});
        if let Some(url) = callback_url {
            request["callback_url"] = url.into();
        }
        Job::read(self.call(Method::POST, "/jobs", Some(&request)).await?)
    }

    async fn upload(&self, path: &Path) -> anyhow::Result<String> {
        let unreadable = |error| UsageError(format!("cannot read {}: {error}", path.display()));
        let file = File::open(path).await.map_err(unreadable)?;
        let metadata = file.metadata().await.map_err(unreadable)?;
        if !metadata.is_file() {
            bail!(UsageError(format!("{} is not a file", path.display())));
        }
        let size = metadata.len();
        let answer = self
            .call(Method::POST, "/uploads", Some(&json!({ "size": size })))
            .await?;
        let upload: Upload = serde_json::from_value(answer).context("the answer is not an upload")?;
        let mut put = self.http.put(upload.url).header("content-length", size).body(file);
        for (name, value) in &upload.headers {
            if !name.eq_ignore_ascii_case("content-length") {
                put = put.header(name, value.as_str().unwrap_or_default());
            }
        }
        let put = put.send().await.context("cannot put up the file")?;
        if !put.status().is_success() {
            bail!("cannot put up the file: the store answered {}", put.status());
        }
        Ok(upload.id)
    }

    pub(super) async fn job(&self, id: &str) -> anyhow::Result<Job> {
        Job::read(self.get(&["jobs", id]).await?)
    }

    /// Looks at a job until it ends; tells every look to `see`.
    pub(super) async fn watch(&self, id: &str, mut see: impl FnMut(&Job)) -> anyhow::Result<Job> {
        let mut looks = LOOKS.into_iter();
        loop {
            let job = self.job(id).await?;
            see(&job);
            if job.has_ended() {
                return Ok(job);
            }
            tokio::time::sleep(looks.next().unwrap_or(LOOK)).await;
        }
    }

    pub(super) async fn act(&self, id: &str, action: &str) -> anyhow::Result<Job> {
        let path = self.path(&["jobs", id, action]);
        Job::read(self.send(Method::POST, path, None).await?)
    }

    pub(super) async fn list(&self, query: &[(&str, String)]) -> anyhow::Result<Value> {
        let mut url = self.path(&["jobs"]);
        url.query_pairs_mut().extend_pairs(query);
        self.send(Method::GET, url, None).await
    }

    /// Fetches the files of a job into `folder`, each under its name only once it is whole.
    pub(super) async fn fetch(&self, job: &Job, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let cannot = || format!("cannot write into {}", folder.display());
        fs::create_dir_all(folder).await.with_context(cannot)?;
        let mut paths = Vec::new();
        for report in &job.reports {
            // Only a plain name: a server does not choose where its files land.
            let name = file_name(Path::new(&report.name));
            if name.is_empty() || name != report.name {
                bail!("the answer names a file {:?}", report.name);
            }
            let path = folder.join(&name);
            let partial = folder.join(format!(".{name}.partial"));
            let mut answer = self.http.get(self.url.join(&report.href)?).send().await?;
            if !answer.status().is_success() {
                bail!("cannot fetch {}: {}", report.name, answer.status());
            }
            let mut file = File::create(&partial).await.with_context(cannot)?;
            let mut written = 0;
            while let Some(chunk) = answer.chunk().await? {
                file.write_all(&chunk).await.with_context(cannot)?;
                written += chunk.len() as u64;
            }
            file.flush().await.with_context(cannot)?;
            if written != report.size {
                bail!(
                    "{} has {written} bytes where {} were promised",
                    report.name,
                    report.size
                );
            }
            fs::rename(&partial, &path).await.with_context(cannot)?;
            paths.push(path);
        }
        Ok(paths)
    }

    async fn get(&self, path: &[&str]) -> anyhow::Result<Value> {
        self.send(Method::GET, self.path(path), None).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        self.send(method, self.url.join(path)?, body).await
    }

    /// A URL below the API's, each part escaped.
    fn path(&self, parts: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    async fn send(&self, method: Method, url: Url, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("no answer from {}", self.url))?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        if status.is_success() {
            return serde_json::from_slice(&bytes).context("the answer is not JSON");
        }
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(complaint(status, problem)),
            Err(_) => bail!("{} answered {status}", self.url),
        }
    }
}

/// The columns of owner, owned and share.
pub(super) fn three_columns(given: &str) -> Result<[String; 3], UsageError> {
    let names: Vec<String> = given.split(',').map(|name| name.trim().to_owned()).collect();
    names
        .try_into()
        .map_err(|_| UsageError("--columns takes three names: OWNER,OWNED,SHARE".into()))
}

fn complaint(status: StatusCode, problem: Problem) -> anyhow::Error {
    let place = problem.field.map(|field| format!("{field}: ")).unwrap_or_default();
    let text = format!("{place}{} ({})", problem.detail, problem.code);
    if status.is_client_error() {
        return UsageError(text).into();
    }
    anyhow::anyhow!(text)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// `NAME=VALUE`: a value that reads as a JSON number, boolean or list is one, all else is text.
fn parameters(given: &[String]) -> anyhow::Result<Map<String, Value>> {
    let mut parameters = Map::new();
    for pair in given {
        let Some((name, value)) = pair.split_once('=') else {
            bail!(UsageError(format!("--param takes NAME=VALUE, not {pair:?}")));
        };
        let value = match serde_json::from_str(value) {
            Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Array(_))) => value,
            _ => Value::from(value),
        };
        if parameters.insert(name.to_owned(), value).is_some() {
            bail!(UsageError(format!("--param {name} is given twice")));
        }
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_number_where_it_reads_as_one() {
        let given = ["floor=0.01", "duplicates=max", "shocked=[\"A, Inc\", \"B\"]"].map(str::to_owned);
        let parsed = parameters(&given).unwrap();
        let expected = json!({"floor": 0.01, "duplicates": "max", "shocked": ["A, Inc", "B"]});
        assert_eq!(Value::from(parsed), expected);
        assert!(parameters(&["floor".into()]).is_err());
        assert!(parameters(&["a=1".into(), "a=2".into()]).is_err());
    }
}
