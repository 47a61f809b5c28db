"""A sender at work on a real outbox, with a provider that answers as it is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

from controller.domain.lifecycle import DeadlinePassed
from controller.domain.phone_number import NumberPlan
from controller.domain.sms_gate import SmsGate
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.ports.sms import Accepted
from controller.sms.segments import segments
from controller.sms.texts import Signature, renderer
from controller.workers.sms_sender import Postage, SmsSender
from tests.contract.store_under_test import HandClock, make, rows, wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.ports.sms import SendResult
    from controller.store import Store

SENDER = "0312345678"
POSTAGE = Postage(
    text_of=renderer({"sales": Signature({"ja": "営業部", "en": "Sales"}, "03-1234-5678", ZoneInfo("Asia/Tokyo"))}),
    sender_of=lambda sms: SENDER if sms.queue == "sales" else "",
    bill=lambda _sms, text: SmsBill(segments(text), 8000 * segments(text)),
    gate=SmsGate(NumberPlan(), frozenset({"JP"})),
    limits=SmsLimits(),
)


class Provider:
    """A gateway that answers as it is told: no real one can be made to time out or to raise on demand."""

    name = "provider"

    def __init__(self) -> None:
        self.answers: list[SendResult | Exception] = []
        self.handed_over: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.senders: list[str] = []
        self.while_sending: Callable[[], None] = lambda: None
        self.running: Callable[[], Any] | None = None

    async def run(self) -> None:
        """Do what the test says; return at once if it says nothing."""
        if self.running is not None:
            await self.running()

    async def send(self, *, key: str, sender: str, number: str, text: str) -> SendResult:
        """Take note and give the next answer; Accepted when none is prepared."""
        self.handed_over.append((key, number))
        self.texts.append(text)
        self.senders.append(sender)
        self.while_sending()
        answer = self.answers.pop(0) if self.answers else Accepted(f"ref-{len(self.handed_over)}")
        if isinstance(answer, Exception):
            raise answer
        return answer


class Room:
    """A sender at work on a real outbox. `logged` waits for a line of its log, which comes after the row is written."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.store, self.clock = store, clock
        self.provider = Provider()
        self.entries: list[dict[str, Any]] = []
        self._new: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.postage = POSTAGE
        self.outbox: Any = store.outbox
        self.task: asyncio.Task[None] | None = None

    def start(self, **other: Any) -> None:
        """Let the sender run; `other` is what of the postage is to be otherwise."""
        log = structlog.wrap_logger(None, processors=[self._keep])
        postage = replace(self.postage, **other)
        sender = SmsSender(self.outbox, self.provider, postage, self.clock, log, max_tries=3)
        self.store.sms_queued.append(sender.wake)
        self.task = asyncio.create_task(sender.run())

    async def stop(self) -> None:
        """Kill it."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})
            assert self.task.cancelled()

    async def owe(self, n: int, *, number: str | None = None) -> str:
        """Queue an SMS as a promise that was not kept does, and return its key."""
        made = await make(self.store, wanted(f"call-{n}", number=number or f"+81901234567{n}"))
        await self.store.promises.advance(made.promise.id, DeadlinePassed())
        return f"{made.promise.id}:expired"

    async def logged(self, name: str) -> dict[str, Any]:
        """Return the next line of this name."""
        while True:
            entry = await self._new.get()
            if entry["event"] == name:
                return entry

    async def statuses(self) -> list[str]:
        """Return where each SMS stands, oldest first."""
        return [row["status"] for row in await rows(self.store, "SELECT status FROM sms_outbox ORDER BY id")]

    async def errors(self) -> list[str | None]:
        """Return why each SMS stands there, oldest first."""
        return [row["error"] for row in await rows(self.store, "SELECT error FROM sms_outbox ORDER BY id")]

    def _keep(self, _logger: Any, level: str, entry: Any) -> Any:
        self.entries.append({**entry, "level": level})
        self._new.put_nowait(self.entries[-1])
        raise structlog.DropEvent
