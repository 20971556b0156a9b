// Who was told of the end of a job.

import { get, jobPath, post } from "./api.js";
import { announce, el, empty, show, trouble } from "./dom.js";
import { pause } from "./watch.js";
import { figure, when } from "./words.js";

const STATES = { none: "nobody to tell", pending: "on its way", delivered: "delivered", dead: "given up" };
const OUTCOMES = { under_way: "under way", delivered: "delivered", failed: "failed", unknown: "unknown" };

export function deliveriesSection(job, signal) {
  const body = el("div", {}, el("p", { class: "loading" }, "Loading…"));
  const view = { path: jobPath(job.id, "deliveries"), body, signal };
  refresh(view);
  return el("section", { class: "card", "aria-labelledby": "deliveries" }, el("h2", { id: "deliveries" }, "Callback"), body);
}

/** Looks until nothing is on its way any more. */
async function refresh(view) {
  let wait = 400;
  let last = "";
  while (!view.signal.aborted) {
    try {
      const log = await get(view.path, view.signal);
      const now = JSON.stringify(log);
      if (now !== last) { showLog(view, log); wait = 400; }
      last = now;
      if (log.delivery !== "pending" && !log.attempts.some((one) => one.outcome === "under_way")) return;
    } catch (error) {
      if (!view.signal.aborted) show(view.body, trouble("The log cannot be shown", error.message, () => refresh(view)));
      return;
    }
    await pause(wait, view.signal);
    wait = Math.min(wait * 1.5, 5_000);
  }
}

function showLog(view, log) {
  const replay = el("button", { type: "button", class: "quiet" }, "Deliver again");
  const outcome = el("div", { class: "outcome" });
  replay.addEventListener("click", async () => {
    replay.disabled = true;
    try {
      await post(`${view.path}/replay`, undefined, view.signal);
      announce("The event is delivered again.");
      await refresh(view);
      view.body.querySelector("button")?.focus();
    } catch (error) {
      if (view.signal.aborted) return;
      replay.disabled = false;
      show(outcome, trouble("It was not delivered again", error.message));
    }
  });
  const subscribers = log.subscribers.map((one) => el("div", {},
    el("dt", {}, el("code", {}, one.to)),
    el("dd", {}, el("span", { class: `badge ${one.delivery}` }, STATES[one.delivery] ?? one.delivery),
      one.next_attempt_at ? ` next attempt ${when(one.next_attempt_at)}` : "", one.reason ? ` ${one.reason}` : "")));
  show(view.body,
    el("p", {}, "Event ", el("code", {}, log.event_type ?? "–"), " with the id ", el("code", {}, log.event_id ?? "–"), ", the same at every attempt."),
    el("dl", { class: "subscribers" }, subscribers),
    log.attempts.length > 0 ? attempts(log.attempts) : empty("No attempt yet", "The first one follows at once."),
    outcome, log.subscribers.length > 0 && replay);
}

function attempts(list) {
  const rows = list.map((one) => el("tr", {},
    el("td", {}, el("time", { datetime: one.at }, when(one.at))),
    el("td", {}, el("code", {}, one.to)),
    el("td", {}, OUTCOMES[one.outcome] ?? one.outcome),
    el("td", { class: "number" }, one.status ?? "–"),
    el("td", { class: "number" }, one.elapsed_ms === null ? "–" : `${figure(one.elapsed_ms)} ms`),
    el("td", {}, one.error ?? "")));
  return el("div", { class: "scroll attempts", tabindex: "0", role: "region", "aria-label": "Attempts to call back" },
    el("table", {}, el("caption", { class: "unseen" }, "Attempts, oldest first"),
      el("thead", {}, el("tr", {}, ["Begun", "To", "Outcome", "Status", "Took", "Why"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows)));
}
