"""The console as a browser or a program gets it: over HTTP, with the real database behind; the floor is by a script.

async with site_at(tmp_path) as site:
    supervisor = await site.client(Role.SUPERVISOR)
    answer = await supervisor.get("/api/v1/floor")
    crm = await site.key(Scope.PROMISES_READ)
    answer = await crm.get("/api/v1/promises")
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import sqlite3
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import aiohttp

from controller.console.app import build
from controller.console.house import ConsoleHouse, ShownQueue
from controller.domain import api_key, session_rules
from controller.domain.access import Role, Scope
from controller.domain.figure_facts import Counting
from controller.domain.gate import CallingHours
from controller.domain.opening_hours import OpeningHours, Span
from controller.domain.passwords import hashed
from controller.domain.phone_number import NumberPlan
from controller.domain.retry_policy import RetryPolicy
from controller.domain.slots import SlotPlan
from controller.domain.staffing import Target
from controller.journeys.house import Queue
from controller.ports.people import ApiKey, Person, Session
from controller.store import open_store
from controller.web.rates import RateLimits
from controller.web.server import WebServer
from tests.console.client import COOKIE, Answer, Client
from tests.console.floor import AGENT, ScriptedFloor
from tests.contract.store_under_test import HandClock, everything

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from controller.ports.hooks import HookWish
    from controller.store import Store

__all__ = ["COOKIE", "Answer", "Client", "ConsoleSite", "site_at"]
TOKYO = ZoneInfo("Asia/Tokyo")
TUESDAY_TEN = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""10:00 in Tokyo, on the 24th of November."""
OFFICE = OpeningHours(weekly=((Span(time(9), time(17)),),) * 5 + ((), ()), zone=TOKYO, holiday_country=None)
SUPPORT = Queue(
    name="support",
    language="ja",
    hours=OFFICE,
    calling_hours=CallingHours(time(8), time(20)),
    slots=SlotPlan(length_min=30, capacity=2, lead_min=60),
)
SALES = Queue(name="sales", language="en", hours=OFFICE, calling_hours=CallingHours(time(8), time(20)))
QUEUES = {
    "support": ShownQueue(SUPPORT, {"ja": "青空カード", "en": "Aozora Card"}, Counting(), Target()),
    "sales": ShownQueue(SALES, {"ja": "青空商事", "en": "Aozora Trading"}, Counting(), Target()),
}
HOST = "console.example.jp"
PUBLIC_URL = f"https://{HOST}"
PASSWORD = "green tea in the morning"
AGENTS = {Role.AGENT: AGENT}
"""Who the people of a test are at the phone, by their role."""
NO_LIMITS = RateLimits(per_address_per_minute=100_000, per_subnet_per_minute=100_000, forged_per_minute=100_000)
_HASH = hashed(PASSWORD, b"salt of one test")


