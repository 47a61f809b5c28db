// The agents' desk: one's state as the server has it, the buttons that change it, and what belongs to the call.

import { countFrom, follow, now, page, stopWatch, t } from "./common.js";
import { say, set } from "./draw.js";
import { Card } from "./desk_card.js";
import { NoteForm } from "./desk_note.js";
import { RedialForm } from "./desk_redial.js";
import { Calling } from "./desk_calling.js";
import { mine, press } from "./told.js";

const BUSY = ["reserved", "ringing", "on_call"];
const at = (id) => document.getElementById(id);
const said = at("said");
let me = null;
const note = new NoteForm();
const redial = new RedialForm();
const card = new Card((serving) => {
  note.serve(serving);
  redial.serve(serving);
  if (me) drawButtons();
});
const calling = new Calling();
const usualTitle = document.title;

follow({
  floor(floor) {
    const found = floor.agents.find((agent) => agent.name === page.agent);
    if (!found) {
      say(at("state-word"), t("agent_unknown", { agent: page.agent }));
      return;
    }
    me = found;
    drawState();
    card.follow(me);
    calling.follow(me, page.titles[me.queue] ?? me.queue);
  },
});

function drawState() {
  at("state").dataset.state = me.state;
  say(at("state-word"), t(`agent_${me.state}`));
  countFrom(at("state-time"), me.since);
  say(at("state-hint"), hint());
  drawRest();
  drawButtons();
  drawTitle();
}

function hint() {
  if (!me.phone_registered) return t("phone_away");
  if (me.state === "paused") return t(`pause_${me.reason}`) || me.reason;
  if (me.state === "available" && !me.phone_idle) return t("phone_in_use");
  return BUSY.includes(me.state) ? (page.titles[me.queue] ?? me.queue) : "";
}

function drawRest() {
  const rest = at("rest");
  rest.hidden = !me?.rest_ends_at;
  if (!rest.hidden) say(rest, t("rest_left", { left: stopWatch((Date.parse(me.rest_ends_at) - now()) / 1000 + 0.999) }));
}

function drawTitle() {
  const rest = me.rest_ends_at ? ` ${at("rest").textContent}` : "";
  const title = `${t(`agent_${me.state}`)}${rest} - ${usualTitle}`;
  if (document.title !== title) document.title = title;
}

setInterval(() => {
  if (!me?.rest_ends_at || document.body.dataset.connection !== "live") return;
  drawRest();
  drawTitle();
}, 250);

function drawButtons() {
  set(at("to-available"), "aria-pressed", String(me.state === "available"));
  set(at("to-signed-out"), "aria-pressed", String(me.state === "signed_out"));
  for (const button of document.querySelectorAll(".pause")) {
    set(button, "aria-pressed", String(me.state === "paused" && me.reason === button.dataset.reason));
  }
  showIf(at("more-wrap-up"), me.state === "wrap_up");
  showIf(at("hang-up"), me.state === "on_call");
  drawRecording();
  showIf(at("preview"), me.state === "ringing" && page.previews.includes(me.queue) && card.kind === "promise");
}

/** Tells, for as long as the talk is recorded, whether what is said now is kept. */
function drawRecording() {
  const state = me.recording;
  showIf(at("recording"), Boolean(state));
  say(at("recording-mark"), state ? t(`recording_${state}`) : "");
  if (!state) return;
  at("recording").dataset.state = state;
  say(at("recording-hint"), t(state === "paused" ? "recording_paused_hint" : "recording_hint"));
  say(at("recording-button"), t(state === "paused" ? "resume_recording" : "pause_recording"));
}

/** Shows something or not; a keyboard that was on it goes on from the state, and is not lost. */
function showIf(element, isShown) {
  if (element.hidden === !isShown) return;
  const hadFocus = element.contains(document.activeElement);
  element.hidden = !isShown;
  if (hadFocus && !isShown) at("state").focus();
}

// -- the buttons

at("to-available").addEventListener("click", (event) => {
  const paths = { wrap_up: "end-wrap-up", paused: "unpause" };
  press(event.currentTarget, said, mine(paths[me?.state] ?? "sign-in"));
});

for (const button of document.querySelectorAll(".pause")) {
  button.addEventListener("click", () => {
    press(button, said, mine("pause"), { reason: button.dataset.reason }, afterCall());
  });
}

at("to-signed-out").addEventListener("click", (event) => {
  press(event.currentTarget, said, mine("sign-out"), undefined, afterCall());
});

at("more-wrap-up").addEventListener("click", (event) => {
  press(event.currentTarget, said, mine("extend-wrap-up"), { by_s: page.wrap_up_step_s });
});

at("recording-button").addEventListener("click", (event) => {
  press(event.currentTarget, said, mine(me?.recording === "paused" ? "resume-recording" : "pause-recording"));
});

at("hang-up").addEventListener("click", (event) => {
  press(event.currentTarget, said, mine("hang-up"));
});

const choices = { "preview-dial": "dial", "preview-to-colleague": "to_colleague", "preview-put-off": "put_off" };
for (const [id, choice] of Object.entries(choices)) {
  at(id).addEventListener("click", (event) => press(event.currentTarget, said, mine("preview"), { choice }));
}

function afterCall() {
  return BUSY.includes(me?.state) ? "after_call" : "done";
}
