"""The wallboard with real phones: one rings, and it is on the wall in a real browser. How long that took is printed."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import pytest

from lab.browser import open_browser
from tests.asterisk.console_site import let_in, running_console, signs_in
from tests.browser.staff import HEIGHT, WIDTH, Staff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.asterisk.floor import Floor

NOTE_CHANGES = """
window.seen = [];
const note = () => {
  const line = Array.from(document.querySelectorAll('#line > li'), row => `${row.classList[1]} ${row.dataset.key}`);
  const agents = Array.from(document.querySelectorAll('#agents .chip'), chip => chip.dataset.state);
  const text = JSON.stringify([line, agents]);
  if (text !== window.seen.at(-1)?.[1]) window.seen.push([Date.now(), text]);
};
new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true});
note();
"""
SEEN_SINCE = "return window.seen.find(([at, text]) => text.includes(arguments[0]))?.[0] ?? null"


@pytest.fixture(scope="module")
async def running_floor(port: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    """Start everything once for the tests of this file, with the console."""
    async with running_console(tmp_path_factory.mktemp("site"), port) as floor:
        yield floor


@pytest.fixture
async def wall(floor: Floor, port: int) -> AsyncIterator[Staff]:
    """Open the wallboard as somebody who has just signed in, and take note of what it shows when."""
    name = f"wall-{secrets.token_hex(4)}"
    await let_in(floor, name, "agent")
    with open_browser(width=WIDTH, height=HEIGHT) as chrome:
        staff = await signs_in(Staff(chrome), port, name, "/wallboard?lang=en")
        await staff.until("return document.querySelectorAll('#agents > li').length > 0")
        await staff.ask(NOTE_CHANGES)
        yield staff


async def test_a_phone_rings_and_the_wall_shows_it(floor: Floor, wall: Staff) -> None:
    """A caller holds, an agent comes and is rung, they talk, and it is over: each is on the wall as it happens."""
    caller = await floor.holding(floor.customer())
    await wall.until_said("#line", "Caller", "Waiting")
    assert await wall.said("#waiting") == "1"
    agent = await floor.signed_in(answers=False)
    ring = await agent.rings()
    rang_at_ms = time.time() * 1000
    shown_at_ms = await wall.until(SEEN_SINCE, '"ringing ')
    print(f"the phone rang; the wall showed it {shown_at_ms - rang_at_ms:+.0f} ms later")  # noqa: T201 - for a person
    assert await wall.said("#waiting") == "0"
    await ring.answer()
    answered_at_ms = time.time() * 1000
    shown_at_ms = await wall.until(SEEN_SINCE, '"talking ')
    print(f"they talked; the wall showed it {shown_at_ms - answered_at_ms:+.0f} ms later")  # noqa: T201 - likewise
    await wall.until_said("#agents", "On a call")
    await caller.hang_up()
    hung_up_at_ms = time.time() * 1000
    await wall.until_said("#nobody", "Nobody is waiting")
    shown_at_ms = await wall.until(SEEN_SINCE, "wrap_up")
    print(f"they hung up; the wall showed it {shown_at_ms - hung_up_at_ms:+.0f} ms later")  # noqa: T201 - likewise


async def test_a_promise_that_is_made_by_phone_stands_in_the_line(floor: Floor, wall: Staff) -> None:
    """With its number masked; the PBX is told to be in control."""
    customer = floor.customer()
    await floor.promised(customer)
    await wall.until_said("#line", "Callback")
    await wall.until_said("#callbacks", "1")
    assert customer.user[1:] not in await wall.ask("return document.documentElement.outerHTML")
    assert "In control" in await wall.said("#health")
