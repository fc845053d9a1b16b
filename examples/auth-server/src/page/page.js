// The access token lives in this variable. The refresh token is in a cookie that no script can read.
let access = null;
let expiresAt = 0;
let lifetime = 1;

const $ = (id) => document.getElementById(id);
const tabs = new BroadcastChannel("auth-server");

function log(text, bad = false) {
  const line = document.createElement("li");
  line.textContent = `${new Date().toLocaleTimeString()}  ${text}`;
  line.classList.toggle("bad", bad);
  $("log").prepend(line);
}

// Only displayed and never trusted, because the server verifies the token.
function claims(token) {
  const base64 = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

function show() {
  $("outside").hidden = access !== null;
  $("inside").hidden = access === null;
  if (access === null) {
    $("who").textContent = "not logged in";
    return;
  }
  const held = claims(access);
  $("who").textContent = `${held.name} (${held.role})`;
  $("claims").textContent = JSON.stringify(held, null, 2);
}

async function send(method, path, { body, bearer } = {}) {
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (bearer) headers.Authorization = `Bearer ${access}`;
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  const text = await answer.text();
  const content = text ? JSON.parse(text) : {};
  log(`${method} ${path}: ${answer.status}${content.error ? ` ${content.error}` : ""}`, !answer.ok);
  return { status: answer.status, ok: answer.ok, content };
}

function take({ access_token, expires_in }) {
  access = access_token;
  lifetime = expires_in;
  expiresAt = Date.now() + expires_in * 1000;
  show();
}

function leave() {
  access = null;
  show();
}

// After a failure the silent refresh waits, longer each time, so that it does not add load to a failing server.
let retryAt = 0;
let pause = 1000;
function settle(done) {
  pause = done ? 1000 : Math.min(2 * pause, 30_000);
  retryAt = done ? 0 : Date.now() + pause;
  return done;
}

// One tab at a time. The server accepts several at once; this only saves work.
let refreshing = null;
function refresh() {
  refreshing ??= navigator.locks.request("refresh", async () => {
    const { status, ok, content } = await send("POST", "/token/refresh");
    if (ok) take(content);
    // Only an answer about the token ends the session here. A 503, or no network, ends nothing.
    else if (status === 400) {
      leave();
      // The browser has two cookies of this name, so every refresh is refused until one is gone.
      if (content.error === "doubled_cookie") await send("POST", "/logout");
    }
    return ok;
  }).catch((error) => {
    log(`no answer: ${error.message}`, true);
    return false;
  }).then(settle).finally(() => { refreshing = null; });
  return refreshing;
}

// Calls the API. If the access token has expired, refreshes it and calls once more.
async function api(method, path) {
  const first = await send(method, path, { bearer: true });
  if (first.status !== 401) return first;
  return (await refresh()) ? send(method, path, { bearer: true }) : first;
}

async function devices() {
  if (access === null) return;
  const { ok, content } = await api("GET", "/sessions");
  if (!ok) return;
  const time = (seconds) => new Date(seconds * 1000).toLocaleString();
  $("devices").replaceChildren(...content.sessions.map((session) => {
    const row = document.createElement("tr");
    const name = session.device + (session.current ? " (this one)" : "");
    for (const text of [name, time(session.created_at), time(session.refreshed_at)]) {
      row.insertCell().textContent = text;
    }
    const end = document.createElement("button");
    end.textContent = "End";
    end.addEventListener("click", async () => {
      await api("DELETE", `/sessions/${encodeURIComponent(session.id)}`);
      if (session.current) await refresh();
      devices();
    });
    row.insertCell().append(end);
    return row;
  }));
}

const form = () => Object.fromEntries(new FormData($("credentials")));

async function login() {
  const { ok, content } = await send("POST", "/login", { body: form() });
  if (!ok) return;
  $("credentials").reset();
  take(content);
  devices();
  tabs.postMessage("in");
}

$("credentials").addEventListener("submit", (event) => {
  event.preventDefault();
  login();
});
$("register").addEventListener("click", async () => {
  if ($("credentials").reportValidity() && (await send("POST", "/register", { body: form() })).ok) login();
});
$("call").addEventListener("click", () => api("GET", "/"));
$("call-admin").addEventListener("click", () => api("GET", "/admin"));
$("refresh").addEventListener("click", () => refresh().then(devices));
$("logout").addEventListener("click", async () => {
  // A 503 means that the session may still live, so the page keeps its token.
  if ((await send("POST", "/logout")).ok) {
    leave();
    tabs.postMessage("out");
  }
});
$("logout-all").addEventListener("click", async () => {
  if ((await api("POST", "/logout/all")).ok) {
    leave();
    tabs.postMessage("out");
  }
});
tabs.addEventListener("message", ({ data }) => {
  log(`another tab has logged ${data}`);
  if (data === "out") leave();
  else refresh().then(devices);
});

// Refreshes silently half a minute before the token expires, or after half of a short lifetime.
setInterval(() => {
  if (access === null) return;
  const left = Math.max(0, (expiresAt - Date.now()) / 1000);
  $("left").textContent = `${Math.floor(left / 60)}:${String(Math.floor(left % 60)).padStart(2, "0")} left`;
  $("progress").value = left / lifetime;
  if (left < Math.min(30, lifetime / 2) && refreshing === null && Date.now() >= retryAt) {
    log("silent refresh");
    refresh().then(devices);
  }
}, 1000);

log("looking for a session");
await refresh();
show();
devices();
