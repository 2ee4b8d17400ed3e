// The page in a real browser: npm test, with WORKER_RUNTIME naming the tool and CHROMIUM
// the browser. What a screenshot shows is in ../../docs/pictures; WORKER_RUNTIME_PICTURES=DIR makes
// them anew.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const tool = process.env.WORKER_RUNTIME ?? "worker-runtime";
const here = new URL(".", import.meta.url).pathname;
const axe = readFileSync(here + "../node_modules/axe-core/axe.min.js", "utf8");
let directory;
let browser;
const made = new Map();

/// Makes a report of the requests that `python3 requests.py KIND` prints, or of `requests` itself.
function makeReport(name, requests, ...options) {
  if (made.has(name)) return made.get(name);
  const root = `${directory}/${name}`;
  const input = requests ?? execFileSync("python3", [here + "requests.py", name], { maxBuffer: 1 << 28 });
  execFileSync(tool, ["--root", root, "pipe", "--durability", "none"], { input, maxBuffer: 1 << 28 });
  execFileSync(tool, ["--root", root, "report", "-o", `${root}.html`, ...options]);
  made.set(name, `file://${root}.html`);
  return made.get(name);
}

/// A page that tells of everything that it should not do.
async function open(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("dialog", (dialog) => {
    wrong.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url() !== address.split("#")[0]) wrong.push(`a request to ${request.url().slice(0, 200)}`);
  });
  await page.goto(address);
  await page.waitForSelector("main");
  return { page, wrong, close: () => context.close() };
}

async function accessible(page) {
  // In a world of its own: the page's policy lets no other script run.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  await session.send("Runtime.evaluate", { expression: axe, contextId: executionContextId });
  const answer = await session.send("Runtime.evaluate", {
    contextId: executionContextId, awaitPromise: true, returnByValue: true,
    expression: "axe.run().then((found) => found.violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 120) + ' ' + node.failureSummary.slice(0, 200)).slice(0, 3).join(' | ')))",
  });
  assert.deepEqual(answer.result.value, []);
}

const picture = async (page, name) => {
  if (process.env.WORKER_RUNTIME_PICTURES)
    await page.screenshot({ path: `${process.env.WORKER_RUNTIME_PICTURES}/report-${name}.png` });
};

before(async () => {
  directory = mkdtempSync(tmpdir() + "/report-");
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
});
after(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true, force: true });
});

test("shows the overview, and reads a transcript as a conversation", async () => {
  const { page, wrong, close } = await open(makeReport("readable"));
  assert.match(await page.title(), /main - worker-runtime/);
  assert.match(await page.locator(".overview").innerText(), /Workers\s+25\s/);
  await picture(page, "workers");
  await page.getByText("Build fixer").first().click();
  await page.waitForSelector(".entry");
  assert.match(page.url(), /#worker=build-fixer$/);
  assert.equal(await page.locator(".entry pre code").first().innerText(), "- cmake --preset release-lto\n+ cmake --preset release");
  // Tool data is a tree.
  await page.locator(".entry .data summary").first().click();
  await page.waitForSelector(".entry .data .leaf");
  assert.match(await page.locator(".entry .data").first().innerText(), /path: "ci\/nightly.log"/);
  // A long entry is folded.
  const fold = page.locator(".entry .fold").first();
  await fold.scrollIntoViewIfNeeded();
  assert.doesNotMatch(await page.locator(".entries").innerText(), /\[120\/282\]/);
  await picture(page, "conversation");
  await fold.click();
  await fold.waitFor({ state: "detached" });
  assert.match(await page.locator(".entries").innerText(), /\[120\/282\]/);
  assert.deepEqual(wrong, []);
  await close();
});

test("filters, sorts and searches", async () => {
  const { page, wrong, close } = await open(makeReport("readable"));
  await page.getByLabel("Filter Workers").fill("mail-1");
  assert.match(await page.locator(".workers .hits").innerText(), /10 of 25/);
  await page.getByLabel("Filter Workers").fill("");
  await page.getByLabel("Status").selectOption("cancelled");
  assert.match(await page.locator(".workers .hits").innerText(), /1 of 25/);
  await page.getByLabel("Status").selectOption("any status");
  await page.getByLabel("Order").selectOption("longest transcript");
  assert.match(await page.locator(".worker").first().innerText(), /10 entries/);
  await page.getByLabel("Search everything").fill("WHERE is my order 71");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".hit");
  assert.match(await page.locator(".results .hits").innerText(), /^1 found/);
  await page.locator(".hit").first().click();
  await page.waitForSelector(".entry.chosen");
  assert.match(page.url(), /#worker=mail-07&entry=3$/);
  await page.goBack();
  await page.waitForSelector(".hit");
  assert.deepEqual(wrong, []);
  await close();
});

test("links lead to a Worker, to an entry, and to nothing that is not there", async () => {
  const address = makeReport("readable");
  let opened = await open(address + "#worker=build-fixer&entry=8");
  await opened.page.waitForSelector(".entry.chosen");
  assert.match(await opened.page.locator(".entry.chosen").innerText(), /all 1,297 tests pass/);
  await opened.close();
  opened = await open(address + "#worker=nobody");
  assert.match(await opened.page.locator("main").innerText(), /There is no Worker nobody here/);
  assert.deepEqual(opened.wrong, []);
  await opened.close();
});

test("obeys the keyboard", async () => {
  const { page, wrong, close } = await open(makeReport("readable"));
  await page.keyboard.press("j");
  await page.waitForSelector(".entry");
  assert.match(page.url(), /worker=build-fixer/);
  await page.keyboard.press("j");
  await page.waitForFunction(() => location.hash === "#worker=mail-01");
  await page.keyboard.press("3");
  await page.waitForSelector(".log-rows.events .line");
  await page.keyboard.press("4");
  await page.waitForSelector(".log-rows.diagnostics .line");
  await page.keyboard.press("2");
  await page.waitForSelector("canvas");
  const sight = async () => (await page.locator(".timeline .hits").innerText()).split(",")[1];
  const all = await sight();
  await page.locator("canvas").focus();
  for (let times = 0; times < 6; ++times) await page.keyboard.press("+");
  assert.notEqual(await sight(), all);
  await page.keyboard.press("0");
  assert.equal(await sight(), all);
  await page.mouse.move(700, 400);
  await page.mouse.wheel(0, -600);
  await page.waitForTimeout(50);
  assert.notEqual(await sight(), all);
  const theme = await page.evaluate(() => document.documentElement.dataset.theme);
  await page.keyboard.press("t");
  assert.notEqual(await page.evaluate(() => document.documentElement.dataset.theme), theme);
  await page.keyboard.press("?");
  assert.ok(await page.locator("dialog").isVisible());
  await page.keyboard.press("Escape");
  assert.ok(!(await page.locator("dialog").isVisible()));
  await page.keyboard.press("/");
  await page.keyboard.type("order 10");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".hit");
  assert.deepEqual(wrong, []);
  await close();
});

