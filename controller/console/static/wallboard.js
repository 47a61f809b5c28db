// The wallboard: the floor as it is, drawn anew with every event. Numbers are masked before they are sent here.

import { clockTime, countFrom, follow, length, now, t } from "./common.js";
import { say } from "./draw.js";
import { drawLine } from "./wallboard_line.js";
import { drawAgents, drawHealth, drawProblems, drawQueues } from "./wallboard_lists.js";

const chosen = document.getElementById("queue");
let floor = null;
let figures = null;

function by(id) {
  return document.getElementById(id);
}

/** Returns those of a list that concern the chosen queue, or all. */
function ofQueue(items, queueOf) {
  return chosen.value ? items.filter((item) => [queueOf(item)].flat().includes(chosen.value)) : items;
}

function drawNow() {
  if (!floor) return;
  const queues = ofQueue(floor.queues, (queue) => queue.name);
  const agents = ofQueue(floor.agents, (agent) => agent.queues);
  const line = ofQueue(floor.line, (entry) => entry.queue);
  const sum = (field) => queues.reduce((total, queue) => total + queue[field], 0);
  say(by("waiting"), String(sum("live")));
  const longest = queues.map((queue) => queue.longest_wait_since).filter(Boolean).sort();
  countFrom(by("longest"), longest[0]);
  by("tile-longest").classList.toggle("none", longest.length === 0);
  say(by("callbacks"), String(sum("promises_due")));
  say(by("callbacks-about"), sum("promises_later") ? t("wb_later", { n: sum("promises_later") }) : "\u00a0");
  const count = (...states) => agents.filter((agent) => states.includes(agent.state)).length;
  say(by("free"), String(count("available")));
  say(by("on_call"), String(count("on_call", "ringing", "reserved")));
  say(by("wrap_up"), String(count("wrap_up")));
  say(by("paused"), String(count("paused")));
  drawLine(line);
  drawAgents(agents);
  drawQueues(queues);
  drawHealth(floor.trunks, floor.pbxs);
  drawProblems(floor.problems, floor.line);
}

function percent(value) {
  return value === null ? t("unknown") : `${value === 100 ? 100 : value.toFixed(1)}%`;
}

function seconds(value) {
  return value === null ? t("unknown") : length(value);
}

function drawToday() {
  const found = figures?.queues[chosen.value];
  if (!found) return;
  say(by("figures-of"), t("wb_figures_of", { at: clockTime(figures.at) }));
  for (const key of ["answer_percent", "abandon_percent", "service_level_percent", "kept_percent"])
    say(by(key), percent(found[key]));
  say(by("answer_percent-about"), t("wb_of_offered", { n: found.offered }));
  say(by("abandon_percent-about"), t("wb_of_abandoned", { n: found.abandoned }));
  say(by("service_level_percent-about"), t("wb_asa", { s: seconds(found.asa_s) }));
  const missed = found.promises_late + found.promises_broken + found.promises_overdue;
  say(by("kept_percent-about"), t("wb_of_promises", { kept: found.promises_kept, missed }));
  say(by("mean_hold_s"), seconds(found.mean_hold_s));
  say(by("mean_true_s"), seconds(found.mean_true_s));
  say(by("two-waits-about"), t("wb_ranges_held", { n: found.ranges_held_percent ?? t("unknown") }));
}

/**
 * Lets the server draw the charts of today: the same that are on the page of the figures. The browser reads them as a
 * document, in which no script runs; text is never made into elements here (Trusted Types).
 */
function drawCharts() {
  const request = new XMLHttpRequest();
  request.open("GET", `/wallboard/charts?${new URLSearchParams({ queue: chosen.value })}`);
  request.responseType = "document";
  request.addEventListener("loadend", () => {
    const drawn = request.status === 200 ? (request.responseXML?.querySelectorAll("figure.chart") ?? []) : [];
    by("charts-fail").hidden = drawn.length > 0;
    if (drawn.length) by("charts").replaceChildren(...drawn);
  });
  request.send();
}

function tellTime() {
  say(by("clock"), clockTime(now()));
}

chosen.addEventListener("change", () => {
  const address = new URL(location.href);
  address.searchParams.set("queue", chosen.value);
  history.replaceState(null, "", address);
  drawNow();
  drawToday();
  drawCharts();
});
setInterval(tellTime, 1000);
tellTime();
drawCharts();
follow(
  {
    floor(told) {
      floor = told;
      drawNow();
    },
    figures(told) {
      figures = told;
      drawToday();
      drawCharts();
    },
  },
  "?numbers=masked",
);
