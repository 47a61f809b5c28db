"""What goes on, for screens that stay open: the floor as it changes, and today's figures.

Whoever is slow gets the newest and misses what was before: nothing is kept for a reader but what it has seen last. The
floor is written out once for all who may see the same of it, however many look.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from datetime import datetime  # noqa: TC003 - msgspec reads the annotations when it runs
from typing import TYPE_CHECKING

import msgspec
import structlog
from aiohttp import web

from controller.console.api.shapes import Frozen, floor_shape
from controller.domain.figure_rows import COLUMNS
from controller.domain.phone_number import mask
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.console.house import ConsoleHouse
    from controller.console.today import Today, TodaysFigures
    from controller.ports.floor import FloorNow

log = structlog.get_logger(__name__)

SETTLE_S = 0.02
"""What changes together is sent together: one step of a call changes several things."""
GAP_S = 0.18
"""Between two looks at the floor: at most five a second."""
BEAT_S = 2.0
"""Something is said at least so often, so that a screen notices soon that it hears nothing."""
MOST_STREAMS = 6
"""Of one session; one more ends the oldest."""
AGAIN_S = 1.0
"""After a fault of ours."""
FIGURES_SHARE = 10
"""Reckoning today's figures may take one part in so many of the time."""


class FiguresToday(Frozen, frozen=True):
    """Today's figures."""

    at: datetime
    queues: dict[str, dict[str, float | None]]
    """By queue, and under "" of all together: each figure by its key, rounded as it is shown; null: nothing to tell."""


class Beat(Frozen, frozen=True):
    """Nothing is new; it is this time."""

    at: datetime


class FloorSeen:
    """The floor at one moment, written out when somebody wants it."""

    def __init__(self, house: ConsoleHouse, now: FloorNow) -> None:
        self._house = house
        self.now = now
        self._written: dict[bool, bytes] = {}

    def written(self, *, whole_numbers: bool) -> bytes:
        """Return it as JSON, as GET /api/v1/floor does."""
        found = self._written.get(whole_numbers)
        if found is None:
            shown, home = _whole if whole_numbers else _masked, self._house.plan.home
            shape = floor_shape(self.now, shown, self._titles, home)
            found = self._written[whole_numbers] = msgspec.json.encode(shape)
        return found

    def _titles(self, queue: str) -> dict[str, str]:
        shown = self._house.queues.get(queue)
        return dict(shown.titles) if shown is not None else {}


class Stream:
    """One reader."""

    def __init__(self, live: Live, *, whole_numbers: bool) -> None:
        self._live = live
        self._whole_numbers = whole_numbers
        self._floor: FloorSeen | None = None
        self._figures: bytes | None = None
        self.last: bytes | None = None
        """What is said before it ends; not None: it is over."""

    async def next(self) -> bytes:
        """Return the next event; waits until there is one, at most about `BEAT_S`."""
        event = self._unseen()
        if event is None:
            await self._live.news.wait()
            event = self._unseen()
        return event if event is not None else _event("beat", msgspec.json.encode(Beat(at=self._live.at)))

    def _unseen(self) -> bytes | None:
        live = self._live
        if self.last is not None:
            return self.last
        if live.floor is not None and live.floor is not self._floor:
            self._floor = live.floor
            return _event("floor", live.floor.written(whole_numbers=self._whole_numbers))
        if live.figures is not None and live.figures is not self._figures:
            self._figures = live.figures
            return _event("figures", live.figures)
        return None


class Live:
    """Watches the floor for as long as anybody looks at it."""

    def __init__(self, house: ConsoleHouse, today: TodaysFigures) -> None:
        self._house = house
        self.today = today
        self.news = asyncio.Event()
        """Set, and replaced by another, whenever there is something to say."""
        self.at = house.now
        self.floor: FloorSeen | None = None
        self.figures: bytes | None = None
        self._changed = asyncio.Event()
        self._is_watched = asyncio.Event()
        self._is_closing = False
        self._streams: defaultdict[str, list[Stream]] = defaultdict(list)

    @property
    def streams(self) -> int:
        """How many there are."""
        return sum(map(len, self._streams.values()))

    def join(self, session: str, *, whole_numbers: bool) -> Stream:
        """Return the stream of a new reader, which has to `leave`. One too many of a session ends its oldest."""
        stream = Stream(self, whole_numbers=whole_numbers)
        own = self._streams[session]
        own.append(stream)
        for old in own[:-MOST_STREAMS]:
            old.last = _event("enough", msgspec.json.encode(Beat(at=self.at)))
        stream.last = b"" if self._is_closing else None
        self._is_watched.set()
        self._look()
        return stream

    def leave(self, session: str, stream: Stream) -> None:
        """Forget a reader."""
        own = self._streams[session]
        own.remove(stream)
        if not own:
            del self._streams[session]
        if not self._streams:
            self._is_watched.clear()

    def close(self) -> None:
        """End every stream: we stop."""
        self._is_closing = True
        for stream in (each for own in self._streams.values() for each in own):
            stream.last = b""
        self._tell()

    async def run(self) -> None:
        """Watch until cancelled."""
        unsubscribe = self._house.floor.subscribe(self._changed.set)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch_floor())
                tasks.create_task(self._watch_figures())
        finally:
            unsubscribe()

    async def _watch_floor(self) -> None:
        while True:
            await self._is_watched.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._changed.wait()
                    await asyncio.sleep(SETTLE_S)
            self._changed.clear()
            try:
                self._look()
            except Exception:
                # A screen that stands still is no reason to end a call.
                log.exception("floor_not_told")
                await asyncio.sleep(AGAIN_S)
            await asyncio.sleep(GAP_S)

    async def _watch_figures(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._is_watched.wait()
            began_s = loop.time()
            try:
                self._take(await self.today.now())
            except StoreUnavailableError as error:
                log.warning("figures_not_told", error=str(error))
            except Exception:
                log.exception("figures_not_told")
            took_s = loop.time() - began_s
            await asyncio.sleep(max(self._house.fresh_figures_s, AGAIN_S, FIGURES_SHARE * took_s))

    def _look(self) -> None:
        now = self._house.floor.now()
        if self.floor is None or replace(now, at=self.floor.now.at) != self.floor.now:
            self.floor = FloorSeen(self._house, now)
        self._tell()

    def _take(self, today: Today) -> None:
        queues = {name: {each.key: each.cell(found) for each in COLUMNS} for name, found in today.totals.items()}
        self.figures = msgspec.json.encode(FiguresToday(at=today.as_of, queues=queues))
        self._tell()

    def _tell(self) -> None:
        self.at = self._house.now
        news, self.news = self.news, asyncio.Event()
        news.set()


LIVE = web.AppKey("live", Live)


def attach(app: web.Application, house: ConsoleHouse, today: TodaysFigures) -> None:
    """Let an application have what goes on, for as long as it runs."""
    live = app[LIVE] = Live(house, today)

    async def running(_: web.Application) -> AsyncIterator[None]:
        watching = asyncio.create_task(live.run())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def closing(_: web.Application) -> None:
        live.close()

    app.cleanup_ctx.append(running)
    app.on_shutdown.append(closing)


def _event(name: str, data: bytes) -> bytes:
    """Return one event (HTML Standard, 9.2.6); JSON has no line ends."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


def _whole(number: str | None) -> str | None:
    return number


def _masked(number: str | None) -> str | None:
    return number if number is None else mask(number)
