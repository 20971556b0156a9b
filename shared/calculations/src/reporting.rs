//! Stage `reporting`: the files of a job.

use std::io::Write;
use std::time::Instant;

use jobs::{Failure, Json, Outcome, Report, StageRun, Warning};
use ownership::{ClosedGroup, ComponentsSummary, ControlEdges, Finding, LeftOut, Network};
use reports::{Labels, Lookup, Summary, Survey, quality, report_html};
use serde_json::json;

use crate::building::Built;
use crate::calculating::Solved;
use crate::pages::{Pages, unmade};
use crate::presentation::Presentation;
use crate::saving::Saved;
use crate::streaming::write_files;
use crate::table::Table;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What there is to say about a calculation, apart from its rows.
#[derive(Debug)]
pub(crate) struct Findings<'n> {
    /// All but the job and the times, which the stage adds.
    summary: Summary,
    found: Vec<Finding>,
    /// The unit of the edges, where it is not the input's to say.
    unit: Option<&'static str>,
    /// Who is called what, where it is known.
    network: Option<&'n Network>,
}

impl<'n> Findings<'n> {
    pub(crate) fn new(built: &'n Built, solved: &Solved, table: &Table, left_out: Option<LeftOut>, floor: f64) -> Self {
        let network = &built.network;
        let resolvent = &solved.resolvent;
        let found: Vec<Finding> = built
            .findings
            .iter()
            .chain(network.findings())
            .chain(resolvent.findings())
            .cloned()
            .collect();
        let components = resolvent.components();
        let floor = left_out.is_some().then_some(floor);
        let left_out = left_out.unwrap_or_default();
        let summary = Summary {
            input: built.input(),
            components: told(components),
            residual: resolvent.residual(),
            left_out: reports::LeftOut {
                pairs: left_out.pairs,
                mass: left_out.mass,
                floor,
            },
            balance: Some(reports::Balance {
                largest_error: solved.balance.largest_error,
                checked: solved.balance.checked,
                unchecked: solved.balance.unchecked,
            }),
            result: reports::ResultSize {
                rows: table.rows,
                companies: table.companies,
            },
            ..Summary::default()
        };
        Self::of(summary, found).about(network)
    }

    /// Those of a calculation that does not invert the network. The summary lacks what was found.
    pub(crate) fn of(summary: Summary, found: Vec<Finding>) -> Self {
        Self {
            summary: Summary {
                quality: quality(found.iter().cloned()),
                ..summary
            },
            found,
            unit: None,
            network: None,
        }
    }

    /// The same, with the names that the network has.
    pub(crate) fn about(self, network: &'n Network) -> Self {
        Self {
            network: Some(network),
            ..self
        }
    }

    /// The same where the edges of the graph are amounts.
    pub(crate) fn in_amounts(self) -> Self {
        Self {
            unit: Some("amount"),
            ..self
        }
    }

    /// The same with findings that a later stage made.
    pub(crate) fn with(mut self, more: &[Finding]) -> Self {
        self.found.extend_from_slice(more);
        self.summary.quality = quality(self.found.iter().cloned());
        self
    }

    /// The same where control without a share counts as control, if it does.
    pub(crate) fn with_edges(self, edges: ControlEdges) -> Self {
        match edges {
            ControlEdges::Ignore => self,
            ControlEdges::Use => self.told(
                "control_without_share",
                "used as control; no stake was made of it, as how much is held is not known",
            ),
        }
    }

    /// The same where something else was done about what was found.
    pub(crate) fn told(mut self, code: &str, action: &str) -> Self {
        if let Some(finding) = self.found.iter_mut().find(|finding| finding.code == code) {
            action.clone_into(&mut finding.action);
        }
        self.with(&[])
    }

    /// The summary of this very run.
    fn summary(&self, stage: &StageRun<'_>) -> Summary {
        let job = stage.job();
        let stages = stage.timings().iter();
        let mut summary = self.summary.clone();
        summary.input.name.clone_from(&job.input.name);
        summary.stages = reports::Stages(stages.map(|(name, seconds)| ((*name).to_owned(), *seconds)).collect());
        summary.job = json!({
            "id": job.id,
            "type": job.job_type,
            "parameters": job.parameters.0,
            "unit": self.unit.or(job.input.unit.as_deref()).unwrap_or("fraction"),
            "attempt": job.state.attempt,
            "created_at": job.created_at.to_string(),
        });
        if let Some(values) = &job.input.values {
            summary.job["values"] = values.name.as_deref().unwrap_or("given with the job").into();
        }
        summary
    }

