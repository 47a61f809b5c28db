// The card of whom the agent serves. Everything in it was written by others: it is text, and nothing else.

import { api, clockTime, countFrom, dayTime, length, page, range, stopWatch, t } from "./common.js";
import { each, el, say, set } from "./draw.js";
import { mine, why } from "./told.js";

const AGAIN_MS = 2000;
const at = (id) => document.getElementById(id);

export class Card {
  /** `shown(serving)` is called with each card, and with null when nobody is served any more. */
  constructor(shown) {
    this.shown = shown;
    this.key = "";
    this.waiter = "";
    this.kind = "";
  }

  /** Takes note of the agent's state, and looks the customer up when it is another, or another thing is done. */
  follow(agent) {
    const key = agent.waiter_id ? `${agent.waiter_id} ${agent.state}` : "";
    if (key === this.key) return;
    this.key = key;
    if (agent.waiter_id !== this.waiter) this.clear(agent.waiter_id);
    if (key) this.look(key);
  }

  clear(waiter) {
    this.waiter = waiter;
    this.kind = "";
    at("card-body").hidden = true;
    say(at("card-status"), waiter ? t("card_loading") : t("card_nobody"));
    set(at("card"), "aria-busy", waiter ? "true" : "false");
    if (!waiter) this.shown(null);
  }

  async look(key) {
    let serving;
    try {
      ({ serving } = await api("GET", mine("card")));
    } catch (error) {
      if (key !== this.key) return;
      say(at("card-status"), t("card_failed", { why: why(error) }));
      setTimeout(() => key === this.key && this.look(key), AGAIN_MS);
      return;
    }
    // The answer may be late, and about somebody else by now.
    if (key !== this.key || !serving || serving.waiter_id !== this.waiter) return;
    this.kind = serving.kind;
    draw(serving);
    this.shown(serving);
  }
}

function draw(serving) {
  at("card").dataset.state = serving.state;
  set(at("card"), "aria-busy", "false");
  say(at("card-status"), "");
  say(at("card-number"), serving.printed || t("anonymous"));
  say(at("card-kind"), t(`kind_${serving.kind}`));
  at("card-urgent").hidden = !serving.urgent;
  each(at("card-facts"), facts(serving), (fact) => fact.word, makeFact, changeFact);
  const crm = at("card-crm");
  crm.hidden = !serving.crm_url;
  set(crm, "href", serving.crm_url || null);
  at("past-none").hidden = serving.past.length > 0;
  at("past-more").hidden = serving.is_all;
  at("past").replaceChildren(...serving.past.map(makePast));
  at("card-body").hidden = false;
}

function facts(serving) {
  const { arrival, promised } = serving;
  const found = [{ word: "card_why", text: t(`card_why_${serving.kind}`, { queue: title(serving.queue) }) }];
  if (promised) {
    found.push({ word: "card_promised", text: told(promised) });
    found.push({ word: "card_attempts", text: attempts(promised) });
  }
  found.push(serving.kind === "live" && arrival.answered_at
    ? { word: "card_since", text: between(arrival.since, arrival.answered_at) }
    : { word: "card_since", since: arrival.since });
  const hold = arrival.joined_at && arrival.left_at ? between(arrival.joined_at, arrival.left_at) : "";
  if (hold) found.push({ word: "card_hold", text: hold });
  else if (arrival.joined_at && serving.kind === "live") found.push({ word: "card_hold", since: arrival.joined_at });
  if (arrival.quoted_high_s !== null) {
    found.push({ word: "card_told", text: range(arrival.quoted_low_s ?? 0, arrival.quoted_high_s) });
  }
  if (arrival.dialled) found.push({ word: "card_dialled", text: arrival.dialled });
  return found;
}

function makeFact(fact) {
  return el("div", {}, el("dt", {}, t(fact.word)), el("dd", {}));
}

function changeFact(row, fact) {
  const shown = row.lastElementChild;
  if (fact.since) {
    countFrom(shown, fact.since);
  } else {
    delete shown.dataset.since;
    say(shown, fact.text);
  }
}

function told(promised) {
  const slot = promised.slot_starts_at
    ? t("card_slot", { start: dayTime(promised.slot_starts_at), end: clockTime(promised.slot_ends_at) })
    : t("card_soon");
  const by = !promised.slot_starts_at && promised.due_by ? t("card_by", { at: dayTime(promised.due_by) }) : "";
  return [slot, by, promised.told_late ? t("card_late") : ""].filter(Boolean).join(" / ");
}

function attempts(promised) {
  const fields = { n: promised.attempts_used, outcome: t(`outcome_${promised.last_outcome}`) };
  return t(promised.last_outcome ? "card_last" : "card_attempts_n", fields);
}

function between(start, end) {
  return stopWatch((Date.parse(end) - Date.parse(start)) / 1000);
}

function title(queue) {
  return page.titles[queue] ?? queue;
}

// -- what was before

function makePast(line) {
  const row = el(
    "li",
    { "data-kind": line.kind },
    el("time", { datetime: line.at }, dayTime(line.at)),
    " ",
    el("span", { class: "chip" }, t(`past_${line.kind}`)),
    " ",
    el("span", {}, summary(line)),
  );
  if (line.text) row.append(el("p", { class: "theirs" }, line.text));
  return row;
}

function summary(line) {
  const words = { call: "ending_", promise: "promise_", attempt: "outcome_", sms: "sms_" };
  const what = words[line.kind] ? t(words[line.kind] + line.what) || line.what : line.what;
  const goesOn = line.what || line.kind === "note" || line.kind === "reply" ? "" : t("past_goes_on");
  const slot = line.slot_starts_at
    ? t("card_slot", { start: dayTime(line.slot_starts_at), end: clockTime(line.slot_ends_at) })
    : "";
  const parts = [
    line.kind === "reply" ? "" : what || goesOn,
    slot,
    line.status ? t(`status_${line.status}`) || line.status : "",
    line.queue ? title(line.queue) : "",
    line.agent,
    line.kind === "call" && line.waited_s !== null ? t("past_waited", { length: length(line.waited_s) }) : "",
    line.talked_s !== null ? t("past_talked", { length: length(line.talked_s) }) : "",
  ];
  return parts.filter(Boolean).join(" / ");
}
