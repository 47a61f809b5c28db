// The recordings: one is heard at a time, what cannot be heard says so, and one is deleted after a question.

import { api, t } from "./common.js";
import { say, set } from "./draw.js";
import { tell, why } from "./told.js";

const at = (id) => document.getElementById(id);
const players = document.querySelectorAll("audio");

for (const player of players) {
  player.addEventListener("play", () => {
    for (const other of players) if (other !== player) other.pause();
    player.nextElementSibling.hidden = true;
  });
  player.addEventListener("error", () => {
    player.nextElementSibling.hidden = false;
  });
}

const dialog = at("of-delete");
let row = null;

for (const button of document.querySelectorAll(".delete")) {
  button.addEventListener("click", () => {
    row = button.closest("tr");
    say(at("delete-what"), button.dataset.what);
    tell(at("delete-said"), "");
    dialog.showModal();
  });
}

at("delete-now")?.addEventListener("click", async () => {
  const button = at("delete-now");
  if (button.getAttribute("aria-busy") === "true") return;
  const [asked, what] = [row, button.textContent.trim()];
  set(button, "aria-busy", "true");
  tell(at("delete-said"), "doing", { what });
  try {
    await api("DELETE", `recordings/${encodeURIComponent(asked.dataset.id)}`);
    took(asked);
  } catch (error) {
    tell(at("delete-said"), "not_done", { what, why: why(error) }, true);
  } finally {
    set(button, "aria-busy", null);
  }
});

/** Takes the row of a deleted recording away, and says so. What is being heard of it falls silent. */
function took(asked) {
  asked.querySelector("audio")?.pause();
  tell(at("said"), "re_deleted", { what: asked.querySelector(".delete").dataset.what });
  asked.remove();
  dialog.close();
  at("none").hidden = document.querySelectorAll("#recordings tbody tr").length > 0;
  at("recordings").hidden = !at("none").hidden;
  at("said").focus();
}
