// One company of a result: its rows, its owners as a picture and a table, and the chains that make them owners.

import { get, jobPath, jobTypes } from "./api.js";
import { chainsSection } from "./chains.js";
import { announce, el, empty, show, trouble } from "./dom.js";
import { companyHash, isGroup, label } from "./links.js";
import { picture } from "./picture.js";
import { parts } from "./told.js";
import { field } from "./schema_form.js";
import { count, figure, percent, plain, several } from "./words.js";

const FIRST_ROWS = 25;
const SUGGESTIONS = 12;
const TYPING_MS = 150;

/** What the rows about a company are, where there is a word for them. */
const ROWS = { "integrated-ownership": "owner", "beneficial-owners": "beneficial owner", "company-control": "controller" };

/** A name with the id that it stands for, where it has one. */
function called(names, id) {
  const name = label(names, id);
  return name === id ? id : [name, " ", el("span", { class: "id" }, id)];
}

/** A field to find a company by its name or id; with `listed` the first ones stand below it at once. */
export function searchSection({ id: job, type }, signal, { listed }) {
  const rows = ROWS[type] ?? "row";
  const search = field("Company", el("input", { type: "search", autocomplete: "off", spellcheck: "false" }), "The beginning of its name or id, or of a word in it.");
  const found = el("div", { class: "found" });
  let timer = 0;
  // Gives those who are found; nothing if the answer did not come, or the question is another by now.
  const look = async () => {
    if (!listed && !search.control.value) return void show(found);
    const wanted = search.control.value;
    try {
      const query = new URLSearchParams({ search: wanted, limit: SUGGESTIONS });
      const page = await get(`${jobPath(job, "companies")}?${query}`, signal);
      if (signal.aborted || wanted !== search.control.value) return undefined;
      search.blame("");
      const names = page.companies.map((one) => one.company);
      show(found, names.length === 0 ? empty("No such company", "No name or id in this result has a word that begins so.")
        : el("ul", { class: "suggestions" }, page.companies.map((one) => el("li", {},
          el("a", { href: companyHash(job, one.company) }, called(one.names, one.company)), el("span", { class: "quiet-text" }, one.total === 0 ? `no ${rows}s` : several(one.total, rows))))),
        page.next && el("p", { class: "hint" }, "There are more: type on."));
      if (wanted) announce(names.length === 0 ? "No such company." : `${several(names.length, "company", "companies")} found.`);
      return names;
    } catch (error) {
      if (!signal.aborted) search.blame(error.message);
      return undefined;
    }
  };
  search.control.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, TYPING_MS); });
  const form = el("form", { role: "search" }, search.node);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearTimeout(timer);
    const wanted = search.control.value;
    if (!wanted) return;
    const names = await look();
    // What was typed is an id, or else leads to the first one that is found.
    if (names && !signal.aborted) location.hash = companyHash(job, names.includes(wanted) ? wanted : names[0] ?? wanted);
  });
  look();
  return el("section", { class: "card", "aria-labelledby": "search" }, el("h2", { id: "search" }, "Look up a company"), form, found);
}

export function companyPage(main, job, company, query) {
  const stop = new AbortController();
  const body = el("div", { class: "result" }, el("p", { class: "loading" }, "Loading…"));
  const crumb = el("a", { href: `#/jobs/${job}` }, "Job");
  show(main, el("nav", { class: "crumbs", "aria-label": "Where you are" }, el("a", { href: "#/" }, "Jobs"), crumb),
    el("h1", { tabindex: "-1" }, company), body);
  const view = { job, company, body, crumb, title: main.querySelector("h1"), signal: stop.signal, shown: null, chains: null };
  load(view, query.get("owner"));
  return {
    title: company,
    leave: () => stop.abort(),
    stays: ({ parts, query: next }) => {
      const same = parts.length === 4 && parts[1] === job && parts[3] === company && view.shown !== null;
      if (same) select(view, next.get("owner"));
      return same;
    },
  };
}

async function load(view, owner) {
  const { job, company, signal } = view;
  try {
    const [answer, record, types] = await Promise.all([get(jobPath(job, "companies", company), signal), get(jobPath(job), signal), jobTypes(signal)]);
    if (signal.aborted) return;
    const type = types.find((one) => one.name === record.type);
    show(view.crumb, record.input.name ?? "Job");
    show(view.title, label(answer.names, company));
    document.title = `${label(answer.names, company)} · stakegraph`;
    const integrated = new Map(answer.rows.map((row) => [row.owner, row.integrated]));
    view.shown = { answer, integrated };
    view.picture = el("div", {});
    view.chains = el("div", {});
    view.search = searchSection(record, signal, { listed: false });
    show(view.body,
      el("p", { class: "lead" }, summary(answer, type), label(answer.names, company) === company ? null : [" Id: ", el("code", {}, company)]),
      answer.above && answer.above.stakes.length > 0 && el("section", { class: "card", "aria-labelledby": "picture" },
        el("h2", { id: "picture" }, "Who stands above it"), view.picture),
      answer.above && answer.above.chains.length > 0 && view.chains,
      rows(view, type?.columns ?? [], answer), view.search);
    await select(view, owner);
  } catch (error) {
    if (signal.aborted) return;
    show(view.body, trouble(error.code === "company_not_found" ? "The result has no such company" : "The company cannot be shown", error.message, () => load(view, owner)),
      searchSection({ id: job }, signal, { listed: true }));
  }
}

function summary(answer, type) {
  const name = plain(type?.name ?? "").toLowerCase();
  if (answer.total === 0 && answer.above && answer.names?.[answer.company]?.kind === "person") return "A person.";
  if (answer.total === 0) return answer.above ? "Nobody is recorded to hold a part of it." : `No row of ${name}.`;
  if (answer.above) return `${several(answer.total, "owner")}, direct and through others.`;
  return `${several(answer.total, "row")} of ${name}.`;
}

