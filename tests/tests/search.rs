//! Companies are found as people type them: by id or name, or a word of it, whatever the case.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write;

use serde_json::{Value, json};
use system_tests::{Api, Instance};

/// Ids of those that a search finds, page by page.
async fn found(api: &Api, job: &Value, search: &str, limit: usize) -> Vec<String> {
    let path = format!("/jobs/{}/companies", job["id"].as_str().unwrap());
    let mut ids = Vec::new();
    let mut after = String::new();
    for _ in 0..1000 {
        let limit = limit.to_string();
        let mut query = vec![("search", search), ("limit", &limit)];
        if !after.is_empty() {
            query.push(("after", &after));
        }
        let url = reqwest::Url::parse_with_params("http://localhost", &query).unwrap();
        let (status, page) = api.get(&format!("{path}?{}", url.query().unwrap())).await;
        assert_eq!(status, 200, "{query:?}: {page}");
        let companies = page["companies"].as_array().unwrap();
        ids.extend(companies.iter().map(|one| one["company"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return ids,
        }
    }
    panic!("the pages have no end");
}

/// FollowTheMoney, which has names beside ids.
fn named(companies: &[(String, String)]) -> String {
    let mut lines = String::new();
    for (id, name) in companies {
        let entity = json!({"id": id, "schema": "Company", "properties": {"name": [name]}});
        writeln!(lines, "{entity}").unwrap();
        let stake = json!({"id": format!("o-{id}"), "schema": "Ownership",
                           "properties": {"owner": ["TOP"], "asset": [id], "percentage": ["40"]}});
        writeln!(lines, "{stake}").unwrap();
    }
    lines
}

fn few() -> Vec<(String, String)> {
    [
        ("C1", "Ärzte & Söhne GmbH"),
        ("C2", "Nordsee Ärzte"),
        ("C3", "<script>alert(1)</script>"),
        ("C4", "Sol SOL sol"),
        ("Sol-5", "Another"),
    ]
    .map(|(id, name)| (id.to_owned(), name.to_owned()))
    .to_vec()
}

async fn few_are_found(api: &Api, job: &Value, c: &[&str]) {
    for (search, expected) in [
        ("ÄRZTE", vec!["C1", "C2"]),
        ("ärzte &  sö", vec!["C1"]),
        ("söhne", vec!["C1"]),
        ("<SCRIPT>", vec!["C3"]),
        ("script", vec!["C3"]),
        ("sol", vec!["C4", "Sol-5"]),
        ("sol sol", vec!["C4"]),
        ("sol-5", vec!["Sol-5"]),
        ("rzte", vec![]),
    ] {
        for limit in [1, 100] {
            assert_eq!(found(api, job, search, limit).await, expected, "{search} by {limit}");
        }
    }
    assert_eq!(found(api, job, "c", 2).await, c);
    let top = found(api, job, "tOp", 1).await;
    assert_eq!(top, ["TOP"], "whoever can be looked up is found");
}

#[tokio::test]
async fn a_small_result_is_looked_through() {
    let instance = Instance::start().await;
    let api = instance.api();
    let file = named(&few());
    let job = api.run_file("integrated-ownership", file.as_bytes(), json!({})).await;
    few_are_found(api, &job, &["C1", "C2", "C3", "C4"]).await;
    let path = format!("/jobs/{}/companies", job["id"].as_str().unwrap());
    let (_, page) = api.get(&format!("{path}?search=s%C3%B6h")).await;
    let expected = json!({"companies": [{"company": "C1", "rows": [], "total": 1,
        "names": {"C1": {"name": "Ärzte & Söhne GmbH", "kind": "entity"}}}], "next": null});
    assert_eq!(page, expected);
    let all = found(api, &job, " ", 2).await;
    assert_eq!(all, ["C1", "C2", "C3", "C4", "Sol-5", "TOP"]);
    for query in ["search=a&prefix=a".to_owned(), format!("search={}", "a".repeat(513))] {
        let (status, problem) = api.get(&format!("{path}?{query}")).await;
        assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("invalid_search")));
    }
    let (status, problem) = api.get(&format!("{path}?search=a&after={}", "a".repeat(2000))).await;
    assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("invalid_after")));
    instance.stop().await;
}

#[tokio::test]
async fn a_result_of_many_blocks_is_found_by_its_keys() {
    let instance = Instance::start().await;
    let api = instance.api();
    let mut companies = few();
    for number in 0..6_000 {
        companies.push((
            format!("N{number:05}"),
            format!("Ångström Værk {} Limited", number % 1000),
        ));
    }
    let file = named(&companies);
    let job = api.run_file("integrated-ownership", file.as_bytes(), json!({})).await;
    few_are_found(api, &job, &["C1", "C2", "C3", "C4"]).await;
    let ids: Vec<String> = companies[5..].iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(found(api, &job, "n0", 1000).await, ids, "by id, over several blocks");
    let mut limited = found(api, &job, "LIMITED", 700).await;
    assert_eq!(limited, ids, "of one text in the order of ids");
    let by_name = found(api, &job, "ångström", 999).await;
    assert_ne!(by_name, ids, "in the order of names");
    limited.clone_from(&by_name);
    limited.sort();
    assert_eq!(limited, ids, "each once");
    let of_one = found(api, &job, "værk 17 l", 5).await;
    assert_eq!(of_one, ["N00017", "N01017", "N02017", "N03017", "N04017", "N05017"]);
    instance.stop().await;
}

#[tokio::test]
async fn ids_of_one_word_and_one_case_are_found_in_their_rows() {
    let instance = Instance::start().await;
    let api = instance.api();
    for ids in [["abc", "abd"], ["ABC", "ABD"], ["Abc", "aBd"]] {
        let mut csv = String::from("owner,owned,share\n");
        for number in 0..6_000 {
            writeln!(csv, "{}{},{}{number},0.5", ids[0], number % 7, ids[1]).unwrap();
        }
        let job = api.run_file("integrated-ownership", csv.as_bytes(), json!({})).await;
        assert_eq!(found(api, &job, "aBd4999", 3).await, [format!("{}4999", ids[1])]);
        assert_eq!(found(api, &job, "ABC", 3).await.len(), 7);
        assert_eq!(found(api, &job, "Ab", 1000).await.len(), 6_007);
        assert!(found(api, &job, "b", 3).await.is_empty());
    }
    instance.stop().await;
}

#[tokio::test]
async fn a_company_with_a_slash_is_reached_encoded_and_decoded() {
    let instance = Instance::start().await;
    let api = instance.api();
    let csv = b"owner,owned,share\nA/B,C,0.5\nX,A/B,0.25\nX,/a//b%2F/,0.5\n";
    let job = api.run_file("integrated-ownership", csv, json!({})).await;
    let path = format!("/jobs/{}/companies", job["id"].as_str().unwrap());
    for (written, company) in [
        ("A%2FB", "A/B"),
        ("A/B", "A/B"),
        ("/a//b%252F/", "/a//b%2F/"),
        ("%2Fa%2F%2Fb%252F%2F", "/a//b%2F/"),
    ] {
        let (status, answer) = api.get(&format!("{path}/{written}")).await;
        assert_eq!(
            (status.as_u16(), &answer["company"]),
            (200, &json!(company)),
            "{written}"
        );
    }
    let (status, problem) = api.get(&format!("{path}/A/C")).await;
    assert_eq!((status.as_u16(), &problem["code"]), (404, &json!("company_not_found")));
    instance.stop().await;
}
