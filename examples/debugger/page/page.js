// Asks the library and draws its answers. Whatever comes from a token is set as text, never as HTML.

import init, { answer } from "./debugger.js";

const at = (id) => document.getElementById(id);
const ALGORITHMS = {
  "A secret (HMAC)": ["HS256", "HS384", "HS512"],
  "RSA": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  "Elliptic curves": ["ES256", "ES384", "ES512", "ES256K", "EdDSA"],
  "ML-DSA": ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"],
};
const TITLES = {
  empty: "No token yet",
  unreadable: "✗ Not a token",
  none: "Not verified yet",
  valid: "✓ Valid",
  refused: "✗ Refused",
  key: "✗ The key cannot be used",
};
const LIFETIME_SECONDS = 15 * 60;

// The last key made here, so that its public half can be given to the verifier.
let made = { signing: "", verifying: "" };

const now = () => Date.now() / 1000;

function ask(request) {
  try {
    return JSON.parse(answer(JSON.stringify({ ...request, now: now() })));
  } catch (error) {
    // A trap leaves the library in an unknown state.
    at("broken").textContent = `The library has failed: ${error.message}. Please load the page again.`;
    at("broken").hidden = false;
    throw error;
  }
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function relative(seconds) {
  const distance = Math.round(seconds - now());
  const size = Math.abs(distance);
  const [divisor, unit] =
    size < 120 ? [1, "second"] : size < 7200 ? [60, "minute"] : size < 172_800 ? [3600, "hour"] : [86_400, "day"];
  return new Intl.RelativeTimeFormat("en").format(Math.round(distance / divisor), unit);
}

function date(row) {
  const made = element("time");
  const written = new Date(Math.floor(row.seconds) * 1000).toISOString();
  made.dateTime = written;
  const unit = row.in_milliseconds ? " if it is in milliseconds" : "";
  made.textContent = `${written.replace("T", " ").replace(".000Z", " UTC")}${unit}, ${relative(row.seconds)}`;
  return made;
}

function drawPart(name, part) {
  at(`${name}-rows`).replaceChildren(
    ...part.rows.map((row) => {
      const cells = [element("td", "", row.name), element("td", "", row.value)];
      if (row.meaning) cells[0].append(element("span", "meaning", row.meaning));
      if (row.seconds !== undefined) cells[1].append(date(row));
      const line = element("tr");
      line.append(...cells);
      return line;
    }),
  );
  at(`${name}-text`).textContent = part.text;
}

function item(text, code) {
  const made = element("li", "", code ? `${text} ` : text);
  if (code) made.append(element("span", "code", code));
  return made;
}

function drawToken(shown) {
  at("content").hidden = Boolean(shown.error);
  const problems = shown.error ? [{ text: shown.error }] : shown.problems;
  at("problems").hidden = problems.length === 0 || at("token").value.trim() === "";
  at("problem-list").replaceChildren(...problems.map(({ text, code }) => item(text, code)));
  if (shown.error) return;
  drawPart("header", shown.header);
  drawPart("payload", shown.payload);
  at("signature").textContent = `Signature: ${shown.signature_bytes} bytes.`;
}

let drawn = "";

function drawVerdict(result, shown) {
  // A screen reader may read out a text that is set again.
  const drawing = JSON.stringify([result, shown.error]);
  if (drawing === drawn) return;
  drawn = drawing;
  const { verdict } = result;
  const state = verdict !== "none" || !shown.error ? verdict : at("token").value.trim() ? "unreadable" : "empty";
  at("verdict").dataset.verdict = verdict;
  at("verdict-title").textContent = TITLES[state];
  const text = at("verdict-text");
  if (state === "empty") {
    text.textContent = "Paste one, or show an example.";
  } else if (state === "unreadable") {
    text.textContent = "It cannot be read; see below.";
  } else if (state === "none") {
    text.textContent = "Paste a key to verify it. Until then, everybody can have written this.";
  } else if (verdict === "valid") {
    const unchecked = result.unchecked.length ? ` Not checked: ${result.unchecked.join(", ")}.` : "";
    text.textContent = `Checked: ${result.checked.join("; ")}.${unchecked}`;
  } else {
    const signature = result.signature_valid ? " The signature is right." : "";
    text.replaceChildren(element("span", "code", result.code), ` ${result.text}.${signature}`);
  }
  at("verdict-notes").replaceChildren(...(result.notes ?? []).map((note) => item(note)));
  for (const badge of document.querySelectorAll("[data-badge]")) {
    badge.classList.toggle("verified", verdict === "valid");
    badge.textContent = verdict === "valid" ? "verified" : "not verified";
  }
}

// PEM and JSON say what they are.
const isSecret = (text) => text.trim() !== "" && !/^\s*\{|-----BEGIN/.test(text);
const pasted = (key, form) => ({ text: at(key).value, form: at(form).value });

function update() {
  const token = at("token").value;
  const shown = ask({ do: "inspect", token });
  const result = ask({
    do: "verify",
    token,
    key: pasted("key", "form"),
    issuer: at("issuer").value,
    audience: at("audience").value,
    typ: at("typ").value,
    allow_missing_expiration: at("no-exp").checked,
  });
  at("form-field").hidden = !isSecret(at("key").value);
  drawToken(shown);
  drawVerdict(result, shown);
}

function drawMade(verdict, title, text, code) {
  at("made").dataset.verdict = verdict;
  at("made-title").textContent = title;
  at("made-text").replaceChildren(...(code ? [element("span", "code", code), ` ${text}.`] : [text]));
  at("made-token-part").hidden = verdict !== "valid";
}

// What was made before does not belong to what is in the fields now.
function drawNothingMade() {
  at("make-form-field").hidden = !isSecret(at("make-key").value);
  drawMade("none", "No token yet", "Paste a key or make one, then make the token.");
}

function makeKey() {
  const result = ask({ do: "generate", algorithm: at("make-algorithm").value });
  if (result.error) {
    drawMade("refused", "✗ No key", result.error.text, result.error.code);
    return;
  }
  made = result;
  at("make-key").value = result.signing;
  drawNothingMade();
}

function makeToken() {
  const result = ask({
    do: "make",
    algorithm: at("make-algorithm").value,
    key: pasted("make-key", "make-form"),
    key_id: at("make-kid").value,
    typ: at("make-typ").value,
    claims: at("make-claims").value,
  });
  if (result.error) {
    drawMade("refused", "✗ No token", result.error.text, result.error.code);
    return;
  }
  drawMade("valid", "✓ Made", "Everyone who has the token can use it until it expires.");
  at("made-token").value = result.token;
  const hasPublic = made.signing === at("make-key").value && made.verifying !== made.signing;
  at("made-public-part").hidden = !hasPublic;
  at("made-public").textContent = hasPublic ? made.verifying : "";
}

function readMade() {
  at("token").value = at("made-token").value;
  at("key").value = made.signing === at("make-key").value ? made.verifying : at("make-key").value;
  at("form").value = at("make-form").value;
  update();
  at("read").scrollIntoView();
  at("token").focus({ preventScroll: true });
}

function setTimes() {
  let claims;
  try {
    claims = JSON.parse(at("make-claims").value);
  } catch (error) {
    drawMade("refused", "✗ The claims are not JSON", error.message);
    return;
  }
  drawNothingMade();
  const issued = Math.floor(now());
  at("make-claims").value = JSON.stringify({ ...claims, iat: issued, exp: issued + LIFETIME_SECONDS }, null, 2);
}

function showExample() {
  const key = ask({ do: "generate", algorithm: "HS256" });
  const issued = Math.floor(now());
  const claims = {
    iss: "https://auth.example",
    sub: "user123",
    aud: "https://api.example",
    iat: issued,
    exp: issued + LIFETIME_SECONDS,
    name: "Ann",
    roles: ["admin", "author"],
  };
  const token = ask({
    do: "make",
    algorithm: "HS256",
    key: { text: key.signing, form: "text" },
    key_id: "",
    typ: "",
    claims: JSON.stringify(claims),
  });
  at("token").value = token.token;
  at("key").value = key.signing;
  update();
}

function start() {
  for (const [label, names] of Object.entries(ALGORITHMS)) {
    const group = element("optgroup");
    group.label = label;
    group.append(...names.map((name) => element("option", "", name)));
    at("make-algorithm").append(group);
  }
  at("make-claims").value = JSON.stringify({ iss: "https://auth.example", sub: "user123", name: "Ann" }, null, 2);
  setTimes();
  at("read").addEventListener("input", update);
  at("make").addEventListener("input", drawNothingMade);
  at("example").addEventListener("click", showExample);
  at("new-key").addEventListener("click", makeKey);
  at("new-times").addEventListener("click", setTimes);
  at("make-token").addEventListener("click", makeToken);
  at("read-made").addEventListener("click", readMade);
  at("copy-made").addEventListener("click", () => navigator.clipboard.writeText(at("made-token").value));
  // A token expires while it is looked at. A selection would be lost.
  setInterval(() => {
    if (!document.hidden && getSelection().isCollapsed) update();
  }, 10_000);
  update();
  document.documentElement.dataset.ready = "yes";
}

try {
  await init({ module_or_path: fetch("debugger_bg.wasm") });
  start();
} catch (error) {
  at("broken").textContent = `The library cannot be loaded: ${error.message}`;
  at("broken").hidden = false;
}
