"""The wallboard in a browser of its own, which notes when each change of an agent's state stands in the page."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from lab.browser import open_browser
from lab.demo_console import PERSON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from selenium.webdriver import Chrome

    from lab.demo_console import DemoConsole

WIDTH, HEIGHT = 1920, 1080
PATIENCE_S: Final = 30
MOST_DRIFT_MS: Final = 5.0
_IS_LIVE: Final = """
return document.body.dataset.connection === "live" && document.querySelectorAll("#agents > li").length === arguments[0];
"""
# A mutation observer is called as soon as the script that changed the page is through with it, before it is painted.
_WATCH: Final = """
const states = new Map();
window.shown = [];
const note = () => {
  const at = performance.timeOrigin + performance.now();
  for (const row of document.querySelectorAll("#agents > li")) {
    const [agent, state] = [row.querySelector(".name").textContent, row.querySelector(".chip").dataset.state];
    if (states.get(agent) === state) continue;
    states.set(agent, state);
    window.shown.push([at, agent, state]);
  }
};
new MutationObserver(note).observe(document.getElementById("agents"),
  {subtree: true, childList: true, characterData: true, attributes: true});
note();
"""
_SHOWN: Final = """
return [Date.now() - (performance.timeOrigin + performance.now()), window.shown];
"""


class ClocksApartError(Exception):
    """The browser's clock is not the machine's; the message says by how much."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An agent's state, and since when it stands in the page: ms since 1970 by the machine's clock."""

    at_ms: float
    agent: str
    state: str


class WallboardPage:
    """A page of a browser that has `#agents`. Every method raises WebDriverException."""

    def __init__(self, chrome: Chrome) -> None:
        self._chrome = chrome

    async def watch(self) -> None:
        """Note every change from now on; the states of now are the first."""
        await self._ask(_WATCH)

    async def shown(self) -> list[Shown]:
        """Return what was noted so far. Raises ClocksApartError."""
        drift_ms, found = await self._ask(_SHOWN)
        if abs(drift_ms) > MOST_DRIFT_MS:
            raise ClocksApartError(f"the browser's clock is {drift_ms:+.1f} ms from the machine's")
        return [Shown(*each) for each in found]

    async def sign_in(self, console: DemoConsole, *, agents: int) -> None:
        """Come to the wallboard by the form, and wait until it is live and shows so many agents."""
        await asyncio.to_thread(self._sign_in, console, agents)

    def _sign_in(self, console: DemoConsole, agents: int) -> None:
        self._chrome.get(console.wallboard)
        for name, text in (("name", PERSON), ("password", console.password)):
            self._chrome.find_element(By.ID, name).send_keys(text)
        self._chrome.find_element(By.ID, "sign-in").click()
        WebDriverWait(self._chrome, PATIENCE_S).until(lambda chrome: chrome.execute_script(_IS_LIVE, agents))

    async def _ask(self, script: str) -> Any:
        return await asyncio.to_thread(self._chrome.execute_script, script)


@asynccontextmanager
async def wallboard_page() -> AsyncIterator[WallboardPage]:
    """Open a browser as wide and high as the screen of a room. Raises PackageError."""
    opening = open_browser(width=WIDTH, height=HEIGHT)
    chrome = await asyncio.to_thread(opening.__enter__)
    try:
        yield WallboardPage(chrome)
    finally:
        await asyncio.to_thread(opening.__exit__, None, None, None)
