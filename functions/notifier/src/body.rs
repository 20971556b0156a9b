//! The event as it is sent.

use jobs::{Completion, Job, JobError};
use serde_json::{Value, json};

/// An event has fewer bytes than this, whatever the job: receivers and buses refuse what is large.
pub(crate) const MOST_BYTES: usize = 20_000;

/// The longest message of an error that is sent, in characters. The job's record has all of it.
const LONGEST_MESSAGE: usize = 1_000;

/// The longest name or quotation that is sent, in characters.
const LONGEST_NAME: usize = 200;

/// How many reports are named at most.
const MOST_REPORTS: usize = 50;

/// `{type, timestamp, data}` in JSON, the same for every attempt. What does not fit is left out, and stands in the job's
/// own record at `data.links.self`: parameters and result always, reports beyond what fits.
pub(crate) fn body(job: &Job, event: &Completion) -> String {
    let all = job.state.outcome.as_ref().map_or(&[][..], |outcome| &outcome.reports);
    let mut reports: Vec<Value> = all
        .iter()
        .take(MOST_REPORTS)
        .map(|report| json!({"name": cut(&report.name, LONGEST_NAME), "size": report.size, "sha256": report.sha256}))
        .collect();
    loop {
        let body = json!({
            "type": event.event_type,
            "timestamp": event.occurred_at.to_string(),
            "data": {
                "event_id": event.event_id,
                "job_id": job.id,
                "type": cut(&job.job_type, LONGEST_NAME),
                "status": job.state.status,
                "attempt": job.state.attempt,
                "created_at": job.created_at.to_string(),
                "finished_at": event.occurred_at.to_string(),
                "error": job.state.error.as_ref().map(error),
                "reports": reports,
                "reports_left_out": all.len() - reports.len(),
                "links": {"self": format!("/jobs/{}", job.id)},
            },
        })
        .to_string();
        if body.len() < MOST_BYTES || reports.pop().is_none() {
            return body;
        }
    }
}

fn error(error: &JobError) -> Value {
    let mut short = json!({
        "code": cut(&error.code, LONGEST_NAME),
        "message": cut(&error.message, LONGEST_MESSAGE),
    });
    let quoted = |text: &Option<String>| text.as_ref().map(|text| json!(cut(text, LONGEST_NAME)));
    let places = [
        ("row", error.row.map(Value::from)),
        ("field", quoted(&error.field)),
        ("value", quoted(&error.value)),
    ];
    for (name, place) in places {
        if let Some(place) = place {
            short[name] = place;
        }
    }
    short
}

/// The text, or as much of it as fits with a mark that says so.
fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests;
