// What came of a job: companies to look up, how sure the numbers are, and the files.

import { jobPath } from "./api.js";
import { searchSection } from "./company.js";
import { el } from "./dom.js";
import { findingsSection } from "./findings.js";
import { bytes, count } from "./words.js";

const FILES = {
  "report.html": "The report, to read, print and hand on",
  "report.xlsx": "The report as a spreadsheet",
  "result.csv": "All rows, as text",
  "result.parquet": "All rows, for DuckDB, pandas and polars",
  "summary.json": "What was calculated from what, for programs",
  "names.csv": "Names of the companies",
};

export function resultSections(job, signal) {
  return [figures(job.result ?? {}), searchSection(job, signal, { listed: true }), findingsSection(job), files(job)];
}

function figures(result) {
  const shown = [["company", "companies", result.companies], ["stake", "stakes", result.stakes], ["row of result", "rows of result", result.rows], ["ring", "rings", result.components?.count]];
  return el("dl", { class: "figures" }, shown.filter(([, , value]) => typeof value === "number")
    .map(([one, many, value]) => el("div", {}, el("dt", {}, value === 1 ? one : many), el("dd", {}, count(value)))));
}

function files(job) {
  const rows = job.reports.map((report) => {
    const path = jobPath(job.id, "reports", report.name);
    const isPage = report.content_type.startsWith("text/html");
    return el("li", {},
      el("span", {}, el("b", {}, report.name), el("span", { class: "quiet-text" }, FILES[report.name] ?? report.content_type)),
      el("span", { class: "quiet-text" }, bytes(report.size)),
      el("span", { class: "file-actions" },
        isPage && el("a", { href: `${path}?open=true`, target: "_blank", rel: "noopener", "aria-label": `Open ${report.name} in a new tab` }, "Open"),
        el("a", { href: path, download: report.name, "aria-label": `Download ${report.name}` }, "Download")));
  });
  return el("section", { class: "card", "aria-labelledby": "files" }, el("h2", { id: "files" }, "Files"), el("ul", { class: "files" }, rows));
}