    /// What the job leaves.
    pub(crate) fn outcome(&self, saved: impl Into<Saved>, mut reports: Vec<Report>) -> Outcome {
        let Saved { rows, names } = saved.into();
        reports.extend(names);
        let summary = &self.summary;
        let mut result = json!({
            "rows": summary.result.rows,
            "companies": summary.input.companies,
            "stakes": summary.input.stakes,
            "components": {
                "count": summary.components.count,
                "largest": summary.components.largest,
                "closed": summary.components.closed.len(),
            },
            "residual": summary.residual,
            "left_out": summary.left_out,
            "balance": summary.balance,
            "input_sha256": summary.input.sha256,
        });
        if !summary.measures.is_empty() {
            result["measures"] = json!(summary.measures);
        }
        Outcome {
            result: Json(result),
            reports,
            warnings: self.found.iter().map(warning).collect(),
            rows: Some(rows),
            ..Outcome::default()
        }
    }
}

/// Components as a summary tells them.
pub(crate) fn told(components: ComponentsSummary) -> reports::Components {
    let group = |group: ClosedGroup| reports::Group {
        name: group.name,
        members: group.members,
    };
    reports::Components {
        count: components.count,
        largest: components.largest,
        closed: components.closed.into_iter().map(group).collect(),
    }
}

/// A record holds few and short examples; all of them are in the summary.
fn warning(finding: &Finding) -> Warning {
    const EXAMPLES: usize = 5;
    const LONGEST: usize = 300;
    let cut = |text: &String| text.chars().take(LONGEST).collect();
    Warning {
        code: finding.code.clone(),
        count: finding.count,
        message: finding.action.clone(),
        examples: finding.examples.iter().take(EXAMPLES).map(cut).collect(),
    }
}

/// What people call the companies of a network.
struct Called<'n>(&'n Network);

impl Lookup for Called<'_> {
    fn label(&self, id: &str) -> Option<&str> {
        self.0.find(id).and_then(|company| self.0.label(company))
    }
}

/// [`report_with`] nothing of the network.
pub(crate) fn report(
    stage: &StageRun<'_>,
    presentation: &Presentation,
    findings: &Findings<'_>,
    table: &Table,
) -> Result<Vec<Report>, Failure> {
    report_with(stage, presentation, findings, table, &Survey::default())
}

/// Writes `result.csv`, `result.parquet`, `summary.json`, `report.html` and `report.xlsx`. Rows stream through; memory
/// does not grow with them. `reporting` is among the stages of the summary, with the seconds until the rows were written.
pub(crate) fn report_with(
    stage: &StageRun<'_>,
    presentation: &Presentation,
    findings: &Findings<'_>,
    table: &Table,
    survey: &Survey,
) -> Result<Vec<Report>, Failure> {
    let began = Instant::now();
    let schema = presentation.schema;
    let called = findings.network.filter(|network| network.has_labels()).map(Called);
    let labels = called
        .as_ref()
        .map_or_else(Labels::default, |called| Labels::of(called));
    let mut pages = Pages::new(presentation, survey, table.rows, labels)?;
    let [csv, parquet] = write_files(stage, schema, table, &mut |block| pages.add(block))?;
    let mut summary = findings.summary(stage);
    // This stage tells of itself what it has done by now: the rows. What follows is small.
    let reporting = ("reporting".to_owned(), began.elapsed().as_secs_f64());
    summary.stages.0.push(reporting);
    let html = report_html(&reports::Report {
        title: presentation.title,
        version: env!("CARGO_PKG_VERSION"),
        summary: &summary,
        schema,
        highlights: &pages.highlights,
        survey,
        labels,
        formulas: presentation.formulas,
        references: presentation.references,
    });
    let html = write(stage, "report.html", "text/html; charset=utf-8", html.as_bytes())?;
    let json = serde_json::to_vec_pretty(&summary).map_err(|error| Failure::Transient(error.to_string()))?;
    let json = write(stage, "summary.json", "application/json", &json)?;
    let created = stage.job().created_at.seconds();
    let xlsx = pages.spreadsheet.finish(presentation.title, &summary, survey, created);
    let xlsx = write(stage, "report.xlsx", XLSX, &xlsx.map_err(unmade)?)?;
    Ok(vec![csv, parquet, json, html, xlsx])
}

fn write(stage: &StageRun<'_>, name: &str, content_type: &str, bytes: &[u8]) -> Result<Report, Failure> {
    let mut file = stage.report(name, content_type);
    file.write_all(bytes).map_err(|error| Failure::of_service(&error))?;
    Ok(file.finish()?)
}
