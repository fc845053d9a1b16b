// The page in a real browser: what a user sees and does. `run` says how to start it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createServer } from "node:net";

// ES modules do not search NODE_PATH.
const puppeteer = createRequire(import.meta.url)("puppeteer-core");
const { CHROMIUM, SERVER, WORK } = process.env;
const PASSWORD = "correct horse battery staple";

const port = await new Promise((found) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => found(port));
  });
});
const url = `http://localhost:${port}/`;
const server = spawn(SERVER, {
  // A short lifetime, so that a silent refresh happens.
  env: { AUTH_LISTEN: `127.0.0.1:${port}`, AUTH_DATA: WORK, AUTH_ACCESS_SECONDS: "10" },
  stdio: ["ignore", "ignore", "inherit"],
});
const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu"],
  userDataDir: `${WORK}/chromium`,
  protocolTimeout: 30_000,
});
const problems = [];

async function open(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => problems.push(`error on the page: ${error.message}`));
  page.on("console", (message) => {
    // Chromium logs every 4xx as a failure to load; these are expected.
    const expected = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !expected) problems.push(`console: ${message.text()}`);
  });
  for (let tries = 0; ; tries += 1) {
    try {
      await page.goto(url);
      return page;
    } catch (error) {
      // The server may not be listening yet.
      if (tries > 100) throw error;
      await new Promise((later) => setTimeout(later, 50));
    }
  }
}

// Polled, because a background tab draws no frames.
const when = (page, condition, ...values) => page.waitForFunction(condition, { polling: 50 }, ...values);
const shown = (page, selector) => when(page, (selector) => !document.querySelector(selector).hidden, selector);
const inside = (page) => shown(page, "#inside");
const outside = (page) => shown(page, "#outside");
const logged = (page, text) => when(page, (text) => document.querySelector("#log").textContent.includes(text), text);
const devices = (page, count) =>
  when(page, (count) => document.querySelectorAll("#devices tr").length === count, count);
// Clicks like a mouse, even in a background tab.
const click = (page, selector) => page.$eval(selector, (element) => element.click());
const text = (page, selector) => page.$eval(selector, (element) => element.textContent);

async function enter(page, button) {
  await outside(page);
  await page.type("[name=name]", "ann");
  await page.type("[name=password]", PASSWORD);
  await click(page, button);
  await inside(page);
}

try {
  const laptop = browser.defaultBrowserContext();
  const first = await open(laptop);
  await enter(first, "#register");
  assert.equal(await text(first, "#who"), "ann (user)");
  assert.match(await text(first, "#claims"), /"iss": "http:\/\/localhost/);
  assert.equal(await first.evaluate(() => document.cookie), "", "no script can read the cookies");
  assert.equal(await first.evaluate(() => localStorage.length + sessionStorage.length), 0);
  console.log("registered, logged in, and no script can read a token from where it is kept");

  await click(first, "#call");
  await logged(first, "GET /: 200");
  await click(first, "#call-admin");
  await logged(first, "GET /admin: 403 insufficient_scope");

  // A second tab needs no login, and both stay logged in over silent refreshes.
  const second = await open(laptop);
  await inside(second);
  for (const tab of [first, second]) await logged(tab, "silent refresh");
  await Promise.all([click(first, "#refresh"), click(second, "#refresh")]);
  await click(first, "#call");
  await click(second, "#call");
  await logged(second, "GET /: 200");
  for (const tab of [first, second]) assert.ok(!(await text(tab, "#log")).includes("invalid_grant"));
  console.log("two tabs stayed logged in over silent refreshes");

  const phone = await open(await browser.createBrowserContext());
  await enter(phone, "#login");
  await click(first, "#refresh");
  await devices(first, 2);
  // A background tab is not drawn.
  await first.bringToFront();
  await first.setViewport({ width: 800, height: 1000 });
  await first.screenshot({ path: process.argv[2], fullPage: true });
  await first.$$eval("#devices tr", (rows) => {
    for (const row of rows) if (!row.textContent.includes("this one")) row.querySelector("button").click();
  });
  await devices(first, 1);
  await click(phone, "#call");
  await outside(phone);
  await logged(phone, "POST /token/refresh: 400 invalid_grant");
  console.log("one device ended another");

  await enter(phone, "#login");
  await click(first, "#logout-all");
  for (const page of [first, second]) await outside(page);
  await click(phone, "#call");
  await outside(phone);
  console.log("logged out everywhere: both tabs, and the other device");

  await enter(first, "#login");
  await inside(second);
  await click(second, "#logout");
  for (const page of [first, second]) await outside(page);
  await first.reload();
  await outside(first);
  assert.deepEqual(problems, []);
  console.log("logged in again, and out in both tabs");
} finally {
  await browser.close();
  server.kill();
}
