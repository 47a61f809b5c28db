"""The form of the sign-in, as a browser sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.console.client import COOKIE
from tests.console.house import PASSWORD

if TYPE_CHECKING:
    from tests.console.client import Answer, Client
    from tests.console.house import ConsoleSite


async def signed_in(site: ConsoleSite, name: str = "hanako", password: str = PASSWORD, to: str = "") -> Answer:
    """Send the form of the sign-in."""
    return await site.stranger().submit("/sign-in", {"name": name, "password": password, "to": to})


def browser(site: ConsoleSite, answer: Answer) -> Client:
    """Return the browser that got a session with an answer."""
    return site.stranger(Cookie=f"{COOKIE}={answer.cookies[COOKIE]}", **{"X-Orikaeshi": "1"})