/** Follows the chains of an owner, or of all at the ends. */
async function select(view, owner) {
  const { answer, integrated } = view.shown;
  if (!answer.above) return;
  let { above, names } = answer;
  if (owner) {
    try {
      const path = `${jobPath(view.job, "companies", view.company)}?${new URLSearchParams({ owner })}`;
      const asked = await get(path, view.signal);
      above = asked.above;
      names = { ...names, ...asked.names };
    } catch (error) {
      if (!view.signal.aborted) show(view.chains, trouble("The chains cannot be shown", error.message, () => select(view, owner)));
      return;
    }
  }
  if (view.signal.aborted) return;
  const state = { job: view.job, company: view.company, owner, above, integrated, names };
  const drawn = picture({ ...state, above: merged(answer.above, above) });
  show(view.picture, drawn.node);
  show(view.chains, chainsSection(state, drawn.highlight));
  drawn.highlight(owner ? above.chains.map((chain) => chain.path) : []);
  drawn.settle();
  if (owner) announce(`${several(above.chains.length, "chain")} from ${label(names, owner)} to ${label(names, view.company)}.`);
}

/** The stakes of both searches: a chain that was asked for is in the picture too. */
function merged(all, asked) {
  const known = new Set(all.stakes.map((stake) => `${stake.owner}\n${stake.owned}`));
  const onChains = new Set(asked.chains.flatMap((chain) => chain.path.slice(1).map((owned, at) => `${chain.path[at]}\n${owned}`)));
  const more = asked.stakes.filter((stake) => {
    const key = `${stake.owner}\n${stake.owned}`;
    return onChains.has(key) && !known.has(key);
  });
  return { ...all, stakes: [...all.stakes, ...more], must: new Set(asked === all ? [] : asked.chains.flatMap((chain) => chain.path)) };
}

/** A chain by the names on it. */
function told(view, { names, words, share }) {
  const steps = names.map((id, at) => [at > 0 && " → ", isGroup(id) || id === view.company ? label(view.shown.answer.names, id)
    : el("a", { href: companyHash(view.job, id) }, label(view.shown.answer.names, id))]);
  return [words, steps, " ", el("b", { class: "number" }, percent(share))];
}

function value(view, column, row) {
  const cell = row[column.name];
  if (column.kind !== "text") return column.unit === "fraction" ? percent(cell) : figure(cell);
  if (column.name === "chains") return el("ul", { class: "told-chains" }, parts(cell).map((part) => el("li", {}, told(view, part))));
  const isName = ["owner", "owned", "company", "controller", "from", "to"].includes(column.name);
  if (!isName) return cell;
  const shown = called(view.shown.answer.names, cell);
  return isGroup(cell) || cell === view.company ? shown : el("a", { href: companyHash(view.job, cell) }, shown);
}

function rows(view, columns, answer) {
  const key = columns.find((column) => answer.rows.length > 0 && answer.rows.every((row) => row[column.name] === view.company));
  // Some columns are there for some inputs only.
  const shown = columns.filter((column) => column !== key && (!column.when || answer.rows.some((row) => column.name in row)));
  const title = answer.above ? "Owners" : "Result";
  const section = (...children) => el("section", { class: "card", "aria-labelledby": "owners" }, el("h2", { id: "owners" }, title), children);
  if (answer.rows.length === 0) return section(empty(answer.above ? "No owners" : "No rows", answer.above ? "At the top of its chains: nobody is recorded above." : "The calculation has nothing to say of it."));
  if (answer.rows.length === 1 && !answer.above && shown.every((column) => column.name !== "chains")) {
    return section(el("dl", { class: "pairs wide" }, shown.map((column) => el("div", {},
      el("dt", {}, plain(column.name)), el("dd", {}, value(view, column, answer.rows[0])), el("dd", { class: "hint" }, column.description)))));
  }
  const by = ["integrated", "share", "requirement"].find((name) => columns.some((column) => column.name === name));
  const sorted = by ? [...answer.rows].sort((a, b) => (b[by] ?? 0) - (a[by] ?? 0)) : answer.rows;
  return section(table(view, shown, sorted, answer));
}

function table(view, columns, sorted, answer) {
  const body = el("tbody", {});
  const line = (row) => el("tr", {}, columns.map((column, at) => {
    const cell = value(view, column, row);
    const look = column.kind === "text" ? null : "number";
    return at === 0 ? el("th", { scope: "row" }, cell) : el("td", { class: look }, cell);
  }), answer.above && el("td", {}, el("a", { href: companyHash(view.job, view.company, row.owner), "aria-label": `Chains from ${label(answer.names, row.owner)}` }, "Chains")));
  body.append(...sorted.slice(0, FIRST_ROWS).map(line));
  const headers = columns.map((column) => el("th", { scope: "col", class: column.kind === "text" ? null : "number", title: column.description }, plain(column.name)));
  const node = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Rows of the company" },
    el("table", {}, el("thead", {}, el("tr", {}, headers, answer.above && el("th", { scope: "col" }, el("span", { class: "unseen" }, "Chains")))), body));
  const rest = sorted.slice(FIRST_ROWS);
  const more = rest.length > 0 && el("button", { type: "button", class: "quiet", on: { click() { body.append(...rest.map(line)); more.remove(); } } }, `Show all ${count(sorted.length)}`);
  const cutOff = answer.total > sorted.length && el("p", { class: "hint" }, `The first ${count(sorted.length)} of ${count(answer.total)}; the files have all.`);
  return [node, more, cutOff];
}
