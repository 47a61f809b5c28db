// What can be done with somebody in the line.

import { dayTime, now, page, t } from "./common.js";
import { say } from "./draw.js";
import { about, pathOf, RowDialog } from "./supervise_dialog.js";
import { due, title, who } from "./supervise_lists.js";

export class WaiterDialog extends RowDialog {
  constructor(done) {
    super("waiter", done, (floor, id) => floor.line.find((entry) => entry.id === id));
    this.on("prioritise", (button) => this.prioritise(button));
    this.on("move", (button) => this.move(button));
    this.on("assign", (button) => this.assign(button));
    this.on("postpone", (button) => this.postpone(button));
    this.on("cancel", (button) => this.cancel(button));
  }

  draw(entry, floor, isNew) {
    say(this.at("waiter-title"), t("act_on", { what: who(entry) }));
    const kind = t(`kind_${entry.kind}`);
    say(this.at("waiter-about"), about(kind, title(entry.queue), t(`entry_${entry.state}`), entry.agent, due(entry)));
    say(this.at("prioritise"), t(entry.urgent ? "make_usual" : "make_urgent"));
    const others = floor.queues.filter((queue) => queue.name !== entry.queue);
    this.options(this.at("move-to"), others.map((queue) => [queue.name, title(queue.name)]));
    this.show("move", others.length > 0);
    const agents = floor.agents.filter((agent) => agent.queues.includes(entry.queue));
    const choices = [["", t("assign_all")], ...agents.map((agent) => [agent.name, agent.name])];
    this.options(this.at("assign-to"), choices, isNew ? entry.agent : undefined);
    const isPromise = entry.kind === "promise" && page.may_change_promises;
    this.show("postpone", isPromise);
    this.show("cancel", isPromise);
  }

  prioritise(button) {
    const { id, urgent } = this.row;
    const path = pathOf("line", id, "prioritise");
    const told = t(urgent ? "told_usual" : "told_urgent", { who: who(this.row) });
    return this.act(button, ["POST", path, { urgent: !urgent }], told, ["POST", path, { urgent }]);
  }

  move(button) {
    const { id, queue: before } = this.row;
    const queue = this.at("move-to").value;
    const path = pathOf("line", id, "move");
    const told = t("told_moved", { who: who(this.row), queue: title(queue) });
    return this.act(button, ["POST", path, { queue }], told, ["POST", path, { queue: before }]);
  }

  assign(button) {
    const { id, agent: before } = this.row;
    const agent = this.at("assign-to").value;
    const path = pathOf("line", id, "assign");
    const told = t(agent ? "told_assigned" : "told_for_all", { who: who(this.row), agent });
    return this.act(button, ["POST", path, { agent }], told, ["POST", path, { agent: before }]);
  }

  postpone(button) {
    if (!this.isSure(button)) return;
    const until = new Date(now() + Number(this.at("postpone-by").value) * 60000).toISOString();
    const told = t("told_postponed", { who: who(this.row), at: dayTime(until) });
    this.act(button, ["POST", pathOf("promises", this.row.id, "postpone"), { until }], told);
  }

  cancel(button) {
    if (!this.isSure(button)) return;
    const told = t("told_cancelled", { who: who(this.row) });
    this.act(button, ["POST", pathOf("promises", this.row.id, "cancel"), { reason: "supervisor" }], told);
  }
}
