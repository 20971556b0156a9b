//! `/docs`: the contract as a page to read, made from the same list as the routes. It needs no script.

use std::fmt::Write;
use std::sync::OnceLock;

use axum::extract::State;
use axum::response::Html;
use jobs::{JobType, Registry};
use serde_json::{Map, Value};

use crate::Api;
use crate::codes::Code;

/// The page.
pub(crate) async fn page(State(api): State<Api>) -> Html<&'static str> {
    static PAGE: OnceLock<String> = OnceLock::new();
    Html(PAGE.get_or_init(|| render(&crate::openapi(), &api.registry)))
}

fn render(contract: &Value, registry: &Registry) -> String {
    let mut page = Page::default();
    page.raw(concat!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>API of stakegraph</title>\n",
        "<link rel=\"icon\" href=\"dashboard/icon.svg\" type=\"image/svg+xml\">\n",
        "<link rel=\"stylesheet\" href=\"dashboard/style.css\">\n<link rel=\"stylesheet\" href=\"dashboard/parts.css\">\n",
        "</head>\n<body>\n<a class=\"skip\" href=\"#main\">To the content</a>\n",
        "<header class=\"top\"><a class=\"brand\" href=\"./\">stakegraph</a>",
        "<nav aria-label=\"Pages\"><a href=\"./#/\">Jobs</a><a href=\"docs\" aria-current=\"page\">API</a></nav></header>\n",
        "<main id=\"main\" class=\"docs\">\n<h1>API</h1>\n<p class=\"lead\">",
    ));
    page.text(contract["info"]["description"].as_str().unwrap_or_default());
    page.raw(" Errors are <a href=\"#problems\">problem details</a> with a stable word. The same, for programs: ");
    page.raw("<a href=\"openapi.json\">openapi.json</a>.</p>\n");
    contents(&mut page, contract);
    for tag in contract["tags"].as_array().into_iter().flatten() {
        group(&mut page, contract, tag);
    }
    page.raw("<section aria-labelledby=\"types\"><h2 id=\"types\">Job types</h2>\n");
    for job_type in registry.types() {
        describe_type(&mut page, job_type);
    }
    page.raw("</section>\n");
    problems(&mut page);
    schemas(&mut page, contract);
    page.raw("</main>\n</body>\n</html>\n");
    page.html
}

/// HTML in the making. Text is escaped, and words between backticks are code.
#[derive(Debug, Default)]
struct Page {
    html: String,
}

impl Page {
    fn raw(&mut self, html: &str) {
        self.html.push_str(html);
    }

    fn escaped(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.html.push_str("&amp;"),
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '"' => self.html.push_str("&quot;"),
                other => self.html.push(other),
            }
        }
    }

    fn text(&mut self, text: &str) {
        for (at, part) in text.split('`').enumerate() {
            match at % 2 {
                0 => self.escaped(part),
                _ => self.wrapped("code", part),
            }
        }
    }

    /// An element with text alone.
    fn wrapped(&mut self, element: &str, text: &str) {
        self.raw(&format!("<{element}>"));
        self.escaped(text);
        self.raw(&format!("</{element}>"));
    }

    fn header(&mut self, cells: &[&str]) {
        self.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"");
        self.escaped(cells[0]);
        self.raw("\"><table><thead><tr>");
        for cell in cells {
            self.raw("<th scope=\"col\">");
            self.escaped(cell);
            self.raw("</th>");
        }
        self.raw("</tr></thead><tbody>\n");
    }

    /// A row whose first cell is code and heads it.
    fn row(&mut self, cells: &[&str]) {
        self.raw("<tr><th scope=\"row\">");
        self.wrapped("code", cells[0]);
        self.raw("</th>");
        for cell in &cells[1..] {
            self.raw("<td>");
            self.text(cell);
            self.raw("</td>");
        }
        self.raw("</tr>\n");
    }

    fn end_of_table(&mut self) {
        self.raw("</tbody></table></div>\n");
    }

    fn example(&mut self, summary: &str, value: &Value) {
        self.raw("<details><summary>");
        self.text(summary);
        self.raw("</summary><pre tabindex=\"0\">");
        self.escaped(&serde_json::to_string_pretty(value).unwrap_or_default());
        self.raw("</pre></details>\n");
    }
}

/// Every call: its method, its path and what is said of it.
fn operations(contract: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = contract["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let calls = item.as_object().into_iter().flatten();
        calls.map(move |(method, call)| (method, path, call))
    })
}

