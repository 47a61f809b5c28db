"""Queues that a supervisor closes: at once, whatever their hours say, for newcomers alone, and over restarts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.opening_hours import OpeningHours
from controller.journeys import prompts
from controller.journeys.closed_queue import closed_words
from controller.ports.floor import Refused
from controller.ports.queue_closures import Closure
from tests.journeys.floor_stage import FloorStage
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, SHOWN, TOKYO, YES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.ports.floor import Refused as Refusal
    from tests.journeys.scene import Scene

CALLER = Person(patience_s=600)
NUMBER = "+819012345678"


def closes(stage: FloorStage, until: datetime | None = None) -> Refusal | None:
    """Close cards."""
    return stage.do(stage.floor.close_queue("cards", by="hanako", until=until))


@pytest.mark.parametrize("restarts", [False, True])
def test_newcomers_are_at_the_closed_door_and_who_holds_is_served(
    open_scene: Callable[..., Scene], restarts: bool
) -> None:
    """Nobody is thrown out of the line; another queue is open as ever."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    holds = scene.rings(CALLER)
    scene.pass_s(5)
    stage = FloorStage(scene)
    assert closes(stage) is None
    if restarts:
        scene.restart()
        stage = FloorStage(scene)
        scene.registers("alice", registered=False)
        scene.pass_s(3)
    shown = stage.queue("cards")
    assert (shown.is_open, shown.closed_by, shown.closed_until, shown.opens_at) == (False, "hanako", None, None)
    newcomer = scene.rings(CALLER, number="09012340002")
    elsewhere = scene.rings(CALLER, number="09012340003", dialled="0312345679")
    scene.pass_s(12)
    assert (prompts.CLOSED in newcomer.heard, newcomer.held_in) == (True, None)
    assert prompts.OPENS_BEFORE not in newcomer.heard
    assert elsewhere.held_in == "loans"
    scene.registers("alice")
    scene.pass_s(5)
    assert holds.talked_with


def test_who_meets_the_closed_door_can_leave_a_number_and_is_called_back(open_scene: Callable[..., Scene]) -> None:
    """Callbacks go on: it is the telephone that is closed, not the agents."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    stage = FloorStage(scene)
    closes(stage)
    scene.pbx.customers[NUMBER] = Person(presses=YES, talks_s=10)
    caller = scene.rings(Person(presses={prompts.CLOSED_OFFER: ["1"], **SHOWN}, patience_s=600))
    scene.pass_s(90)
    assert scene.endings() == {caller.id: "promised"}
    scene.registers("alice")
    scene.pass_s(60)
    assert scene.attempts() == [("alice", "talked")]


def test_a_queue_opens_by_itself_when_the_time_is_over(open_scene: Callable[..., Scene]) -> None:
    """Nobody has to think of it; meanwhile callers hear when that is."""
    scene = open_scene({})
    stage = FloorStage(scene)
    until = scene.theatre.clock.now() + timedelta(hours=2)
    assert closes(stage, until) is None
    shown = stage.queue("cards")
    assert (shown.is_open, shown.closed_until, shown.opens_at) == (False, until, until)
    told = scene.rings(CALLER)
    scene.pass_s(15)
    assert prompts.OPENS_BEFORE in told.heard
    scene.pass_s(7200)
    assert stage.queue("cards").is_open
    caller = scene.rings(CALLER, number="09012340002")
    scene.pass_s(5)
    assert caller.held_in == "cards"


@pytest.mark.parametrize("restarts", [False, True])
def test_a_queue_is_opened_again_by_hand(open_scene: Callable[..., Scene], restarts: bool) -> None:
    """Its hours count again."""
    scene = open_scene({})
    stage = FloorStage(scene)
    closes(stage)
    assert stage.do(stage.floor.open_queue("cards")) is None
    assert stage.do(stage.floor.open_queue("cards")) is Refused.NOT_NOW
    if restarts:
        scene.restart()
        stage = FloorStage(scene)
    assert (stage.queue("cards").is_open, stage.queue("cards").closed_by) == (True, "")
    caller = scene.rings(CALLER)
    scene.pass_s(5)
    assert caller.held_in == "cards"


def test_what_cannot_be_closed_is_refused(open_scene: Callable[..., Scene]) -> None:
    """A queue that there is not; until a time that is past."""
    scene = open_scene({})
    stage = FloorStage(scene)
    assert stage.do(stage.floor.close_queue("nothing", by="hanako", until=None)) is Refused.UNKNOWN
    assert stage.do(stage.floor.open_queue("nothing")) is Refused.UNKNOWN
    assert closes(stage, scene.theatre.clock.now()) is Refused.NOT_NOW
    assert stage.queue("cards").is_open


def test_what_is_heard_at_the_door_is_what_is_known_of_its_opening(open_scene: Callable[..., Scene]) -> None:
    """By hours, by hand until a time within the hours or past them, and by hand for good."""
    now = open_scene({}).theatre.clock.now()
    never = replace(CARDS, hours=OpeningHours(((),) * 7, TOKYO))
    until = Closure("cards", "hanako", now, now + timedelta(hours=1))
    for_good = Closure("cards", "hanako", now)
    assert prompts.OPENS_BEFORE in closed_words(CARDS, "ja", now, by_hand=until)
    assert closed_words(CARDS, "ja", now, by_hand=for_good) == [prompts.CLOSED]
    assert closed_words(never, "ja", now, by_hand=until) == [prompts.CLOSED]


def test_another_process_that_closes_a_queue_is_heard(open_scene: Callable[..., Scene]) -> None:
    """From its news; the database is read then."""
    scene = open_scene({})
    stage = FloorStage(scene)
    seen: list[bool] = []
    stage.floor.subscribe(lambda: seen.append(stage.floor.now().queues[0].is_open))
    stage.do(scene.theatre.store.closures.close(Closure("cards", "taro", scene.theatre.clock.now())))
    running = scene.theatre.loop.create_task(stage.closures.run())
    stage.closures.hear()
    scene.theatre.outside(_turns())
    assert stage.queue("cards").closed_by == "taro"
    assert seen[-1] is False
    running.cancel()
    scene.pass_s(0.1)


async def _turns() -> None:
    """Let what has begun go on until the database has answered."""
    for _ in range(200):
        await asyncio.sleep(0)
