// The first page: a form for a new job, and the jobs there are.

import { get, jobTypes } from "./api.js";
import { announce, el, empty, show, trouble } from "./dom.js";
import { field } from "./schema_form.js";
import { submitForm } from "./submit.js";
import { pause } from "./watch.js";
import { hasEnded, plain, several, state, took, when } from "./words.js";

const PAGE = 20;
const STATES = ["PENDING", "PROGRESS", "SUCCESS", "FAILURE", "REVOKED"];

export function homePage(main, query) {
  const stop = new AbortController();
  const list = jobList(query, stop.signal);
  show(main,
    el("h1", { tabindex: "-1" }, "Who owns what?"),
    el("p", { class: "lead" }, "Send a file of stakes. Every chain and every ring of cross-holdings is followed, and what could not be known is said."),
    el("div", { class: "home" }, submitForm(stop.signal), list.node));
  return { title: "", leave: () => stop.abort(), stays: ({ parts }) => parts.length === 0 && list.filter() };
}

/** The state of a job as a word in a colour of its own. */
export function badge(status) {
  return el("span", { class: `badge ${status.toLowerCase()}` }, state(status));
}

function jobList(query, signal) {
  const chosen = { status: query.get("status") ?? "", type: query.get("type") ?? "" };
  const option = (value, text, now) => el("option", { value, selected: value === now }, text);
  const status = field("State", el("select", {}, option("", "any", chosen.status),
    STATES.map((one) => option(one, state(one), chosen.status))), "");
  const type = field("Calculation", el("select", {}, option("", "any", chosen.type)), "");
  const rows = el("div", { class: "rows" }, el("p", { class: "loading" }, "Loading…"));
  const view = { rows, status: status.control, type: type.control, signal, turn: 0 };
  for (const control of [view.status, view.type]) {
    control.addEventListener("change", () => {
      const filter = new URLSearchParams(Object.entries({ status: view.status.value, type: view.type.value }).filter(([, value]) => value));
      history.replaceState(null, "", filter.size > 0 ? `#/?${filter}` : "#/");
      load(view);
    });
  }
  jobTypes(signal).then((types) => {
    view.type.append(...types.map((one) => option(one.name, plain(one.name), chosen.type)));
    load(view);
  }, () => load(view));
  return {
    node: el("section", { class: "card", "aria-labelledby": "past" }, el("h2", { id: "past" }, "Calculations"),
      el("div", { class: "filters" }, status.node, type.node), rows),
    filter() { load(view); return true; },
  };
}

function path({ status, type }, cursor) {
  const query = new URLSearchParams({ limit: PAGE });
  if (status.value) query.set("status", status.value);
  if (type.value) query.set("type", type.value);
  if (cursor) query.set("cursor", cursor);
  return `jobs?${query}`;
}

/** Shows the first page anew, and again for as long as something on it goes on. */
async function load(view) {
  view.turn += 1;
  const turn = view.turn;
  let wait = 1_000;
  let last = "";
  while (!view.signal.aborted && turn === view.turn) {
    try {
      const page = await get(path(view), view.signal);
      if (view.signal.aborted || turn !== view.turn) return;
      const now = JSON.stringify(page);
      if (now !== last) {
        showPage(view, page);
        wait = 1_000;
      }
      last = now;
      if (page.jobs.every((job) => hasEnded(job.status))) return;
    } catch (error) {
      if (view.signal.aborted || turn !== view.turn) return;
      show(view.rows, trouble("The jobs cannot be shown", error.message, () => load(view)));
      return;
    }
    await pause(wait, view.signal);
    wait = Math.min(wait * 1.5, 10_000);
  }
}

function showPage(view, page) {
  if (page.jobs.length === 0) {
    const filtered = view.status.value || view.type.value;
    show(view.rows, filtered ? empty("None of these", "No job is of this state and calculation.")
      : empty("Nothing was calculated yet", "Choose a file, and its result will stand here."));
    return;
  }
  const list = el("ul", { class: "jobs" }, page.jobs.map(line));
  show(view.rows, list);
  if (page.next) view.rows.append(moreButton(view, list, page.next));
}

function moreButton(view, list, cursor) {
  const button = el("button", { type: "button", class: "quiet" }, "Show older ones");
  button.addEventListener("click", async () => {
    button.disabled = true;
    // What is appended would be lost if the first page were shown anew.
    view.turn += 1;
    try {
      const page = await get(path(view, cursor), view.signal);
      const added = page.jobs.map(line);
      list.append(...added);
      announce(`${several(added.length, "job")} more.`);
      added[0]?.querySelector("a").focus();
      if (page.next) button.replaceWith(moreButton(view, list, page.next));
      else button.remove();
    } catch (error) {
      button.replaceWith(trouble("Older jobs cannot be shown", error.message, () => load(view)));
    }
  });
  return button;
}

function line(job) {
  const running = job.status === "PROGRESS" ? ` ${job.percentage} %` : "";
  return el("li", {},
    el("a", { href: `#/jobs/${job.id}` }, job.input.name ?? "Stakes in the request"),
    el("span", { class: "state" }, badge(job.status), running),
    el("span", { class: "quiet-text" }, plain(job.type), " · ", el("time", { datetime: job.created_at }, when(job.created_at)),
      job.finished_at && job.started_at ? ` · ${took(job.started_at, job.finished_at)}` : ""));
}
