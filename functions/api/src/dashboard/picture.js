// The owners of a company as a picture: columns of owners to the left, the company at the right.

import { el, svg } from "./dom.js";
import { layers } from "./layers.js";
import { companyHash, isGroup, label } from "./links.js";
import { cut, percent, several } from "./words.js";

const WIDTH = 148;
const HEIGHT = 30;
const ROW = 44;
const GAP = 80;
const EDGE = 14;
/** How far below its ends a line hangs that goes against the order of the columns. */
const SAG = 30;

/** The node to show; `highlight(paths)` lifts chains out, `settle()` brings the company into view. */
export function picture({ job, company, owner, above, integrated, names }) {
  const { columns, edges } = layers(company, above.stakes, { unlisted: above.unlisted, must: above.must });
  const last = columns.length - 1;
  const tallest = Math.max(...columns.map((column) => column.length));
  const sag = edges.some(({ from, to }) => to.column > from.column) ? SAG : 0;
  const size = { width: columns.length * WIDTH + last * GAP + 2 * EDGE, height: tallest * ROW + 2 * EDGE + 2 * sag };
  const x = (node) => EDGE + (last - node.column) * (WIDTH + GAP);
  const y = (node) => size.height / 2 + node.at * ROW;
  const open = new Set(above.not_followed);
  const lines = edges.map((edge) => line(edge, x, y));
  const boxes = columns.flat().map((node) => ({ node, box: node.folded ? foldBox(node, names, x, y) : nodeBox(node, { job, company, owner, open, integrated, names }, x, y) }));
  const drawing = svg("svg", { class: "picture", viewBox: `0 0 ${size.width} ${size.height}`, width: size.width, height: size.height, role: "group", "aria-label": `Owners of ${label(names, company)}, farther to the left those above them` },
    lines.map((one) => one.node), lines.map((one) => one.label), boxes.map((one) => one.box));
  const scroll = el("div", { class: "scroll drawing", tabindex: "0", role: "region", "aria-label": `Picture of the owners of ${label(names, company)}` }, drawing);
  return {
    node: el("div", {}, scroll, el("p", { class: "hint" }, legend(columns, edges, above))),
    highlight: (paths) => highlight(drawing, lines, boxes, paths),
    settle() { scroll.scrollLeft = scroll.scrollWidth; scroll.scrollTop = (scroll.scrollHeight - scroll.clientHeight) / 2; },
  };
}

function legend(columns, edges, above) {
  const drawn = columns.flat().filter((node) => !node.folded).length;
  const said = [`${several(drawn, "name")}, with what each holds in all. Choose one to follow its chains.`];
  if (edges.some((edge) => edge.back)) said.push("Dashed lines close a ring.");
  if (above.not_followed.length > 0) said.push("A dotted edge: who holds it was not looked up here.");
  return said.join(" ");
}

function nodeBox(node, { job, company, owner, open, integrated, names }, x, y) {
  const share = integrated.get(node.name);
  const isIt = node.name === company;
  const look = ["node", isIt && "it", node.name === owner && "chosen", open.has(node.name) && "open", isGroup(node.name) && "group"].filter(Boolean).join(" ");
  const name = label(names, node.name);
  const shown = cut(name, isIt ? 16 : 11);
  return svg("a", { href: companyHash(job, company, isIt ? null : node.name), class: look, transform: `translate(${x(node)} ${y(node) - HEIGHT / 2})` },
    shown !== name && svg("title", {}, name), svg("rect", { width: WIDTH, height: HEIGHT, rx: 6 }),
    svg("text", { x: 10, y: 20 }, shown),
    !isIt && svg("text", { x: WIDTH - 10, y: 20, class: "share" }, ` ${percent(share)}`));
}

function foldBox(node, names, x, y) {
  return svg("g", { class: "node fold", transform: `translate(${x(node)} ${y(node) - HEIGHT / 2})` },
    svg("title", {}, `${several(node.folded, "further holder")} of ${label(names, node.of)}, ${percent(node.share)} together`),
    svg("rect", { width: WIDTH, height: HEIGHT, rx: HEIGHT / 2 }),
    svg("text", { x: 14, y: 20 }, `+ ${several(node.folded, "holder")}`));
}

function line(edge, x, y) {
  const { from, to, share, back } = edge;
  let path;
  let at;
  if (to.column < from.column) {
    const [x1, y1, x2, y2] = [x(from) + WIDTH, y(from), x(to), y(to)];
    const bend = Math.min((x2 - x1) / 2, 80);
    path = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
    at = [x1 + 10 + 0.12 * Math.min(x2 - x1, 200), y1 + 0.1 * (y2 - y1) - 5];
  } else if (to.column > from.column) {
    // Against the order of the columns: below, from the middle of the owner to the middle of the owned.
    const [x1, y1, x2, y2] = [x(from) + WIDTH / 2, y(from) + HEIGHT / 2, x(to) + WIDTH / 2, y(to) + HEIGHT / 2];
    path = `M${x1} ${y1}C${x1} ${y1 + SAG} ${x2} ${y2 + SAG} ${x2} ${y2}`;
    at = [(x1 + x2) / 2 - 14, (y1 + y2) / 2 + 0.75 * SAG + 13];
  } else {
    // Within a column: by its right side.
    const [x1, y1, x2, y2] = [x(from) + WIDTH, y(from), x(to) + WIDTH, y(to)];
    const out = Math.max(x1, x2) + 34;
    path = `M${x1} ${y1}C${out} ${y1 - 18} ${out} ${y2 + 18} ${x2} ${y2 + 6}`;
    at = [x1 + 12, y1 - 12];
  }
  const width = 1 + 3 * Math.min(share, 1);
  const node = svg("path", { d: path, class: back ? "edge back" : "edge", "stroke-width": width.toFixed(2) });
  const label = svg("text", { x: at[0].toFixed(1), y: at[1].toFixed(1), class: "edge-share" }, percent(share));
  return { edge, node, label };
}

function highlight(drawing, lines, boxes, paths) {
  const on = new Set(paths.flatMap((path) => path.slice(1).map((owned, at) => `${path[at]}\n${owned}`)));
  const names = new Set(paths.flat());
  drawing.classList.toggle("following", paths.length > 0);
  for (const { edge, node, label } of lines) {
    const is = on.has(`${edge.from.name}\n${edge.to.name}`);
    node.classList.toggle("on", is);
    label.classList.toggle("on", is);
  }
  for (const { node, box } of boxes) box.classList.toggle("on", names.has(node.name));
}
