//! The API as its callers see it: what is accepted, what is refused and how, and that nothing is a 500.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use system_tests::Instance;

const UNKNOWN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn small() -> Value {
    json!({
        "type": "integrated-ownership",
        "input": {"stakes": [{"owner": "A", "owned": "B", "share": 0.5}, {"owner": "B", "owned": "C", "share": 0.5}]},
    })
}

#[tokio::test]
async fn a_bad_request_is_a_problem_that_names_the_field() {
    let instance = Instance::start().await;
    let stakes = json!({"stakes": []});
    let cases = [
        (json!({"type": "nope", "input": stakes}), "unknown_job_type", "type"),
        (
            json!({"type": "structure", "input": stakes, "parameters": {"flor": 1}}),
            "unknown_parameter",
            "parameters.flor",
        ),
        (
            json!({"type": "structure", "input": stakes, "parameters": {"floor": 2}}),
            "invalid_parameter",
            "parameters.floor",
        ),
        (
            json!({"type": "structure", "input": stakes, "parameters": {"duplicates": "x"}}),
            "invalid_parameter",
            "parameters.duplicates",
        ),
        (json!({"type": "structure", "input": {}}), "invalid_input", "input"),
        (
            json!({"type": "structure", "input": {"upload": "x"}}),
            "invalid_upload",
            "input.upload",
        ),
        (
            json!({"type": "structure", "input": {"upload": UNKNOWN}}),
            "upload_not_found",
            "input.upload",
        ),
        (
            json!({"type": "structure", "input": {"stakes": [], "unit": "ounces"}}),
            "invalid_unit",
            "input.unit",
        ),
        (
            json!({"type": "structure", "input": {"upload": UNKNOWN, "format": "xls"}}),
            "unknown_format",
            "input.format",
        ),
        (
            json!({"type": "structure", "input": stakes, "callback_url": "http://10.0.0.1/"}),
            "invalid_callback_url",
            "callback_url",
        ),
    ];
    let long_name = json!({"type": "structure", "input": {"stakes": [], "name": "x".repeat(600)}});
    let long_list = json!({"type": "debtrank", "input": {"stakes": []}, "parameters": {"shocked": vec![""; 60_000]}});
    let long = [
        (long_name, "too_long", "input.name"),
        (long_list, "too_long", "parameters"),
    ];
    for (body, code, field) in cases.into_iter().chain(long) {
        let (status, problem) = instance.api().post("/jobs", &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}: {problem}");
        assert_eq!(
            (&problem["code"], &problem["field"]),
            (&json!(code), &json!(field)),
            "{problem}"
        );
    }
    let (_, problem) = instance
        .api()
        .post("/jobs", &json!({"type": "nope", "input": stakes}))
        .await;
    let known = problem["known"].as_array().unwrap();
    assert!(known.contains(&json!("integrated-ownership")) && known.contains(&json!("structure")));
    let unknown_format = json!({"type": "structure", "input": {"upload": UNKNOWN, "format": "xls"}});
    let (_, problem) = instance.api().post("/jobs", &unknown_format).await;
    let known = problem["known"].as_array().unwrap();
    assert!(
        known.contains(&json!("csv")) && known.contains(&json!("gleif-xml")),
        "{problem}"
    );
    let (_, problem) = instance
        .api()
        .post(
            "/jobs",
            &json!({"type": "structure", "input": {"stakes": [{"owner": 1}]}}),
        )
        .await;
    assert_eq!(
        (&problem["code"], &problem["status"]),
        (&json!("invalid_request"), &json!(400)),
        "{problem}"
    );
    instance.stop().await;
}

#[tokio::test]
async fn what_is_not_a_request_is_refused_as_such() {
    let instance = Instance::start().await;
    let api = instance.api();
    let send = async |body: Vec<u8>, content_type: &str| {
        let request = api.request(Method::POST, "/jobs").header("content-type", content_type);
        let answer = request.body(body).send().await.unwrap();
        let is_problem = answer.headers()["content-type"] == "application/problem+json";
        assert!(is_problem, "{answer:?}");
        answer.status().as_u16()
    };
    assert_eq!(send(b"{not json".to_vec(), "application/json").await, 400);
    assert_eq!(send(vec![0xff; 100], "application/json").await, 400);
    assert_eq!(send(Vec::new(), "application/json").await, 400);
    assert_eq!(send(b"{}".to_vec(), "text/plain").await, 415);
    assert_eq!(send(vec![b' '; 5 << 20], "application/json").await, 413);

    assert_eq!(api.get("/jobs/not-a-uuid").await.0, 400);
    assert_eq!(api.get(&format!("/jobs/{UNKNOWN}")).await.0, 404);
    assert_eq!(api.post(&format!("/jobs/{UNKNOWN}/revoke"), &json!({})).await.0, 404);
    assert_eq!(api.get("/nowhere").await.1["code"], "no_such_path");
    let (status, problem) = api.post("/job-types", &json!({})).await;
    assert_eq!((status.as_u16(), &problem["code"]), (405, &json!("method_not_allowed")));
    let (status, problem) = api.post("/uploads", &json!({"size": 2_147_483_648_u64})).await;
    assert_eq!((status.as_u16(), &problem["code"]), (413, &json!("upload_too_large")));
    for query in [
        "limit=0",
        "limit=x",
        "status=LOST",
        "cursor=x",
        "type=nope",
        "colour=red",
    ] {
        assert_eq!(api.get(&format!("/jobs?{query}")).await.0, 400, "{query}");
    }
    instance.stop().await;
}

