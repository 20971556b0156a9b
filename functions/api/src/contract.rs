//! What the contract says beyond its routes: examples, what problems mean, and which calls belong together.

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use crate::codes::Code;

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// The calls in groups, by how their paths go on, the first that fits.
const TAGS: [(&str, &str, &str); 5] = [
    (
        "results",
        "/jobs/{id}/companies",
        "Rows, owners and chains, company by company.",
    ),
    ("results", "/jobs/{id}/reports", ""),
    (
        "callbacks",
        "/jobs/{id}/deliveries",
        "Who was told of the end of a job, and telling them again.",
    ),
    (
        "jobs",
        "/jobs",
        "Submit a calculation, watch it, stop it, try it again.",
    ),
    (
        "uploads",
        "/uploads",
        "Put up a file that is too large for the body of a request.",
    ),
];
const OTHER: (&str, &str) = ("about", "What this API can do, and whether it answers.");

/// The contract with everything that can be said once for all routes.
pub(crate) fn complete(contract: OpenApi) -> Value {
    let mut contract = serde_json::to_value(contract).expect("a contract is plain data");
    if let Some(paths) = contract["paths"].as_object_mut() {
        // The rest of a path, slashes and all, is one parameter to whoever calls.
        let all = std::mem::take(paths).into_iter();
        *paths = all.map(|(path, item)| (path.replace("{*", "{"), item)).collect();
        for (path, item) in paths {
            for (_, operation) in item.as_object_mut().into_iter().flatten() {
                complete_operation(path, operation);
            }
        }
    }
    let mut tags: Vec<Value> = TAGS
        .iter()
        .filter(|tag| !tag.2.is_empty())
        .map(|(name, _, about)| json!({"name": name, "description": about}))
        .collect();
    tags.push(json!({"name": OTHER.0, "description": OTHER.1}));
    contract["tags"] = tags.into();
    contract["components"]["schemas"]["Code"] = json!({
        "type": "string",
        "description": meanings(),
        "enum": Code::ALL,
    });
    contract
}

fn meanings() -> String {
    let lines = Code::ALL
        .iter()
        .map(|code| format!("- `{}`: {}", code.word(), code.meaning()));
    format!(
        "A stable word for programs.\n\n{}",
        lines.collect::<Vec<_>>().join("\n")
    )
}

fn tag(path: &str) -> &'static str {
    let found = TAGS.iter().find(|tag| path.starts_with(tag.1));
    found.map_or(OTHER.0, |tag| tag.0)
}

fn complete_operation(path: &str, operation: &mut Value) {
    operation["tags"] = json!([tag(path)]);
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if parameter["name"] == "id" {
            parameter["schema"] = json!({"type": "string", "format": "uuid"});
            parameter["example"] = ID.into();
        }
    }
    let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
    if let Some(body) = operation.pointer_mut("/requestBody/content/application~1json") {
        body["examples"] = requests(&name);
    }
    let Some(responses) = operation["responses"].as_object_mut() else {
        return;
    };
    responses
        .entry("500")
        .or_insert_with(|| json!({"description": "A defect of the API", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}));
    for (status, response) in responses {
        if status.starts_with('4') || status.starts_with('5') {
            complete_problem(status, response);
        } else if let Some(content) = response.pointer_mut("/content/application~1json")
            && let Some(example) = answer(&name)
        {
            content["example"] = example;
        }
        if response["description"].as_str().unwrap_or_default().is_empty() {
            response["description"] = in_words(status).into();
        }
    }
}

/// Problems travel under a media type of their own.
fn complete_problem(status: &str, response: &mut Value) {
    let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(mut problem) = content.remove("application/json") {
        problem["example"] = problem_example(status);
        content.insert("application/problem+json".to_owned(), problem);
    }
}

fn in_words(status: &str) -> &'static str {
    match status {
        "200" => "As asked",
        "201" => "Made",
        "202" => "Accepted",
        "400" => "The request is at fault; `field` says where",
        "404" => "There is no such thing",
        "409" => "It cannot be done now; `code` says why",
        "410" => "It was kept for a while and is gone",
        "413" => "Larger than the API takes",
        "415" => "The body is not declared as JSON",
        "422" => "The Idempotency-Key came before with another body",
        "503" => "A service behind the API did not answer; ask again after `Retry-After`",
        _ => "See `code`",
    }
}

fn problem_example(status: &str) -> Value {
    let (title, code, detail) = match status {
        "400" => (
            "Bad Request",
            Code::InvalidParameter,
            "parameter \"floor\": 2 is not a fraction from 0 to 1",
        ),
        "404" => (
            "Not Found",
            Code::JobNotFound,
            "there is no job 01890a5d-ac96-774b-bcce-b302099a8057",
        ),
        "409" => (
            "Conflict",
            Code::JobEnded,
            "the job ended as SUCCESS and cannot change any more",
        ),
        "410" => ("Gone", Code::FileExpired, "the file was kept for a while and is gone"),
        "413" => (
            "Payload Too Large",
            Code::BodyTooLarge,
            "the body is larger than this API takes; put a large graph up with POST /uploads",
        ),
        "415" => (
            "Unsupported Media Type",
            Code::UnsupportedMediaType,
            "send JSON, with the header Content-Type: application/json",
        ),
        "422" => (
            "Unprocessable Entity",
            Code::IdempotencyKeyReused,
            "this Idempotency-Key came before with another body",
        ),
        "503" => (
            "Service Unavailable",
            Code::Unavailable,
            "a service behind the API did not answer; ask again in a moment",
        ),
        _ => (
            "Internal Server Error",
            Code::Internal,
            "the API has a defect here; it was logged",
        ),
    };
    let mut example =
        json!({"status": status.parse::<u16>().unwrap_or(500), "title": title, "code": code, "detail": detail});
    if status == "400" {
        example["field"] = "parameters.floor".into();
    }
    example
}

