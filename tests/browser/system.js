// What the tests run against: a server of their own, somebody to call back, and a browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { chromium } from "playwright-core";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const BINARY = process.env.STAKEGRAPH ?? here("../../target/debug/stakegraph-under-test");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const PICTURES = here("pictures");
/** A folder whose files stand in for those in the binary: to work on them without building. */
const FILES = process.env.DASHBOARD;

/** `stakegraph serve` on a folder of its own and a port that the system chooses. */
export async function serve() {
  const data = mkdtempSync(join(tmpdir(), "stakegraph-browser-"));
  const child = spawn(BINARY, ["serve", "--listen", "127.0.0.1:0", "--data", data], { stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface({ input: child.stderr });
  const url = await new Promise((found, failed) => {
    lines.on("line", (line) => { const at = line.match(/http:\/\/[0-9.:]+/); if (at) found(at[0]); });
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`${BINARY} ended with ${code}`)));
  });
  return {
    url,
    async stop() {
      lines.removeAllListeners("line");
      if (child.exitCode === null && child.signalCode === null) { child.kill("SIGKILL"); await once(child, "exit"); }
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Somebody who wants to be called back; `heard` are the ids of the events. */
export async function receiver() {
  const heard = [];
  const server = createServer((request, answer) => {
    heard.push(request.headers["webhook-id"]);
    request.resume().on("end", () => answer.writeHead(204).end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/done/{job_id}`, heard,
    async stop() { server.closeAllConnections(); server.close(); await once(server, "close"); },
  };
}

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });

export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 360, height: 740 };

/** A page that remembers what went wrong on it. */
export async function open(browser, url, { viewport = WIDE, colorScheme = "light" } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
  if (FILES) {
    await context.route("**/dashboard/*.*", (route) => {
      const name = new URL(route.request().url()).pathname.split("/").pop();
      const type = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" }[name.split(".").pop()];
      return route.fulfill({ body: readFileSync(join(FILES, name)), contentType: type });
    });
  }
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.wrong = [];
  page.on("pageerror", (error) => page.wrong.push(String(error)));
  page.on("dialog", (dialog) => { page.wrong.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("console", (message) => {
    // A refused request is told by the browser too; what the page makes of it is what counts.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) page.wrong.push(message.text());
  });
  await page.goto(url);
  return page;
}

/** Nothing ran that should not, nobody is kept out, and nothing reaches over the edge of the window. */
export async function sound(page, name) {
  assert.deepEqual(page.wrong, [], name);
  // By the debugger: the page itself may not run what it did not serve.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  const told = violations.map((one) => `${one.id}: ${one.help}\n  ${one.nodes.map((node) => node.html).join("\n  ")}`);
  assert.deepEqual(told, [], `${name}: barriers`);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${name}: ${over} pixels reach over the edge`);
}

/** The page in both widths and both colour schemes, each checked; pictures go to the folder `pictures`. */
export async function everywhere(page, name) {
  mkdirSync(PICTURES, { recursive: true });
  for (const [width, viewport] of [["wide", WIDE], ["narrow", NARROW]]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await sound(page, `${name}, ${width}, ${colorScheme}`);
      await page.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: "light" });
}

export const csv = (text) => Buffer.from(`owner,owned,share\n${text}`);

/** A group with holders in several layers, a ring of cross-holdings, and far more holders than can be drawn. */
export function group() {
  const rows = ["Ada Lind,Lind Holding,0.62", "Bo Lind,Lind Holding,0.38", "Lind Holding,Norda AB,0.7", "Norda AB,Ostra AB,0.4", "Ostra AB,Norda AB,0.12",
    "Lind Holding,Ostra AB,0.35", "Ostra AB,Ahlen & Sons,0.55", "Norda AB,Ahlen & Sons,0.2", "State Fund,Norda AB,0.1", "State Fund,Ahlen & Sons,0.05"];
  for (let holder = 1; holder <= 70; holder += 1) rows.push(`Holder ${String(holder).padStart(2, "0")},Ahlen & Sons,0.00${1 + (holder % 3)}`);
  // A finding: the same stake twice.
  rows.push("State Fund,Ahlen & Sons,0.01");
  return csv(`${rows.join("\n")}\n`);
}

/** A network that takes a while. */
export function slow() {
  const rows = [];
  for (let level = 1; level < 60; level += 1) {
    for (let company = 0; company < 1500; company += 1) {
      for (let holder = 0; holder < 4; holder += 1) {
        rows.push(`c${level - 1}-${(company * 7 + holder * 13 + level) % 1500},c${level}-${company},0.2`);
      }
    }
  }
  return csv(`${rows.join("\n")}\n`);
}

/** Fills in the form and asks for the job. */
export async function submit(page, { name, bytes, type, callback, parameters = {} }) {
  await page.getByLabel("File of stakes").setInputFiles({ name, mimeType: "text/csv", buffer: bytes });
  if (type) await page.locator(".submit").getByRole("combobox", { name: "Calculation" }).selectOption(type);
  if (callback) await page.getByLabel("Callback URL").fill(callback);
  if (Object.keys(parameters).length > 0) await page.getByText("Parameters and file format").click();
  for (const [label, value] of Object.entries(parameters)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByRole("button", { name: "Calculate" }).click();
}