fn contents(page: &mut Page, contract: &Value) {
    page.raw("<nav class=\"contents\" aria-label=\"Calls\"><ul>\n");
    for (method, path, call) in operations(contract) {
        let _ = write!(page.html, "<li><a href=\"#{}\"><code><b>", id(call));
        page.escaped(&method.to_uppercase());
        page.raw("</b> ");
        page.escaped(path);
        page.raw("</code></a></li>\n");
    }
    page.raw("</ul></nav>\n");
}

fn id(call: &Value) -> &str {
    call["operationId"].as_str().unwrap_or_default()
}

fn group(page: &mut Page, contract: &Value, tag: &Value) {
    let name = tag["name"].as_str().unwrap_or_default();
    let mut title = name.to_owned();
    title[..1].make_ascii_uppercase();
    let _ = writeln!(
        page.html,
        "<section aria-labelledby=\"tag-{name}\"><h2 id=\"tag-{name}\">{title}</h2>"
    );
    page.raw("<p>");
    page.text(tag["description"].as_str().unwrap_or_default());
    page.raw("</p>\n");
    for (method, path, call) in operations(contract).filter(|(_, _, call)| call["tags"][0] == name) {
        operation(page, method, path, call);
    }
    page.raw("</section>\n");
}

fn operation(page: &mut Page, method: &str, path: &str, call: &Value) {
    let _ = write!(
        page.html,
        "<article class=\"call\" aria-labelledby=\"{0}\"><h3 id=\"{0}\"><code><b>",
        id(call)
    );
    page.escaped(&method.to_uppercase());
    page.raw("</b> ");
    page.escaped(path);
    page.raw("</code></h3>\n<p>");
    page.text(call["summary"].as_str().unwrap_or_default());
    page.raw(" ");
    page.text(call["description"].as_str().unwrap_or_default());
    page.raw("</p>\n");
    let parameters: Vec<&Value> = call["parameters"].as_array().into_iter().flatten().collect();
    if !parameters.is_empty() {
        page.header(&["Parameter", "In", "Meaning"]);
        for parameter in parameters {
            let [name, place, about] =
                ["name", "in", "description"].map(|key| parameter[key].as_str().unwrap_or_default());
            page.row(&[name, place, about]);
        }
        page.end_of_table();
    }
    let request = &call["requestBody"]["content"]["application/json"];
    if request.is_object() {
        page.raw("<p>Body: ");
        reference(page, &request["schema"]);
        page.raw("</p>\n");
        for (_, example) in request["examples"].as_object().into_iter().flatten() {
            page.example(example["summary"].as_str().unwrap_or("Example"), &example["value"]);
        }
    }
    page.header(&["Answer", "Meaning", "Body"]);
    for (status, response) in call["responses"].as_object().into_iter().flatten() {
        page.raw("<tr><th scope=\"row\">");
        page.wrapped("code", status);
        page.raw("</th><td>");
        page.text(response["description"].as_str().unwrap_or_default());
        page.raw("</td><td>");
        if let Some((_, content)) = response["content"]
            .as_object()
            .and_then(|content| content.iter().next())
        {
            reference(page, &content["schema"]);
        }
        page.raw("</td></tr>\n");
    }
    page.end_of_table();
    for (status, response) in call["responses"].as_object().into_iter().flatten() {
        let example = &response["content"]["application/json"]["example"];
        if !example.is_null() {
            page.example(&format!("Example of `{status}`"), example);
        }
    }
    page.raw("</article>\n");
}

/// A schema in a few words, with links to those that have a name.
fn reference(page: &mut Page, schema: &Value) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        // Codes are listed with the problems.
        let target = if name == "Code" {
            "problems".to_owned()
        } else {
            format!("schema-{name}")
        };
        let _ = write!(page.html, "<a href=\"#{target}\">{name}</a>");
        return;
    }
    if schema["type"] == "array" {
        page.raw("list of ");
        reference(page, &schema["items"]);
        return;
    }
    for alternatives in ["oneOf", "anyOf", "allOf"] {
        for (at, one) in schema[alternatives].as_array().into_iter().flatten().enumerate() {
            if at > 0 {
                page.raw(" or ");
            }
            reference(page, one);
        }
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        kind => kind.as_str().unwrap_or_default().to_owned(),
    };
    page.escaped(&kinds);
}