class ConsoleSite:
    """One console that is served, and what stands behind it."""

    def __init__(self, house: ConsoleHouse, floor: ScriptedFloor, file: Path, **building: Any) -> None:
        self.house = house
        self.floor = floor
        self.file = file
        self.app = build(house, **building)
        self.server = WebServer("127.0.0.1", 0, self.app)
        self._session: aiohttp.ClientSession | None = None
        self._numbers = itertools.count(1)

    @property
    def store(self) -> Store:
        """The database."""
        return self.house.store

    @property
    def clock(self) -> HandClock:
        """The clock, where it is one to be turned."""
        assert isinstance(self.house.clock, HandClock)
        return self.house.clock

    @property
    def url(self) -> str:
        """Where it listens: `http://127.0.0.1:12345`. It is known to browsers as `house.public_url`."""
        return f"http://127.0.0.1:{self.server.bound_port}"

    @asynccontextmanager
    async def served(self) -> AsyncIterator[ConsoleSite]:
        """Serve it for the length of the block."""
        serving = asyncio.create_task(self.server.run())
        listening = asyncio.create_task(self.server.listening.wait())
        await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        try:
            async with aiohttp.ClientSession(
                self.url, cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=100)
            ) as self._session:
                yield self
        finally:
            serving.cancel()
            await asyncio.gather(serving, listening, return_exceptions=True)

    # -- who asks

    def stranger(self, **headers: str) -> Client:
        """Return a browser in which nobody has signed in."""
        assert self._session is not None
        named = {"Host": self.house.host, "Origin": self.house.origin, "Sec-Fetch-Site": "same-origin"}
        return Client(self._session, self.url, {**named, **headers})

    async def person(self, role: Role, name: str = "", *, password: bool = False, **more: Any) -> Person:
        """Let there be a person, with `PASSWORD` where one is wanted."""
        now = self.house.now
        person = Person(
            name=name or f"{role.value}-{next(self._numbers)}",
            display_name=f"somebody who is {role.value}",
            role=role,
            made_at=now,
            changed_at=now,
            **{"agent": AGENTS.get(role, ""), "password_hash": _HASH if password else None, **more},
        )
        assert await self.store.people.add(person)
        return person

    async def client(self, role: Role | str, name: str = "", **more: Any) -> Client:
        """Return the browser of a new person, signed in; a change by a script of ours has the headers that it needs."""
        person = await self.person(Role(role), name, **more)
        return await self.browser_of(person)

    async def browser_of(self, person: Person) -> Client:
        """Return a browser with a session of a person's, as the sign-in opens it."""
        token, now = secrets.token_urlsafe(session_rules.TOKEN_BYTES), self.house.now
        token_hash = session_rules.token_hash(token)
        assert token_hash is not None
        lasts = timedelta(seconds=self.house.longest_session_s)
        session = Session(token_hash, person.name, now, now, now + lasts, "192.0.2.0/24")
        await self.store.sessions.open(session, seen_after=now - timedelta(seconds=self.house.idle_s))
        return self.stranger(**{"Cookie": f"{COOKIE}={token}", "X-Orikaeshi": "1"})

    async def key(self, *scopes: Scope | str, expires_at: datetime | None = None) -> Client:
        """Return a program with a new key."""
        an_id, secret = secrets.token_hex(api_key.ID_BYTES), secrets.token_hex(api_key.SECRET_BYTES)
        key = ApiKey(
            id=an_id,
            title="a program of this test",
            scopes=frozenset(map(Scope, scopes)),
            made_by="admin",
            made_at=self.house.now,
            secret_hash=api_key.secret_hash(secret),
            expires_at=expires_at,
        )
        await self.store.keys.add(key)
        assert self._session is not None
        headers = {"Host": self.house.host, "Authorization": f"Bearer {api_key.written(an_id, secret)}"}
        return Client(self._session, self.url, headers)

    # -- what stands behind

    async def audit(self) -> list[tuple[str, str, str, str]]:
        """Return who did what to whom, and what came of it; the oldest first."""
        lines = await self.store.audit.listed(limit=1000)
        entries = [line.entry for line in reversed(lines)]
        return [(entry.who, entry.action, entry.subject, entry.outcome) for entry in entries]

    async def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Return the whole contents of the database."""
        return await everything(self.store)

    @contextmanager
    def database_locked(self) -> Iterator[None]:
        """Have another process hold the database's write lock, so that every write of ours fails."""
        other = sqlite3.connect(self.file, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            yield
        finally:
            other.close()


@asynccontextmanager
async def site_at(
    folder: Path,
    *,
    limits: RateLimits = NO_LIMITS,
    look_again_s: float = 15.0,
    hooks: Sequence[HookWish] = (),
    **more: Any,
) -> AsyncIterator[ConsoleSite]:
    """Open a console with a database of its own in `folder`, and serve it for the length of the block.

    `more` are fields of ConsoleHouse: `clock=SystemClock()` where time has to pass by itself, `floor=...`.
    """
    clock, ids, file = more.get("clock") or HandClock(TUESDAY_TEN), itertools.count(1), folder / "orikaeshi.db"
    floor = more.get("floor") or ScriptedFloor(clock)
    async with open_store(
        f"sqlite+aiosqlite:///{file}",
        policies={name: RetryPolicy() for name in QUEUES},
        clock=clock,
        new_id=lambda: f"promise-{next(ids)}",
        busy_timeout_s=0.05,
        hooks=hooks,
    ) as store:
        given: dict[str, Any] = {
            "clock": clock,
            "zone": TOKYO,
            "public_url": PUBLIC_URL,
            "floor": floor,
            "facts": store.facts,
            "store": store,
            "queues": QUEUES,
            "plan": NumberPlan(),
            "counting": Counting(),
            "new_id": lambda: f"{next(ids):016x}",
            "allows_listening": True,
            "may_be_called": lambda _number, queue, at: QUEUES[queue].queue.calling_hours.allow(at),
        }
        house = ConsoleHouse(**{**given, **more})
        async with ConsoleSite(house, floor, file, limits=limits, look_again_s=look_again_s).served() as site:
            yield site
