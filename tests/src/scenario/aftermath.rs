//! What is left when a course is over, by the API, by whoever was told, and by what the processes wrote.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Course, Gone, Step, Undisturbed, call};
use crate::{Api, has_ended};

impl Course {
    /// What must hold of every job there is. Gives the digests of their results, by name.
    pub(super) async fn check(&mut self, undisturbed: Option<&Undisturbed>) -> BTreeMap<String, String> {
        let api = self.process.api().expect("nobody kills the last process");
        let (_, list) = call(&api, Method::GET, "/jobs", None).await.unwrap();
        let ids: Vec<_> = list["jobs"].as_array().unwrap().iter().map(id_of).collect();
        assert!(ids.contains(&self.id), "the job is listed: {ids:?}");
        let new_ones = self.scenario.steps.contains(&Step::Retry);
        assert!(new_ones || ids.len() == 1, "one key, one job: {ids:?}");
        let mut results = BTreeMap::new();
        for id in ids {
            if id != self.id {
                self.seen.clear();
                self.id = id;
            }
            let job = self.until(&api, has_ended).await.unwrap();
            assert!((self.scenario.may_end)(&job), "{job}");
            assert!(job["attempt"].as_u64() <= Some(5), "{job}");
            if job["status"] == "SUCCESS" {
                results.extend(whole(&api, &job).await.unwrap());
                results.extend(rows(&api, &self.id).await);
                if let Some(undisturbed) = undisturbed {
                    assert_eq!(results, undisturbed.results, "another result than without faults");
                }
            }
            self.delivered(&api, &self.id).await.unwrap();
            self.told_once(&api, &job).await;
            let again = call(&api, Method::GET, &format!("/jobs/{}", self.id), None)
                .await
                .unwrap();
            assert_eq!(again.1, job, "a job that has ended does not change");
        }
        if !new_ones {
            self.check_stages();
            self.check_objects();
        }
        results
    }

    /// At least one event, all with one identity and signed, and of the type that the end of the job asks for.
    async fn told_once(&self, api: &Api, job: &Value) {
        let path = format!("/jobs/{}/deliveries", self.id);
        let (_, deliveries) = call(api, Method::GET, &path, None).await.unwrap();
        let secret = std::fs::read_to_string(self.data.path().join("system/webhook-secret")).unwrap();
        let events = self.receiver.events_of(&self.id);
        assert!(!events.is_empty(), "delivered, but not received: {deliveries}");
        let wanted = match job["status"].as_str() {
            Some("SUCCESS") => "job.succeeded",
            Some("FAILURE") => "job.failed",
            _ => "job.revoked",
        };
        for event in events {
            event.verify(&secret);
            assert_eq!(event.id(), deliveries["event_id"], "one identity for ever");
            assert_eq!(event.json()["type"], wanted);
        }
        let Some(bus) = &self.bus else { return };
        let events = bus.events_of(&self.id);
        assert!(!events.is_empty(), "delivered, but not on the bus: {deliveries}");
        for event in events {
            assert_eq!(
                event["data"]["event_id"], deliveries["event_id"],
                "one identity for ever"
            );
            assert_eq!(event["type"], wanted);
        }
    }

    /// A report that became an object when somebody asked for it stays as it is, whoever asks again.
    fn check_objects(&self) {
        let points = (0..self.started).flat_map(|process| self.points(process));
        let mut written: Vec<_> = points
            .filter(|point| point.starts_with("api.put-") && point.ends_with(".after"))
            .filter_map(|point| Some(point.split_once('#')?.0.to_owned()))
            .filter(|write| write != "api.put-input")
            .collect();
        written.sort();
        let all = written.len();
        written.dedup();
        assert_eq!(written.len(), all, "written again: {written:?}");
    }

    /// What a process committed, no later one does again.
    fn check_stages(&self) {
        let mut committed: Vec<String> = Vec::new();
        for process in 0..self.started {
            let points = self.points(process);
            for stage in &committed {
                let again = format!("worker.put-{stage}#");
                let again = points.iter().find(|point| point.starts_with(&again));
                assert_eq!(again, None, "stage {stage} ran again");
            }
            let stages = points.iter().filter_map(|point| {
                let (stage, rest) = point.strip_prefix("worker.job-progress-")?.split_once('#')?;
                rest.ends_with(".after").then(|| stage.to_owned())
            });
            committed.extend(stages);
        }
    }
}

/// Every report listed is there, with the size and digest listed. Gives the digests of what does not hold times.
pub(super) async fn whole(api: &Api, job: &Value) -> Result<BTreeMap<String, String>, Gone> {
    let mut digests = BTreeMap::new();
    for report in job["reports"].as_array().unwrap() {
        let name = report["name"].as_str().unwrap();
        let bytes = api.try_report(job, name).await.map_err(|_| Gone)?;
        let digest = hex::encode(Sha256::digest(&bytes));
        assert_eq!(report["size"].as_u64(), Some(bytes.len() as u64), "{name}");
        assert_eq!(report["sha256"], digest.as_str(), "{name}");
        if name.starts_with("result.") {
            digests.insert(name.to_owned(), digest);
        }
    }
    assert!(digests.contains_key("result.csv"), "{job}");
    Ok(digests)
}

/// The digest of all rows in the database, as `rows`; nothing where the job type has none.
async fn rows(api: &Api, id: &str) -> Option<(String, String)> {
    let mut digest = Sha256::new();
    let mut after = String::new();
    loop {
        let path = format!("/jobs/{id}/companies?limit=1000{after}");
        let (status, page) = call(api, Method::GET, &path, None).await.unwrap();
        if (status, &page["code"]) == (409, &json!("job_not_successful")) {
            return None;
        }
        assert_eq!(status, 200, "{page}");
        digest.update(page["companies"].to_string());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Some(("rows".to_owned(), hex::encode(digest.finalize()))),
        }
    }
}

fn id_of(job: &Value) -> String {
    job["id"].as_str().unwrap().to_owned()
}
