// What was found in the data, in words.

import { el, empty } from "./dom.js";
import { percent, plain, sentence, several } from "./words.js";

/** The warnings of a job, each with how often, what was done and where. */
export function findingsSection(job) {
  const list = job.warnings.map((warning) => el("li", {},
    el("h3", {}, plain(warning.code), " ", el("span", { class: "times" }, several(warning.count, "time"))),
    el("p", {}, sentence(warning.message)),
    warning.examples.length > 0 && el("details", {}, el("summary", {}, warning.examples.length < warning.count ? "Some of the places" : "Where"),
      el("ul", { class: "examples" }, warning.examples.map((example) => el("li", {}, example))))));
  return el("section", { class: "card", "aria-labelledby": "findings" }, el("h2", { id: "findings" }, "How sure we are"),
    sureness(job.result ?? {}),
    list.length > 0 ? el("ul", { class: "findings" }, list) : empty("Nothing odd in the data", "No record was doubled, over 100 % or otherwise in need of a decision."));
}

function sureness(result) {
  const said = [];
  const rings = result.components;
  if (rings) {
    said.push(rings.count === 0 ? "No company holds a part of itself through others."
      : `${several(rings.count, "ring")} of companies that hold parts of each other; the largest has ${several(rings.largest, "member")}.`);
    if (rings.closed > 0) {
      said.push(`${several(rings.closed, "ring")} ${rings.closed === 1 ? "is" : "are"} closed: nobody outside holds a share, so who owns the members is undefined. Each counts as one owner, closed-group, of what is below it.`);
    }
  }
  if (typeof result.residual === "number") {
    said.push(result.residual === 0 ? "Put back into the equations, the numbers fit exactly." : result.residual < 1e-9 ? `Put back into the equations, the numbers fit to within ${result.residual.toExponential(0)}.`
      : `Put back into the equations, the numbers are off by ${result.residual.toExponential(1)}: use them with care.`);
  }
  if (result.balance?.checked > 0) {
    said.push(`For ${several(result.balance.checked, "company", "companies")} it was checked that the shares of the ultimate owners and the undisclosed share make up the whole.`);
  }
  if (result.left_out?.pairs > 0) {
    said.push(`${several(result.left_out.pairs, "pair")} below ${percent(result.left_out.floor)} each ${result.left_out.pairs === 1 ? "was" : "were"} left out of the result.`);
  }
  return said.length > 0 && el("ul", { class: "sureness" }, said.map((text) => el("li", {}, text)));
}
