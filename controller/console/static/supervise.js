// The supervisor's page: the floor as it is, and what can be done with each who waits, each agent and each queue.

import { follow, page } from "./common.js";
import { AgentDialog } from "./supervise_agent.js";
import { QueueDialog } from "./supervise_queue.js";
import { WaiterDialog } from "./supervise_waiter.js";
import { drawAgents, drawLine, drawQueues, drawTroubles } from "./supervise_lists.js";
import { Done } from "./supervise_done.js";
import { readReplies } from "./supervise_replies.js";

const EVERY_MS = 30000;
const done = new Done();
const dialogs = [new WaiterDialog(done), new AgentDialog(done), new QueueDialog(done)];
const [ofWaiter, ofAgent, ofQueue] = dialogs;

follow({
  floor(floor) {
    drawTroubles(floor);
    drawLine(floor, (id) => ofWaiter.open(id));
    drawAgents(floor, (id) => ofAgent.open(id));
    drawQueues(floor, (id) => ofQueue.open(id));
    for (const dialog of dialogs) dialog.take(floor);
  },
});

if (page.may_read_sms) {
  readReplies();
  setInterval(readReplies, EVERY_MS);
}
if (page.may_read_audit) {
  done.readAudit();
  setInterval(() => done.readAudit(), EVERY_MS);
}
