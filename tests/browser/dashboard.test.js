// The dashboard as people use it, in a real browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test as named } from "node:test";
import { NARROW, csv, everywhere, group, launch, open, receiver, serve, slow, sound, submit } from "./system.js";

const test = (name, run) => named(name, { timeout: 180_000 }, run);

let browser;
let server;
before(async () => { browser = await launch(); server = await serve(); }, { timeout: 60_000 });
after(async () => { await browser?.close(); await server?.stop(); });

const home = (options) => open(browser, `${server.url}/`, options);
const heading = (page) => page.getByRole("heading", { level: 1 });

test("nothing was calculated yet", async () => {
  const page = await home();
  await page.getByText("Nothing was calculated yet").waitFor();
  await everywhere(page, "empty");
  await page.context().close();
});

test("a file becomes a result, and the chains above a company can be followed", async () => {
  const page = await home();
  await submit(page, { name: "group.csv", bytes: group() });
  await page.getByRole("heading", { name: "Look up a company" }).waitFor();
  assert.equal(await heading(page).textContent(), "group.csv");
  assert.equal(await page.locator(".facts .badge").textContent(), "Done");
  await page.getByText("Duplicate").first().waitFor();
  await everywhere(page, "result");

  await page.getByLabel("Company", { exact: true }).fill("Ahl");
  await page.getByRole("link", { name: "Ahlen & Sons" }).click();
  await page.getByRole("heading", { name: "Who stands above it" }).waitFor();
  assert.equal(await heading(page).textContent(), "Ahlen & Sons");
  assert.match(await page.locator(".picture .fold title").first().textContent(), /\d+ further holders of Ahlen & Sons/);
  assert.ok(await page.locator(".picture a").count() <= 50);
  await everywhere(page, "company");

  // Choosing an owner in the picture, by keyboard, shows its chains.
  await page.locator(".picture").getByRole("link", { name: /^Ada Lind/ }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Chains from Ada Lind" }).waitFor();
  const first = page.locator(".chains > li").first();
  assert.match(await first.textContent(), /Ada Lind 62 % → Lind Holding/);
  assert.ok(await page.locator(".picture .edge.on").count() >= 3);
  await first.getByRole("button").click();
  assert.equal(await first.getByRole("button").getAttribute("aria-pressed"), "true");
  await everywhere(page, "chains");

  // A name on a chain leads to that company, and the way back works.
  await first.getByRole("link", { name: "Lind Holding" }).click();
  await page.getByRole("heading", { name: "Lind Holding", level: 1 }).waitFor();
  await page.getByText("Ada Lind").first().waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Chains from Ada Lind" }).waitFor();
  // A deep link opens the same.
  await page.reload();
  await page.getByRole("heading", { name: "Chains from Ada Lind" }).waitFor();
  await sound(page, "deep link");
  await page.context().close();
});

test("reports open and are saved", async () => {
  const page = await home();
  await submit(page, { name: "files.csv", bytes: csv("A,B,0.5\nB,C,0.5\n"), type: "structure" });
  await page.getByRole("heading", { name: "Files" }).waitFor();
  const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download result.csv" }).click()]);
  assert.equal(saved.suggestedFilename(), "result.csv");
  const [report] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("link", { name: /Open report.html/ }).click()]);
  await report.getByRole("heading", { level: 1 }).waitFor();
  await page.context().close();
});

test("a running job shows its stage and can be revoked and tried again", async () => {
  const page = await home();
  await submit(page, { name: "slow.csv", bytes: slow(), parameters: { Floor: "0" } });
  await page.locator(".stages .now").waitFor();
  await everywhere(page, "running");
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("heading", { name: "Revoked" }).waitFor();
  await everywhere(page, "revoked");
  const before = page.url();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.waitForURL((url) => url.href !== before);
  await page.getByRole("link", { name: "an earlier job" }).waitFor();
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("heading", { name: "Revoked" }).waitFor();
  await page.context().close();
});

test("a job that fails says where its file is wrong", async () => {
  const page = await home();
  await submit(page, { name: "wrong.csv", bytes: csv("A,B,0.5\nB,C,-0.2\n") });
  await page.getByRole("heading", { name: "Why it failed" }).waitFor();
  const said = await page.locator(".notice.bad").textContent();
  for (const word of ["Row3", "share", "-0.2", "share_negative"]) assert.ok(said.includes(word), `${word} in ${said}`);
  await everywhere(page, "failed");
  await page.context().close();
});

