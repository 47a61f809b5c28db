// The note of a talk: saved as it is written, kept here until it is, and never written over what was not seen.

import { api, clockTime, now, page, t } from "./common.js";
import { el, say } from "./draw.js";
import { isWorthRepeating, kindOf, mine, why } from "./told.js";

const SETTLED_MS = 800;
const AGAIN_MS = 3000;
const KEPT = `orikaeshi-note ${page.agent} `;
const at = (id) => document.getElementById(id);

/** One note as this tab knows it. `seen` is the version that its text came from; `saved` what stands on the server. */
class Draft {
  constructor(waiter, since, note) {
    this.waiter = waiter;
    this.since = since;
    this.take(note);
    this.disposition = this.saved.disposition;
    this.text = this.saved.text;
    this.conflict = null;
    this.refusal = "";
    this.isSaving = false;
    this.timer = null;
  }

  take(note) {
    this.seen = note?.changed_at ?? null;
    this.saved = { disposition: note?.disposition ?? "", text: note?.text ?? "" };
  }

  get isDirty() {
    return this.text !== this.saved.text || this.disposition !== this.saved.disposition;
  }

  /** Keeps what is not saved yet over a reload of the page, which a session that ran out brings about. */
  keep() {
    if (!this.isDirty) sessionStorage.removeItem(KEPT + this.waiter);
    else {
      const { waiter, since, seen, saved, disposition, text } = this;
      sessionStorage.setItem(KEPT + waiter, JSON.stringify({ waiter, since, seen, saved, disposition, text }));
    }
  }
}

export class NoteForm {
  constructor() {
    this.drafts = new Map();
    this.current = null;
    this.restore();
    at("note").addEventListener("submit", (event) => event.preventDefault());
    at("note-text").addEventListener("input", () => this.typed());
    at("note-disposition")?.addEventListener("change", () => this.typed());
    at("note-text").addEventListener("blur", () => this.save(this.current));
    at("note-take-theirs").addEventListener("click", () => this.settle(false));
    at("note-keep-mine").addEventListener("click", () => this.settle(true));
    // What was typed last is not lost with the page: it goes on in this tab when it is opened again.
    addEventListener("pagehide", () => this.current?.keep());
  }

  /** Takes note of whom the agent serves; null: nobody, and the note of the talk before stays open. */
  serve(serving) {
    if (!serving) {
      if (this.current) say(at("note-heading"), t("note_before", { at: clockTime(this.current.since) }));
      return;
    }
    say(at("note-heading"), t("note_heading"));
    let draft = this.drafts.get(serving.waiter_id);
    if (!draft) {
      draft = new Draft(serving.waiter_id, new Date(now()).toISOString(), serving.note);
      this.drafts.set(draft.waiter, draft);
    } else if (!draft.isDirty && !draft.isSaving && !draft.conflict) {
      draft.take(serving.note); // Written in another tab meanwhile; here nothing was.
      draft.text = draft.saved.text;
      draft.disposition = draft.saved.disposition;
    }
    if (this.current !== draft) {
      this.save(this.current);
      this.current = draft;
    }
    this.draw();
  }

  typed() {
    const draft = this.current;
    if (!draft) return;
    draft.text = at("note-text").value;
    draft.disposition = at("note-disposition")?.value ?? draft.disposition;
    draft.refusal = "";
    draft.keep();
    this.drawStatus(t(draft.isDirty ? "note_typing" : ""));
    this.saveIn(draft, SETTLED_MS);
  }

  /** Saves after a while; there is one such plan for each note. */
  saveIn(draft, ms) {
    clearTimeout(draft.timer);
    draft.timer = setTimeout(() => this.save(draft), ms);
  }

