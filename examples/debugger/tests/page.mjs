// The page in a real browser: what a user sees and does. `run` says how to start it.
//
// The tokens and key files come from node's own cryptography, so that the page is not only compared with itself.

import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";

// ES modules do not search NODE_PATH.
const puppeteer = createRequire(import.meta.url)("puppeteer-core");
const { CHROMIUM, PAGE, WORK } = process.env;
const screenshots = process.argv[2];
const SECRET = "a secret of more than thirty-two bytes";
const TYPES = { html: "text/html", css: "text/css", js: "text/javascript", wasm: "application/wasm" };

const files = await readdir(PAGE);
const served = [];
const server = createServer(async (request, response) => {
  served.push(request.url);
  const name = request.url === "/" ? "index.html" : request.url.slice(1);
  if (!files.includes(name)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": TYPES[name.split(".").pop()] }).end(await readFile(`${PAGE}/${name}`));
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const url = `http://127.0.0.1:${server.address().port}/`;

const now = Math.floor(Date.now() / 1000);
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const input = (header, claims) => `${encode(header)}.${encode(claims)}`;
const claims = (more) => ({ iss: "https://auth.example", iat: now, exp: now + 900, ...more });

function hs256(claims) {
  const text = input({ alg: "HS256", typ: "JWT" }, claims);
  return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
}

function signed(alg, key, claims, kid) {
  const text = input({ alg, kid }, claims);
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu"],
  userDataDir: `${WORK}/chromium`,
  protocolTimeout: 30_000,
});
const problems = [];
const page = await browser.newPage();
page.setDefaultTimeout(20_000);
page.on("pageerror", (error) => problems.push(`error on the page: ${error.message}`));
page.on("console", (message) => {
  if (message.type() === "error") problems.push(`console: ${message.text()}`);
});
page.on("request", (request) => {
  if (!request.url().startsWith(url) && !request.url().startsWith("data:")) problems.push(`request: ${request.url()}`);
});

const text = (selector) => page.$eval(selector, (element) => element.textContent);
const value = (selector) => page.$eval(selector, (element) => element.value);
const isShown = (selector) => page.$eval(selector, (element) => element.checkVisibility());

// As a paste does.
async function fill(selector, text) {
  await page.$eval(
    selector,
    (element, text) => {
      element.value = text;
      element.dispatchEvent(new Event("input", { bubbles: true }));
    },
    text,
  );
}

async function verdict(token, key) {
  await fill("#token", token);
  await fill("#key", key);
  return page.$eval("#verdict", (element) => element.dataset.verdict);
}

async function refusal(token, key) {
  assert.notEqual(await verdict(token, key), "valid");
  return text("#verdict-text .code");
}

async function screenshot(name, width, scheme) {
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setViewport({ width, height: 900 });
  assert.ok(
    await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
    `${name} is wider than its window`,
  );
  await page.screenshot({ path: `${screenshots}/${name}.png`, fullPage: true });
}

async function verifies() {
  assert.equal(await verdict(hs256(claims()), ""), "none");
  assert.equal(await text("#payload-rows td"), "ississuer");
  assert.equal(await text("[data-badge]"), "not verified");
  assert.equal(await verdict(hs256(claims()), SECRET), "valid");
  assert.equal(await text("[data-badge]"), "verified");
  assert.match(await text("#payload-rows time"), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, /);
  assert.match(await text("#verdict-text"), /with HS256; .* Not checked: iss, aud, typ\./);
  await page.select("#form", "base64");
  assert.equal(await verdict(hs256(claims()), Buffer.from(SECRET).toString("base64")), "valid");
  await page.select("#form", "text");
  console.log("HS256 with a secret as text and as base64");

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = rsa.publicKey.export({ type: "spki", format: "pem" });
  assert.equal(await verdict(signed("RS256", rsa.privateKey, claims()), pem), "valid");
  assert.equal(await isShown("#form-field"), false);
  assert.equal(await refusal(hs256(claims()), pem), "wrong_key_type");
  console.log("RS256 with a PEM file, which is never a secret");

  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = ({ publicKey }, kid) => ({ ...publicKey.export({ format: "jwk" }), kid, use: "sig" });
  const set = JSON.stringify({ keys: [jwk(other, "old"), jwk(ec, "new"), { kty: "unknown" }] });
  assert.equal(await verdict(signed("ES256", ec.privateKey, claims(), "new"), set), "valid");
  assert.match(await text("#verdict-notes"), /2 keys for ES256.*Entry 3 of the set/);
  assert.equal(await refusal(signed("ES256", ec.privateKey, claims(), "other"), set), "unknown_key");
  console.log("ES256 with a JWK set");
}

async function refuses() {
  assert.equal(await refusal(hs256(claims({ iat: now - 8000, exp: now - 7000 })), SECRET), "expired");
  assert.match(await text("#verdict-text"), /The signature is right/);
  assert.match(await text("#problem-list"), /the token has expired/);
  await screenshot("expired", 1200, "light");

  const [header, , signature] = hs256(claims()).split(".");
  const tampered = `${header}.${encode(claims({ admin: true }))}.${signature}`;
  assert.equal(await refusal(tampered, SECRET), "invalid_signature");

  const none = `${input({ alg: "none" }, claims())}.`;
  assert.equal(await refusal(none, SECRET), await text("#problem-list .code"));
  assert.match(await text("#problem-list"), /alg is none/);

  await verdict("a.b.c.d.e", "");
  assert.match(await text("#problem-list"), /JWE/);
  assert.equal(await isShown("#content"), false);

  await page.$eval("details:has(#issuer)", (details) => (details.open = true));
  await page.type("#issuer", "https://other.example");
  assert.equal(await refusal(hs256(claims()), SECRET), "wrong_issuer");
  await page.$eval("#issuer", (element) => (element.value = ""));
  console.log("an expired token, a changed one, one with alg none, and one of another issuer are refused");
}

async function showsHostileTokens() {
  const attack = '<img src=x onerror="window.hit=1">';
  const token = hs256(claims({ [attack]: attack, name: "a\u202eb" }));
  assert.equal(await verdict(token, SECRET), "valid");
  const hostile = `${input({ alg: attack, typ: attack, kid: attack }, { exp: attack, [attack]: [attack] })}.`;
  for (const pasted of [token, hostile]) {
    await verdict(pasted, JSON.stringify({ keys: [{ kty: attack, kid: attack }] }));
    assert.ok((await text("#content")).includes(attack));
    assert.equal(await page.evaluate(() => document.images.length), 0);
  }
  await screenshot("hostile", 1200, "dark");
  await fill("#token", token);
  assert.match(await text("#payload-rows"), /a\\u202eb/);
  assert.equal(await page.evaluate(() => window.hit), undefined);
  // What a script on the page could do, if there were one.
  const blocked = await page.evaluate(async () => {
    const outside = await fetch("https://outside.example/").then(() => "sent", () => "blocked");
    try {
      document.body.insertAdjacentHTML("beforeend", "<b>html</b>");
      return [outside, "set"];
    } catch {
      return [outside, "blocked"];
    }
  });
  assert.deepEqual(blocked, ["blocked", "blocked"]);
  // The two attempts above are logged as errors, and the first one appears as a request that was not sent.
  problems.splice(0, problems.length, ...problems.filter((problem) => !/outside\.example|TrustedHTML/.test(problem)));
  console.log("a token with HTML and with characters that steer the display is shown as text");
}

async function makes() {
  for (const algorithm of ["HS256", "ES256", "EdDSA", "RS256", "ML-DSA-44"]) {
    await page.select("#make-algorithm", algorithm);
    const start = Date.now();
    await page.click("#new-key");
    console.log(`made a key for ${algorithm} in ${Date.now() - start} ms`);
    await page.click("#make-token");
    assert.equal(await text("#made-title"), "✓ Made", `${algorithm}: ${await text("#made-text")}`);
    assert.equal(await isShown("#made-public-part"), algorithm !== "HS256");
    await page.click("#read-made");
    assert.equal(await value("#token"), await value("#made-token"));
    assert.equal(await page.$eval("#verdict", (element) => element.dataset.verdict), "valid");
    assert.ok(!(await value("#key")).includes("PRIVATE"));
  }
  assert.equal(await isShown("#made-token"), true);
  await fill("#make-claims", "{");
  assert.equal(await isShown("#made-token"), false, "a token is shown next to claims that it does not have");
  await page.click("#make-token");
  assert.equal(await text("#made-text .code"), "claims");
  assert.equal(await isShown("#made-token"), false);
}

async function isAccessible() {
  const unlabelled = await page.$$eval("input, select, textarea", (fields) =>
    fields.filter((field) => field.labels.length === 0).map((field) => field.id),
  );
  assert.deepEqual(unlabelled, []);
  // From the top of the page, Tab reaches the fields in their order.
  await page.evaluate(() => document.activeElement.blur());
  const reached = [];
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => document.activeElement.id));
  }
  const order = ["token", "example", "key", "make-algorithm", "make-key", "new-key", "make-claims", "make-token"];
  assert.deepEqual(reached.filter((id) => order.includes(id)).slice(0, order.length), order);
}

try {
  await page.goto(url);
  await page.waitForSelector("html[data-ready]");
  await screenshot("empty", 1200, "light");
  await verifies();
  await refuses();
  await showsHostileTokens();
  await makes();
  await page.reload();
  await page.waitForSelector("html[data-ready]");
  assert.equal(await value("#token"), "", "a token is still there after the page was loaded again");
  await isAccessible();
  await page.click("#example");
  assert.equal(await page.$eval("#verdict", (element) => element.dataset.verdict), "valid");
  await page.click("#new-key");
  await page.click("#make-token");
  await screenshot("wide-light", 1200, "light");
  await screenshot("wide-dark", 1200, "dark");
  await screenshot("narrow-light", 390, "light");
  await screenshot("narrow-dark", 390, "dark");
  assert.deepEqual(problems, []);
  assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length), 0);
  const unknown = served.filter((path) => path !== "/" && !files.includes(path.slice(1)));
  assert.deepEqual(unknown, [], "the page asked for other files");
  console.log("the page asked for nothing but its own files");
} catch (error) {
  console.error([...problems, await text("#broken")].join("\n"));
  throw error;
} finally {
  await browser.close();
  server.close();
}
