//! A system of its own for each test: embedded engines on a temporary folder, on ports that the system chooses.
#![allow(
    clippy::unwrap_used,
    clippy::missing_errors_doc,
    reason = "a test may stop at the first surprise"
)]

pub mod bus;
pub mod cluster;
pub mod process;
pub mod proxy;
pub mod receiver;
pub mod scenario;
pub mod sized;
pub mod under_test;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use local::{System, SystemSettings};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A job that has not ended by then never will.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A running system and a client of its API.
#[derive(Debug)]
pub struct Instance {
    system: System,
    api: Api,
    _data: TempDir,
}

impl Instance {
    /// A system as `stakegraph serve` starts it.
    pub async fn start() -> Self {
        Self::with(|settings| settings).await
    }

    /// A system with other settings.
    pub async fn with(change: impl FnOnce(SystemSettings) -> SystemSettings) -> Self {
        let data = tempfile::tempdir().unwrap();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let settings = change(SystemSettings::new(data.path().to_owned(), listen));
        let system = System::start(settings).await.unwrap();
        let api = Api::new(&system.url());
        Self {
            system,
            api,
            _data: data,
        }
    }

    /// Its API.
    #[must_use]
    pub const fn api(&self) -> &Api {
        &self.api
    }

    /// Its parts.
    #[must_use]
    pub const fn system(&self) -> &System {
        &self.system
    }

    /// Ends it. Fails if work is left that nobody would do.
    pub async fn stop(self) {
        let left = self.system.clients().store.unsettled().await.unwrap();
        assert_eq!(left, [], "work is left when the test ends");
        self.system.stop().await;
    }
}

/// A client of the API of a system.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    url: String,
}

