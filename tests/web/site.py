"""The pages as a browser gets them: over HTTP, with the real database behind; the clock is turned by hand."""

from __future__ import annotations

import asyncio
import html
import itertools
import re
import sqlite3
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import aiohttp
from yarl import URL

from controller.domain.caps import NO_CAPS
from controller.domain.gate import CallingHours
from controller.domain.opening_hours import OpeningHours, Span
from controller.domain.phone_number import NumberPlan
from controller.domain.retry_policy import RetryPolicy
from controller.domain.signed import Purpose, Signer
from controller.domain.slots import SlotPlan
from controller.domain.sms_gate import SmsGate
from controller.journeys.house import House, Queue
from controller.ports.links import BookingLink
from controller.ports.promises import Made, NewPromise
from controller.store import open_store
from controller.web.app import build
from controller.web.house import WebHouse
from controller.web.rates import RateLimits, Rates
from controller.web.server import WebServer
from controller.workers.agent_desk import AgentDesk
from controller.workers.line_keeper import LineKeeper
from controller.workers.supervisor import Supervisor
from tests.adapters.promise_house import LockedRoom
from tests.contract.store_under_test import HandClock, everything

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from controller.domain.promise import Promise
    from controller.domain.slots import Slot
    from controller.ports.sms import Webhook
    from controller.store import Store
    from lab.sms_providers.provider import SignedWebhook

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
"""Its hours are not cut into slots."""
TITLES = {"support": {"ja": "青空カード", "en": "Aozora Card"}, "sales": {"ja": "青空商事", "en": "Aozora Trading"}}
NUMBER = "+819012345678"
HOST = "callback.example.jp"
PUBLIC_URL = f"https://{HOST}"
NO_LIMITS = RateLimits(
    per_address_per_minute=100_000,
    per_subnet_per_minute=100_000,
    per_number_per_hour=100_000,
    per_link_per_minute=100_000,
    forged_per_minute=100_000,
)
_BUTTON = re.compile(r'<button id="([a-z]+)-button"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def words(self) -> str:
        """The text without its markup, blanks as one."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.text)).split())

    @property
    def buttons(self) -> list[str]:
        """The forms that can be sent, by id."""
        return _BUTTON.findall(self.text)

    @property
    def windows(self) -> list[str]:
        """The values of the windows that can be chosen."""
        return re.findall(r'name="starts_at" value="([^"]+)"', self.text)

    @property
    def state(self) -> str:
        """Where the promise stands."""
        found = re.search(r'<p id="state"[^>]*>(.*?)</p>', self.text)
        assert found is not None, self.text
        return html.unescape(found[1])


class Site:
    """One site that is served, and what stands behind it."""

    def __init__(
        self, web: WebHouse, store: Store, clock: HandClock, file: Path, serving: Mapping[str, Any] | None = None
    ) -> None:
        self.web = web
        self.store = store
        self.clock = clock
        self.file = file
        self.server = WebServer("127.0.0.1", 0, build(web), **(serving or {}))
        self._calls = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """A browser without cookies that follows nothing by itself."""
        assert self._session is not None
        return self._session

    @asynccontextmanager
    async def served(self) -> AsyncIterator[Site]:
        """Serve it for the length of the block."""
        serving = asyncio.create_task(self.server.run())
        listening = asyncio.create_task(self.server.listening.wait())
        await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        base = f"http://127.0.0.1:{self.server.bound_port}"
        connector = aiohttp.TCPConnector(limit=100)
        try:
            async with aiohttp.ClientSession(
                base, headers={"Host": HOST}, cookie_jar=aiohttp.DummyCookieJar(), connector=connector
            ) as self._session:
                yield self
        finally:
            serving.cancel()
            await asyncio.gather(serving, listening, return_exceptions=True)

    async def get(self, path: str, **headers: str) -> Answer:
        """Open a page. Headers are named as `Accept_Language`."""
        return await self.send("GET", path, headers=_headers(headers))

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> Answer:
        """Send a form."""
        named = {"Content-Type": "application/x-www-form-urlencoded", **_headers(headers)}
        return await self.send("POST", path, headers=named, data=urlencode(form).encode())

    async def send(self, method: str, path: str, **more: Any) -> Answer:
        """Send any request."""
        async with self.session.request(method, path, allow_redirects=False, **more) as response:
            return Answer(response.status, dict(response.headers), await response.text())

    async def deliver(self, webhook: SignedWebhook) -> Answer:
        """Have a provider send a webhook to its address, as a proxy in front of us hands it on."""
        path = webhook.url.removeprefix(PUBLIC_URL)
        address = URL(f"http://127.0.0.1:{self.server.bound_port}{path}", encoded=True)
        async with self.session.post(address, data=webhook.body, headers=webhook.headers) as response:
            return Answer(response.status, dict(response.headers), await response.text())

    async def follow(self, answer: Answer) -> Answer:
        """Go where an answer sends the browser."""
        assert answer.status == 303, answer
        return await self.get(answer.headers["Location"])

    # -- what stands behind

    async def promised(self, *, number: str = NUMBER, queue: str = "support", slot: Slot | None = None) -> Promise:
        """There is a promise from an earlier call."""
        wanted = NewPromise(
            queue=queue,
            number=number,
            language="ja",
            since=self.clock.now(),
            call_id=f"call-{next(self._calls)}",
            slot=slot,
            slot_capacity=2,
        )
        made = await self.store.promises.make(wanted)
        assert isinstance(made, Made)
        return made.promise

    async def link(
        self,
        promise: Promise | None = None,
        *,
        number: str = NUMBER,
        queue: str = "support",
        language: str = "ja",
        name: str = "sms-1",
    ) -> str:
        """Return the path of a link that was sent, about a promise or to book one."""
        purpose = Purpose.BOOK if promise is None else Purpose.PROMISE
        link = BookingLink(
            id=self.web.signer.id_for(purpose, name),
            purpose=purpose,
            queue=queue,
            number=number,
            language=language,
            expires_at=self.clock.now() + timedelta(hours=48),
            promise_id=promise.id if promise else None,
        )
        await self.store.links.issue(link)
        return f"/l/{self.web.signer.token(purpose, link.id)}"

    @contextmanager
    def database_locked(self) -> Iterator[None]:
        """Have another process hold the database's write lock, so that every write of ours fails."""
        other = sqlite3.connect(self.file, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            yield
        finally:
            other.close()

    async def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Return the whole contents of the database."""
        return await everything(self.store)

    async def open_promise(self, number: str = NUMBER, queue: str = "support") -> Promise | None:
        """Return the promise that a number holds."""
        return await self.store.promises.open_for(queue, number)


@asynccontextmanager
async def site_at(
    folder: Path,
    *,
    limits: RateLimits = NO_LIMITS,
    open_page: bool = True,
    webhooks: Mapping[str, Webhook] | None = None,
    serving: Mapping[str, Any] | None = None,
    **more: Any,
) -> AsyncIterator[Site]:
    """Open a site with a database of its own in `folder`, and serve it for the length of the block."""
    clock, ids, file = HandClock(TUESDAY_TEN), itertools.count(1), folder / "orikaeshi.db"
    queues = {queue.name: queue for queue in (SUPPORT, SALES)}
    locked: Any = LockedRoom()
    async with open_store(
        f"sqlite+aiosqlite:///{file}",
        policies={name: RetryPolicy() for name in queues},
        clock=clock,
        new_id=lambda: f"promise-{next(ids)}",
        busy_timeout_s=0.05,
    ) as store:
        house = House(
            line=LineKeeper(AgentDesk([], clock, Supervisor()), queues, clock),
            telephony=locked,
            promises=store.promises,
            calls=locked,
            queue_log=locked,
            texts=store.texts,
            callers=None,
            clock=clock,
            plan=NumberPlan(),
            new_id=lambda: f"id-{next(ids)}",
            do_not_call=store.do_not_call,
            links=store.links,
            leadership=locked,
            caps_for=lambda _number: NO_CAPS,
            queues=queues,
        )
        given: dict[str, Any] = {
            "house": house,
            "signer": Signer(b"a secret of this test alone, 32 b"),
            "titles": TITLES,
            "shown_number": "03-1234-5678",
            "public_url": PUBLIC_URL,
            "inbox": store.inbox,
            "proofs": store.proofs,
            "rates": Rates(limits, clock),
            "objection": SmsGate(house.plan, frozenset({"JP"})).objection,
            "new_challenge_id": lambda: f"{next(ids):018x}",
            "webhooks": webhooks or {},
            "open_page": open_page,
        }
        async with Site(WebHouse(**{**given, **more}), store, clock, file, serving).served() as site:
            yield site


def _headers(named: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}
