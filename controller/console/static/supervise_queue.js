// What can be done with a queue.

import { now, t } from "./common.js";
import { say } from "./draw.js";
import { about, pathOf, RowDialog } from "./supervise_dialog.js";
import { title, whyClosed } from "./supervise_lists.js";

export class QueueDialog extends RowDialog {
  constructor(done) {
    super("queue", done, (floor, id) => floor.queues.find((queue) => queue.name === id));
    this.on("close-queue", (button) => this.closeNow(button));
    this.on("open-queue", (button) => this.openAgain(button));
    this.on("announce", (button) => this.announce(button));
  }

  draw(queue) {
    say(this.at("queue-title"), t("act_on", { what: title(queue.name) }));
    say(this.at("queue-about"), about(t(queue.is_open ? "queue_open" : "queue_closed"), whyClosed(queue)));
    this.show("close-queue", !queue.closed_by);
    this.show("open-queue", Boolean(queue.closed_by));
    this.show("announce", queue.live > 0);
  }

  closeNow(button) {
    const { name } = this.row;
    const minutes = this.at("close-for").value;
    const until = minutes ? new Date(now() + Number(minutes) * 60000).toISOString() : null;
    const told = t("told_closed", { queue: title(name) });
    return this.act(button, ["POST", pathOf("queues", name, "close"), { until }], told, [
      "POST",
      pathOf("queues", name, "open"),
    ]);
  }

  openAgain(button) {
    const { name, closed_until: until } = this.row;
    const told = t("told_opened", { queue: title(name) });
    return this.act(button, ["POST", pathOf("queues", name, "open")], told, [
      "POST",
      pathOf("queues", name, "close"),
      { until },
    ]);
  }

  announce(button) {
    const { name } = this.row;
    const select = this.at("announce-what");
    const told = `${title(name)}: ${select.selectedOptions[0].textContent}`;
    return this.act(button, ["POST", pathOf("queues", name, "announce"), { prompt: select.value }], told);
  }
}
