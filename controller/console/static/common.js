// What every page of the console needs: its words, the server's clock, the API, and the stream of what happens.

export const page = JSON.parse(document.getElementById("page-data").textContent);

const QUIET_MS = 4500; // The server says something at least every 2 s.
const AGAIN_MS = 1000;
const AGAIN_LATER_MS = 10000;
const SAMPLES = 30;

/** Returns a word of the page with its fields filled in; "" for one that there is not. */
export function t(word, fields = {}) {
  return (page.words[word] ?? "").replace(/\{(\w+)\}/g, (whole, name) => fields[name] ?? whole);
}

/** Tells whether the page has a word. */
export function has(word) {
  return word in page.words;
}

// -- the time, as the server has it

const heard = [];

function here() {
  return performance.timeOrigin + performance.now();
}

/** Takes note of the server's time. News is late by its way here: of many, the least late is the nearest. */
function noteTime(at) {
  heard.push(Date.parse(at) - here());
  if (heard.length > SAMPLES) heard.shift();
}

/** Returns the server's time in ms since 1970. */
export function now() {
  return here() + (heard.length ? Math.max(...heard) : 0);
}

const clockFormat = new Intl.DateTimeFormat(page.language, {
  timeZone: page.zone,
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const exactFormat = new Intl.DateTimeFormat(page.language, {
  timeZone: page.zone,
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const dayFormat = new Intl.DateTimeFormat(page.language, {
  timeZone: page.zone,
  month: "numeric",
  day: "numeric",
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** Returns an instant as the clock on the wall shows it: `14:05`. */
export function clockTime(at) {
  return clockFormat.format(new Date(at));
}

/** Returns an instant to the second. */
export function exactTime(at) {
  return exactFormat.format(new Date(at));
}

/** Returns an instant with its day. */
export function dayTime(at) {
  return dayFormat.format(new Date(at));
}

/** Returns a length of time as a stop watch shows it: `0:42`, `12:05`, `1:02:05`. */
export function stopWatch(s) {
  const whole = Math.max(0, Math.floor(s));
  const [h, m, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(rest)}` : `${m}:${two(rest)}`;
}

/** Returns a length of time in one word: `42 s`, `12 min`, `3 h`. */
export function length(s) {
  if (s < 90) return t("seconds", { n: Math.max(0, Math.round(s)) });
  return s < 5400 ? t("minutes", { n: Math.round(s / 60) }) : t("hours", { n: Math.round(s / 3600) });
}

/** Returns a range of seconds in minutes, as it is announced: `3 to 6 min`. */
export function range(lowS, highS) {
  const [low, high] = [Math.max(0, Math.floor(lowS / 60)), Math.max(1, Math.ceil(highS / 60))];
  return low ? t("range", { low, high }) : t("range_below", { high });
}

/** Lets an element show how long ago an instant was, and go on counting; null: show nothing. */
export function countFrom(element, at) {
  const value = at ?? "";
  if (element.dataset.since === value) return;
  element.dataset.since = value;
  show(element);
}

function show(element) {
  const since = element.dataset.since;
  const text = since ? stopWatch((now() - Date.parse(since)) / 1000) : t("unknown");
  if (element.textContent !== text) element.textContent = text;
}

setInterval(() => {
  if (document.body.dataset.connection === "lost") return; // What is not known any more does not go on.
  for (const element of document.querySelectorAll("[data-since]")) show(element);
}, 250);

// -- the API

/** Why the API did not do something (RFC 9457). */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || t("fault"));
    this.status = status;
    this.problem = problem;
  }
}

/** Asks the API; returns what it answers, null for nothing. Throws Refusal. Who is signed out gets to sign in. */
export async function api(method, path, body, headers = {}) {
  const given = { method, cache: "no-store", headers: { Accept: "application/json", ...headers } };
  if (method !== "GET") given.headers["X-Orikaeshi"] = "1";
  if (body !== undefined) {
    given.headers["Content-Type"] = "application/json";
    given.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, given);
  } catch {
    throw new Refusal(0, { title: t("lost_at_once") });
  }
  if (answer.status === 401) location.reload();
  const text = await answer.text();
  let found = null;
  try {
    found = text ? JSON.parse(text) : null;
  } catch {
    found = {};
  }
  if (!answer.ok) throw new Refusal(answer.status, found ?? {});
  return found;
}

// -- what happens

let lastHeard = 0;

function connection(state) {
  if (document.body.dataset.connection !== state) {
    document.body.dataset.connection = state;
    const shown = document.getElementById("connection");
    const word = { lost: "lost_at_once", enough: "too_many_streams" }[state] ?? state;
    if (shown) shown.textContent = t(word);
  }
  const lost = document.getElementById("lost");
  if (!lost) return;
  lost.hidden = state === "live" || state === "connecting";
  if (lost.hidden) return;
  const age = length((here() - lastHeard) / 1000);
  const at = exactTime(lastHeard + now() - here());
  const word = state === "enough" ? "too_many_streams" : lastHeard ? "lost" : "lost_at_once";
  lost.textContent = t(word, { at, age });
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

/**
 * Follows the floor for as long as the page is open: `on.floor(data)` and `on.figures(data)` get what is sent.
 * `query` is that of GET /api/v1/events, such as `?numbers=masked`. Shows by `data-connection` of the body, and in
 * #connection and #lost where there are such, how old what is seen may be.
 */
export async function follow(on, query = "") {
  let cut = new AbortController();
  let alive = here();
  const hear = () => {
    alive = lastHeard = here();
    connection("live");
  };
  connection("connecting");
  setInterval(() => {
    if (here() - alive < QUIET_MS) return;
    if (document.body.dataset.connection !== "enough") connection("lost");
    if (here() - alive > 2 * QUIET_MS) {
      alive = here() - QUIET_MS; // A connection that is open and silent is as good as none.
      cut.abort();
    }
  }, 500);
  for (;;) {
    let wait = AGAIN_MS;
    cut = new AbortController();
    try {
      const answer = await fetch(`/api/v1/events${query}`, {
        cache: "no-store",
        headers: { Accept: "text/event-stream" },
        signal: cut.signal,
      });
      if (answer.status === 401 || answer.status === 403) location.reload();
      if (answer.status === 429) {
        connection("enough");
        wait = AGAIN_LATER_MS;
        cut.abort();
      } else if (answer.ok) {
        await read(answer.body, hear, on);
      }
    } catch (error) {
      if (!(error instanceof TypeError || error.name === "AbortError")) console.error(error);
    }
    await pause(wait);
  }
}

/** Reads a stream of events (HTML Standard, 9.2.6) to its end. */
async function read(body, hear, on) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    hear();
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) take(block, on);
  }
}

function take(block, on) {
  let name = "message";
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (!data) return;
  const told = JSON.parse(data);
  if (told.at) noteTime(told.at);
  on[name]?.(told);
}
