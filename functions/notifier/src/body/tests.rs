use jobs::protocol::{Event, Limits, State, apply};
use jobs::{Input, JobId, Json, Outcome, Report, Timestamp};

use super::*;

/// A job that ended as `last` says.
fn ended(parameters: Value, last: Event) -> (Job, Completion) {
    let now = Timestamp::from_ms(1_700_000_000_000);
    let limits = Limits::default();
    let claimed = apply(&State::new(now), &Event::Claim, now, &limits).unwrap();
    let job = Job {
        id: JobId::generate(),
        tenant: "default".to_owned(),
        job_type: "structure".to_owned(),
        parameters: Json(parameters),
        input: Input {
            source: jobs::Source::Object("inputs/1".to_owned()),
            name: None,
            format: None,
            columns: None,
            unit: None,
            values: None,
        },
        callback_url: Some("https://example.org/{job_id}".to_owned()),
        retry_of: None,
        created_at: now,
        expires_at: now.plus_ms(1),
        state: apply(&claimed, &last, now.plus_ms(5), &limits).unwrap(),
    };
    let event = Completion::of(&job, 0, None).unwrap();
    (job, event)
}

fn report(name: String) -> Report {
    Report {
        name,
        key: "jobs/1/1/x".to_owned(),
        content_type: "text/csv".to_owned(),
        size: u64::MAX,
        sha256: "0".repeat(64),
    }
}

fn succeeded(outcome: Outcome) -> Event {
    let stage = "reporting".to_owned();
    Event::Succeed {
        epoch: 1,
        stage,
        outcome,
    }
}

#[test]
fn an_event_says_what_ended_how_and_when() {
    let outcome = Outcome {
        reports: vec![report("result.csv".to_owned())],
        ..Outcome::default()
    };
    let (job, event) = ended(json!({}), succeeded(outcome));
    let sent: Value = serde_json::from_str(&body(&job, &event)).unwrap();
    let keys: Vec<_> = sent.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["type", "timestamp", "data"]);
    assert_eq!(
        (&sent["type"], &sent["timestamp"]),
        (&json!("job.succeeded"), &json!("2023-11-14T22:13:20.005Z"))
    );
    let data = &sent["data"];
    assert_eq!(data["job_id"], json!(job.id));
    assert_eq!(data["event_id"], format!("evt_{}", job.id));
    assert_eq!((&data["status"], &data["error"]), (&json!("SUCCESS"), &Value::Null));
    assert_eq!(
        (&data["reports"][0]["name"], &data["reports_left_out"]),
        (&json!("result.csv"), &json!(0))
    );
}

#[test]
fn an_event_is_small_whatever_the_job() {
    // A control character takes six bytes in JSON.
    for filler in ["x", "é", "😀", "\u{1}", "\"", "\\"] {
        let long = filler.repeat(3_000);
        let outcome = Outcome {
            result: Json(json!({ "figures": long })),
            reports: (0..100)
                .map(|number| report(format!("{number}{}", filler.repeat(300))))
                .collect(),
            ..Outcome::default()
        };
        let failed = Event::Fail {
            epoch: 1,
            stage: long.clone(),
            error: JobError {
                row: Some(u64::MAX),
                field: Some(long.clone()),
                value: Some(long.clone()),
                ..JobError::new(long.clone(), long.clone())
            },
        };
        for last in [succeeded(outcome), failed, Event::Revoke] {
            let (job, event) = ended(json!({ "note": long }), last);
            let body = body(&job, &event);
            assert!(body.len() < MOST_BYTES, "{} bytes of {filler:?}", body.len());
            let sent: Value = serde_json::from_str(&body).unwrap();
            let left = sent["data"]["reports_left_out"].as_u64().unwrap();
            let listed = sent["data"]["reports"].as_array().unwrap().len();
            let all = job.state.outcome.as_ref().map_or(0, |outcome| outcome.reports.len());
            assert_eq!(usize::try_from(left).unwrap() + listed, all);
            if let Some(error) = sent["data"]["error"].as_object() {
                assert!(error["message"].as_str().unwrap().ends_with('…'), "a cut is marked");
            }
        }
    }
}
