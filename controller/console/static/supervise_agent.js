// What can be done with an agent.

import { page, t } from "./common.js";
import { say, set } from "./draw.js";
import { about, pathOf, RowDialog } from "./supervise_dialog.js";
import { title } from "./supervise_lists.js";

const PHONE = "orikaeshi-listen";

export class AgentDialog extends RowDialog {
  constructor(done) {
    super("agent", done, (floor, id) => floor.agents.find((agent) => agent.name === id));
    this.on("pause", (button) => this.order(button, "pause", { reason: this.at("pause-for").value }, "unpause"));
    this.on("unpause", (button) => {
      const { reason } = this.row;
      const again = reason && reason !== "missed" ? "pause" : null;
      this.order(button, "unpause", undefined, again, { reason });
    });
    this.on("end-wrap-up", (button) => this.order(button, "end-wrap-up"));
    this.on("sign-agent-out", (button) => this.order(button, "sign-out", undefined, "sign-in"));
    this.on("pause-recording", (button) => this.order(button, "pause-recording", undefined, "resume-recording"));
    this.on("resume-recording", (button) => this.order(button, "resume-recording", undefined, "pause-recording"));
    this.on("listen", (button) => {
      const endpoint = this.at("listen-on").value;
      localStorage.setItem(PHONE, endpoint);
      this.order(button, "listen", { endpoint });
    });
    if (page.may_listen) this.at("listen-on").value = localStorage.getItem(PHONE) ?? "";
  }

  draw(agent) {
    say(this.at("agent-title"), t("act_on", { what: agent.name }));
    const reason = agent.reason ? t(`pause_${agent.reason}`) || agent.reason : "";
    const away = agent.phone_registered ? "" : t("agent_phone_away");
    const queue = agent.queue ? title(agent.queue) : "";
    const recording = agent.recording ? t(`recording_${agent.recording}`) : "";
    say(this.at("agent-about"), about(t(`agent_${agent.state}`), reason, away, queue, recording));
    this.show("pause-recording", agent.recording === "running");
    this.show("resume-recording", agent.recording === "paused");
    const recordings = this.at("agent-recordings");
    if (recordings) set(recordings, "href", `/recordings?agent=${encodeURIComponent(agent.name)}`);
    this.show("unpause", agent.state === "paused");
    this.show("end-wrap-up", agent.state === "wrap_up");
    this.show("sign-agent-out", agent.state !== "signed_out");
    this.show("listen", agent.state === "on_call" && page.may_listen);
  }

  order(button, what, body, back = null, backBody = undefined) {
    const name = this.row.name;
    const told = `${name}: ${button.textContent.trim()}`;
    const undo = back && ["POST", pathOf("agents", name, back), backBody];
    return this.act(button, ["POST", pathOf("agents", name, what), body], told, undo);
  }
}
