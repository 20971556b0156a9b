// Asking for a job: a file, what to calculate, and how.

import { Gone, Problem, jobTypes, post, upload } from "./api.js";
import { announce, el, show, trouble } from "./dom.js";
import { field, schemaForm } from "./schema_form.js";
import { bytes, plain } from "./words.js";

const USUAL = "integrated-ownership";

/** The form. `signal` ends what it has begun. */
export function submitForm(signal) {
  const node = el("section", { class: "card submit", "aria-labelledby": "new-job" });
  load(node, signal);
  return node;
}

async function load(node, signal) {
  show(node, heading(), el("p", { class: "loading" }, "Loading…"));
  try {
    const types = await jobTypes(signal);
    if (!signal.aborted) show(node, heading(), form(types, signal));
  } catch (error) {
    if (!signal.aborted) show(node, heading(), trouble("The form cannot be shown", error.message, () => load(node, signal)));
  }
}

const heading = () => el("h2", { id: "new-job" }, "New calculation");

function dropZone(chosen) {
  const input = el("input", { type: "file" });
  const file = field("File of stakes", input, "A table with columns owner, owned and share, or a register's file. Drop it here, or choose it.");
  const name = el("p", { class: "chosen", "aria-live": "polite" });
  file.node.classList.add("drop");
  file.node.append(name);
  const told = () => {
    const [one] = input.files;
    name.textContent = one ? `${one.name}, ${bytes(one.size)}` : "";
    file.node.classList.toggle("has-file", Boolean(one));
    file.blame("");
    chosen();
  };
  input.addEventListener("change", told);
  for (const event of ["dragenter", "dragover"]) {
    file.node.addEventListener(event, (drag) => { drag.preventDefault(); file.node.classList.add("over"); });
  }
  file.node.addEventListener("dragleave", () => file.node.classList.remove("over"));
  file.node.addEventListener("drop", (drop) => {
    drop.preventDefault();
    file.node.classList.remove("over");
    if (drop.dataTransfer.files.length > 0) { input.files = drop.dataTransfer.files; told(); }
  });
  return file;
}

function parts(types) {
  const options = types.map((type) => el("option", { value: type.name, selected: type.name === USUAL }, plain(type.name)));
  return {
    type: field("Calculation", el("select", {}, options), " "),
    values: field("Values of companies", el("input", { type: "file" }), "A second file with the columns company and value."),
    unit: field("Shares are", el("select", {}, el("option", { value: "" }, "fractions, 0 to 1"), el("option", { value: "percent" }, "percent, 0 to 100")), ""),
    columns: field("Columns", el("input", { type: "text", placeholder: "owner,owned,share", spellcheck: "false" }), "Only where the header has other names: owner, owned and share, with commas between."),
    callback: field("Callback URL", el("input", { type: "url", placeholder: "https://…", spellcheck: "false" }), "Told once the job ends; may contain {job_id}."),
  };
}

function form(types, signal) {
  const all = parts(types);
  const more = el("details", { class: "more" });
  const file = dropZone(() => { more.open = more.open || false; });
  let parameters = null;
  const choose = () => {
    const type = types.find((one) => one.name === all.type.control.value);
    all.type.node.querySelector(".hint").textContent = type.summary;
    all.values.node.hidden = !type.takes_values;
    parameters = schemaForm(type.parameters);
    show(more, el("summary", {}, "Parameters and file format"), el("div", { class: "fields" }, all.unit.node, all.columns.node), parameters.node);
  };
  all.type.control.addEventListener("change", choose);
  choose();
  const outcome = el("div", { class: "outcome" });
  const button = el("button", { type: "submit", class: "main" }, "Calculate");
  const node = el("form", { novalidate: true }, file.node,
    el("div", { class: "fields" }, all.type.node, all.values.node, all.callback.node), more, outcome, button);
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    const state = { all, file, more, parameters, outcome };
    clear(state);
    button.disabled = true;
    try {
      await submit(state, signal);
    } catch (error) {
      if (!signal.aborted) blame(error, state);
    }
    button.disabled = false;
  });
  return node;
}

function clear({ all, file, parameters, outcome }) {
  for (const one of [...Object.values(all), file]) one.blame("");
  parameters.clear();
  show(outcome);
}

async function put(file, what, outcome, signal) {
  const bar = el("progress", { max: 100, value: 0, "aria-label": `Putting up ${what}` });
  show(outcome, el("p", {}, `Putting up ${what}…`), bar);
  return upload(file, (part) => { bar.value = Math.round(part * 100); }, signal);
}

async function submit({ all, file, parameters, outcome }, signal) {
  const [stakes] = file.control.files;
  if (!stakes) throw new Problem(400, { detail: "Choose a file first.", field: "input.upload" });
  // Checked before anything large travels.
  const columns = all.columns.control.value.split(",").map((one) => one.trim()).filter(Boolean);
  if (columns.length !== 0 && columns.length !== 3) {
    throw new Problem(400, { detail: "Give three names, or none.", field: "input.columns" });
  }
  const input = { name: stakes.name, upload: await put(stakes, stakes.name, outcome, signal) };
  if (columns.length === 3) input.columns = columns;
  if (all.unit.control.value) input.unit = all.unit.control.value;
  const [values] = all.values.control.files;
  if (values && !all.values.node.hidden) {
    input.values = { name: values.name, upload: await put(values, values.name, outcome, signal) };
  }
  const body = { type: all.type.control.value, input, parameters: parameters.values() };
  const callback = all.callback.control.value.trim();
  if (callback) body.callback_url = callback;
  const job = await post("jobs", body, signal);
  if (signal.aborted) return;
  announce("The job was accepted.");
  location.hash = `#/jobs/${job.id}`;
}

/** Shows a problem beside the field at fault, or below the form where it names none. */
function blame(error, { all, file, more, parameters, outcome }) {
  show(outcome);
  const name = error instanceof Problem ? error.field ?? "" : "";
  const found = name.startsWith("parameters.")
    ? parameters.blame(name.slice("parameters.".length), error.message)
    : fieldOf(name, all, file);
  if (!found) {
    show(outcome, trouble(error instanceof Gone ? "Nobody answers" : "The job was refused", error.message));
    return;
  }
  found.blame(error.message);
  if (more.contains(found.node)) more.open = true;
  announce(error.message);
  found.control.focus();
}

function fieldOf(name, all, file) {
  if (name === "type") return all.type;
  if (name === "callback_url") return all.callback;
  if (name.startsWith("input.values")) return all.values;
  if (name.startsWith("input.columns")) return all.columns;
  if (name === "input.unit") return all.unit;
  if (name.startsWith("input") || name === "size") return file;
  return null;
}
