"""A customer with a small phone: opens pages, taps with a finger, types on a keyboard, and reads what is there."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from typing import TYPE_CHECKING, Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.wait import WebDriverWait

from tests.web.site import PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver import Chrome

PATIENCE_S = 30.0
_A_STATUS = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
_BORN = "return document.readyState === 'complete' ? performance.timeOrigin : null"
_CENTRE = """
const box = document.querySelector(arguments[0]).getBoundingClientRect();
return [box.x + box.width / 2, box.y + box.height / 2];
"""
_REFUSED = """
const field = document.getElementById(arguments[0]);
return !field.validity.valid && document.activeElement === field;
"""
_LINKS = """
const links = Array.from(document.links).filter(each => each.origin === arguments[0]);
return links.map(each => each.pathname + each.search);
"""
_TO_SEE = "document.querySelector(arguments[0]).scrollIntoView({block: 'center', behavior: 'instant'})"


class Visitor:
    """Somebody in front of a browser. Every method raises WebDriverException when the browser does not do as asked."""

    def __init__(self, chrome: Chrome) -> None:
        self._chrome = chrome

    async def open(self, path: str) -> None:
        """Open a page of the site by its path."""
        await asyncio.to_thread(self._chrome.get, PUBLIC_URL + path)

    async def open_any(self, url: str) -> None:
        """Open a page that is not the site's."""
        await asyncio.to_thread(self._chrome.get, url)

    async def tap(self, an_id: str) -> None:
        """Tap with a finger on the middle of an element, wherever that leads."""
        await asyncio.to_thread(self._tap, f"#{an_id}")

    async def tap_on(self, an_id: str) -> None:
        """Tap, and wait for the page that it leads to."""
        await asyncio.to_thread(self._follow, lambda: self._tap(f"#{an_id}"))

    async def tap_link(self, href: str) -> None:
        """Tap on a link that leads to another place on the same page."""
        await asyncio.to_thread(self._tap, f'a[href="{href}"]')

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await asyncio.to_thread(ActionChains(self._chrome).send_keys(*keys).perform)

    async def press_on(self, *keys: str) -> None:
        """Press keys, and wait for the page that they lead to."""
        await asyncio.to_thread(self._follow, ActionChains(self._chrome).send_keys(*keys).perform)

    async def type(self, an_id: str, text: str) -> None:
        """Type into a field."""
        await self.tap(an_id)
        await self.press(text)

    async def ask(self, script: str, *arguments: Any) -> Any:
        """Have the browser's tools look at the page; that is not a script of the page."""
        return await asyncio.to_thread(self._chrome.execute_script, script, *arguments)

    async def ask_later(self, script: str, *arguments: Any) -> Any:
        """Have the browser's tools look, and wait for what they hand to the last argument, a function."""
        return await asyncio.to_thread(self._chrome.execute_async_script, script, *arguments)

    async def reads(self, an_id: str = "content") -> str:
        """Return the text of an element as it is seen."""
        text: str = await self.ask("return document.getElementById(arguments[0]).innerText", an_id)
        return text

    async def status(self) -> int:
        """Return the HTTP status of the page."""
        status: int = await self.ask("return performance.getEntriesByType('navigation')[0].responseStatus")
        return status

    async def path(self) -> str:
        """Return the path of the page, without its query."""
        path: str = await self.ask("return location.pathname")
        return path

    async def sees(self, selector: str) -> int:
        """Return how many elements there are of a kind."""
        count: int = await self.ask("return document.querySelectorAll(arguments[0]).length", selector)
        return count

    async def is_seen(self, an_id: str) -> bool:
        """Tell whether an element is not folded away."""
        return bool(await self.ask("return document.getElementById(arguments[0]).checkVisibility()", an_id))

    async def is_refused(self, an_id: str) -> bool:
        """Tell whether the browser has sent nothing, and wants a field to be filled in first."""
        return bool(await self.ask(_REFUSED, an_id))

    async def chosen(self) -> str | None:
        """Return the id of the radio button that is chosen."""
        an_id: str | None = await self.ask("return document.querySelector('input[type=radio]:checked')?.id")
        return an_id

    async def links(self) -> list[str]:
        """Return the paths that the links of the page lead to, with their queries."""
        found: list[str] = await self.ask(_LINKS, PUBLIC_URL)
        return found

    async def focus(self) -> str:
        """Return the id of the element that has the focus."""
        an_id: str = await self.ask("return document.activeElement.id")
        return an_id

    async def resize(self, width: int, height: int = 740) -> None:
        """Be a phone of this size, in CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
        await self.tell("Emulation.setDeviceMetricsOverride", **metrics)

    async def tell(self, command: str, **arguments: Any) -> Any:
        """Give an order to the browser's own tools (Chrome DevTools Protocol)."""
        return await asyncio.to_thread(self._chrome.execute_cdp_cmd, command, arguments)

    async def go_back(self) -> None:
        """Press the browser's own button that leads to the page before."""
        await asyncio.to_thread(self._chrome.back)

    async def complaints(self) -> list[str]:
        """Return what the browser has complained of since it was last asked, but the page's own status."""
        entries = await asyncio.to_thread(self._chrome.get_log, "browser")
        return [each["message"] for each in entries if not _A_STATUS.search(each["message"])]

    async def requests(self) -> list[str]:
        """Return the addresses that pages have asked for since it was last asked."""
        entries = await asyncio.to_thread(self._chrome.get_log, "performance")
        messages = [json.loads(each["message"])["message"] for each in entries]
        return [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]

    async def picture(self) -> bytes:
        """Return a PNG of the whole page, twice as fine as CSS pixels."""
        width, height = await self.ask("return [innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        taken = await self.tell("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(taken["data"])

    def _tap(self, selector: str) -> None:
        # WebElement.click waits for a script of the page, and there are none.
        self._chrome.execute_script(_TO_SEE, selector)
        x, y = self._chrome.execute_script(_CENTRE, selector)
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            self._chrome.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def _follow(self, act: Callable[[], None]) -> None:
        before = self._chrome.execute_script(_BORN)
        act()
        waiting = WebDriverWait(self._chrome, PATIENCE_S, 0.05, ignored_exceptions=[WebDriverException])
        waiting.until(lambda chrome: chrome.execute_script(_BORN) not in {None, before})
