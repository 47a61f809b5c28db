"""A small day on the real journeys, line, desk, dialer, recorders and database, whose figures can be had by hand.

The queue "cards" is open from nine to five. Alice alone serves it. Prompts are a tenth of a second long, so times are
told to the second:

    09:00:00  A rings, is answered at once, talks for 60 s (each talk is followed by 30 s of wrap-up)
    09:04     alice's phone goes
    09:05:00  B rings, is offered a callback, and gives up after 50 s
    09:06:00  C leaves a number; no wait can be told, with nobody there
    09:10:00  alice is back, and calls C: 60 s
    09:20:00  D rings, is answered at once: 120 s
    09:21:00  E is told a wait, leaves a number, and is called when D has gone: 60 s
    09:21:30  F does the same; does not answer, is sent an SMS, and called again an hour later: 60 s. That is late
    11:59     alice's phone goes
    12:00:00  G gives up after 40 s; H, five seconds behind, is one too many in line
    13:00:00  K leaves a number, rings again at 13:02, and is answered at 13:03 when alice is back: 60 s
    14:00:00  L rings for loans: 10 s
    15:00     alice takes half an hour for lunch
    18:00     closed: I wants no callback, J does, and waits for tomorrow
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

from controller.domain.agents import AgentEvent
from controller.domain.intervals import Interval
from controller.domain.menu import SayGoodbye
from controller.domain.opening_hours import OpeningHours, Span
from controller.domain.sms import Delivery
from controller.journeys import prompts
from controller.journeys.house import Announcements, Limits
from controller.ports.sms import Accepted, Receipt
from controller.workers.line_recorder import LineRecorder
from controller.workers.span_recorder import SpanRecorder
from tests.contract.store_under_test import take_sms
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import CUTS_SHORT
from tests.journeys.virtual_time import Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.figure_facts import Facts
    from tests.journeys.scene import Scene

TOKYO = ZoneInfo("Asia/Tokyo")
NINE_TO_FIVE = OpeningHours(((Span(time(9), time(17)),),) * 7, TOKYO)
QUEUE = replace(
    CARDS,
    hours=NINE_TO_FIVE,
    wrap_up_s=30,
    announcements=Announcements(wait=True),
    limits=Limits(max_length=1, on_full=SayGoodbye("goodbye")),
)
LEAVES = {prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}
LEAVES_AT_NIGHT = {prompts.CLOSED_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}
SAYS_YES = {prompts.CALLBACK_CONFIRM: ["1"]}
LOANS = "0312345679"


class Day:
    """The scene, its recorders, and what it comes to."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        scene.pbx.prompt_s = lambda _prompt: 0.1
        now = scene.theatre.clock.now().astimezone(TOKYO)
        self.date: date = now.date() + timedelta(days=1)
        self.interval = Interval(self.at("09:00:00"), self.at("19:00:00"))
        self._keep_records()

    def _keep_records(self) -> None:
        scene, store, clock = self.scene, self.scene.theatre.store, self.scene.theatre.clock

        def kept(book: object) -> Any:
            return Watched(book, scene.theatre.loop, scene.pbx.transaction)

        spans = SpanRecorder(kept(store.agent_spans), clock, structlog.get_logger())
        decisions = LineRecorder(kept(store.line_audit), clock, structlog.get_logger())
        line_changed = scene.desk.on_changed

        def changed(before: Any, after: Any) -> None:
            line_changed(before, after)
            spans.note(after, scene.desk.serving(after.name))

        scene.desk.on_changed = changed
        scene.keeper.on_decision = decisions.note
        self.recorders = [scene.theatre.loop.create_task(each.run()) for each in (spans, decisions)]

    def close(self) -> None:
        """End the recorders."""
        for task in self.recorders:
            task.cancel()
        self.scene.pass_s(0.1)

    def at(self, moment: str) -> datetime:
        """Return an instant of the day, by the clocks of Tokyo."""
        return datetime.combine(self.date, time.fromisoformat(moment), TOKYO).astimezone(ZoneInfo("UTC"))

    def until(self, moment: str) -> None:
        """Let time pass until then."""
        self.scene.pass_s((self.at(moment) - self.scene.theatre.clock.now()).total_seconds())

    def rings(self, moment: str, nth: int, *, dialled: str = "0312345678", **person: Any) -> None:
        """Let somebody ring at that moment, from a phone of their own."""
        self.until(moment)
        self.scene.rings(Person(**person), number=f"090123400{nth:02}", dialled=dialled)

    def answers(self, nth: int, **person: Any) -> None:
        """Let that phone answer from now on."""
        self.scene.pbx.customers[f"+8190123400{nth:02}"] = Person(**person)

    def texts(self, moment: str) -> None:
        """Let the SMS that is owed be sent, and arrive."""
        self.until(moment)
        store, now = self.scene.theatre.store, self.scene.theatre.clock.now()

        async def send() -> None:
            sms = await take_sms(store, now)
            assert sms is not None
            await store.outbox.record(sms, Accepted("ref"), now)
            await store.inbox.note_receipt(Receipt("p", "1", "ref", Delivery.DELIVERED), now)

        self.scene.theatre.outside(send())

    def facts(self) -> Facts:
        """Return all that is known at half past six."""
        book = self.scene.theatre.store.facts
        return self.scene.theatre.outside(
            book.facts(self.interval.since, self.interval.until, as_of=self.at("18:30:00"))
        )


def play(open_scene: Callable[..., Scene]) -> Day:
    """Play the day, up to half past six."""
    scene = open_scene({"alice": Person(talks_s=None, presses=CUTS_SHORT)}, cards=QUEUE, signed_in=False)
    played = Day(scene)
    away = partial(scene.registers, "alice", registered=False)
    played.until("09:00:00")
    scene.registers("alice")
    played.rings("09:00:00", 1, talks_s=60)
    played.until("09:04:00")
    away()
    played.rings("09:05:00", 2, patience_s=50)
    played.answers(3, presses=SAYS_YES, talks_s=60)
    played.rings("09:06:00", 3, presses=LEAVES)
    played.until("09:10:00")
    scene.registers("alice")
    played.rings("09:20:00", 4, talks_s=120)
    played.answers(5, presses=SAYS_YES, talks_s=60)
    played.rings("09:21:00", 5, presses=LEAVES)
    played.answers(6, answers_after_s=None)
    played.rings("09:21:30", 6, presses=LEAVES)
    played.texts("10:00:00")
    played.answers(6, presses=SAYS_YES, talks_s=60)
    played.until("11:59:00")
    away()
    played.rings("12:00:00", 7, patience_s=40)
    played.rings("12:00:05", 8)
    played.rings("13:00:00", 11, presses=LEAVES)
    played.rings("13:02:00", 11, talks_s=60)
    played.until("13:03:00")
    scene.registers("alice")
    played.rings("14:00:00", 12, dialled=LOANS, talks_s=10)
    played.until("15:00:00")
    scene.do(lambda: scene.desk.move("alice", AgentEvent.PAUSE, reason="lunch"))
    played.until("15:30:00")
    scene.do(lambda: scene.desk.move("alice", AgentEvent.UNPAUSE))
    played.rings("18:00:00", 9)
    played.rings("18:05:00", 10, presses=LEAVES_AT_NIGHT)
    played.until("18:30:00")
    return played
