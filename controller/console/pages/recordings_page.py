"""Recordings of talks, `/recordings`: found, heard, deleted. Made on the server; a script is needed to delete alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from controller.console.api.operation import shown_to
from controller.console.doors import Door, Way
from controller.console.pages import texts_recordings, texts_staff
from controller.console.pages.pages import language_for, render
from controller.console.policy import WITH_SOUND
from controller.console.today import day_of
from controller.domain.access import Scope
from controller.domain.phone_number import as_e164, as_printed
from controller.domain.recording import RecordingMode
from controller.domain.spellings import spellings
from controller.ports.recordings import After, WantedRecordings

if TYPE_CHECKING:
    from aiohttp import web

    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal
    from controller.domain.recording import Recording

WORDS = {**texts_staff.WORDS, **texts_recordings.WORDS}
ROWS = 50
_LONGEST_WORD = 64
_DAY = re.compile(r"20\d\d-[01]\d-[0-3]\d", re.ASCII)
_PLACE = re.compile(r"(20\d\d-\d\d-\d\dT[\d:.]{8,15}Z) ([A-Za-z0-9_-]{1,64})", re.ASCII)
"""Behind which recording a page begins: when that began, and its id."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody asked for, as far as it can be understood."""

    since: str
    """A day, or "" for all of them; likewise `until`."""
    until: str
    queue: str
    agent: str
    number: str
    """As it was written; "" also for who may not read numbers."""
    has_wrong_day: bool

    @property
    def filters(self) -> dict[str, str]:
        """What stands in the address of the same question."""
        named = {each: getattr(self, each) for each in ("since", "until", "queue", "agent", "number")}
        return {name: value for name, value in named.items() if value}


def doors(house: ConsoleHouse) -> tuple[Door, ...]:
    """Return the door to the recordings."""
    return (Door("GET", "/recordings", partial(_show, house), Scope.RECORDINGS_READ, Way.PAGE),)


async def _show(house: ConsoleHouse, request: web.Request, principal: Principal) -> web.StreamResponse:
    """Show one page of recordings. Raises StoreUnavailableError."""
    asked = _asked(request, principal)
    spelled = _spelled(house, asked.number)
    found: list[Recording] = []
    if spelled is not None:
        wanted = WantedRecordings(
            since=day_of(date.fromisoformat(asked.since), house.zone).since if asked.since else None,
            until=day_of(date.fromisoformat(asked.until), house.zone).until if asked.until else None,
            queue=asked.queue,
            agent=asked.agent,
            spelled=spelled,
        )
        after = _place(request.query.get("after", ""))
        found = await house.store.recordings.page(wanted, after=after, limit=ROWS + 1)
    shown = found[:ROWS]
    language = language_for(house, request, principal)
    names = dict.fromkeys((*house.queues, *filter(None, [asked.queue])))
    page = render(
        house,
        request,
        principal,
        "recordings.html",
        words=WORDS,
        asked=asked,
        is_wrong_number=spelled is None,
        may_read_numbers=principal.may(Scope.NUMBERS_READ),
        may_delete=principal.may(Scope.RECORDINGS_WRITE),
        queues=[(name, house.queues[name].title(language) if name in house.queues else name) for name in names],
        agents=[agent.name for agent in house.floor.now().agents],
        rows=[_row(house, principal, language, one) for one in shown],
        older=_older(asked, shown[-1]) if len(found) > ROWS else "",
        is_off=all(each.queue.recording is RecordingMode.OFF for each in house.queues.values()),
    )
    page.headers["Content-Security-Policy"] = WITH_SOUND
    return page


def _asked(request: web.Request, principal: Principal) -> _Asked:
    days = {name: _day(request.query.get(name, "")) for name in ("since", "until")}
    words = {name: request.query.get(name, "").strip()[:_LONGEST_WORD] for name in ("queue", "agent", "number")}
    if not principal.may(Scope.NUMBERS_READ):
        words["number"] = ""
    return _Asked(
        **{name: day or "" for name, day in days.items()},
        **{name: value if value.isprintable() else "" for name, value in words.items()},
        has_wrong_day=None in days.values(),
    )


def _day(text: str) -> str | None:
    """Return a day as it was written, "" where none was; None for what is none."""
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat() if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _spelled(house: ConsoleHouse, written: str) -> tuple[str, ...] | None:
    """Return every spelling of a number; nothing where none was written, None where it is none."""
    if not written:
        return ()
    number = as_e164(written, house.plan.home)
    return None if number is None else spellings(number, house.plan.home)


def _place(written: str) -> After | None:
    """Return where a page begins, as `_older` wrote it; None for the first page, and for what is no such place."""
    found = _PLACE.fullmatch(written)
    try:
        return After(datetime.fromisoformat(found[1]), found[2]) if found else None
    except ValueError:
        return None


def _older(asked: _Asked, last: Recording) -> str:
    place = f"{last.began_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z {last.id}"
    return f"/recordings?{urlencode({**asked.filters, 'after': place})}"


def _row(house: ConsoleHouse, principal: Principal, language: str, one: Recording) -> dict[str, Any]:
    queue = house.queues.get(one.queue)
    printed = as_printed(one.number, house.plan.home) if one.number else None
    return {
        "id": one.id,
        "at": f"{one.began_at.astimezone(house.zone):%Y-%m-%d %H:%M:%S}",
        "queue": queue.title(language) if queue is not None else one.queue,
        "agent": one.agent,
        "customer": shown_to(principal, printed),
        "length": "" if one.ended_at is None else _stop_watch((one.ended_at - one.began_at).total_seconds()),
        "consent": one.consent.value,
        "is_going_on": one.ended_at is None,
        "is_here": house.shelf_of(one.pbx) is not None,
        "pbx": one.pbx,
    }


def _stop_watch(length_s: float) -> str:
    """Return a length of time as the other screens show it: `0:42`, `1:02:05`."""
    minutes, seconds = divmod(max(0, int(length_s)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
