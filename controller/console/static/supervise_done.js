// What was done on this page: told at once, kept in a list, and undone where that can be.

import { api, clockTime, exactTime, now, t } from "./common.js";
import { el, say, set } from "./draw.js";
import { tell, why } from "./told.js";

const MOST = 20;
const at = (id) => document.getElementById(id);

export class Done {
  constructor() {
    this.undo = null;
    at("undo").addEventListener("click", () => this.takeBack());
  }

  /**
   * Has the API do something for a button, and tells in `said`, the place in the dialog, what came of it. `undo` is
   * what takes it back, as the arguments of `api`; without, there is no way back. Returns whether it was done.
   */
  async act(button, said, request, told, undo = null) {
    if (button.getAttribute("aria-busy") === "true") return false;
    const what = button.textContent.trim();
    set(button, "aria-busy", "true");
    tell(said, "doing", { what });
    try {
      await api(...request);
    } catch (error) {
      tell(said, "not_done", { what, why: why(error) }, true);
      return false;
    } finally {
      set(button, "aria-busy", null);
    }
    say(said, told);
    this.note(told);
    this.offer(told, undo);
    return true;
  }

  offer(told, undo) {
    tell(at("said"), "");
    say(at("said"), told);
    this.undo = undo && { request: undo, told };
    at("undo").hidden = !undo;
  }

  async takeBack() {
    if (!this.undo) return;
    const { request, told } = this.undo;
    if (await this.act(at("undo"), at("said"), request, t("undone", { what: told }))) at("undo").hidden = true;
  }

  note(text) {
    at("done-none").hidden = true;
    const at_ = new Date(now()).toISOString();
    at("done").prepend(el("li", {}, el("time", { datetime: at_ }, exactTime(at_)), " ", text));
    while (at("done").children.length > MOST) at("done").lastElementChild.remove();
    if (at("audit")) this.readAudit();
  }

  async readAudit() {
    try {
      const found = await api("GET", `audit?limit=${MOST}`);
      const rows = found.audit.map((entry) =>
        el("li", {}, el("time", { datetime: entry.at }, clockTime(entry.at)), " ",
          [entry.who, entry.action, entry.subject, entry.outcome].filter(Boolean).join(" / ")));
      at("audit").replaceChildren(...rows);
      say(at("audit-status"), "");
    } catch (error) {
      say(at("audit-status"), t("failed", { why: why(error) }));
    }
  }
}
