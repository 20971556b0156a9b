// The pages, by what stands after the # of the address.

import { el, show } from "./dom.js";
import { companyPage } from "./company.js";
import { homePage } from "./jobs.js";
import { jobPage } from "./job.js";

const main = document.getElementById("main");
let page = { leave() {} };

function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  let parts;
  try {
    parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    parts = ["?"];
  }
  return { parts, query: new URLSearchParams(query) };
}

function open({ parts, query }) {
  const [place, id, below, name] = parts;
  if (parts.length === 0) return homePage(main, query);
  if (place === "jobs" && parts.length === 2) return jobPage(main, id);
  if (place === "jobs" && below === "companies" && parts.length === 4) return companyPage(main, id, name, query);
  show(main, el("h1", { tabindex: "-1" }, "There is no such page"), el("p", {}, el("a", { href: "#/" }, "To the jobs")));
  return { title: "Not found", leave() {} };
}

function turn() {
  if (location.hash === "#main") return;
  const next = route();
  if (page.stays?.(next)) return;
  page.leave();
  page = open(next);
  document.title = page.title ? `${page.title} · stakegraph` : "stakegraph";
  scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
}

addEventListener("hashchange", turn);
turn();
