// The lists of the supervisor's page. Each row has one button, which opens what can be done with it.

import { clockTime, countFrom, dayTime, has, page, range, t } from "./common.js";
import { each, el, say, set } from "./draw.js";

const at = (id) => document.getElementById(id);

/** Returns what people call a queue. */
export function title(queue) {
  return page.titles[queue] ?? queue;
}

/** Returns how somebody in line is spoken of. */
export function who(entry) {
  return entry.printed || t("anonymous");
}

/** Returns when a promise is to be called. */
export function due(entry) {
  if (entry.slot_starts_at) {
    return t("line_due_slot", { start: dayTime(entry.slot_starts_at), end: clockTime(entry.slot_ends_at) });
  }
  return entry.due_at ? t("line_due_from", { at: dayTime(entry.due_at) }) : "";
}

export function drawTroubles(floor) {
  at("troubles-none").hidden = floor.problems.length > 0;
  say(at("troubles-none"), t("troubles_none"));
  const keyOf = (problem) => `${problem.kind} ${problem.what} ${problem.since}`;
  const made = () => el("li", {}, el("span", { class: "chip" }), " ", el("span"), " ", el("span", { class: "hint" }));
  each(at("troubles"), floor.problems, keyOf, made, (row, problem) => {
    row.dataset.kind = problem.kind;
    const [chip, text, todo] = row.querySelectorAll("span");
    set(chip, "data-state", problem.severity === "critical" ? "broken" : "at_risk");
    say(chip, t(`severity_${problem.severity}`));
    const word = has(`problem_${problem.kind}`) ? `problem_${problem.kind}` : "problem_other";
    const since = problem.since ? ` (${clockTime(problem.since)})` : "";
    say(text, t(word, { kind: problem.kind, what: nameOf(problem, floor) }) + since);
    say(todo, has(`do_${problem.kind}`) ? t(`do_${problem.kind}`) : "");
  });
}

/** Returns what a problem is about in words: a promise is no number to anybody. */
function nameOf(problem, floor) {
  const entry = floor.line.find((one) => one.id === problem.what);
  if (entry) return `${who(entry)} (${title(entry.queue)})`;
  return problem.kind === "no_agents" ? title(problem.what) : problem.what;
}

export function drawLine(floor, open) {
  at("line-none").hidden = floor.line.length > 0;
  say(at("line-none"), t("line_none"));
  each(at("line"), floor.line, (entry) => entry.id, (entry) => makeRow(8, [0, 3], entry.id, open), (row, entry) => {
    const cells = row.children;
    row.dataset.state = entry.state;
    say(cells[0], entry.place === null ? t("unknown") : String(entry.place));
    chips(cells[1], [
      [entry.kind, t(`kind_${entry.kind}`)],
      ...(entry.urgent ? [["urgent", t("urgent")]] : []),
    ], who(entry));
    say(cells[2], title(entry.queue));
    countFrom(cells[3], entry.since);
    chips(cells[4], [[entry.state, t(`entry_${entry.state}`)]]);
    say(cells[5], entry.agent);
    say(cells[6], due(entry));
    name(row, t("act_on", { what: `${who(entry)}, ${title(entry.queue)}` }));
  });
}

export function drawAgents(floor, open) {
  each(at("agents"), floor.agents, (agent) => agent.name, (agent) => makeRow(6, [2, 4], agent.name, open), (row, agent) => {
    const cells = row.children;
    row.dataset.state = agent.state;
    say(cells[0], agent.name);
    const reason = agent.reason ? t(`pause_${agent.reason}`) || agent.reason : "";
    const away = agent.phone_registered ? "" : t("agent_phone_away");
    const recording = agent.recording ? `recording_${agent.recording}` : "";
    const marks = [[agent.state, t(`agent_${agent.state}`)], ...(recording ? [[recording, t(recording)]] : [])];
    chips(cells[1], marks, [reason, away].filter(Boolean).join(" / "));
    countFrom(cells[2], agent.since);
    say(cells[3], agent.queue ? title(agent.queue) : agent.queues.map(title).join(", "));
    say(cells[4], String(agent.talks_today));
    name(row, t("act_on", { what: agent.name }));
  });
}

export function drawQueues(floor, open) {
  each(at("queues"), floor.queues, (queue) => queue.name, (queue) => makeRow(7, [2, 3, 4], queue.name, open), (row, queue) => {
    const cells = row.children;
    say(cells[0], title(queue.name));
    const word = queue.is_open ? "queue_open" : "queue_closed";
    chips(cells[1], [[queue.is_open ? "open" : "closed", t(word)]], whyClosed(queue));
    say(cells[2], String(queue.live));
    say(cells[3], `${queue.promises_due} / ${queue.promises_later}`);
    say(cells[4], `${queue.agents_free} / ${queue.agents_on_duty}`);
    say(cells[5], queue.expected ? range(queue.expected.low_s, queue.expected.high_s) : t("unknown"));
    name(row, t("act_on", { what: title(queue.name) }));
  });
}

/** Returns why a queue is closed, or until when. */
export function whyClosed(queue) {
  if (queue.closed_by) {
    const until = queue.closed_until ? t("queue_until", { at: dayTime(queue.closed_until) }) : t("queue_until_opened");
    return t("queue_closed_by", { by: queue.closed_by, until });
  }
  return !queue.is_open && queue.opens_at ? t("queue_opens", { at: dayTime(queue.opens_at) }) : "";
}

function makeRow(count, numbers, id, open) {
  const button = el("button", { type: "button", class: "second act", "aria-haspopup": "dialog" }, t("act"));
  button.addEventListener("click", () => open(id));
  const cells = Array.from({ length: count - 1 }, (_, nth) =>
    el(nth === 0 ? "th" : "td", { class: numbers.includes(nth) ? "number" : null, scope: nth === 0 ? "row" : null }));
  return el("tr", {}, ...cells, el("td", {}, button));
}

function name(row, text) {
  set(row.querySelector(".act"), "aria-label", text);
}

function chips(cell, marks, text = "") {
  const key = JSON.stringify([marks, text]);
  if (cell.dataset.shown === key) return;
  cell.dataset.shown = key;
  const made = marks.map(([state, word]) => el("span", { class: "chip", "data-state": state }, word));
  cell.replaceChildren(...made.flatMap((chip) => [chip, " "]), text);
}