fn describe_type(page: &mut Page, job_type: &JobType) {
    let name = job_type.name;
    let _ = write!(
        page.html,
        "<article aria-labelledby=\"type-{name}\"><h3 id=\"type-{name}\"><code>{name}</code></h3>\n<p>"
    );
    page.text(job_type.summary);
    if job_type.needs_values {
        page.raw(" Needs a value for each company, as <code>input.values</code>.");
    } else if job_type.takes_values {
        page.raw(" Takes a value for each company, as <code>input.values</code>.");
    }
    page.raw("</p>\n");
    page.header(&["Parameter", "Default", "Meaning"]);
    for (name, schema) in job_type.parameters["properties"].as_object().into_iter().flatten() {
        let choices = schema["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let choices: Vec<_> = choices.map(|choice| format!("`{choice}`")).collect();
        let default = match &schema["default"] {
            Value::Null => String::new(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        let mut about = schema["description"].as_str().unwrap_or_default().to_owned();
        if !choices.is_empty() {
            about += &format!(" One of {}.", choices.join(", "));
        }
        page.row(&[name, &default, &about]);
    }
    page.end_of_table();
    page.header(&["Column", "Kind", "Meaning"]);
    for column in job_type.columns.as_array().into_iter().flatten() {
        let [name, kind, about] = ["name", "kind", "description"].map(|key| column[key].as_str().unwrap_or_default());
        page.row(&[name, kind, about]);
    }
    page.end_of_table();
    page.raw("</article>\n");
}

fn problems(page: &mut Page) {
    page.raw("<section aria-labelledby=\"problems\"><h2 id=\"problems\">Problems</h2>\n<p>Errors are RFC 9457 problem details, ");
    page.raw("<code>application/problem+json</code>: <code>code</code> is one of these words, <code>detail</code> a sentence, and ");
    page.raw("<code>field</code> the field of the request at fault.</p>\n");
    page.header(&["Code", "Meaning"]);
    for code in Code::ALL {
        page.row(&[code.word(), code.meaning()]);
    }
    page.end_of_table();
    page.raw("</section>\n");
}

fn schemas(page: &mut Page, contract: &Value) {
    page.raw("<section aria-labelledby=\"schemas\"><h2 id=\"schemas\">Schemas</h2>\n");
    let named: Option<&Map<String, Value>> = contract["components"]["schemas"].as_object();
    for (name, schema) in named.into_iter().flatten().filter(|(name, _)| *name != "Code") {
        let _ = write!(
            page.html,
            "<article aria-labelledby=\"schema-{name}\"><h3 id=\"schema-{name}\">{name}</h3>\n<p>"
        );
        page.text(schema["description"].as_str().unwrap_or_default());
        page.raw(" ");
        reference_alternatives(page, schema);
        page.raw("</p>\n");
        let Some(properties) = schema["properties"].as_object() else {
            page.raw("</article>\n");
            continue;
        };
        page.header(&["Field", "Kind", "Meaning"]);
        for (field, about) in properties {
            page.raw("<tr><th scope=\"row\">");
            page.wrapped("code", field);
            page.raw("</th><td>");
            reference(page, about);
            page.raw("</td><td>");
            let said = about["description"]
                .as_str()
                .or_else(|| about["oneOf"][0]["description"].as_str());
            page.text(said.unwrap_or_default());
            page.raw("</td></tr>\n");
        }
        page.end_of_table();
        page.raw("</article>\n");
    }
    page.raw("</section>\n");
}

fn reference_alternatives(page: &mut Page, schema: &Value) {
    if schema["oneOf"].is_array() {
        page.raw("Either ");
        reference(page, schema);
        page.raw(".");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_call_every_type_and_every_code() {
        let contract = crate::openapi();
        let page = render(&contract, &calculations::registry());
        let (mut calls, mut links) = (0, 0);
        for (_, path, call) in operations(&contract) {
            assert!(page.contains(&format!("<h3 id=\"{}\">", id(call))), "{path}");
            calls += 1;
        }
        assert!(calls > 10);
        for code in Code::ALL {
            assert!(page.contains(&format!("<code>{}</code>", code.word())));
        }
        for job_type in calculations::registry().types() {
            assert!(page.contains(&format!("id=\"type-{}\"", job_type.name)));
        }
        for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.contains(&format!("id=\"{target}\"")), "a link leads to #{target}");
            links += 1;
        }
        assert!(links > 30);
    }

    #[test]
    fn what_is_said_is_text() {
        let mut page = Page::default();
        page.text("a < b `c & d` <script>");
        assert_eq!(page.html, "a &lt; b <code>c &amp; d</code> &lt;script&gt;");
    }
}