#[tokio::test]
async fn an_accepted_job_says_where_it_is_and_ends_with_whole_reports() {
    let instance = Instance::start().await;
    let api = instance.api();
    let answer = api.request(Method::POST, "/jobs").json(&small()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert!(answer.headers().contains_key("retry-after"));
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let accepted: Value = answer.json().await.unwrap();
    assert_eq!(
        (&accepted["status"], &accepted["percentage"]),
        (&json!("PENDING"), &json!(0))
    );
    assert_eq!(accepted["parameters"]["floor"], 0.0001, "defaults are filled in");
    assert_eq!(location, format!("/jobs/{}", accepted["id"].as_str().unwrap()));

    let job = api.ended(accepted["id"].as_str().unwrap()).await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    let names: Vec<_> = job["reports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|report| report["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "result.csv",
            "result.parquet",
            "summary.json",
            "report.html",
            "report.xlsx"
        ]
    );
    for report in job["reports"].as_array().unwrap() {
        let bytes = api.report(&job, report["name"].as_str().unwrap()).await;
        assert_eq!(report["size"], bytes.len());
        assert_eq!(report["sha256"], hex::encode(Sha256::digest(&bytes)));
    }
    let (status, problem) = api.get(&format!("{location}/reports/secrets.txt")).await;
    assert_eq!((status.as_u16(), &problem["code"]), (404, &json!("report_not_found")));
    instance.stop().await;
}

#[tokio::test]
async fn a_job_that_did_not_change_is_not_sent_again() {
    let instance = Instance::start().await;
    let api = instance.api();
    let id = api.submit(&small()).await;
    api.ended(&id).await;
    let path = format!("/jobs/{id}");
    let first = api.request(Method::GET, &path).send().await.unwrap();
    let tag = first.headers()["etag"].clone();
    let again = api
        .request(Method::GET, &path)
        .header("if-none-match", tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let other = api
        .request(Method::GET, &path)
        .header("if-none-match", "\"x\"")
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), StatusCode::OK);
    instance.stop().await;
}

