"""Where a controller hears what other processes changed in its database: a doorbell beside a file, LISTEN on a server.

On a server, who changes something says so in the same transaction (`dialect.tell_others`), so nobody hears of what was
rolled back, and nobody has to be told by hand. https://www.postgresql.org/docs/current/sql-notify.html
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from asyncpg import InterfaceError, PostgresError
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from controller.ports.news import Kind, News
from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import CHANNEL, connect_to, origin_of
from controller.store.doorbell import Doorbell, bell_of
from controller.store.faults import as_unavailable
from controller.store.sqlite import file_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock
    from controller.ports.news import NewsSource
    from controller.store.engine import Database

_PAYLOAD = re.compile(r"(promise|sms|reply|lease|hook|closure) ([0-9a-f]{16}) ([A-Za-z0-9_.:-]{0,200})", re.ASCII)
_SHORTEST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_PATIENCE_S = 5.0
_PING_EVERY_S = 10.0
"""A connection whose other end is gone is silent like one on which nothing happens."""


def news_of(url: str, clock: Clock, database: Database, *, log: FilteringBoundLogger | None = None) -> NewsSource:
    """Return where the news of the database at `url` come from. `database` is the one by which we change it."""
    heard_in = log or structlog.get_logger("controller.news")
    path = file_of(make_url(url))
    if make_url(url).get_backend_name() == "postgresql":
        return ServerNews(url, clock, own=origin_of(database.engine), log=heard_in)
    if path is None:
        raise StoreUnavailableError("A database file whose address has options has no doorbell. Name a plain path.")
    return DoorbellNews(Doorbell(bell_of(Path(path)), clock, log=heard_in))


class DoorbellNews:
    """`NewsSource` beside a database file: promises that commands changed. Controllers on one file do not ring."""

    def __init__(self, bell: Doorbell) -> None:
        self._bell = bell

    async def run(self, on_news: Callable[[News], None]) -> None:
        """Tell of each promise whose id is rung, until cancelled; returns where no bell can be hung."""
        await self._bell.run(lambda promise_id: on_news(News(Kind.PROMISE, promise_id)))


class ServerNews:
    """`NewsSource` on PostgreSQL, over a connection of its own.

    Each time that it is connected it tells `MISSED` first, also at the start: what happened between the last look at
    the database and the first moment of listening nobody told us.
    """

    def __init__(
        self, url: str, clock: Clock, *, own: str, log: FilteringBoundLogger, ping_every_s: float = _PING_EVERY_S
    ) -> None:
        self._url = url
        self._clock = clock
        self._own = own
        self._log = log
        self._ping_every_s = ping_every_s

    async def run(self, on_news: Callable[[News], None]) -> None:
        """Tell what others changed until cancelled; a server that is away is tried again with growing pauses."""

        def tell(news: News) -> None:
            try:
                on_news(news)
            except Exception:  # noqa: BLE001 - a listener's mistake must not stop the news
                self._log.exception("news_listener_failed", kind=news.kind.value)

        def heard(_connection: object, _pid: int, _channel: str, payload: str) -> None:
            news = read_payload(payload, own=self._own)
            if news is not None:
                tell(news)

        pause_s = _SHORTEST_PAUSE_S

        def connected() -> None:
            nonlocal pause_s
            pause_s = _SHORTEST_PAUSE_S
            tell(News(Kind.MISSED))

        while True:
            try:
                await self._listen(heard, connected)
            except (DBAPIError, OSError, PostgresError, InterfaceError) as error:
                told = as_unavailable(error, make_url(self._url)) or error
                self._log.warning("news_interrupted", error=str(told), again_in_s=pause_s)
            await self._clock.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _listen(self, heard: Callable[..., None], connected: Callable[[], None]) -> None:
        """Listen until the connection is lost. Raises DBAPIError, OSError, StoreUnavailableError, PostgresError."""
        engine = connect_to(self._url, busy_timeout_s=_PATIENCE_S)
        try:
            async with engine.connect() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                lost = asyncio.Event()
                driver.add_termination_listener(lambda _: lost.set())
                try:
                    await driver.add_listener(CHANNEL, heard)
                    connected()
                    while True:
                        await self._pause(lost)
                        await driver.fetchval("SELECT 1", timeout=_PATIENCE_S)
                finally:
                    driver.terminate()  # whoever is gone is not waited for, and it does not go back into a pool
        finally:
            await engine.dispose()

    async def _pause(self, lost: asyncio.Event) -> None:
        """Wait until the next question whether the server is there is due, or the connection is lost."""
        first = [asyncio.ensure_future(self._clock.sleep(self._ping_every_s)), asyncio.ensure_future(lost.wait())]
        try:
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in first:
                one.cancel()


def read_payload(payload: str, *, own: str) -> News | None:
    """Return the news in a payload; None for our own, and for what is not ours: the channel is open to all."""
    found = _PAYLOAD.fullmatch(payload)
    if found is None or found[2] == own:
        return None
    return News(Kind(found[1]), found[3])
