// The chains that make somebody an owner, each with its product.

import { el } from "./dom.js";
import { companyHash, isGroup, label } from "./links.js";
import { percent, several } from "./words.js";

/** `highlight` takes the paths to show in the picture. */
export function chainsSection({ job, company, owner, above, integrated, names }, highlight) {
  const title = owner ? `Chains from ${label(names, owner)}` : "The largest chains";
  const stakes = new Map(above.stakes.map((stake) => [`${stake.owner}\n${stake.owned}`, stake.share]));
  const items = above.chains.map((chain) => item(job, chain, stakes, names, highlight));
  return el("section", { class: "card", "aria-labelledby": "chains" },
    el("h2", { id: "chains" }, title),
    owner && el("p", {}, held(label(names, owner), label(names, company), integrated.get(owner)), " ",
      el("a", { href: companyHash(job, company) }, "Show all owners"),
      isGroup(owner) || owner === company ? null : [" · ", el("a", { href: companyHash(job, owner) }, `Who owns ${label(names, owner)}?`)]),
    items.length > 0 ? el("ol", { class: "chains" }, items) : el("p", {}, "No chain of recorded stakes leads from there to here."),
    rests(above, names), left(above));
}

const held = (owner, company, share) => (share === undefined ? `The result has no share of ${owner} in ${company}.` : `${owner} holds ${percent(share)} of ${company} in all.`);

function item(job, chain, stakes, names, highlight) {
  const steps = chain.path.map((name, at) => {
    const next = chain.path[at + 1];
    const share = next === undefined ? null : el("span", { class: "step" }, ` ${percent(stakes.get(`${name}\n${next}`))} → `);
    const shown = isGroup(name) ? el("span", {}, name) : el("a", { href: companyHash(job, name) }, label(names, name));
    return [shown, share];
  });
  const button = el("button", { type: "button", class: "small", "aria-pressed": "false" }, "Follow");
  button.setAttribute("aria-label", `Follow the chain ${chain.path.map((id) => label(names, id)).join(", ")} in the picture`);
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    for (const other of button.closest("ol").querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(on));
    highlight(on ? [chain.path] : []);
  });
  return el("li", {}, el("span", { class: "path" }, steps), el("b", { class: "number" }, percent(chain.share)), button);
}

/** How much of what the owners hold these chains do not show. */
function rests(above, names) {
  const open = above.rest.filter((rest) => rest.through !== "nothing");
  if (open.length === 0) return null;
  const through = (rest) => (rest.through === "cycles" ? "through cycles" : "through further chains and cycles");
  return el("ul", { class: "rests" }, open.map((rest) => el("li", {}, `${label(names, rest.owner)}: another ${percent(rest.rest)} ${through(rest)}.`)));
}

function left({ complete, cut, chains, not_followed: open }) {
  if (complete) return null;
  const why = [cut.chains && `only the ${several(chains.length, "largest chain")} are shown`, cut.companies && `the holders of ${several(open.length, "company", "companies")} were not looked up`,
    cut.hops && "chains of more than 16 stakes were not followed"].filter(Boolean);
  return el("p", { class: "hint" }, `There are more: ${why.join("; ")}.`);
}
