// The line: live callers and promises in one list, in the order in which they are served.

import { clockTime, countFrom, now, range, t } from "./common.js";
import { each, el, say, set } from "./draw.js";

const MOST = 60; // A wall shows no more; a phone need not scroll through more.
const NONE = "\u00a0";

/** Shows who waits and who is being served. */
export function drawLine(line) {
  const shown = line.slice(0, MOST);
  const waiting = line.filter((entry) => entry.state === "waiting").length;
  say(document.getElementById("line-count"), String(waiting));
  document.getElementById("nobody").hidden = line.length > 0;
  const more = document.getElementById("line-more");
  more.hidden = line.length <= MOST;
  if (!more.hidden) say(more, t("wb_more", { n: line.length - MOST }));
  each(document.getElementById("line"), shown, (entry) => entry.id, made, changed);
}

function cell(name, ...children) {
  return el("span", { class: `cell ${name}` }, el("span", { class: "of" }, t(`wb_${name}`)), ...children);
}

function made() {
  const value = (name) => el("span", { class: `value ${name}` });
  return el(
    "li",
    {},
    cell("place", value("at")),
    cell("who", value("chip kind"), " ", value("number caller"), " ", value("chip hurry")),
    cell("since", value("number came")),
    cell("wait", value("number waits")),
    cell("told", value("range"), " ", value("chip verdict")),
    cell("order", value("passes")),
    cell("state", value("chip doing"), " ", value("agent")),
  );
}

function changed(row, entry) {
  const part = (name) => row.querySelector(`.value.${name}`);
  const isWaiting = entry.state === "waiting";
  set(row, "class", `${entry.kind} ${entry.state}${isWaiting && entry.place === null ? " later" : ""}`);
  say(part("at"), isWaiting && entry.place !== null ? String(entry.place) : "–");
  say(part("kind"), t(`kind_${entry.kind}`));
  say(part("caller"), entry.number ?? t("anonymous"));
  part("hurry").hidden = !entry.urgent;
  set(part("hurry"), "data-state", "urgent");
  say(part("hurry"), t("urgent"));
  say(part("came"), clockTime(entry.since));
  countFrom(part("waits"), entry.since);
  drawTold(row, part, entry);
  say(part("passes"), entry.passed ? t("wb_passed", { n: entry.passed }) : isWaiting ? t("wb_in_order") : NONE);
  set(part("doing"), "data-state", entry.state);
  say(part("doing"), t(`entry_${entry.state}`));
  say(part("agent"), doing(entry));
}

function doing(entry) {
  const tries = entry.attempts_used ? t("wb_tries", { n: entry.attempts_used }) : "";
  const agent = entry.agent ? t("wb_with", { agent: entry.agent }) : "";
  return [agent, tries].filter(Boolean).join(" ") || NONE;
}

/** Shows what somebody was told, and how that stands: by the clock, and by how long it will probably take. */
function drawTold(row, part, entry) {
  const { text, endsAt } = told(entry);
  say(part("range"), text);
  set(row, "data-ends", endsAt);
  set(row, "data-expected", entry.state === "waiting" ? entry.expected?.low_s : null);
  judge(row);
}

function told(entry) {
  if (entry.told) {
    const at = clockTime(entry.told.at);
    const endsAt = Date.parse(entry.told.at) + 1000 * entry.told.high_s;
    return { text: `${range(entry.told.low_s, entry.told.high_s)} (${at})`, endsAt };
  }
  if (entry.slot_starts_at && entry.slot_ends_at) {
    const text = `${clockTime(entry.slot_starts_at)}–${clockTime(entry.slot_ends_at)}`;
    return { text, endsAt: Date.parse(entry.due_by ?? entry.slot_ends_at) };
  }
  if (entry.due_by) return { text: t("wb_by", { at: clockTime(entry.due_by) }), endsAt: Date.parse(entry.due_by) };
  if (entry.kind === "live") return { text: t("wb_not_told"), endsAt: null };
  const later = entry.due_at && Date.parse(entry.due_at) > now();
  return { text: later ? t("wb_from", { at: clockTime(entry.due_at) }) : t("wb_asap"), endsAt: null };
}

function judge(row) {
  const verdict = row.querySelector(".value.verdict");
  const endsAt = Number(row.dataset.ends);
  verdict.hidden = !endsAt;
  if (!endsAt) return;
  const expectedMs = row.dataset.expected === undefined ? 0 : 1000 * Number(row.dataset.expected);
  const state = now() > endsAt ? "broken" : now() + expectedMs > endsAt ? "at_risk" : "holds";
  set(verdict, "data-state", state);
  say(verdict, t(`wb_${state}`));
}

setInterval(() => {
  if (document.body.dataset.connection === "lost") return;
  for (const row of document.getElementById("line").children) judge(row);
}, 1000);
