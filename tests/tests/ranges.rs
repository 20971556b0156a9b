//! Ranges of shares, control without a share, names and kinds, through the whole system.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Api, Instance, pair, table};

/// P holds 25% to 50% of H, H 60% of T; who holds the rest is known in part.
fn bands() -> Value {
    json!([
        {"owner": "P", "owned": "H", "share": {"minimum": 0.25, "maximum": 0.5}},
        {"owner": "Q", "owned": "H", "share": "25-50%"},
        {"owner": "H", "owned": "T", "share": 0.6},
        {"owner": "R > S", "owned": "T", "share": {"minimum": 0.2, "maximum": "30%"}},
    ])
}

async fn run(api: &Api, job_type: &str, stakes: Value, parameters: Value) -> Value {
    let job = json!({"type": job_type, "input": {"stakes": stakes}, "parameters": parameters});
    let job = api.ended(&api.submit(&job).await).await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    job
}

/// A file of the samples of inputs.
async fn run_sample(api: &Api, job_type: &str, name: &str, parameters: Value) -> Value {
    let path = format!("{}/data/inputs/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let upload = api.upload(&bytes).await;
    let job = json!({"type": job_type, "input": {"upload": upload, "name": name}, "parameters": parameters});
    let job = api.ended(&api.submit(&job).await).await;
    assert_eq!(job["status"], "SUCCESS", "{job}");
    job
}

fn finding<'j>(job: &'j Value, code: &str) -> &'j Value {
    let warnings = job["warnings"].as_array().unwrap();
    let found = warnings.iter().find(|warning| warning["code"] == code);
    found.unwrap_or_else(|| panic!("no {code} in {warnings:?}"))
}

