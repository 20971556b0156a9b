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
  const view = { rows, status: status.control, type: type.control, signal, turn: 0, jobs: [], next: null, adding: false };
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

/** Shows the newest jobs, and keeps them fresh for as long as something among them goes on. */
async function load(view) {
  view.turn += 1;
  Object.assign(view, { jobs: [], next: null, adding: false });
  const turn = view.turn;
  let wait = 1_000;
  let last = "";
  while (!view.signal.aborted && turn === view.turn) {
    try {
      const page = await get(path(view), view.signal);
      if (view.signal.aborted || turn !== view.turn) return;
      const now = JSON.stringify(page);
      if (now !== last) {
        merge(view, page);
        showJobs(view);
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

/** Puts the newest page before the older ones that are shown, unless jobs between them are missing. */
function merge(view, page) {
  const known = new Set(view.jobs.map((job) => job.id));
  const last = page.jobs.at(-1);
  const meets = page.next && page.jobs.some((job) => known.has(job.id));
  // Ids grow with time.
  const older = meets ? view.jobs.filter((job) => job.id < last.id) : [];
  if (older.length === 0) view.next = page.next;
  view.jobs = [...page.jobs, ...older];
}

function showJobs(view) {
  if (view.jobs.length === 0) {
    const filtered = view.status.value || view.type.value;
    show(view.rows, filtered ? empty("None of these", "No job is of this state and calculation.")
      : empty("Nothing was calculated yet", "Choose a file, and its result will stand here."));
    return;
  }
  const { activeElement } = document;
  const chosen = view.rows.contains(activeElement) ? activeElement.getAttribute("href") ?? "more" : null;
  const list = el("ul", { class: "jobs" }, view.jobs.map(line));
  show(view.rows, list, view.next && moreButton(view));
  if (chosen === "more") view.rows.querySelector("button")?.focus();
  else if (chosen) [...list.querySelectorAll("a")].find((link) => link.getAttribute("href") === chosen)?.focus();
}

function moreButton(view) {
  const button = el("button", { type: "button", class: "quiet", "aria-disabled": String(view.adding) }, "Show older ones");
  button.addEventListener("click", async () => {
    if (view.adding) return;
    view.adding = true;
    button.setAttribute("aria-disabled", "true");
    const { turn, next } = view;
    try {
      const page = await get(path(view, next), view.signal);
      // Another choice was made meanwhile, or so much is new that this no longer follows.
      if (turn !== view.turn || next !== view.next) return;
      Object.assign(view, { jobs: [...view.jobs, ...page.jobs], next: page.next, adding: false });
      showJobs(view);
      announce(`${several(page.jobs.length, "job")} more.`);
      const first = view.jobs.length - page.jobs.length;
      view.rows.querySelectorAll(".jobs a")[first]?.focus();
    } catch (error) {
      if (turn === view.turn && !view.signal.aborted) {
        view.failed?.remove();
        view.failed = trouble("Older jobs cannot be shown", error.message, () => load(view));
        view.rows.append(view.failed);
      }
    } finally {
      if (turn === view.turn) {
        view.adding = false;
        view.rows.querySelector(".jobs ~ button")?.setAttribute("aria-disabled", "false");
      }
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