  async save(draft) {
    if (!draft || draft.isSaving || draft.conflict || draft.refusal || !draft.isDirty) return;
    const sent = { disposition: draft.disposition, text: draft.text };
    draft.isSaving = true;
    let again = SETTLED_MS;
    this.told(draft, t("note_saving"));
    try {
      const { note } = await api("PUT", mine("note"), { waiter_id: draft.waiter, seen: draft.seen, ...sent });
      draft.take(note);
      this.told(draft, t("note_saved", { at: clockTime(note.changed_at) }));
    } catch (error) {
      again = AGAIN_MS;
      await this.failed(draft, error);
    } finally {
      draft.isSaving = false;
      draft.keep();
    }
    if (draft.isDirty && !draft.conflict && !draft.refusal) {
      this.saveIn(draft, again);
    } else if (draft !== this.current && !draft.isDirty) {
      this.drafts.delete(draft.waiter);
    }
    this.drawLeftOver();
  }

  async failed(draft, error) {
    if (kindOf(error) === "changed") {
      try {
        const { note } = await api("GET", `${mine("note")}?waiter_id=${encodeURIComponent(draft.waiter)}`);
        draft.conflict = note;
        if (draft === this.current) this.draw();
        return;
      } catch (another) {
        error = another;
      }
    }
    if (isWorthRepeating(error)) {
      this.told(draft, t("note_retry", { why: why(error) }), true);
    } else {
      draft.refusal = why(error);
      this.told(draft, t("note_refused", { why: draft.refusal }), true);
    }
  }

  /** Ends a conflict: what stands here is kept, and written over theirs; or theirs is taken. */
  settle(keepsMine) {
    const draft = this.current;
    if (!draft?.conflict) return;
    draft.take(draft.conflict);
    draft.conflict = null;
    if (!keepsMine) {
      draft.text = draft.saved.text;
      draft.disposition = draft.saved.disposition;
    }
    draft.keep();
    this.draw();
    this.save(draft);
    at("note-text").focus();
  }

  restore() {
    for (const key of Object.keys(sessionStorage)) {
      if (!key.startsWith(KEPT)) continue;
      const kept = JSON.parse(sessionStorage.getItem(key));
      const draft = Object.assign(new Draft(kept.waiter, kept.since, null), kept);
      this.drafts.set(draft.waiter, draft);
      this.saveIn(draft, SETTLED_MS);
    }
  }

  // -- what is seen

  told(draft, text, isBad = false) {
    if (draft === this.current) this.drawStatus(text, isBad);
  }

  drawStatus(text, isBad = false) {
    at("note-status").classList.toggle("bad", isBad);
    say(at("note-status"), text);
  }

  draw() {
    const { text, disposition, conflict } = this.current;
    at("note").hidden = false;
    at("note-none").hidden = true;
    at("note").dataset.waiter = this.current.waiter;
    if (at("note-text").value !== text) at("note-text").value = text;
    if (at("note-disposition") && at("note-disposition").value !== disposition) {
      at("note-disposition").value = disposition;
    }
    at("note-conflict").hidden = !conflict;
    say(at("note-theirs"), conflict?.text ?? "");
    say(at("note-theirs-disposition"), conflict?.disposition ?? "");
    const { saved, seen, isDirty, refusal } = this.current;
    if (refusal) this.drawStatus(t("note_refused", { why: refusal }), true);
    else if (isDirty) this.drawStatus(t("note_typing"));
    else this.drawStatus(seen && (saved.text || saved.disposition) ? t("note_saved", { at: clockTime(seen) }) : "");
    this.drawLeftOver();
  }

  /** Shows the notes of talks before that could not be saved, until the agent has seen them. */
  drawLeftOver() {
    const lost = [...this.drafts.values()].filter((draft) => draft !== this.current && (draft.refusal || draft.conflict));
    at("left-over").replaceChildren(...lost.map((draft) => this.leftOver(draft)));
  }

  leftOver(draft) {
    const discard = el("button", { type: "button", class: "second" }, t("note_discard"));
    discard.addEventListener("click", () => {
      sessionStorage.removeItem(KEPT + draft.waiter);
      this.drafts.delete(draft.waiter);
      this.drawLeftOver();
    });
    const title = el("strong", {}, t("note_left_over", { at: clockTime(draft.since) }));
    const text = el("p", { class: "theirs" }, [draft.disposition, draft.text].filter(Boolean).join("\n"));
    return el("div", { class: "error" }, title, text, discard);
  }
}
