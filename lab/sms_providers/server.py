"""A provider as a server: takes SMS, brings receipts and replies, and fails by a plan.

Everything that it is asked and does is written down with its time, so that somebody else can judge: in `requests`,
`taken` and `brought`, and as JSON lines in a file.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from yarl import URL

from controller.system_clock import SystemClock
from lab.sms_providers.control import routes
from lab.sms_providers.provider import SILENT, TAKING, Asked, Fault, TakenSms, Told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
    from pathlib import Path

    from lab.sms_providers.provider import Provider, SignedWebhook

LOCALHOST = "127.0.0.1"
_REPEATS = 20
_REPEAT_AFTER_S = 0.25
_WEBHOOK_TIMEOUT_S = 15.0
_ANSWERED = frozenset({Fault.THROTTLED, Fault.UNAVAILABLE, Fault.BROKEN, Fault.REFUSED})


@dataclass
class Manners:
    """How it brings webhooks."""

    receipts: bool = True
    delivered: bool = True
    """Whether the phones get the SMS."""
    copies: int = 1
    """How often each is brought."""
    backwards: bool = False
    """The last status first."""
    early: bool = False
    """Receipts come before the answer to the request."""
    forged: bool = False
    """A forged one goes before each genuine one."""


@dataclass
class Faults:
    """What goes wrong: `planned` first, one a request; then one of `kinds` in `rate` of all requests."""

    planned: deque[Fault] = field(default_factory=deque)
    rate: float = 0.0
    kinds: tuple[Fault, ...] = tuple(fault for fault in Fault if fault is not Fault.NONE)
    dice: random.Random = field(default_factory=random.Random)
    retry_after_s: int = 1

    def next(self) -> Fault:
        """Return what goes wrong with the next request."""
        if self.planned:
            return self.planned.popleft()
        return self.dice.choice(self.kinds) if self.dice.random() < self.rate else Fault.NONE


@dataclass(frozen=True, slots=True)
class Brought:
    """One webhook that was brought. `status` is the answer's; 0 when none came."""

    webhook: SignedWebhook
    forged: bool
    status: int


class ProviderServer:
    """One provider. `reached_at` is where webhooks are brought, if not at the address for which they are signed."""

    def __init__(
        self,
        provider: Provider,
        *,
        faults: Faults | None = None,
        manners: Manners | None = None,
        reached_at: str | None = None,
        out: Path | None = None,
        on_taken: Callable[[TakenSms], None] = lambda _sms: None,
    ) -> None:
        self.provider = provider
        self.faults = faults or Faults()
        self.manners = manners or Manners()
        self.port = 0
        self.requests: list[Asked] = []
        self.taken: list[TakenSms] = []
        self.brought: list[Brought] = []
        self._reached_at = reached_at
        self._out = out
        self._on_taken = on_taken
        self._clock = SystemClock()
        self._errands: set[asyncio.Task[object]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._forever = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOCALHOST}:{self.port}"

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[ProviderServer]:
        """Listen for the length of the block; port 0 is any that is free."""
        app = web.Application()
        app.router.add_routes(routes(self))
        app.router.add_route("*", "/{anything:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, LOCALHOST, port)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_WEBHOOK_TIMEOUT_S)) as self._session:
                yield self
                await self._leave()
        finally:
            await runner.cleanup()

    async def reply(self, number: str, to: str, text: str, **about: str) -> int:
        """Bring an SMS that somebody sends to us, as often and as well as its manners are; return the last status.

        What `about` says of it is written down with it, for the judge.
        """
        status = await self._bring_all([self.provider.reply(number, to, text, self._clock.now())])
        if about:
            self._note("reply", number=number, to=to, text=text, status=status, **about)
        return status

    async def settled(self) -> None:
        """Return when every webhook that is owed was brought."""
        while self._errands:
            await asyncio.gather(*self._errands)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.raw_path, headers, await request.read())
        fault = self.faults.next()
        self.requests.append(asked)
        found = self.provider.take(asked)
        if isinstance(found, Told):
            self._note("request", path=asked.path, fault=fault, in_order=False)
            return _response(found)
        self._note("request", path=asked.path, fault=fault, in_order=True, key=found.key, number=found.number)
        if fault in TAKING:
            self.taken.append(found)
            self._note("taken", fault=fault, **asdict(found))
            self._on_taken(found)
            await self._owe_receipts(found)
        if fault in _ANSWERED:
            return _response(self.provider.failed(fault, self.faults.retry_after_s))
        return await self._answer_badly(request, fault, self.provider.accepted(found))

    async def _answer_badly(self, request: web.Request, fault: Fault, accepted: Told) -> web.StreamResponse:
        match fault:
            case _ if fault in SILENT:
                await self._forever.wait()
            case Fault.TAKEN_THEN_BROKEN:
                return _response(self.provider.failed(Fault.BROKEN, self.faults.retry_after_s))
            case Fault.CUT | Fault.TAKEN_THEN_CUT:
                _cut(request)
            case Fault.HALF_ANSWERED:
                half = web.StreamResponse(status=accepted.status, headers=accepted.headers)
                half.content_length = len(accepted.body)
                await half.prepare(request)
                await half.write(accepted.body[: len(accepted.body) // 2])
                _cut(request)
                return half
        return _response(accepted)

    async def _owe_receipts(self, sms: TakenSms) -> None:
        if not self.manners.receipts:
            return
        statuses = self.provider.delivered if self.manners.delivered else self.provider.undelivered
        made = [self.provider.receipt(sms, status, self._clock.now()) for status in statuses]
        receipts = [receipt for receipt in made if receipt is not None]
        if self.manners.early:
            await self._bring_all(receipts)
        else:
            self._later(self._bring_all(receipts))

    def _later(self, errand: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _bring_all(self, webhooks: Iterable[SignedWebhook]) -> int:
        in_order, status = list(webhooks), 0
        for webhook in reversed(in_order) if self.manners.backwards else in_order:
            if self.manners.forged:
                await self._bring(self.provider.forged(webhook), forged=True)
            for _ in range(self.manners.copies):
                status = await self._bring(webhook, forged=False)
        return status

    async def _bring(self, webhook: SignedWebhook, *, forged: bool) -> int:
        """Bring one; repeat it, as the real ones do, while the other side is away or says that it cannot take it."""
        status = 0
        for _ in range(_REPEATS):
            status = await self._post(webhook)
            self.brought.append(Brought(webhook, forged, status))
            self._note("webhook", path=_path(webhook.url), forged=forged, status=status)
            if 0 < status < web.HTTPInternalServerError.status_code:
                break
            await self._clock.sleep(_REPEAT_AFTER_S)
        return status

    async def _post(self, webhook: SignedWebhook) -> int:
        if self._session is None:
            raise RuntimeError("a provider brings webhooks only while it serves")
        at = webhook.url if self._reached_at is None else self._reached_at.rstrip("/") + _path(webhook.url)
        try:
            async with self._session.post(
                URL(at, encoded=True), data=webhook.body, headers=webhook.headers
            ) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def _leave(self) -> None:
        for errand in self._errands:
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)

    def _note(self, event: str, **details: Any) -> None:
        if self._out is not None:
            line = {"time": self._clock.now().isoformat(), "event": event, "provider": self.provider.name, **details}
            with self._out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _path(url: str) -> str:
    """Return path and query of an address, written as they are."""
    return "/" + url.partition("://")[2].partition("/")[2]


def _response(told: Told) -> web.Response:
    return web.Response(status=told.status, body=told.body, headers=told.headers)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
