"""Takes the pictures of the agents' desk and of the supervisor's page: docs/images/PAGE-LANGUAGE.png.

    python -m docs.desk_pictures

The pages are those of the tests: the real ones, from a real database, in Chromium; the people on them are made up.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import tempfile
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from controller.console.desk_rules import DeskRules
from controller.domain.access import Role
from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.card import Arrival
from controller.domain.line import WaiterKind
from controller.ports.floor import EntryState, LineEntry, Problem, Severity
from controller.ports.notes import NoteWanted
from lab.browser import open_browser
from tests.browser.console_behind import console_behind
from tests.browser.door import Door
from tests.browser.staff import HEIGHT, WIDTH, Staff
from tests.console.desk_talks import promised, rings, state, wraps_up
from tests.console.floor import AGENT, NUMBER, OTHER_AGENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.console.house import ConsoleSite

FOLDER = Path(__file__).with_name("images")
LANGUAGES = ("ja", "en")
RULES = DeskRules(crm_url="https://crm.example.jp/search?tel={number}")
DISPOSITIONS = {"ja": ("解決", "要確認", "再架電", "クレーム"), "en": ("Solved", "Open", "Call again", "Complaint")}
BEFORE = {
    "ja": "領収書の再発行をご希望。経理に確認のうえ折り返し。",
    "en": "Wants the receipt once more. Asked accounting.",
}
NOW = {"ja": "領収書は本日発送とお伝えした。", "en": "Told them that the receipt leaves today."}
CLIP = {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT, "scale": 0.5}
"""Of a screen that is twice as fine."""
OTHERS = ("+819087654321", "+81312345678", "+815012345678", None)


async def take(folder: Path) -> None:
    """Write every picture. Raises PackageError when there is no browser."""
    with tempfile.TemporaryDirectory() as home:
        async with Door().standing(Path(home)) as door:
            with open_browser(width=WIDTH, height=HEIGHT, hosts=door.hosts) as chrome:
                for language in LANGUAGES:
                    staff = Staff(chrome)
                    for name, scene in (("desk", desk), ("supervise", supervise)):
                        async with furnished(door, language) as site:
                            await scene(site, staff, language)
                            taken = await staff.tell("Page.captureScreenshot", format="png", clip=CLIP)
                            folder.joinpath(f"{name}-{language}.png").write_bytes(base64.b64decode(taken["data"]))
                            await staff.open_any("about:blank")


@asynccontextmanager
async def furnished(door: Door, language: str) -> AsyncIterator[ConsoleSite]:
    """Serve a console of its own."""
    with tempfile.TemporaryDirectory() as home:
        more = {"desk": RULES, "dispositions": DISPOSITIONS[language]}
        async with console_behind(door, Path(home), **more) as site:
            yield site


async def desk(site: ConsoleSite, staff: Staff, language: str) -> None:
    """Show an agent in the wrap-up of a talk with somebody who is known."""
    await _before(site, language)
    await rings(site)
    site.clock.turn(95)
    call = await wraps_up(site)
    state(site, AgentState.WRAP_UP, call, rest_ends_at=site.house.now + timedelta(seconds=45))
    await staff.sign_in(site, Role.AGENT, name="hanako", language=language)
    await staff.enter(f"/desk?lang={language}&theme=light")
    await staff.until_seen("#card-body")
    await staff.choose("#note-disposition", DISPOSITIONS[language][0])
    await staff.write("#note-text", NOW[language])
    await staff.until("return document.getElementById('note-status').textContent.includes('10:')")
    await staff.click("#redial-open")
    await staff.until_seen("#redial-when")


async def _before(site: ConsoleSite, language: str) -> None:
    """Let the customer have rung two days ago, been promised a call, and talked with a colleague."""
    calls, clock, today = site.store.calls, site.clock, site.clock.now()
    clock.turn(-47 * 3600)
    for call, agent in (("old-1", ""), ("old-2", OTHER_AGENT)):
        await calls.arrived(call, dialled="0312345678", number=NUMBER, arrived_at=clock.now())
        await calls.joined(call, queue="support", joined_at=clock.now())
        clock.turn(150)
        if agent:
            await calls.answered(call, agent=agent, answered_at=clock.now())
            clock.turn(210)
        await calls.ended(call, ending=Ending.SERVED if agent else Ending.PROMISED, ended_at=clock.now())
        clock.turn(3600)
    serving = Arrival(WaiterKind.LIVE, "support", NUMBER, clock.now())
    wanted = NoteWanted("old-2", OTHER_AGENT, DISPOSITIONS[language][1], BEFORE[language], serving=serving)
    await site.store.notes.write(wanted, at=clock.now(), served_since=clock.now())
    clock.turn((today - clock.now()).total_seconds())


async def supervise(site: ConsoleSite, staff: Staff, language: str) -> None:
    """Show a line of callers and callbacks, and what can be done with one of them."""
    promise = await promised(site, "+819011112222")
    now = site.house.now
    waits = (410, 290, 150, 75)
    line = tuple(
        LineEntry(
            f"{nth}.7",
            WaiterKind.LIVE,
            "support",
            "asterisk",
            now - timedelta(seconds=wait_s),
            EntryState.WAITING,
            number,
            place=nth + (2 if nth > 1 else 1),
            urgent=nth == 0,
        )
        for nth, (number, wait_s) in enumerate(zip(OTHERS, waits, strict=True))
    )
    since = now - timedelta(seconds=220)
    callback = LineEntry(
        promise.id, WaiterKind.PROMISE, "support", "asterisk", since, EntryState.WAITING, promise.number
    )
    shown = site.floor.shown
    problems = (Problem("phone_away", Severity.WARNING, OTHER_AGENT, now - timedelta(minutes=4)),)
    both = (*line[:2], replace(callback, place=3), *line[2:])
    site.floor.changed(replace(shown, line=both, problems=problems))
    state(site, AgentState.ON_CALL, "talk", agent=AGENT, talks_today=14)
    await staff.sign_in(site, Role.SUPERVISOR, name="boss", language=language)
    await staff.enter(f"/supervise?lang={language}&theme=light")
    await staff.click(f'#line tr[data-key="{promise.id}"] .act')
    await staff.until_seen("dialog[open]")


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(take(FOLDER))