fn requests(operation: &str) -> Value {
    match operation {
        "submit" => json!({
            "inline": {"summary": "A small graph in the request", "value": {
                "type": "integrated-ownership",
                "input": {"stakes": [
                    {"owner": "A", "owned": "Foo", "share": 0.33},
                    {"owner": "Bar", "owned": "Foo", "share": 0.34},
                    {"owner": "Foo", "owned": "Bar", "share": 0.5}
                ]},
                "parameters": {"floor": 0.001}
            }},
            "upload": {"summary": "A file that was put up before, and somebody to tell", "value": {
                "type": "network-control",
                "input": {"upload": ID, "name": "edges.csv", "unit": "percent",
                          "values": [{"company": "Foo", "value": 125.5}]},
                "callback_url": "https://example.com/done/{job_id}"
            }}
        }),
        _ => json!({"file": {"summary": "A file of known size", "value": {"size": 48_213}}}),
    }
}

/// What a call answers when all is well.
fn answer(operation: &str) -> Option<Value> {
    Some(match operation {
        "submit" | "retry" => job("PENDING"),
        "job" => job("SUCCESS"),
        "revoke" => job("REVOKED"),
        "jobs" => json!({"jobs": [job("PROGRESS")], "next": null}),
        "companies" => json!({"companies": [{"company": "B", "rows": [row()], "total": 1}], "next": "B"}),
        "company" => company(),
        "deliveries" | "replay" => deliveries(),
        "upload" => {
            json!({"id": ID, "method": "PUT", "url": "https://bucket.s3.eu-central-1.amazonaws.com/inputs/01890a5d?X-Amz-Signature=...",
                           "headers": {"content-length": "48213"}, "expires_at": "2026-01-05T09:45:00.000Z"})
        }
        "job_types" => {
            json!({"job_types": [{"name": "katz", "summary": "Katz centrality.", "parameters": {"type": "object", "properties": {}},
                              "stages": [{"name": "building", "weight": 25}],
                              "columns": [{"name": "company", "kind": "text", "unit": "", "description": "the company"}], "takes_values": false, "needs_values": false}]})
        }
        "healthz" => json!({"status": "ok", "version": "0.1.0"}),
        _ => return None,
    })
}

fn job(status: &str) -> Value {
    let ended = matches!(status, "SUCCESS" | "REVOKED");
    let is_success = status == "SUCCESS";
    let this = format!("/jobs/{ID}");
    let mut links = Map::from_iter([("self".to_owned(), Value::from(this.clone()))]);
    for (name, wanted) in [
        ("revoke", !ended),
        ("retry", status == "REVOKED"),
        ("companies", is_success),
    ] {
        if wanted {
            links.insert(name.to_owned(), format!("{this}/{name}").into());
        }
    }
    json!({
        "id": ID,
        "type": "integrated-ownership",
        "status": status,
        "stage": match status { "PENDING" => Value::Null, "SUCCESS" => "reporting".into(), _ => Value::from("calculating") },
        "percentage": match status { "PENDING" => 0, "SUCCESS" => 100, _ => 37 },
        "attempt": u8::from(status != "PENDING"),
        "created_at": "2026-01-05T09:30:00.000Z",
        "started_at": (status != "PENDING").then_some("2026-01-05T09:30:00.050Z"),
        "finished_at": ended.then_some("2026-01-05T09:30:02.310Z"),
        "parameters": {"floor": 0.0001, "columns_over_100": "keep", "duplicates": "sum", "on_closed_component": "ring-fence", "on_bad_record": "fail"},
        "input": {"name": "edges.csv", "format": null, "columns": null, "unit": null, "values_name": null},
        "callback_url": null,
        "warnings": [],
        "error": null,
        "result": is_success.then(|| json!({"rows": 5, "companies": 5, "stakes": 7, "residual": 1.1e-16})),
        "reports": if is_success {
            json!([{"name": "result.csv", "content_type": "text/csv", "size": 312,
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "href": format!("{this}/reports/result.csv")}])
        } else { json!([]) },
        "links": links,
    })
}

fn row() -> Value {
    json!({"owner": "alice", "owned": "B", "direct": 0.0, "integrated": 0.42, "corrected": 0.42})
}

fn company() -> Value {
    json!({
        "company": "B",
        "rows": [row()],
        "total": 1,
        "above": {
            "chains": [{"path": ["alice", "H", "B"], "share": 0.42}],
            "rest": [{"owner": "alice", "integrated": 0.42, "in_chains": 0.42, "rest": 0.0, "through": "nothing"}],
            "stakes": [{"owner": "H", "owned": "B", "share": 0.7}, {"owner": "alice", "owned": "H", "share": 0.6}],
            "unlisted": [],
            "not_followed": [],
            "complete": true,
            "cut": {"chains": false, "companies": false, "hops": false}
        }
    })
}

fn deliveries() -> Value {
    let to = "https://example.com/done";
    json!({
        "event_id": "evt_01890a5dac96774bbcceb302099a8057",
        "event_type": "job.succeeded",
        "url": to,
        "delivery": "delivered",
        "next_attempt_at": null,
        "reason": null,
        "subscribers": [{"to": to, "delivery": "delivered", "next_attempt_at": null, "reason": null}],
        "attempts": [{"number": 1, "to": to, "at": "2026-01-05T09:30:02.400Z", "outcome": "delivered", "elapsed_ms": 84, "status": 204, "error": null}]
    })
}
