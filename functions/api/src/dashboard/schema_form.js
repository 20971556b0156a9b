// A form for the parameters of a job type, made of its JSON Schema.

import { el, fresh, show } from "./dom.js";
import { plain } from "./words.js";

/** A labelled control with a hint below it, and room for what is wrong with it. */
export function field(label, control, hint) {
  const id = fresh("field");
  const [hintId, errorId] = [`${id}-hint`, `${id}-error`];
  const error = el("p", { class: "error", id: errorId });
  control.id = id;
  control.setAttribute("aria-describedby", `${hint ? `${hintId} ` : ""}${errorId}`);
  const isCheck = control.type === "checkbox";
  const node = el("div", { class: isCheck ? "field check" : "field" },
    el("label", { for: id }, label), control, hint && el("p", { class: "hint", id: hintId }, hint), error);
  return {
    node, control,
    blame(text) {
      show(error, text);
      if (text) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

function choices(schema) {
  if (schema.enum) return schema.enum.filter((value) => value !== null);
  const variants = schema.oneOf ?? schema.anyOf ?? [];
  const constants = variants.filter((one) => "const" in one).map((one) => one.const);
  return constants.length === variants.length && constants.length > 0 ? constants : null;
}

function kind(schema) {
  const kinds = [schema.type ?? "string"].flat();
  return kinds.find((one) => one !== "null") ?? "string";
}

function select(values, chosen) {
  return el("select", {}, values.map((value) => el("option", { value, selected: value === chosen }, String(value))));
}

function control(schema) {
  const values = choices(schema);
  if (values) return select(values, schema.default);
  const type = kind(schema);
  if (type === "boolean") return el("input", { type: "checkbox", checked: schema.default === true });
  if (type === "number" || type === "integer") {
    return el("input", {
      type: "number", step: type === "integer" ? 1 : "any", inputmode: "decimal", value: schema.default,
      min: schema.minimum ?? schema.exclusiveMinimum, max: schema.maximum ?? schema.exclusiveMaximum,
    });
  }
  const text = typeof schema.default === "string" ? schema.default : JSON.stringify(schema.default ?? "");
  return el("input", { type: "text", value: schema.default === undefined || schema.default === null ? "" : text });
}

function range(schema) {
  const from = schema.minimum ?? schema.exclusiveMinimum;
  const to = schema.maximum ?? schema.exclusiveMaximum;
  if (from === undefined && to === undefined) return "";
  const upper = schema.exclusiveMaximum === undefined ? "to" : "to less than";
  return to === undefined ? ` From ${from}.` : ` From ${from ?? "any"} ${upper} ${to}.`;
}

function read(input, schema) {
  if (input.type === "checkbox") return input.checked;
  const type = kind(schema);
  if (type === "number" || type === "integer") return input.value === "" ? undefined : Number(input.value);
  if (type === "array" || type === "object") {
    try { return JSON.parse(input.value); } catch { return input.value; }
  }
  return input.value === "" ? undefined : input.value;
}

/** The form: its node, the values that differ from their defaults, and a way to blame a field. */
export function schemaForm(schema) {
  const fields = Object.entries(schema.properties ?? {}).map(([name, about]) => {
    const hint = `${about.description ?? ""}${range(about)}`.trim();
    return { name, about, ...field(plain(name), control(about), hint) };
  });
  return {
    node: el("div", { class: "fields" }, fields.map((one) => one.node)),
    values() {
      const given = fields.map(({ name, about, control: input }) => [name, read(input, about), about.default]);
      return Object.fromEntries(given.filter(([, value, usual]) => value !== undefined && value !== usual)
        .map(([name, value]) => [name, value]));
    },
    /** Shows a problem at its field; false if there is none of that name. */
    blame(name, text) {
      const found = fields.find((one) => one.name === name);
      found?.blame(text);
      return found ?? null;
    },
    clear() {
      for (const one of fields) one.blame("");
    },
  };
}
