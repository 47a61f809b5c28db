// Beside the line: agents, queues, what they depend on, and what needs a person.

import { clockTime, countFrom, has, page, range, t } from "./common.js";
import { each, el, say, set } from "./draw.js";

const NONE = "\u00a0";

function by(id) {
  return document.getElementById(id);
}

function titleOf(queue) {
  return page.titles[queue] ?? queue;
}

/** Shows each agent with their state, and since when. */
export function drawAgents(agents) {
  by("no-agents").hidden = agents.length > 0;
  each(by("agents"), agents, (agent) => agent.name, madeAgent, changeAgent);
}

function madeAgent() {
  return el(
    "li",
    {},
    el("span", { class: "name" }),
    el("span", { class: "chip" }),
    el("span", { class: "number for" }),
    el("span", { class: "quiet about" }),
  );
}

function changeAgent(row, agent) {
  set(row, "class", `agent ${agent.state}`);
  say(row.querySelector(".name"), agent.name);
  const chip = row.querySelector(".chip");
  set(chip, "data-state", agent.state);
  say(chip, t(`agent_${agent.state}`));
  countFrom(row.querySelector(".for"), agent.state === "signed_out" ? null : agent.since);
  say(row.querySelector(".about"), about(agent));
}

function about(agent) {
  if (agent.state === "paused" && agent.reason) return t(`pause_${agent.reason}`) || agent.reason;
  if (agent.queue) return titleOf(agent.queue);
  if (agent.state === "signed_out" || agent.phone_idle) return NONE;
  return t(agent.phone_registered ? "wb_phone_busy" : "wb_phone_away");
}

/** Shows each queue: whether it takes calls, how many wait, how long that will take. */
export function drawQueues(queues) {
  each(by("queues"), queues, (queue) => queue.name, madeThing, (row, queue) => {
    const expected = queue.expected
      ? t("wb_expected", { range: range(queue.expected.low_s, queue.expected.high_s) })
      : t("wb_nobody_on_duty");
    const counts = t("wb_queue_counts", {
      live: queue.live,
      due: queue.promises_due,
      free: queue.agents_free,
      duty: queue.agents_on_duty,
    });
    const state = queue.is_open ? "open" : "closed";
    changeThing(row, titleOf(queue.name), state, t(`wb_${state}`), [counts, expected, closedWords(queue)]);
  });
}

function closedWords(queue) {
  const by = queue.closed_by ? t("wb_closed_by", { by: queue.closed_by }) : "";
  const opens = queue.is_open ? null : (queue.closed_until ?? queue.opens_at);
  return [by, opens ? t("wb_opens", { at: clockTime(opens) }) : ""].filter(Boolean).join(" ");
}

/** Shows trunks and PBXs. */
export function drawHealth(trunks, pbxs) {
  const things = [
    ...pbxs.map((pbx) => ({ key: `pbx ${pbx.name}`, pbx })),
    ...trunks.map((trunk) => ({ key: `trunk ${trunk.pbx} ${trunk.name}`, trunk })),
  ];
  each(by("health"), things, (thing) => thing.key, madeThing, (row, { pbx, trunk }) => {
    if (pbx) {
      const word = t(`pbx_${pbx.state}`) || pbx.state;
      changeThing(row, pbx.name, pbx.state === "in_control" ? "healthy" : "closed", word, [pbx.member]);
      return;
    }
    const state = trunk.healthy ? "healthy" : "away";
    const used = trunk.circuits ? "wb_circuits" : "wb_calls";
    const failures = trunk.failures ? t("wb_failures", { n: trunk.failures }) : "";
    changeThing(row, trunk.name, state, t(`wb_${state}`), [t(used, trunk), failures]);
  });
}

function madeThing() {
  return el(
    "li",
    {},
    el("span", { class: "name" }),
    el("span", { class: "chip" }),
    el("span", { class: "quiet about" }),
  );
}

function changeThing(row, name, state, word, more) {
  say(row.querySelector(".name"), name);
  const chip = row.querySelector(".chip");
  set(chip, "data-state", state);
  say(chip, word);
  say(row.querySelector(".about"), more.filter(Boolean).join(" · "));
}

/** Shows what needs a person, the most urgent first, each with what to do. */
export function drawProblems(problems, line) {
  by("problems").hidden = problems.length === 0;
  const urgentFirst = [...problems].sort((one, other) => (one.severity > other.severity ? 1 : -1));
  const keyOf = (problem) => `${problem.kind} ${problem.what}`;
  each(by("problem-list"), urgentFirst, keyOf, madeProblem, (row, problem) => {
    set(row, "class", problem.severity);
    say(row.querySelector(".how"), t(`severity_${problem.severity}`));
    const what = nameOf(problem, line);
    const isKnown = has(`problem_${problem.kind}`);
    say(row.querySelector(".what"), t(isKnown ? `problem_${problem.kind}` : "problem_other", { kind: problem.kind, what }));
    say(row.querySelector(".do"), t(`do_${problem.kind}`));
    say(row.querySelector(".when"), problem.since ? t("problem_since", { at: clockTime(problem.since) }) : "");
  });
}

/** Returns what a problem is about as people call it: a queue's title, the number of somebody in the line. */
function nameOf(problem, line) {
  if (problem.kind === "no_agents") return titleOf(problem.what);
  const entry = line.find((one) => one.id === problem.what);
  return entry ? `${titleOf(entry.queue)} ${entry.number ?? t("anonymous")}` : problem.what;
}

function madeProblem() {
  return el(
    "li",
    {},
    el("span", { class: "how" }),
    el("span", { class: "what" }),
    el("span", { class: "do" }),
    el("span", { class: "when number" }),
  );
}