#[tokio::test]
async fn integrated_shares_have_bounds_where_stakes_have() {
    let instance = Instance::start().await;
    let api = instance.api();
    let job = run(api, "integrated-ownership", bands(), json!({})).await;
    let rows = api.rows(&job).await;
    let header = ["owner", "owned", "direct", "integrated", "corrected", "lower", "upper"];
    assert_eq!(rows[0], header);
    for (owner, owned, lower, share, upper) in [
        ("P", "H", 0.25, 0.375, 0.5),
        ("P", "T", 0.15, 0.225, 0.3),
        ("H", "T", 0.6, 0.6, 0.6),
        ("R > S", "T", 0.2, 0.25, 0.3),
    ] {
        for (column, expected) in [("lower", lower), ("integrated", share), ("upper", upper)] {
            let found = pair(&rows, owner, owned, column);
            assert!((found - expected).abs() < 1e-15, "{owner} of {owned}: {column} {found}");
        }
    }
    let imputed = finding(&job, "imputed_share");
    assert_eq!(imputed["count"], 3);
    assert_eq!(imputed["examples"][0], "P holds 0.25 to 0.5 of H: taken as 0.375");
    let path = format!("/jobs/{}/companies/H", job["id"].as_str().unwrap());
    let (_, company) = api.get(&path).await;
    assert_eq!(company["rows"][0]["upper"], 0.5, "{company}");

    let job = run(api, "integrated-ownership", bands(), json!({"ranges": "upper"})).await;
    assert!((pair(&api.rows(&job).await, "P", "H", "integrated") - 0.5).abs() < 1e-15);
    let exact = json!([{"owner": "P", "owned": "H", "share": {"minimum": 0.25, "maximum": 0.25}}]);
    let job = run(api, "integrated-ownership", exact, json!({})).await;
    assert_eq!(api.rows(&job).await[0], header[..5]);

    let (_, answer) = api.get("/job-types").await;
    let types = answer["job_types"].as_array().unwrap();
    let integrated = types
        .iter()
        .find(|job_type| job_type["name"] == "integrated-ownership")
        .unwrap();
    let when: Vec<_> = integrated["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| &column["when"])
        .collect();
    assert!(when[..5].iter().all(|when| when.is_null()));
    assert_eq!(when[5..], [&json!("the input has ranges"); 2]);
    instance.stop().await;
}

#[tokio::test]
async fn a_ring_that_may_own_itself_has_an_empty_upper_bound() {
    let instance = Instance::start().await;
    let api = instance.api();
    let stakes = json!([
        {"owner": "A", "owned": "B", "share": {"minimum": 0.5}},
        {"owner": "B", "owned": "A", "share": {"minimum": 0.5}},
        {"owner": "P", "owned": "A", "share": {"maximum": 0.5}},
    ]);
    let job = run(api, "integrated-ownership", stakes, json!({})).await;
    let rows = api.rows(&job).await;
    let of = |owner: &str, owned: &str| rows.iter().find(|row| row[0] == owner && row[1] == owned).unwrap();
    assert_eq!(of("A", "B")[6], "");
    // P has half of A, and B's half of A through B, of which A has all.
    assert!((of("P", "B")[6].parse::<f64>().unwrap() - 1.0).abs() < 1e-9);
    assert_eq!(finding(&job, "no_upper_bound")["count"], 4);
    instance.stop().await;
}

#[tokio::test]
async fn owners_are_certain_or_possible() {
    let instance = Instance::start().await;
    let api = instance.api();
    let job = run(api, "beneficial-owners", bands(), json!({})).await;
    let rows = api.rows(&job).await;
    assert_eq!(
        rows[0],
        ["company", "owner", "lower", "share", "upper", "basis", "chains"]
    );
    let certain = "ownership (Art. 52)";
    assert_eq!(rows[1][..6], ["H", "P", "0.25", "0.375", "0.5", certain]);
    let of_t: Vec<_> = rows.iter().filter(|row| row[0] == "T").collect();
    let named = |owner: &str| *of_t.iter().find(|row| row[1] == owner).unwrap();
    assert_eq!(
        named("R > S")[5..],
        ["possible ownership (Art. 52)", "\"R > S\" > T 0.25"]
    );
    let of_p = named("P");
    assert_eq!([&of_p[2], &of_p[4]], ["0.15", "0.3"]);
    assert!((of_p[3].parse::<f64>().unwrap() - 0.225).abs() < 1e-15);
    let rules = "interest in a controller (Art. 54 (b)); possible ownership (Art. 52)";
    assert_eq!(of_p[5..], [rules, "P > H > T 0.225"]);
    instance.stop().await;
}

#[tokio::test]
async fn a_bad_range_is_named() {
    let instance = Instance::start().await;
    let api = instance.api();
    for (share, code, field) in [
        (
            json!({"minimum": 0.5, "maximum": 0.25}),
            "share_range_reversed",
            "share.minimum",
        ),
        (
            json!({"minimum": 0.5, "maximum": 25}),
            "share_over_one",
            "share.maximum",
        ),
        (json!({"minimum": "x"}), "share_not_a_number", "share.minimum"),
    ] {
        let stakes = json!([{"owner": "P", "owned": "H", "share": share}]);
        let job = json!({"type": "structure", "input": {"stakes": stakes}});
        let job = api.ended(&api.submit(&job).await).await;
        let error = &job["error"];
        assert_eq!(
            (&error["code"], &error["field"], &error["row"]),
            (&json!(code), &json!(field), &json!(1)),
            "{job}"
        );
    }
    for share in [json!({}), json!({"least": 0.1}), json!([0.1]), json!({"minimum": null})] {
        let stakes = json!([{"owner": "P", "owned": "H", "share": share}]);
        let (status, _) = api
            .post("/jobs", &json!({"type": "structure", "input": {"stakes": stakes}}))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{share}");
    }
    instance.stop().await;
}

#[tokio::test]
async fn names_and_kinds_come_with_the_result() {
    let instance = Instance::start().await;
    let api = instance.api();
    let job = run_sample(api, "beneficial-owners", "network.ftm.jsonl", json!({})).await;
    let names = table(&api.report(&job, "names.csv").await);
    assert_eq!(names[0], ["id", "name", "kind"]);
    assert!(
        names.contains(
            &["529900ADA000000000D4", "Ada Moreau", "person"]
                .map(str::to_owned)
                .to_vec()
        ),
        "{names:?}"
    );
    assert_eq!(names.len(), 1 + 5);
    let path = format!("/jobs/{}/companies", job["id"].as_str().unwrap());
    let (_, company) = api.get(&format!("{path}/529900ALPHA0000000A1")).await;
    let named = |name: &str, kind: &str| json!({"name": name, "kind": kind});
    assert_eq!(
        company["names"]["529900ALPHA0000000A1"],
        named("Alpha Holding plc", "entity"),
        "{company}"
    );
    assert_eq!(company["names"]["529900ADA000000000D4"], named("Ada Moreau", "person"));
    let (_, page) = api.get(&path).await;
    assert_eq!(page["companies"][1]["company"], "529900ALPHA0000000A1", "{page}");
    assert_eq!(page["companies"][1]["names"], company["names"]);

    let job = run(api, "structure", bands(), json!({})).await;
    let reports: Vec<_> = job["reports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|report| &report["name"])
        .collect();
    assert!(!reports.contains(&&json!("names.csv")), "{reports:?}");
    let (_, company) = api
        .get(&format!("/jobs/{}/companies/H", job["id"].as_str().unwrap()))
        .await;
    assert!(company["names"].is_null());
    instance.stop().await;
}

#[tokio::test]
async fn natural_persons_are_told_from_entities_that_nobody_holds() {
    let instance = Instance::start().await;
    let api = instance.api();
    let entities = concat!(
        r#"{"id": "shell", "schema": "Company", "properties": {"name": ["Shell Ltd"]}}"#,
        "\n",
        r#"{"id": "t", "schema": "Company", "properties": {"name": ["Target"]}}"#,
        "\n",
        r#"{"id": "ann", "schema": "Person", "properties": {"name": ["Ann"]}}"#,
        "\n",
        r#"{"id": "o1", "schema": "Ownership", "properties": {"owner": ["shell"], "asset": ["t"], "percentage": ["60"]}}"#,
        "\n",
        r#"{"id": "o2", "schema": "Ownership", "properties": {"owner": ["ann"], "asset": ["t"], "percentage": ["40"]}}"#,
        "\n",
    );
    let owners = async |parameters: Value| {
        let job = api.run_file("beneficial-owners", entities.as_bytes(), parameters).await;
        assert_eq!(job["status"], "SUCCESS", "{job}");
        let rows = api.rows(&job).await;
        let owners: Vec<String> = rows[1..].iter().map(|row| row[1].clone()).collect();
        (owners, finding(&job, "entity_without_owner").clone())
    };
    let (all, told) = owners(json!({})).await;
    assert_eq!(all, ["shell", "ann"]);
    assert_eq!(told["examples"], json!(["shell (Shell Ltd)"]));
    let (persons, told) = owners(json!({"owners": "natural-persons"})).await;
    assert_eq!(persons, ["ann"]);
    assert!(told["message"].as_str().unwrap().starts_with("left out"), "{told}");
    let unknown = run(api, "beneficial-owners", bands(), json!({"owners": "natural-persons"})).await;
    finding(&unknown, "kinds_unknown");
    instance.stop().await;
}

#[tokio::test]
async fn control_without_a_share_is_used_if_it_is_asked_for() {
    let instance = Instance::start().await;
    let api = instance.api();
    let psc = concat!(
        r#"{"company_number": "00000202", "data": {"kind": "individual-person-with-significant-control", "name": "Mr Bob Okafor", "#,
        r#""name_elements": {"forename": "Bob", "surname": "Okafor"}, "date_of_birth": {"month": 11, "year": 1981}, "#,
        r#""natures_of_control": ["right-to-appoint-and-remove-directors"], "notified_on": "2016-04-06"}}"#,
        "\n",
    );
    let control = async |job_type: &str, parameters: Value| {
        let job = api.run_file(job_type, psc.as_bytes(), parameters).await;
        assert_eq!(job["status"], "SUCCESS", "{job}");
        let rows = api.rows(&job).await;
        (rows[1..].to_vec(), finding(&job, "control_without_share").clone())
    };
    let (rows, told) = control("company-control", json!({})).await;
    assert!(rows.is_empty() && told["count"] == 1, "{rows:?} {told}");
    let (rows, told) = control("company-control", json!({"control_edges": "use"})).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][1..], ["00000202", "0", "true"]);
    assert!(
        told["message"].as_str().unwrap().starts_with("used as control"),
        "{told}"
    );
    let (rows, _) = control("beneficial-owners", json!({"control_edges": "use"})).await;
    assert_eq!(rows[0][2..6], ["0", "0", "0", "control (Art. 53)"]);
    instance.stop().await;
}