#[tokio::test]
async fn one_idempotency_key_is_one_job() {
    let instance = Instance::start().await;
    let api = instance.api();
    let submit = async |key: &str, body: &Value| {
        let request = api.request(Method::POST, "/jobs").header("idempotency-key", key);
        let answer = request.json(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let (status, first) = submit("k1", &small()).await;
    assert_eq!(status, 202);
    let (status, second) = submit("k1", &small()).await;
    assert_eq!((status, &second["id"]), (202, &first["id"]));
    let (status, problem) = submit("k1", &json!({"type": "structure", "input": {"stakes": []}})).await;
    assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_reused")));
    let (_, third) = submit("k2", &small()).await;
    assert_ne!(third["id"], first["id"]);
    assert_eq!(api.get("/jobs").await.1["jobs"].as_array().unwrap().len(), 2);
    for job in [first, third] {
        api.ended(job["id"].as_str().unwrap()).await;
    }
    instance.stop().await;
}

#[tokio::test]
async fn jobs_are_listed_newest_first_page_by_page() {
    let instance = Instance::start().await;
    let api = instance.api();
    let mut ids = Vec::new();
    for _ in 0..5 {
        let id = api.submit(&small()).await;
        api.ended(&id).await;
        ids.insert(0, id);
    }
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = api.get(&format!("/jobs?limit=2&status=SUCCESS{cursor}")).await;
        let jobs = page["jobs"].as_array().unwrap();
        listed.extend(jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, ids);
    let (_, page) = api.get("/jobs?status=FAILURE").await;
    assert_eq!(page["jobs"], json!([]));
    instance.stop().await;
}

#[tokio::test]
async fn a_company_is_found_among_all_and_all_can_be_paged_through() {
    let instance = Instance::start().await;
    let api = instance.api();
    let mut csv = String::from("owner,owned,share\n");
    for company in 0..3000 {
        for holder in 0..5 {
            csv += &format!("holder {holder}/é,company {company:05}/ü,0.1\n");
        }
    }
    let job = api.run_file("integrated-ownership", csv.as_bytes(), json!({})).await;
    let path = format!("/jobs/{}/companies", job["id"].as_str().unwrap());

    let (status, one) = api.get(&format!("{path}/company%2001234%2F%C3%BC")).await;
    assert_eq!(status, StatusCode::OK, "{one}");
    assert_eq!(one["company"], "company 01234/ü");
    assert_eq!(one["rows"].as_array().unwrap().len(), 5);
    assert_eq!(
        one["rows"][0],
        json!({"owner": "holder 0/é", "owned": "company 01234/ü", "direct": 0.1, "integrated": 0.1, "corrected": 0.1})
    );
    let (_, root) = api.get(&format!("{path}/holder%200%2F%C3%A9")).await;
    assert_eq!(root["rows"], json!([]), "nobody is known to hold it");
    assert_eq!(api.get(&format!("{path}/nobody")).await.1["code"], "company_not_found");
    let long = "x".repeat(5_000);
    assert_eq!(api.get(&format!("{path}/{long}")).await.1["code"], "company_not_found");
    assert_eq!(
        api.get(&format!("{path}?after={long}")).await.1["code"],
        "invalid_after"
    );

    let mut companies = Vec::new();
    let mut after = String::new();
    loop {
        let (status, page) = api.get(&format!("{path}?limit=1000{after}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        for company in page["companies"].as_array().unwrap() {
            companies.push(company["company"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        after = format!(
            "&after={}",
            next.replace(' ', "%20").replace('/', "%2F").replace('ü', "%C3%BC")
        );
    }
    let mut expected: Vec<String> = (0..3000).map(|company| format!("company {company:05}/ü")).collect();
    expected.extend((0..5).map(|holder| format!("holder {holder}/é")));
    assert_eq!(companies, expected);
    instance.stop().await;
}

#[tokio::test]
async fn a_company_with_more_rows_than_a_block_holds_is_whole() {
    let instance = Instance::start().await;
    let api = instance.api();
    let mut csv = String::from("owner,owned,share\nx,before,0.5\nx,zafter,0.5\n");
    for holder in 0..20_000 {
        csv += &format!("holder {holder},target,0.00004\n");
    }
    let job = api
        .run_file("integrated-ownership", csv.as_bytes(), json!({"floor": 0}))
        .await;
    let path = format!("/jobs/{}/companies", job["id"].as_str().unwrap());
    let (_, target) = api.get(&format!("{path}/target")).await;
    assert_eq!(
        (&target["total"], target["rows"].as_array().unwrap().len()),
        (&json!(20_000), 10_000)
    );
    let (_, found) = api.get(&format!("{path}?prefix=target")).await;
    assert_eq!(
        found["companies"][0]["total"], 20_000,
        "a prefix that is a whole name begins at its first row"
    );
    let (_, page) = api.get(&format!("{path}?after=holder%209999&limit=1000")).await;
    let page: Vec<_> = page["companies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|company| company["company"] == "target")
        .collect();
    assert_eq!(page.len(), 1);
    assert_eq!(
        (&page[0]["total"], page[0]["rows"].as_array().unwrap().len()),
        (&json!(20_000), 10_000)
    );
    instance.stop().await;
}

#[tokio::test]
async fn job_types_describe_themselves() {
    let instance = Instance::start().await;
    let (_, types) = instance.api().get("/job-types").await;
    for job_type in types["job_types"].as_array().unwrap() {
        let parameters = &job_type["parameters"]["properties"];
        let of_claims = ["clearing", "debtrank"]
            .map(|name| job_type["name"] == name)
            .contains(&true);
        // Claims have no columns of shares and no inverse, so there is nothing that the others would do.
        let common = [
            "duplicates",
            "on_bad_record",
            "floor",
            "columns_over_100",
            "on_closed_component",
        ];
        for name in &common[..if of_claims { 2 } else { 5 }] {
            assert!(parameters[name]["description"].is_string(), "{name} in {job_type}");
            assert!(!parameters[name]["default"].is_null(), "{name} in {job_type}");
        }
        let stages: Vec<_> = job_type["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|stage| stage["name"].as_str().unwrap())
            .collect();
        assert_eq!(stages, ["building", "calculating", "mapping", "saving", "reporting"]);
        let weights: u64 = job_type["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|stage| stage["weight"].as_u64().unwrap())
            .sum();
        assert_eq!(weights, 100);
    }
    assert_eq!(instance.api().get("/healthz").await.1["status"], "ok");
    instance.stop().await;
}

#[test]
fn the_contract_asks_for_in_the_path_what_stands_in_the_path() {
    let contract = api::openapi();
    let mut looked = 0;
    for (path, item) in contract["paths"].as_object().unwrap() {
        for (_, call) in item.as_object().unwrap() {
            for parameter in call["parameters"].as_array().into_iter().flatten() {
                let name = format!("{{{}}}", parameter["name"].as_str().unwrap());
                assert_eq!(parameter["in"] == "path", path.contains(&name), "{path}: {parameter}");
                assert!(
                    parameter["in"] == "path" || parameter["required"] != true,
                    "{path}: {parameter}"
                );
                looked += 1;
            }
        }
    }
    assert!(looked > 10);
}

/// The contract that is served is the one that is committed. Set `UPDATE_OPENAPI=1` to write it anew.
#[test]
fn the_contract_is_the_committed_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/api/openapi.json");
    let contract = serde_json::to_string_pretty(&api::openapi()).unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &contract).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == contract,
        "the contract changed: run the tests once with UPDATE_OPENAPI=1 and look at the difference"
    );
}
