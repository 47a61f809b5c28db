"""Somebody writes to the call centre of a scene: what comes in, and what is done about it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import AttemptEnded
from controller.domain.outcome import Outcome
from controller.domain.promise import Attempt, Promise
from controller.domain.slots import Slot, SlotPlan
from controller.domain.sms import SmsStatus
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.journeys.sms_reply import Settled, answer
from controller.ports.sms import Accepted, IncomingSms
from tests.journeys.scene import CARDS
from tests.journeys.virtual_time import Watched

if TYPE_CHECKING:
    from controller.ports.sms import SmsInbox
    from tests.journeys.scene import Scene

NUMBER = "+819012345678"
OTHER = "+819012340002"
TOKYO = ZoneInfo("Asia/Tokyo")
HALF_HOURS = replace(CARDS, slots=SlotPlan(length_min=30, capacity=1))
"""A queue whose windows have one place each."""


class Writing:
    """The SMS of one scene, both ways."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @property
    def inbox(self) -> SmsInbox:
        """The inbox, each of its transactions a step of the story."""
        store = self.scene.theatre.store
        return cast("SmsInbox", Watched(store.inbox, self.scene.theatre.loop, self.scene.pbx.transaction))

    def texted(
        self,
        number: str = NUMBER,
        *,
        template: SmsTemplate = SmsTemplate.NOT_REACHED,
        queue: str = "cards",
        language: str = "ja",
        promise: Promise | None = None,
    ) -> None:
        """We have sent this number an SMS."""
        key = f"sent-{self.scene.theatre.new_id()}"
        sms = SendSms(key, template, number, language, queue, promise_id=promise.id if promise else None)
        self.scene.theatre.outside(self._send(sms))

    async def _send(self, sms: SendSms) -> None:
        store, clock = self.scene.theatre.store, self.scene.theatre.clock
        await store.texts.owe(sms)
        while (due := await store.outbox.due(clock.now())) is not None:
            claim = await store.outbox.claim(due, SmsBill(segments=1), SmsLimits(), clock.now())
            assert claim.status is SmsStatus.SENDING, claim
            await store.outbox.record(due, Accepted(due.key), clock.now())

    def comes_in(self, text: str, *, number: str = NUMBER, event_id: str | None = None) -> bool:
        """Somebody writes; return whether it is new."""
        event_id = event_id or self.scene.theatre.new_id()
        incoming = IncomingSms("carrier", event_id, number, "+815012345678", text)
        return self.scene.theatre.outside(
            self.scene.theatre.store.inbox.note_reply(incoming, self.scene.theatre.clock.now())
        )

    async def answer_all(self) -> list[Settled]:
        """Act on what is unhandled, oldest first, and settle it."""
        settled = []
        for reply in await self.inbox.unhandled():
            settled.append(await answer(reply, self.scene.house, self.inbox))
            done, now = settled[-1], self.scene.theatre.clock.now()
            await self.inbox.settle(reply.id, done.meaning, needs_person=done.needs_person, now=now)
        return settled

    async def act(self) -> None:
        """Do so as a story of its own."""
        await self.answer_all()

    def answered(self) -> list[Settled]:
        """Do so now."""
        return self.scene.theatre.loop.run_until_complete(self.answer_all())

    def says(self, text: str, *, number: str = NUMBER) -> Settled:
        """Somebody writes, and it is acted on."""
        self.comes_in(text, number=number)
        return self.answered()[-1]

    def acted(self, text: str, *, number: str = NUMBER) -> None:
        """Somebody writes, and it is acted on, but the process dies before that is written down."""
        self.comes_in(text, number=number)
        (reply,) = self.scene.theatre.outside(self.scene.theatre.store.inbox.unhandled())
        self.scene.theatre.loop.run_until_complete(answer(reply, self.scene.house, self.inbox))

    def acted_twice(self, text: str, *, number: str = NUMBER) -> None:
        """Somebody writes, and after such an accident it is acted on again."""
        self.acted(text, number=number)
        self.answered()

    def owed(self) -> list[tuple[str, dict[str, Any]]]:
        """Return template and details of what is queued, oldest first."""
        query = "SELECT template, details FROM sms_outbox WHERE status = 'queued' ORDER BY id"
        return [(row[0], json.loads(row[1] or "{}")) for row in self.scene.theatre.sql(query)]


def tomorrow(scene: Scene, hour: int, minute: int = 0) -> datetime:
    """Return an instant of tomorrow, by the clocks of Tokyo."""
    day = scene.theatre.clock.now().astimezone(TOKYO).date() + timedelta(days=1)
    return datetime.combine(day, time(hour, minute), TOKYO).astimezone(UTC)


def half_hour(starts_at: datetime) -> Slot:
    """Return the window of 30 minutes from then on."""
    return Slot(starts_at, starts_at + timedelta(minutes=30))


def details(slot: Slot) -> dict[str, str]:
    """Return a window as an SMS is told of it."""
    return {"starts_at": slot.starts_at.isoformat(), "ends_at": slot.ends_at.isoformat()}


def not_reached(scene: Scene) -> Writing:
    """We called somebody in vain, wrote so, and will call again in an hour."""
    promise = scene.promised(NUMBER)
    dialled(scene, promise)
    scene.theatre.outside(scene.theatre.store.promises.advance(promise.id, AttemptEnded(Outcome.NO_ANSWER)))
    writing = Writing(scene)
    writing.texted(promise=promise)
    return writing


def dialled(scene: Scene, promise: Promise) -> None:
    """Have a call to the number of a promise be on its way, on paper."""
    attempt = Attempt(scene.theatre.new_id(), promise.id, promise.number, "alice", scene.theatre.clock.now())
    moved = scene.theatre.outside(scene.theatre.store.promises.open_attempt(promise, attempt))
    assert isinstance(moved, Promise), moved
