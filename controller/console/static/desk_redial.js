// A callback for the customer: one of the free times, or as soon as possible. It becomes a promise like every other.

import { api, clockTime, dayTime, page, t } from "./common.js";
import { el, say } from "./draw.js";
import { isWorthRepeating, kindOf, mine, newKey, tell, why } from "./told.js";

const SOON = "soon";
const at = (id) => document.getElementById(id);
const dayOf = new Intl.DateTimeFormat(page.language, {
  timeZone: page.zone,
  month: "long",
  day: "numeric",
  weekday: "short",
});

export class RedialForm {
  constructor() {
    this.waiter = "";
    this.state = "";
    this.key = newKey();
    this.isSending = false;
    at("redial-open").addEventListener("click", () => this.open());
    at("redial").addEventListener("submit", (event) => {
      event.preventDefault();
      this.book();
    });
    // Another wish is another request; the same one, sent again after a lost answer, is not.
    at("redial").addEventListener("input", () => {
      this.key = newKey();
    });
  }

  /** Takes note of whom the agent serves; null: nobody, and the customer of the talk before stays. */
  serve(serving) {
    const state = serving?.state ?? "";
    if (serving && serving.waiter_id !== this.waiter) {
      this.waiter = serving.waiter_id;
      this.key = newKey();
      at("redial").reset();
      at("redial-fields").hidden = true;
      at("redial").hidden = false;
      at("redial-none").hidden = true;
      if (serving.can_be_called) tell(at("redial-said"), "");
      else tell(at("redial-said"), "redial_no_number");
    } else if (state !== this.state && !at("redial-fields").hidden) {
      this.open(false); // What can be booked changes when the talk is over.
    }
    this.state = state;
  }

  async open(takesFocus = true) {
    const waiter = this.waiter;
    if (!waiter) return;
    let found;
    try {
      found = await api("GET", `${mine("redial")}?waiter_id=${encodeURIComponent(waiter)}`);
    } catch (error) {
      tell(at("redial-said"), "not_done", { what: t("redial_open"), why: why(error) }, true);
      return;
    }
    if (waiter !== this.waiter) return;
    const select = at("redial-when");
    const before = select.value;
    select.replaceChildren(soonOption(found), ...byDay(found.windows));
    if ([...select.options].some((option) => option.value === before && !option.disabled)) select.value = before;
    else select.value = [...select.options].find((option) => !option.disabled)?.value ?? "";
    at("redial-fields").hidden = false;
    if (takesFocus) select.focus();
  }

  async book() {
    if (this.isSending || !this.waiter) return;
    this.isSending = true;
    const said = at("redial-said");
    const what = t("redial_book");
    tell(said, "doing", { what });
    const chosen = at("redial-when").value;
    const body = {
      waiter_id: this.waiter,
      starts_at: chosen === SOON ? null : chosen,
      number: at("redial-number").value.normalize("NFKC").replace(/[^+0-9]/g, ""),
      confirm: at("redial-confirm").checked,
    };
    try {
      const made = await api("POST", mine("redial"), body, { "Idempotency-Key": this.key });
      const when = made.slot_starts_at
        ? t("redial_window", { start: dayTime(made.slot_starts_at), end: clockTime(made.slot_ends_at) })
        : t("redial_soon", { at: dayTime(made.not_before) });
      tell(said, made.is_new ? "redial_done" : "redial_merged", { printed: made.printed, when });
      at("redial-fields").hidden = true;
      at("redial-open").focus();
    } catch (error) {
      const isTalking = kindOf(error) === "not-now";
      tell(said, "not_done", { what, why: isTalking ? t("redial_talking") : why(error) }, true);
      if (kindOf(error) === "slot-full") await this.open(false);
      // A request that nobody answered may have been carried out: sent again it is still the same.
      if (isWorthRepeating(error)) return;
      this.key = newKey();
    } finally {
      this.isSending = false;
    }
  }
}

function soonOption(found) {
  const word = !found.can_be_soon ? "redial_after_talk" : found.opens_first ? "redial_soon_later" : "redial_soon";
  const option = el("option", { value: SOON, disabled: !found.can_be_soon });
  say(option, t(word, { at: dayTime(found.soon) }));
  return option;
}

function byDay(windows) {
  const groups = new Map();
  for (const window of windows) {
    const day = dayOf.format(new Date(window.starts_at));
    if (!groups.has(day)) groups.set(day, el("optgroup", { label: day }));
    const text = t("redial_window", { start: clockTime(window.starts_at), end: clockTime(window.ends_at) });
    groups.get(day).append(el("option", { value: window.starts_at }, text));
  }
  return groups.values();
}
