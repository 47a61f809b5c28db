// A dialog about one row: it stays open while the row changes, and says in words when there is none any more.

import { t } from "./common.js";
import { say } from "./draw.js";
import { tell } from "./told.js";

const AGAIN_MS = 8000;

export class RowDialog {
  /** `name`: the beginning of the ids in the page; `find(floor, id)` returns the row, or undefined. */
  constructor(name, done, find) {
    this.name = name;
    this.done = done;
    this.find = find;
    this.floor = null;
    this.id = null;
    this.row = null;
    this.dialog = this.at(`of-${name}`);
    this.said = this.at(`${name}-said`);
    this.sure = null;
    this.dialog.addEventListener("close", () => {
      this.id = null;
      this.forgetSure();
    });
  }

  at(id) {
    return document.getElementById(id);
  }

  open(id) {
    this.id = id;
    this.row = null;
    tell(this.said, "");
    this.forgetSure();
    this.take(this.floor);
    this.dialog.showModal();
  }

  /** Takes the floor as it is now. */
  take(floor) {
    this.floor = floor;
    if (this.id === null || !floor) return;
    const row = this.find(floor, this.id);
    this.at(`${this.name}-gone`).hidden = Boolean(row);
    this.at(`${this.name}-acts`).disabled = !row;
    if (!row) return;
    const isNew = this.row === null;
    this.row = row;
    this.draw(row, floor, isNew);
  }

  /** Calls `act(button)` when a button is pressed, or its form is sent; while there is a row. */
  on(id, act) {
    const element = this.at(id);
    if (!element) return;
    const isForm = element.tagName === "FORM";
    element.addEventListener(isForm ? "submit" : "click", (event) => {
      event.preventDefault();
      if (this.row) act(isForm ? element.querySelector("button") : element);
    });
  }

  /** Tells whether a button was pressed for the second time, for what cannot be undone; asks for that otherwise. */
  isSure(button) {
    if (this.sure?.button === button) {
      this.forgetSure();
      return true;
    }
    this.forgetSure();
    button.classList.add("sure");
    tell(this.said, "press_again", { what: button.textContent.trim() });
    this.sure = { button, timer: setTimeout(() => this.forgetSure(), AGAIN_MS) };
    return false;
  }

  forgetSure() {
    if (!this.sure) return;
    clearTimeout(this.sure.timer);
    this.sure.button.classList.remove("sure");
    this.sure = null;
    say(this.said, "");
  }

  /** Lets a choice have these options, `[value, text]`, and keeps what is chosen where it still can be. */
  options(select, wanted, chosen) {
    const key = JSON.stringify(wanted);
    if (select.dataset.shown !== key) {
      const before = select.value;
      select.dataset.shown = key;
      select.replaceChildren(...wanted.map(([value, text]) => new Option(text, value)));
      if (wanted.some(([value]) => value === before)) select.value = before;
    }
    if (chosen !== undefined) select.value = chosen;
  }

  act(button, request, told, undo) {
    return this.done.act(button, this.said, request, told, undo);
  }

  show(id, isShown) {
    const element = this.at(id);
    if (!element || element.hidden === !isShown) return;
    const hadFocus = element.contains(document.activeElement);
    element.hidden = !isShown;
    if (hadFocus) this.at(`${this.name}-close`).focus();
  }
}

/** Returns a path of the API with an id in it. */
export function pathOf(kind, id, what) {
  return `${kind}/${encodeURIComponent(id)}/${what}`;
}

/** Returns words for somebody, whose state is told as a chip elsewhere. */
export function about(...parts) {
  return parts.filter(Boolean).join(" / ") || t("unknown");
}