test("a problem stands beside the field at fault", async () => {
  const page = await home();
  await page.getByRole("button", { name: "Calculate" }).click();
  assert.equal(await page.getByLabel("File of stakes").getAttribute("aria-invalid"), "true");
  await submit(page, { name: "a.csv", bytes: csv("A,B,0.5\n"), callback: "http://10.0.0.1/", parameters: { Floor: "2" } });
  const floor = page.getByLabel("Floor", { exact: true });
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-invalid") === "true");
  assert.equal(await floor.evaluate((node) => node === document.activeElement), true);
  await page.getByText("2 is not a fraction from 0 to 1").first().waitFor();
  await everywhere(page, "refused");
  await floor.fill("0.1");
  await page.getByRole("button", { name: "Calculate" }).click();
  await page.locator("[aria-invalid='true']").and(page.getByLabel("Callback URL")).waitFor();
  await page.context().close();
});

test("names are text, whatever they are", async () => {
  const page = await home();
  const hostile = "<img src=x onerror=alert(1)>";
  await submit(page, { name: `${hostile}.csv`, bytes: csv(`"<script>alert(2)</script>","${hostile}",0.6\n"=1+1","${hostile}",0.2\n`) });
  await page.getByRole("heading", { name: "Look up a company" }).waitFor();
  assert.equal(await heading(page).textContent(), `${hostile}.csv`);
  await page.getByRole("link", { name: hostile, exact: true }).click();
  await page.getByRole("heading", { name: hostile, level: 1 }).waitFor();
  await page.locator(".picture a", { hasText: "<script>" }).waitFor();
  await everywhere(page, "hostile");
  await page.context().close();
});

test("companies are shown by the names that the file gives to their ids", async () => {
  const page = await home();
  await submit(page, { name: "network.bods.json", bytes: readFileSync(new URL("../data/inputs/network.bods.json", import.meta.url)) });
  await page.getByRole("heading", { name: "Look up a company" }).waitFor();
  const id = await page.locator(".suggestions .id").first().textContent();
  const link = page.locator(".suggestions a").first();
  const name = (await link.textContent()).replace(id, "").trim();
  assert.ok(name && name !== id, `${name} for ${id}`);
  await link.click();
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  await page.getByText(id).first().waitFor();
  await everywhere(page, "named");

  // A name is found by the beginning of a word in it, whatever the case, and return opens the first.
  const word = name.split(" ").at(-1).toLowerCase();
  await page.getByRole("link", { name: "network.bods.json" }).click();
  await page.getByLabel("Company", { exact: true }).fill(word);
  await page.locator(".suggestions a", { hasText: name }).waitFor();
  await everywhere(page, "found");
  await page.getByLabel("Company", { exact: true }).fill(id.toLowerCase());
  await page.getByLabel("Company", { exact: true }).press("Enter");
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  await page.context().close();
});

test("chains in words are told by names, and a name may hold what separates them", async () => {
  const page = await home();
  const odd = "Lind; Son > \"Co\"";
  const quoted = `"${odd.replaceAll('"', '""')}"`;
  await submit(page, { name: "odd.csv", bytes: csv(`${quoted},H 2,0.6\nH 2,B,0.9\n${quoted},B,0.05\n`), type: "beneficial-owners" });
  await page.getByRole("link", { name: "B", exact: true }).click();
  const chains = page.locator(".told-chains li");
  await chains.first().waitFor();
  assert.deepEqual(await chains.allTextContents(), [`${odd} → H 2 → B 54 %`, `${odd} → B 5 %`]);
  await chains.first().getByRole("link", { name: odd }).click();
  await page.getByRole("heading", { name: odd, level: 1 }).waitFor();
  await page.context().close();
});

