//! Who stands above a company, and through which chains.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use serde_json::{Value, json};
use system_tests::{Api, Instance};

async fn above(api: &Api, job: &Value, company: &str, query: &str) -> Value {
    let path = format!("/jobs/{}/companies/{company}{query}", job["id"].as_str().unwrap());
    let (status, answer) = api.get(&path).await;
    assert_eq!(status, 200, "{answer}");
    answer["above"].clone()
}

fn paths(above: &Value) -> Vec<(String, f64)> {
    let chains = above["chains"].as_array().unwrap().iter();
    let path = |chain: &Value| {
        let names = chain["path"].as_array().unwrap().iter();
        names.map(|name| name.as_str().unwrap()).collect::<Vec<_>>().join(" > ")
    };
    chains
        .map(|chain| (path(chain), chain["share"].as_f64().unwrap()))
        .collect()
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
}

#[tokio::test]
async fn chains_come_largest_first_and_what_goes_round_is_told_apart() {
    let instance = Instance::start().await;
    let api = instance.api();
    let csv = b"owner,owned,share\nalice,H,0.6\nbob,H,0.4\nH,B,0.7\nG,B,0.1\nbob,B,0.2\nB,G,0.8\nH,G,0.2\n";
    let job = api.run_file("integrated-ownership", csv, json!({"floor": 0})).await;
    let all = above(api, &job, "B", "").await;
    let found = paths(&all);
    let names: Vec<&str> = found.iter().map(|chain| chain.0.as_str()).collect();
    assert_eq!(
        names,
        [
            "alice > H > B",
            "bob > H > B",
            "bob > B",
            "alice > H > G > B",
            "bob > H > G > B"
        ]
    );
    for (chain, share) in found.iter().zip([0.42, 0.28, 0.2, 0.012, 0.008]) {
        near(chain.1, share);
    }
    assert_eq!(all["complete"], true, "{all}");

    // Through chains alone bob holds 0.488; the ring of B and G multiplies that by 1 / (1 - 0.08).
    let bob = all["rest"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rest| rest["owner"] == "bob")
        .unwrap();
    near(bob["in_chains"].as_f64().unwrap(), 0.488);
    near(bob["integrated"].as_f64().unwrap(), 0.488 / 0.92);
    near(bob["rest"].as_f64().unwrap(), 0.488 / 0.92 - 0.488);
    assert_eq!(bob["through"], "cycles");

    let of_h = above(api, &job, "B", "?owner=H").await;
    let names: Vec<String> = paths(&of_h).into_iter().map(|chain| chain.0).collect();
    assert_eq!(names, ["H > B", "H > G > B"], "chains begin at whoever is asked for");
    let nobody = above(api, &job, "B", "?owner=nobody").await;
    assert_eq!((&nobody["chains"], &nobody["complete"]), (&json!([]), &json!(true)));
    let top = above(api, &job, "alice", "").await;
    assert_eq!((&top["chains"], &top["stakes"]), (&json!([]), &json!([])));
    instance.stop().await;
}

#[tokio::test]
async fn what_the_bounds_leave_out_is_said() {
    let instance = Instance::start().await;
    let api = instance.api();
    // 20 stakes in a row; 100 direct holders; 300 companies in between.
    let mut csv = String::from("owner,owned,share\n");
    for step in 0..20 {
        csv += &format!("s{step},s{},0.9\n", step + 1);
    }
    for holder in 0..100 {
        csv += &format!("h{holder},wide,0.00{}\n", 1 + holder % 9);
    }
    for between in 0..300 {
        csv += &format!("top,m{between},1\nm{between},deep,0.003\n");
    }
    let job = api
        .run_file("integrated-ownership", csv.as_bytes(), json!({"floor": 0}))
        .await;
    let long = above(api, &job, "s20", "").await;
    assert_eq!((&long["cut"]["hops"], &long["complete"]), (&json!(true), &json!(false)));
    let wide = above(api, &job, "wide", "").await;
    assert_eq!((paths(&wide).len(), &wide["cut"]["chains"]), (25, &json!(true)));
    assert!(
        paths(&wide).iter().all(|chain| chain.1 > 0.006),
        "the largest are told: {wide}"
    );
    let listed = wide["stakes"].as_array().unwrap().len();
    assert_eq!((listed, &wide["unlisted"][0]["holders"]), (40, &json!(60)));
    let deep = above(api, &job, "deep", "").await;
    assert_eq!(deep["rest"][0]["through"], "further_chains_and_cycles", "{deep}");
    instance.stop().await;
}

