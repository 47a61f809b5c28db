"""Those who work here, in front of a browser with a screen of its own: signed in, with a mouse and a keyboard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from selenium.common.exceptions import JavascriptException, TimeoutException, WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.visitor import PATIENCE_S, Visitor
from tests.console.house import COOKIE
from tests.web.site import PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver import Chrome

    from controller.domain.access import Role
    from tests.console.house import ConsoleSite

WIDTH, HEIGHT = 1280, 900
_SEEN = """
const element = document.querySelector(arguments[0]);
return Boolean(element) && element.checkVisibility();
"""
_SAID = """
const element = document.querySelector(arguments[0]);
return element?.checkVisibility() ? element.innerText : "";
"""
_LIVE = "return document.body.dataset.connection === 'live'"


class Staff(Visitor):
    """Somebody at a desk."""

    def __init__(self, chrome: Chrome) -> None:
        super().__init__(chrome)
        self.chrome = chrome

    async def sign_in(self, site: ConsoleSite, role: Role, **more: Any) -> None:
        """Be signed in as a new person, whoever was before; on no page."""
        await self.open_any("about:blank")
        client = await site.client(role, **more)
        await self.tell("Network.clearBrowserCookies")
        cookie = {"name": COOKIE, "value": client.token, "url": PUBLIC_URL, "path": "/", "secure": True}
        await self.tell("Network.setCookie", **cookie, httpOnly=True, sameSite="Strict")
        metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        await self.tell("Emulation.setDeviceMetricsOverride", **metrics)

    async def enter(self, path: str) -> None:
        """Open a page, and wait until it is live."""
        await self.open(path)
        await self.until(_LIVE)

    async def until(self, script: str, *arguments: Any) -> Any:
        """Wait until a look at the page finds something, and return it."""

        def look(chrome: Chrome) -> Any:
            return chrome.execute_script(script, *arguments)

        return await asyncio.to_thread(self._wait, look, f"{script} {arguments}")

    async def until_said(self, selector: str, *words: str) -> str:
        """Wait until an element says all of these words; return what it says."""

        def look(chrome: Chrome) -> str:
            text = str(chrome.execute_script(_SAID, selector))
            return text if text and all(word in text for word in words) else ""

        return str(await asyncio.to_thread(self._wait, look, f"{selector} says {words}"))

    async def until_seen(self, selector: str) -> None:
        """Wait until there is such an element, and it can be seen."""
        await self.until(_SEEN, selector)

    async def until_gone(self, selector: str) -> None:
        """Wait until there is no such element that can be seen."""
        await self.until(f"return !(() => {{{_SEEN}}})(...arguments)", selector)

    async def said(self, selector: str) -> str:
        """Return what an element says."""
        return str(await self.ask(_SAID, selector))

    async def shows(self, selector: str) -> bool:
        """Tell whether there is such an element that can be seen."""
        return bool(await self.ask(_SEEN, selector))

    async def click(self, selector: str) -> None:
        """Click on something."""
        await asyncio.to_thread(lambda: self.chrome.find_element(By.CSS_SELECTOR, selector).click())

    async def write(self, selector: str, text: str) -> None:
        """Write into a field, behind what stands there."""
        await asyncio.to_thread(lambda: self.chrome.find_element(By.CSS_SELECTOR, selector).send_keys(text))

    async def choose(self, selector: str, value: str) -> None:
        """Choose from a list, by the value."""
        await asyncio.to_thread(
            lambda: Select(self.chrome.find_element(By.CSS_SELECTOR, selector)).select_by_value(value)
        )

    async def value(self, selector: str) -> str:
        """Return what stands in a field."""
        return str(await self.ask("return document.querySelector(arguments[0]).value", selector))

    async def tab_to(self, an_id: str, most: int = 80) -> None:
        """Press Tab until an element has the focus."""
        for _ in range(most):
            if await self.focus() == an_id:
                return
            await asyncio.to_thread(ActionChains(self.chrome).send_keys(Keys.TAB).perform)
        raise AssertionError(f"no Tab leads to {an_id}")

    def _wait(self, look: Callable[[Chrome], Any], what: str) -> Any:
        ignored = [JavascriptException, WebDriverException]
        try:
            return WebDriverWait(self.chrome, PATIENCE_S, 0.05, ignored_exceptions=ignored).until(look)
        except TimeoutException as error:
            seen = self.chrome.execute_script("return document.body.innerText")
            raise AssertionError(f"never: {what}\n{seen}") from error
