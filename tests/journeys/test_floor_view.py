"""What is seen of the floor: the line in one list, with waits and what was told; queues, trunks, and problems."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from controller.domain.gate import CallingHours
from controller.domain.line import WaiterKind
from controller.domain.promise import PromiseState
from controller.journeys.house import Announcements
from controller.ports.floor import EntryState
from controller.ports.floor_book import FloorLook
from controller.workers.floor_looks import FloorLooks
from controller.workers.floors import Floors
from tests.journeys.floor_stage import FloorStage
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, YES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

STAYS = Person(patience_s=900)
NUMBER = "+819012345678"
NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_callers_and_promises_stand_in_one_list_in_the_order_of_their_turn(open_scene: Callable[..., Scene]) -> None:
    """With number, place, arrival and kind; what is due later comes after those who are due."""
    scene = open_scene({})
    first = scene.rings(STAYS)
    scene.pass_s(10)
    promise = scene.promised(NUMBER)
    scene.pass_s(10)
    hidden = scene.rings(STAYS, number=None)
    scene.pass_s(10)
    stage = FloorStage(scene)
    shown = [(each.id, each.kind, each.number, each.place, each.state) for each in stage.now().line]
    assert shown == [
        (first.id, WaiterKind.LIVE, "+819012345678", 1, EntryState.WAITING),
        (promise.id, WaiterKind.PROMISE, NUMBER, 2, EntryState.WAITING),
        (hidden.id, WaiterKind.LIVE, None, 3, EntryState.WAITING),
    ]
    assert [stage.entry(each).since for each in (first.id, promise.id)] == [first.facts.arrived_at, promise.since]
    assert stage.entry(promise.id).promise is PromiseState.WAITING
    cards = stage.queue("cards")
    assert (cards.live, cards.promises_due, cards.promises_later) == (2, 1, 0)
    assert cards.longest_wait_since == stage.entry(first.id).state_since


def test_a_promise_outside_its_calling_hours_waits_for_their_beginning(open_scene: Callable[..., Scene]) -> None:
    """It has no place yet; when it will be due is shown."""
    nights = CallingHours(time(20), time(22))
    scene = open_scene({}, hours=nights)
    promise = scene.promised(NUMBER)
    scene.pass_s(1)
    entry = FloorStage(scene).entry(promise.id)
    assert (entry.place, entry.expected_low_s) == (None, None)
    assert entry.due_at == nights.next_opening(scene.theatre.clock.now())
    assert FloorStage(scene).queue("cards").promises_later == 1


def test_what_a_caller_was_told_of_the_wait_is_shown(open_scene: Callable[..., Scene]) -> None:
    """The range that they heard, and when."""
    told = Announcements(interval_s=600, wait=True)
    scene = open_scene({"alice": AGENT}, cards=replace(CARDS, announcements=told))
    scene.rings(STAYS)
    scene.pass_s(8)
    waits = scene.rings(STAYS, number="09012340002")
    scene.pass_s(8)
    stage = FloorStage(scene)
    entry = stage.entry(waits.id)
    ((low_s, high_s),) = scene.theatre.sql(
        "SELECT quoted_low_s, quoted_high_s FROM calls ORDER BY arrived_at DESC LIMIT 1"
    )
    assert entry.told is not None
    assert (entry.told.low_s, entry.told.high_s) == (low_s, high_s)
    assert entry.told.at <= scene.theatre.clock.now()
    assert stage.move(waits.id, "loans") is None
    assert stage.entry(waits.id).told is None


@pytest.mark.parametrize(
    ("at_s", "state"), [(4, EntryState.RINGING), (9, EntryState.TALKING)], ids=["ringing", "talking"]
)
def test_who_is_being_served_is_shown_with_their_agent(
    open_scene: Callable[..., Scene], at_s: float, state: EntryState
) -> None:
    """And stands in no line; the queue counts them no more."""
    scene = open_scene({"alice": replace(AGENT, answers_after_s=3)})
    caller = scene.rings(STAYS)
    scene.pass_s(at_s)
    stage = FloorStage(scene)
    entry = stage.entry(caller.id)
    assert (entry.state, entry.agent, entry.place) == (state, "alice", None)
    assert stage.queue("cards").live == 0
    assert entry.state_since == stage.agent("alice").since


@pytest.mark.parametrize("restarts", [False, True])
def test_a_promise_is_shown_from_its_agent_s_ringing_to_the_end_of_the_talk(
    open_scene: Callable[..., Scene], restarts: bool
) -> None:
    """Each as what it is; a controller that was restarted knows no less."""
    scene = open_scene({"alice": AGENT})
    promise = scene.promised(NUMBER, person=Person(presses=YES, answers_after_s=8, talks_s=30))
    scene.pass_s(10)
    if restarts:
        scene.restart()
    dialling = FloorStage(scene).entry(promise.id)
    scene.pass_s(20)
    if restarts:
        scene.restart()
        scene.pass_s(1)
    talking = FloorStage(scene).entry(promise.id)
    assert [(each.state, each.agent, each.promise) for each in (dialling, talking)] == [
        (EntryState.DIALLING, "alice", PromiseState.DIALLING),
        (EntryState.TALKING, "alice", PromiseState.CONNECTED),
    ]
    scene.pass_s(60)
    assert FloorStage(scene).line() == []


def test_a_talk_that_went_on_over_a_restart_is_shown(open_scene: Callable[..., Scene]) -> None:
    """Whose it is; they stand in no line of the new controller."""
    scene = open_scene({"alice": AGENT})
    caller = scene.rings(STAYS)
    scene.pass_s(8)
    scene.restart()
    scene.pass_s(3)
    entry = FloorStage(scene).entry(caller.id)
    assert (entry.state, entry.agent, entry.queue) == (EntryState.TALKING, "alice", "cards")


def test_who_rings_back_stands_there_and_their_promise_does_not(open_scene: Callable[..., Scene]) -> None:
    """One person, one line."""
    scene = open_scene({})
    scene.promised(NUMBER)
    scene.pass_s(60)
    caller = scene.rings(STAYS, number="09012345678")
    scene.pass_s(10)
    assert FloorStage(scene).line() == [caller.id]


def test_the_wait_of_each_is_what_the_line_would_say(open_scene: Callable[..., Scene]) -> None:
    """Gone through once, it comes to the same as asked one by one; so does that of who joins now."""
    scene = open_scene(
        {"alice": AGENT, "bob": AGENT, "carol": AGENT},
        queues={"alice": frozenset({"cards"}), "bob": frozenset({"loans"})},
    )
    for nth in range(8):
        scene.rings(STAYS, number=f"0901234{nth:04}", dialled="0312345678" if nth % 3 else "0312345679")
        scene.promised(f"+8190123450{nth:02}", queue="loans" if nth % 2 else "cards")
        scene.pass_s(8)
    stage = FloorStage(scene)
    waiting = [each for each in stage.now().line if each.place is not None]
    assert len(waiting) > 8
    for entry in waiting:
        place = scene.keeper.places.get(entry.id)
        if place is not None:
            wait = place.expected_wait()
            assert wait is not None
            assert (entry.expected_low_s, entry.expected_high_s) == pytest.approx((wait.low_s, wait.high_s))
            assert entry.place == place.position()
    for name in ("cards", "loans"):
        joining, shown = scene.keeper.expected_wait(name), stage.queue(name)
        assert joining is not None
        assert (shown.expected_low_s, shown.expected_high_s) == pytest.approx((joining.low_s, joining.high_s))


def test_those_who_look_are_told_of_each_change_and_no_more_when_they_have_ended_that(
    open_scene: Callable[..., Scene],
) -> None:
    """A caller who comes, an agent who pauses, a queue that is closed; the fault of one is nobody else's."""
    scene = open_scene({"alice": AGENT})
    stage = FloorStage(scene)
    told: list[str] = []
    what = ""

    def fails() -> None:
        raise RuntimeError("a fault of ours")

    stage.floor.subscribe(fails)
    end = stage.floor.subscribe(lambda: told.append(what))
    for what, command in (  # noqa: B007 - the listener reads it
        ("pause", stage.floor.pause("alice", "lunch")),
        ("close", stage.floor.close_queue("loans", by="hanako", until=None)),
        ("open", stage.floor.open_queue("loans")),
    ):
        stage.do(command)
    what = "caller"
    scene.rings(STAYS)
    scene.pass_s(5)
    what = "promise"
    scene.promised(NUMBER)
    scene.pass_s(1)
    assert list(dict.fromkeys(told)) == ["pause", "close", "open", "caller", "promise"]
    end()
    end()
    count = len(told)
    stage.do(stage.floor.unpause("alice"))
    assert len(told) == count


def test_the_floor_asks_the_database_only_when_something_has_happened(open_scene: Callable[..., Scene]) -> None:
    """Not at each look at the floor, and not when nobody looks."""
    scene = open_scene({})
    stage = FloorStage(scene)
    book = CountedBook()
    looks = FloorLooks(book, stage.clock, ZoneInfo("Asia/Tokyo"))
    floor = Floors(scene.queues, {}, list, looks, stage.closures, stage.clock)
    running = scene.theatre.loop.create_task(looks.run())

    def look() -> int:
        for _ in range(5):
            scene.do(floor.now)
            scene.pass_s(3)
        return book.asked

    assert look() == 1
    assert look() == 1
    scene.do(floor.hear)
    scene.pass_s(10)
    assert book.asked == 1
    assert look() == 2
    running.cancel()
    scene.pass_s(0.1)


class CountedBook:
    """A book that counts how often it is asked."""

    asked = 0

    async def look(self, *, day: datetime, codes_since: datetime) -> FloorLook:
        """Have nothing to tell."""
        assert day < codes_since
        self.asked += 1
        return FloorLook()