#[tokio::test]
async fn a_closed_group_stands_at_the_top() {
    let instance = Instance::start().await;
    let api = instance.api();
    let csv = b"owner,owned,share\nA,B,1\nB,A,1\nA,C,0.3\nB,C,0.2\n";
    let job = api.run_file("integrated-ownership", csv, json!({})).await;
    let found = paths(&above(api, &job, "C", "").await);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "closed-group:1 > C");
    near(found[0].1, 0.5);
    instance.stop().await;
}

#[tokio::test]
async fn rows_without_direct_stakes_have_no_chains_to_find() {
    let instance = Instance::start().await;
    let api = instance.api();
    let job = api
        .run_file("structure", b"owner,owned,share\nA,B,0.5\n", json!({}))
        .await;
    assert_eq!(above(api, &job, "B", "").await, Value::Null);
    instance.stop().await;
}

#[tokio::test]
async fn companies_are_found_by_the_beginning_of_their_names() {
    let instance = Instance::start().await;
    let api = instance.api();
    let csv = "owner,owned,share\nA,Nord,0.5\nA,Norda,0.5\nA,Nordö,0.5\nA,Sud,0.5\n";
    let job = api.run_file("integrated-ownership", csv.as_bytes(), json!({})).await;
    let path = format!("/jobs/{}/companies", job["id"].as_str().unwrap());
    let names = async |query: &str| {
        let (_, page) = api.get(&format!("{path}?{query}")).await;
        let names = page["companies"].as_array().unwrap().iter();
        names
            .map(|one| one["company"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("prefix=Nor").await, ["Nord", "Norda", "Nordö"]);
    assert_eq!(names("prefix=Nord%C3%B6").await, ["Nordö"]);
    assert_eq!(names("prefix=Nor&after=Nord&limit=1").await, ["Norda"]);
    assert!(names("prefix=nor").await.is_empty() && names("prefix=Z").await.is_empty());
    let (_, brief) = api.get(&format!("{path}?prefix=Nord&limit=1&brief=true")).await;
    assert_eq!(
        brief,
        json!({"companies": [{"company": "Nord", "rows": [], "total": 1}], "next": "Nord"})
    );
    instance.stop().await;
}

#[tokio::test]
async fn the_pages_for_people_are_served_with_a_strict_policy() {
    use reqwest::Method;
    let instance = Instance::start().await;
    let api = instance.api();
    let fetch = async |path: &str| api.request(Method::GET, path).send().await.unwrap();
    let (_, upload) = api.post("/uploads", &json!({})).await;
    let origin: Vec<&str> = upload["url"].as_str().unwrap().splitn(4, '/').take(3).collect();
    let home = fetch("/").await;
    let policy = home.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.contains(&format!("connect-src 'self' {};", origin.join("/"))),
        "{policy}"
    );
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let html = home.text().await.unwrap();
    for path in html.split('"').filter(|text| text.starts_with("dashboard/")) {
        let file = fetch(&format!("/{path}")).await;
        assert_eq!(file.status(), 200, "{path}");
        let tag = file.headers()["etag"].clone();
        let again = api
            .request(Method::GET, &format!("/{path}"))
            .header("if-none-match", tag);
        assert_eq!(again.send().await.unwrap().status(), 304, "{path}");
    }
    let docs = fetch("/docs").await.text().await.unwrap();
    assert!(docs.contains("upload_too_large") && !docs.contains("<script"));
    assert_eq!(api.get("/dashboard/secrets").await.1["code"], "no_such_path");
    instance.stop().await;
}
