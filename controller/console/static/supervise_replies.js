// The replies by SMS that nobody but a person can answer.

import { api, dayTime, t } from "./common.js";
import { el, say } from "./draw.js";
import { why } from "./told.js";

const at = (id) => document.getElementById(id);

/** Reads and shows them. What customers wrote is text, and nothing else. */
export async function readReplies() {
  let found;
  try {
    found = await api("GET", "sms/replies?needs_person=true&limit=20");
  } catch (error) {
    say(at("replies-status"), t("failed", { why: why(error) }));
    return;
  }
  const rows = found.replies.map((reply) =>
    el(
      "li",
      {},
      el("time", { datetime: reply.received_at }, dayTime(reply.received_at)),
      " ",
      el("span", { class: "number" }, reply.printed || t("anonymous")),
      el("p", { class: "theirs" }, reply.text),
    ),
  );
  at("replies").replaceChildren(...rows);
  say(at("replies-status"), rows.length ? "" : t("replies_none"));
}
