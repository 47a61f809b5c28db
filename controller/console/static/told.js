// What came of something, in the words of whoever pressed the button.

import { api, has, page, t } from "./common.js";
import { say, set } from "./draw.js";

const TYPE = /^urn:orikaeshi:problem:/;

/** Returns the kind of problem that the API told of, as `not-now`; "" when it could not even be asked. */
export function kindOf(error) {
  return String(error.problem?.type ?? "").replace(TYPE, "");
}

/** Returns why something was not done, in the language of the page. */
export function why(error) {
  const word = `problem_${kindOf(error)}`;
  return has(word) ? t(word) : error.message;
}

/** Tells whether it is worth to send the same again: nobody has refused it, nobody was there to take it. */
export function isWorthRepeating(error) {
  return error.status === 0 || error.status === 429 || error.status >= 500;
}

/** Returns the path of an agent's own operation. */
export function mine(what) {
  return `agents/${encodeURIComponent(page.agent)}/${what}`;
}

/** Returns something that nobody else has sent: a key under which a request may be repeated. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Has the API do what a button says, and tells in `said` at once that it was pressed, and then what came of it.
 * Returns whether it was done. A button that is at work takes no second press.
 */
export async function press(button, said, path, body, done = "done") {
  if (button.getAttribute("aria-busy") === "true") return false;
  const what = button.textContent.trim();
  set(button, "aria-busy", "true");
  tell(said, "doing", { what });
  try {
    await api("POST", path, body);
    tell(said, done, { what });
    return true;
  } catch (error) {
    tell(said, "not_done", { what, why: why(error) }, true);
    return false;
  } finally {
    set(button, "aria-busy", null);
  }
}

/** Puts a word of the page into a place that screen readers watch. */
export function tell(said, word, fields = {}, isBad = false) {
  said.classList.toggle("bad", isBad);
  say(said, t(word, fields));
}
