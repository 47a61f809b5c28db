// It rings: a desktop notification and a sound, for those who have asked for them by a click.

import { t } from "./common.js";
import { say } from "./draw.js";

const BEEP_S = 0.25;
const EVERY_MS = 2000;
const HZ = 660;

export class Calling {
  constructor() {
    this.rings = "";
    this.audio = null;
    this.timer = null;
    this.button = document.getElementById("tell-me");
    this.sound = document.getElementById("sound");
    this.button.addEventListener("click", () => this.ask());
    this.sound.addEventListener("change", () => this.switchSound());
    if (!("Notification" in window)) this.button.hidden = true;
    else if (Notification.permission === "granted") say(this.button, t("tell_me_on"));
  }

  /** Takes note of the agent's state; `queue`: what is told, never who calls. */
  follow(agent, queue) {
    const rings = agent.state === "ringing" ? agent.waiter_id : "";
    if (rings === this.rings) return;
    this.rings = rings;
    this.beepWhileRinging();
    this.note?.close();
    this.note = null;
    if (rings && "Notification" in window && Notification.permission === "granted") this.notify(queue);
  }

  notify(queue) {
    try {
      this.note = new Notification(t("it_rings", { queue }), { tag: "orikaeshi-rings" });
      this.note.onclick = () => window.focus();
    } catch {
      this.button.hidden = true; // A phone's browser lets only a service worker do this.
    }
  }

  async ask() {
    const answer = await Notification.requestPermission();
    say(this.button, t(answer === "granted" ? "tell_me_on" : "tell_me_refused"));
  }

  switchSound() {
    this.audio ??= new AudioContext();
    this.beepWhileRinging();
  }

  beepWhileRinging() {
    clearInterval(this.timer);
    this.timer = null;
    if (!this.rings || !this.sound.checked) return;
    this.beep();
    this.timer = setInterval(() => this.beep(), EVERY_MS);
  }

  beep() {
    const tone = this.audio.createOscillator();
    const volume = this.audio.createGain();
    tone.frequency.value = HZ;
    volume.gain.value = 0.1;
    tone.connect(volume).connect(this.audio.destination);
    tone.start();
    tone.stop(this.audio.currentTime + BEEP_S);
  }
}
