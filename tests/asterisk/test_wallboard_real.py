"""The wallboard with real phones: one rings, and it is on the wall in a real browser. How long that took is printed."""

from __future__ import annotations

import secrets
import socket
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain import session_rules
from controller.domain.access import Role
from controller.domain.opt_out import NumberKey
from controller.ports.people import Person, Session
from controller.provision.files import read_secrets
from controller.store import open_store
from controller.system_clock import SystemClock
from lab.browser import open_browser
from lab.phone import PhoneShelf
from lab.stack import running_stack
from tests.asterisk.conftest import QUICK
from tests.asterisk.floor import Floor
from tests.browser.staff import HEIGHT, WIDTH, Staff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.store import Store

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


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def port() -> int:
    """Return where the console listens."""
    return free_port()


@pytest.fixture(scope="module")
async def running_floor(port: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    """Start everything once for the tests of this file, with the console."""
    console = {("console", "enabled"): "true", ("console", "port"): str(port)}
    async with (
        running_stack(tmp_path_factory.mktemp("site"), changes={**QUICK, **console}) as stack,
        PhoneShelf() as shelf,
    ):
        yield await Floor.furnished(stack, shelf)


@pytest.fixture
async def wall(floor: Floor, port: int) -> AsyncIterator[Staff]:
    """Open the wallboard as somebody who has just signed in, and take note of what it shows when."""
    kept = read_secrets(floor.stack.site.home / "secrets.env")
    async with open_store(
        f"sqlite+aiosqlite:///{floor.stack.site.home / 'orikaeshi.db'}",
        policies={},
        clock=SystemClock(),
        new_id=lambda: secrets.token_hex(8),
        number_key=NumberKey(kept["ORIKAESHI_NUMBER_KEY"].encode()),
    ) as store:
        token = await _signed_in(store)
    with open_browser(width=WIDTH, height=HEIGHT) as chrome:
        staff = Staff(chrome)
        url = f"http://127.0.0.1:{port}"
        await staff.tell("Network.setCookie", name="orikaeshi", value=token, url=url, path="/", httpOnly=True)
        await staff.open_any(f"{url}/wallboard?lang=en")
        await staff.until("return document.body.dataset.connection === 'live'")
        await staff.until("return document.querySelectorAll('#agents > li').length > 0")
        await staff.ask(NOTE_CHANGES)
        yield staff


async def _signed_in(store: Store) -> str:
    """Let somebody have a session; return what their cookie holds."""
    token, now = secrets.token_urlsafe(session_rules.TOKEN_BYTES), SystemClock().now()
    token_hash = session_rules.token_hash(token)
    assert token_hash is not None
    person = Person(
        name=f"wall-{secrets.token_hex(4)}",
        display_name="the screen on the wall",
        role=Role.AGENT,
        made_at=now,
        changed_at=now,
        agent="",
    )
    assert await store.people.add(person)
    session = Session(token_hash, person.name, now, now, now + timedelta(hours=1), "127.0.0.0/24")
    await store.sessions.open(session, seen_after=now - timedelta(minutes=5))
    return token


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