test("every type of calculation shows its rows", async () => {
  const page = await home();
  const types = await page.evaluate(async () => (await (await fetch("job-types")).json()).job_types.map((type) => type.name));
  // What needs more than stakes has files of its own.
  for (const type of types.filter((name) => ["beneficial-owners", "company-control", "katz", "network-control", "structure"].includes(name))) {
    await page.goto(`${server.url}/#/`);
    await submit(page, { name: `${type}.csv`, bytes: csv("alice,H,0.6\nbob,H,0.4\nH,B,0.7\nG,B,0.1\nbob,B,0.2\nB,G,0.8\nH,G,0.2\n"), type });
    await page.getByRole("link", { name: "B", exact: true }).click();
    await page.locator("#owners").waitFor();
    await page.locator("#owners ~ *").first().waitFor();
    await sound(page, type);
  }
  await page.context().close();
});

test("the end is told, logged and told again", async (t) => {
  const somebody = await receiver();
  t.after(() => somebody.stop());
  const page = await home();
  await submit(page, { name: "told.csv", bytes: csv("A,B,0.5\n"), type: "structure", callback: somebody.url });
  await page.getByRole("heading", { name: "Callback" }).waitFor();
  await page.getByRole("cell", { name: "delivered" }).first().waitFor();
  await page.getByRole("button", { name: "Deliver again" }).click();
  await page.getByRole("cell", { name: "delivered" }).nth(1).waitFor();
  assert.equal(somebody.heard.length, 2);
  assert.equal(new Set(somebody.heard).size, 1, "one id for ever");
  await everywhere(page, "deliveries");
  await page.context().close();
});

test("past jobs are listed, filtered and paged", async () => {
  const page = await home();
  await page.evaluate(async () => {
    for (let job = 0; job < 25; job += 1) {
      await fetch("jobs", { method: "POST", headers: { "content-type": "application/json" },
        body: JSON.stringify({ type: "katz", input: { stakes: [{ owner: "A", owned: "B", share: 0.5 }], name: `page ${job}` } }) });
    }
  });
  await page.locator(".filters").getByLabel("Calculation").selectOption("katz");
  await page.locator(".jobs li").nth(19).waitFor();
  await page.getByRole("button", { name: "Show older ones" }).click();
  await page.locator(".jobs li").nth(24).waitFor();
  await everywhere(page, "list");

  // The newest ones stay fresh below older ones that were asked for.
  let pretend = true;
  await page.route(/jobs\?limit/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    if (pretend && !route.request().url().includes("cursor")) Object.assign(body.jobs[0], { status: "PROGRESS", percentage: 7 });
    await route.fulfill({ response: answer, json: body });
  });
  await page.locator(".filters").getByLabel("Calculation").selectOption("");
  await page.locator(".filters").getByLabel("Calculation").selectOption("katz");
  await page.getByText("7 %").waitFor();
  await page.getByRole("button", { name: "Show older ones" }).click();
  await page.locator(".jobs li").nth(24).waitFor();
  pretend = false;
  await page.getByText("7 %").waitFor({ state: "detached" });
  assert.ok(await page.locator(".jobs li").count() >= 25, "older ones stay");
  await page.unroute(/jobs\?limit/);
  await page.getByLabel("State").selectOption("FAILURE");
  await page.getByText("None of these").waitFor();
  assert.match(page.url(), /status=FAILURE/);
  await page.context().close();
});

test("the API is documented on a page", async () => {
  const page = await open(browser, `${server.url}/docs`);
  await page.getByRole("heading", { name: "API", exact: true }).waitFor();
  await page.getByRole("link", { name: "POST /jobs", exact: true }).click();
  await everywhere(page, "docs");
  await page.context().close();
});

test("what is not there is said to be missing", async () => {
  const page = await open(browser, `${server.url}/#/jobs/01890a5d-ac96-774b-bcce-b302099a8057`);
  await page.getByText("there is no job").waitFor();
  await everywhere(page, "missing");
  await page.goto(`${server.url}/#/nowhere`);
  await page.getByText("There is no such page").waitFor();
  await page.context().close();
});

test("a server that is gone is noticed", async (t) => {
  const own = await serve();
  t.after(() => own.stop());
  const page = await open(browser, `${own.url}/`, { viewport: NARROW });
  await submit(page, { name: "slow.csv", bytes: slow(), parameters: { Floor: "0" } });
  await page.locator(".stages .now").waitFor();
  await own.stop();
  await page.getByText("The server does not answer").waitFor();
  await everywhere(page, "gone");
  await page.goto(`${own.url}/#/`).catch(() => {});
  await page.getByText("The jobs cannot be shown").waitFor();
  await everywhere(page, "gone-list");
  await page.context().close();
});
