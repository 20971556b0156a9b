// One job: how far it is, what can be done with it, and what came of it.

import { Gone, jobPath, jobTypes, post } from "./api.js";
import { deliveriesSection } from "./deliveries.js";
import { announce, el, show, trouble } from "./dom.js";
import { badge } from "./jobs.js";
import { resultSections } from "./result.js";
import { watch } from "./watch.js";
import { figure, hasEnded, plain, sentence, state, took, when } from "./words.js";

export function jobPage(main, id) {
  const stop = new AbortController();
  const view = {
    id, signal: stop.signal, job: null, stages: [],
    title: el("h1", { tabindex: "-1" }, "Job"),
    facts: el("p", { class: "facts" }), actions: el("div", { class: "actions" }),
    lost: el("div", { class: "lost" }), problem: el("div", { class: "outcome" }),
    progress: el("div", { class: "progress" }, el("p", { class: "loading" }, "Loading…")),
    result: el("div", { class: "result" }),
  };
  show(main, el("nav", { class: "crumbs", "aria-label": "Where you are" }, el("a", { href: "#/" }, "Jobs")),
    view.lost, el("header", { class: "job-head" }, el("div", {}, view.title, view.facts), view.actions),
    view.problem, view.progress, view.result);
  follow(view);
  return { title: "Job", leave: () => stop.abort() };
}

async function follow(view) {
  try {
    await watch(jobPath(view.id), {
      signal: view.signal,
      see: (job) => see(view, job),
      lost: (error) => show(view.lost, el("div", { class: "notice bad", role: "alert" },
        el("p", {}, error.message, " Trying again by itself."))),
      found: () => show(view.lost),
    });
  } catch (error) {
    if (view.signal.aborted) return;
    show(view.progress, trouble("The job cannot be shown", sentence(error.message), () => { follow(view); }));
  }
}

/** Shows a job as it is now; true if it will not change any more. */
function see(view, job) {
  const before = view.job;
  view.job = job;
  head(view);
  if (view.stages.length === 0) stagesOf(view);
  showProgress(view);
  tell(before, job);
  const ended = hasEnded(job.status);
  if (ended && !(before && hasEnded(before.status))) finish(view);
  return ended;
}

async function stagesOf(view) {
  const types = await jobTypes(view.signal).catch(() => []);
  view.stages = types.find((type) => type.name === view.job.type)?.stages ?? [];
  if (view.stages.length > 0 && !view.signal.aborted) showProgress(view);
}

function head(view) {
  const { job } = view;
  const name = job.input.name ?? "Stakes in the request";
  document.title = `${name} · stakegraph`;
  show(view.title, name);
  show(view.facts, badge(job.status), " ", plain(job.type), " · ", el("time", { datetime: job.created_at }, when(job.created_at)),
    job.finished_at && job.started_at ? ` · took ${took(job.started_at, job.finished_at)}` : "",
    job.attempt > 1 ? ` · attempt ${job.attempt}` : "",
    job.retry_of ? [" · tries ", el("a", { href: `#/jobs/${job.retry_of}` }, "an earlier job"), " again"] : "");
  const action = job.links.revoke ? ["Revoke", "revoke", "quiet"] : job.links.retry ? ["Try again", "retry", "main"] : null;
  const shown = view.actions.dataset.shown ?? "";
  if (shown === (action?.[1] ?? "")) return;
  view.actions.dataset.shown = action?.[1] ?? "";
  show(view.actions, action && button(view, action));
}

function button(view, [label, action, look]) {
  const node = el("button", { type: "button", class: look }, label);
  node.addEventListener("click", async () => {
    node.disabled = true;
    show(view.problem);
    try {
      const job = await post(jobPath(view.id, action), undefined, view.signal);
      if (job.id !== view.id) location.hash = `#/jobs/${job.id}`;
      else see(view, job);
    } catch (error) {
      if (view.signal.aborted) return;
      node.disabled = false;
      show(view.problem, trouble(error instanceof Gone ? "Nobody answers" : `It was not possible to ${action} the job`, error.message));
    }
  });
  return node;
}

/** What people hear who do not see the bar: changes of stage, and every quarter. */
function tell(before, job) {
  const quarter = (one) => Math.floor((one?.percentage ?? 0) / 25);
  if (hasEnded(job.status)) {
    if (before && !hasEnded(before.status)) announce(`The job has ended: ${state(job.status)}.`);
  } else if (before?.stage !== job.stage || quarter(before) !== quarter(job)) {
    announce(`${job.stage ? plain(job.stage) : state(job.status)}, ${job.percentage} percent.`);
  }
}

function showProgress(view) {
  const { job, stages } = view;
  if (job.status === "SUCCESS") return show(view.progress);
  const at = stages.findIndex((stage) => stage.name === job.stage);
  const steps = stages.map((stage, index) => {
    const look = index < at ? "done" : index === at ? (hasEnded(job.status) ? "stopped" : "now") : "";
    return el("li", { class: look, "aria-current": index === at ? "step" : null }, plain(stage.name));
  });
  const words = job.status === "PENDING" ? "Waiting for a worker" : `${job.stage ? plain(job.stage) : state(job.status)}, ${job.percentage} %`;
  show(view.progress, el("section", { class: "card", "aria-labelledby": "progress" },
    el("h2", { id: "progress" }, job.status === "FAILURE" ? "Failed" : job.status === "REVOKED" ? "Revoked" : "Progress"),
    el("p", { class: "now-text" }, hasEnded(job.status) ? ended(job) : words),
    !hasEnded(job.status) && el("progress", { max: 100, value: job.percentage, "aria-label": "Done" }, `${job.percentage} %`),
    steps.length > 0 && el("ol", { class: "stages" }, steps),
    job.error && failure(job, hasEnded(job.status))));
}

const ended = (job) => (job.status === "REVOKED"
  ? `Stopped at ${job.percentage} %. Trying again starts after the stages that were kept.`
  : `It ended at ${job.percentage} %.`);

function failure(job, isEnd) {
  const { error } = job;
  const places = [["Row", error.row], ["Field", error.field], ["Value", error.value]].filter(([, value]) => value !== undefined && value !== null);
  return el("div", { class: "notice bad" },
    el("h3", {}, isEnd ? "Why it failed" : "Why the last attempt failed"), el("p", {}, sentence(error.message)),
    el("dl", { class: "pairs" }, places.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, typeof value === "number" ? figure(value) : el("code", {}, value)))),
      el("div", {}, el("dt", {}, "Code"), el("dd", {}, el("code", {}, error.code)))));
}

function finish(view) {
  const { job } = view;
  show(view.result,
    job.status === "SUCCESS" ? resultSections(job, view.signal) : null,
    job.callback_url && deliveriesSection(job, view.signal),
    settings(job));
}

function settings(job) {
  const given = Object.entries(job.parameters).map(([name, value]) => [plain(name), typeof value === "object" ? JSON.stringify(value) : String(value)]);
  const input = [["Shares are", job.input.unit], ["Columns", job.input.columns?.join(", ")], ["Format", job.input.format], ["Values", job.input.values_name], ["Callback", job.callback_url]];
  const pairs = [...given, ...input.filter(([, value]) => value), ["Job", job.id]];
  return el("details", { class: "card settings" }, el("summary", {}, "How it was asked for"),
    el("dl", { class: "pairs" }, pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))));
}
