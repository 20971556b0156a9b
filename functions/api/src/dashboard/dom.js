// Elements from data. Text is always text: nothing here reads markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (value === true) {
      node.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, String(value));
    }
  }
  put(node, children);
  return node;
}

function put(node, children) {
  for (const child of children) {
    if (Array.isArray(child)) put(node, child);
    else if (child !== null && child !== undefined && child !== false) node.append(child);
  }
}

/** An HTML element; strings among the children become text. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

/** Replaces what is in a node. */
export function show(node, ...children) {
  node.replaceChildren();
  put(node, children);
}

/** Tells people who do not see the page what has changed. */
export function announce(text) {
  document.getElementById("said").textContent = text;
}

let count = 0;

/** An id that no other element has. */
export function fresh(name) {
  count += 1;
  return `${name}-${count}`;
}

/** Something went wrong: what, and a way on. */
export function trouble(title, text, again) {
  return el("div", { class: "notice bad", role: "alert" },
    el("h2", {}, title), el("p", {}, text),
    again && el("button", { type: "button", on: { click: again } }, "Try again"));
}

/** Nothing is there yet. */
export function empty(title, text) {
  return el("div", { class: "empty" }, el("p", { class: "empty-title" }, title), el("p", {}, text));
}