test("content is only ever text", async () => {
  const address = makeReport("hostile");
  const { page, wrong, close } = await open(address);
  const look = async () => {
    assert.equal(await page.evaluate(() => window.ran), undefined);
    assert.equal(await page.locator("main img, main script, main iframe, main a[href^='javascript']").count(), 0);
  };
  await look();
  await page.locator(".worker").first().click();
  await page.waitForSelector(".entry");
  for (let step = 0; step < 60; ++step) {
    await page.locator(".entries").evaluate((element) => element.scrollBy(0, 400));
    await page.waitForTimeout(10);
    for (const summary of await page.locator(".entry .data details:not([open]) > summary").all()) await summary.click({ timeout: 500 }).catch(() => {});
    await look();
  }
  for (const fragment of ["view=events", "view=diagnostics", "view=timeline", "search=script", "worker=__proto__",
    "worker=%3C%2Fscript%3E", "entry=-1&worker=__proto__", "view=nothing", "%E0%A4%A"]) {
    await page.evaluate((hash) => { location.hash = hash; }, fragment);
    await page.waitForTimeout(80);
    await look();
  }
  await page.evaluate(() => { location.hash = "worker=__proto__"; });
  await page.waitForSelector(".entry");
  assert.match(await page.locator(".entry").innerText(), /special to JavaScript/);
  assert.deepEqual(wrong, []);
  await close();
});

test("controls and marks of direction are shown", async () => {
  const { page, close } = await open(makeReport("hostile") + "#search=a%00b");
  await page.waitForSelector(".hit");
  assert.match(await page.locator(".hit").first().innerText(), /a␀b␇c␛\[31mred\\u009b/);
  await close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`is accessible with ${colorScheme} colours`, async () => {
    const address = makeReport("readable");
    for (const fragment of ["", "#worker=build-fixer", "#view=timeline", "#view=events", "#view=diagnostics", "#search=order"]) {
      const { page, wrong, close } = await open(address + fragment, { colorScheme });
      await page.waitForTimeout(150);
      await accessible(page);
      if (fragment === "#worker=build-fixer" && colorScheme === "dark") await picture(page, "dark");
      if (fragment === "#view=timeline") await picture(page, `timeline-${colorScheme}`);
      assert.deepEqual(wrong, []);
      await close();
    }
  });
}

test("fits a telephone", async () => {
  const address = makeReport("readable");
  for (const fragment of ["", "#worker=build-fixer", "#view=timeline", "#view=events", "#search=order"]) {
    const { page, wrong, close } = await open(address + fragment, { viewport: { width: 390, height: 800 } });
    await page.waitForTimeout(100);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 390), `wider than the screen: ${fragment}`);
    await picture(page, `telephone-${fragment.replace(/\W/g, "") || "workers"}`);
    assert.deepEqual(wrong, []);
    await close();
  }
});

test("prints all of a transcript", async () => {
  const { page, close } = await open(makeReport("readable") + "#worker=build-fixer");
  await page.waitForSelector(".entry");
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator(".entry").count(), 8);
  assert.match(await page.locator(".conversation").innerText(), /\[120\/282\]/);
  await close();
});

test("stays quick with 1,000 Workers and 100,000 entries", async () => {
  const lines = [];
  for (let worker = 0; worker < 1000; ++worker) {
    lines.push(JSON.stringify({ op: "create_worker", worker_id: `w${worker}`, intent: { kind: "task", objective: "count" } }));
    for (let entry = 0; entry < 100; ++entry)
      lines.push(JSON.stringify({ op: "send_input", worker_id: `w${worker}`, kind: "user",
        content: `Entry ${entry} of worker ${worker}: ${"some words that say nothing at all ".repeat(6)}` }));
  }
  const address = makeReport("many", lines.join("\n"), "--events", "100000");
  const { page, wrong, close } = await open(address);
  assert.match(await page.locator(".overview").innerText(), /100,000/);
  assert.ok((await page.locator(".worker").count()) < 100, "only what is in sight is in the document");
  await page.evaluate(() => { location.hash = "search=Entry 99 of worker 999"; });
  await page.waitForSelector(".hit");
  await page.evaluate(() => { location.hash = "view=events"; });
  await page.waitForSelector(".line");
  await page.locator(".events.scroller").evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await page.waitForSelector("text=w999");
  assert.deepEqual(wrong, []);
  await close();
});