impl Api {
    /// A client of the API at `url`.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            http,
            url: url.to_owned(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request to be refined and sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path).json(body).send().await.unwrap()).await
    }

    /// Fetches JSON.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// Submits a job that must be accepted; gives its id.
    pub async fn submit(&self, job: &Value) -> String {
        let (status, answer) = self.post("/jobs", job).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Puts a file up by signed URL; gives the upload's id.
    pub async fn upload(&self, bytes: &[u8]) -> String {
        let (status, upload) = self.post("/uploads", &json!({"size": bytes.len()})).await;
        assert_eq!(status, StatusCode::CREATED, "{upload}");
        let mut put = self.http.put(upload["url"].as_str().unwrap());
        for (name, value) in upload["headers"].as_object().unwrap() {
            put = put.header(name, value.as_str().unwrap());
        }
        let put = put.body(bytes.to_vec()).send().await.unwrap();
        assert_eq!(put.status(), StatusCode::OK);
        upload["id"].as_str().unwrap().to_owned()
    }

    /// Submits a file; waits for the end of the job.
    pub async fn run_file(&self, job_type: &str, bytes: &[u8], parameters: Value) -> Value {
        let upload = self.upload(bytes).await;
        let job = json!({"type": job_type, "input": {"upload": upload}, "parameters": parameters});
        self.ended(&self.submit(&job).await).await
    }

    /// Looks at a job until `wanted` is true of it.
    pub async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let (status, job) = self.get(&format!("/jobs/{id}")).await;
            assert_eq!(status, StatusCode::OK, "{job}");
            if wanted(&job) {
                return job;
            }
            assert!(start.elapsed() < PATIENCE, "gave up waiting for {job}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits for the end of a job.
    pub async fn ended(&self, id: &str) -> Value {
        self.until(id, has_ended).await
    }

    /// The bytes of a report, by the redirect that the API gives.
    pub async fn report(&self, job: &Value, name: &str) -> Vec<u8> {
        self.try_report(job, name).await.unwrap()
    }

    /// The same of a system that may die.
    pub async fn try_report(&self, job: &Value, name: &str) -> reqwest::Result<Vec<u8>> {
        let redirect = self.ask_report(job, name).await?;
        assert_eq!(redirect.status(), StatusCode::FOUND);
        let file = self.follow(&redirect).await?;
        assert_eq!(file.status(), StatusCode::OK);
        Ok(file.bytes().await?.to_vec())
    }

    /// Asks the API where a report is.
    pub async fn ask_report(&self, job: &Value, name: &str) -> reqwest::Result<Response> {
        let path = format!("/jobs/{}/reports/{name}", job["id"].as_str().unwrap());
        self.request(Method::GET, &path).send().await
    }

    /// Goes where a redirect leads.
    pub async fn follow(&self, redirect: &Response) -> reqwest::Result<Response> {
        let location = redirect.headers()["location"].to_str().unwrap();
        self.http.get(location).send().await
    }

    /// The rows of `result.csv`, header first.
    pub async fn rows(&self, job: &Value) -> Vec<Vec<String>> {
        table(&self.report(job, "result.csv").await)
    }

    /// The same of a job that must have succeeded, whose report and spreadsheet are looked at too.
    pub async fn presented(&self, job: &Value) -> Vec<Vec<String>> {
        assert_eq!(job["status"], "SUCCESS", "{job}");
        let html = String::from_utf8(self.report(job, "report.html").await).unwrap();
        assert!(html.contains("<h2>Result</h2>") && !html.contains("NaN"));
        let about_shares = [
            "integrated-ownership",
            "network-control",
            "company-control",
            "beneficial-owners",
            "structure",
        ];
        let is_about_shares = about_shares.iter().any(|name| job["type"] == *name);
        assert_eq!(html.contains("Who owns what, through what"), is_about_shares);
        let xlsx = self.report(job, "report.xlsx").await;
        assert!(xlsx.starts_with(b"PK"), "a spreadsheet is an archive");
        self.rows(job).await
    }
}

/// Waits until `wanted` is true.
pub async fn awaited(what: &str, wanted: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !wanted().await {
        assert!(start.elapsed() < PATIENCE, "gave up waiting for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a job has ended.
#[must_use]
pub fn has_ended(job: &Value) -> bool {
    matches!(job["status"].as_str(), Some("SUCCESS" | "FAILURE" | "REVOKED"))
}

async fn answer(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    let value = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
    (status, value)
}

/// A CSV file as rows of cells, header first.
#[must_use]
pub fn table(csv: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
    reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

/// The number in column `column` of the one row whose first two cells are `owner` and `owned`.
#[must_use]
pub fn pair(rows: &[Vec<String>], owner: &str, owned: &str, column: &str) -> f64 {
    let column = rows[0].iter().position(|name| name == column).unwrap();
    let found: Vec<_> = rows.iter().filter(|row| row[0] == owner && row[1] == owned).collect();
    assert_eq!(found.len(), 1, "rows of {owner} in {owned}: {found:?}");
    found[0][column].parse().unwrap()
}

/// A network that takes a while: `levels` layers of `width` companies, each held by several of the layer above.
#[must_use]
pub fn layered(levels: usize, width: usize) -> Vec<u8> {
    let mut csv = String::from("owner,owned,share\n");
    for level in 1..levels {
        for company in 0..width {
            for holder in 0..4 {
                let above = (company * 7 + holder * 13 + level) % width;
                csv += &format!("c{}-{above},c{level}-{company},0.2\n", level - 1);
            }
        }
    }
    csv.into_bytes()
}

/// The binary `stakegraph`, ended when dropped.
#[derive(Debug)]
pub struct Served {
    process: std::process::Child,
    url: String,
}

impl Served {
    /// `stakegraph serve` on `data`.
    #[must_use]
    pub fn start(binary: &str, data: &Path) -> Self {
        Self::start_with(binary, data, &[])
    }

    /// The same with variables of its own in its environment.
    #[must_use]
    pub fn start_with(binary: &str, data: &Path, variables: &[(&str, &str)]) -> Self {
        use std::io::{BufRead, BufReader};
        let mut process = std::process::Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("RUST_LOG", "off")
            .envs(variables.iter().copied())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("no address in {line:?}"));
        Self {
            url: url.trim_end_matches(',').to_owned(),
            process,
        }
    }

    /// A client of its API.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::new(&self.url)
    }

    /// Asks it to stop, as a service manager does; waits until it has.
    #[must_use]
    pub fn terminate(mut self) -> std::process::ExitStatus {
        let id = self.process.id().to_string();
        let asked = std::process::Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.unwrap().success());
        self.process.wait().unwrap()
    }
}

/// `kill -9`, and wait until it is gone.
impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
