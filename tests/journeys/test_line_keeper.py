"""The line keeper on a real desk, in virtual time: urgent callers, the bound, who rings back, waits, and the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.agents import AgentState
from controller.domain.line import DecisionReason, WaiterKind
from controller.domain.promise import PromiseState
from controller.domain.wait_estimate import WaitRange
from tests.journeys.line_house import START, LineHouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller.ports.line import Line
    from controller.workers.agent_desk import DeskReservation


@pytest.fixture
def open_house() -> Iterator[Callable[..., LineHouse]]:
    """Return a way to open a house, with the arguments of `LineHouse`; it is closed after the test."""
    opened: list[LineHouse] = []

    def begin(*args: Any, **options: Any) -> LineHouse:
        opened.append(LineHouse(*args, **options))
        return opened[-1]

    yield begin
    for house in opened:
        house.keeper.may_serve = lambda: False
        house.places.close()
        house.do(house.loop.shutdown_asyncgens())
        house.loop.close()


def test_the_keeper_is_the_line_that_journeys_know(open_house: Callable[..., LineHouse]) -> None:
    """Checked by the type checker."""
    line: Line = open_house().keeper
    assert line.length("cards") == 0


def test_urgent_callers_go_first_until_somebody_was_passed_as_often_as_allowed(
    open_house: Callable[..., LineHouse],
) -> None:
    """And each decision is told as it was made: place, reason, and who was passed."""
    house = open_house("alice", max_passes=2)
    house.joins("first")
    urgent = [house.joins(f"urgent{n}", minute=n, urgent=True) for n in (1, 2, 3)]
    house.is_there("alice")
    house.ends_call(urgent[0])
    house.ends_call(urgent[1])
    assert house.served() == ["urgent1", "urgent2", "first"]
    assert [(each.place, each.reason, each.passed) for each in house.decisions] == [
        (1, DecisionReason.URGENT, ("first",)),
        (1, DecisionReason.URGENT, ("first",)),
        (1, DecisionReason.ARRIVAL, ()),
    ]
    told = house.decisions[2]
    assert (told.at, told.queue, told.kind, told.agent, told.since) == (START, "cards", WaiterKind.LIVE, "alice", START)
    assert (told.urgent, told.starving) == (False, True)


def test_a_promise_is_passed_no_more_often_than_a_caller(open_house: Callable[..., LineHouse]) -> None:
    """Also over a dial that failed: it goes on counting where it was."""
    house = open_house("alice", max_passes=2)
    first = house.joins("urgent1", minute=1, urgent=True)
    second = house.joins("urgent2", minute=2, urgent=True)
    promise = house.promised("p")
    house.is_there("alice")
    house.keeper.promise_changed(replace(promise, state=PromiseState.DIALLING))
    house.keeper.promise_changed(promise)
    house.ends_call(first)
    house.joins("urgent3", minute=3, urgent=True)
    house.ends_call(second)
    assert house.served() == ["urgent1", "urgent2", "p"]


def test_who_rings_back_stands_in_place_of_their_promise(open_house: Callable[..., LineHouse]) -> None:
    """It is neither dialled nor counted meanwhile, and back in line when they hang up."""
    house = open_house("alice")
    house.promised("p")
    behind = house.joins("behind", minute=1)
    with house.keeper.join("again", "cards", START, in_place_of="p") as place:
        assert (place.position(), behind.position()) == (1, 2)
        assert [waiter.id for waiter in house.keeper.waiters] == ["again", "behind"]
        with place.step_aside():
            house.is_there("alice")
            assert house.served() == ["behind"]
    house.ends_call(behind)
    assert [promise.id for promise, _ in house.dialled] == ["p"]


def test_a_customer_who_hangs_up_while_the_agent_s_phone_rings_leaves_the_agent_to_their_promise(
    open_house: Callable[..., LineHouse],
) -> None:
    """At once: the agent is free, and nothing else is going to happen."""
    house = open_house("alice")
    house.is_there("alice")
    with house.keeper.join("again", "cards", START, in_place_of="p") as place:
        house.promised("p")
        house.ends_call(place)
        assert house.dialled == []
    assert [promise.id for promise, _ in house.dialled] == ["p"]


def test_what_a_promise_was_passed_counts_for_the_customer_who_rings_back_and_the_other_way_round(
    open_house: Callable[..., LineHouse],
) -> None:
    """Ringing back is no way to lose the place that was waited for."""
    house = open_house("alice", max_passes=2)
    house.promised("p")
    first, second = (house.joins(f"urgent{n}", minute=n, urgent=True) for n in (1, 2))
    house.is_there("alice")
    with house.keeper.join("again", "cards", START, in_place_of="p") as place:
        assert place.waiter.passed == 1
        house.ends_call(first)
        assert place.waiter.passed == 2
    house.joins("urgent3", minute=3, urgent=True)
    house.ends_call(second)
    assert house.served() == ["urgent1", "urgent2", "p"]


def test_a_dial_that_is_on_its_way_is_withdrawn_when_the_customer_rings_in(
    open_house: Callable[..., LineHouse],
) -> None:
    """That of their promise alone; and whoever asks later is told at once."""
    house = open_house()
    withdrawn, other = house.ends(house.keeper.withdrawn("p")), house.ends(house.keeper.withdrawn("q"))
    assert not withdrawn()
    with house.keeper.join("again", "cards", START, in_place_of="p"):
        assert withdrawn()
        assert not other()
        house.do(house.keeper.withdrawn("p"))
    assert not house.ends(house.keeper.withdrawn("p"))()


def test_a_caller_hears_the_place_among_those_of_their_queue_who_are_due(open_house: Callable[..., LineHouse]) -> None:
    """Not counted: other queues, promises for later, or outside their calling hours, and who has an agent."""
    house = open_house()
    house.joins("loans", minute=-9, queue="loans")
    house.promised("later", minute=-9, due_min=5)
    house.promised("due", minute=-9)
    house.promised("night", minute=-9, queue="nights")
    house.joins("before", minute=-1)
    place, night = house.joins("me"), house.joins("owl", queue="nights")
    assert (place.position(), night.position()) == (3, 1)
    assert (house.keeper.length("cards"), house.keeper.length("loans")) == (2, 1)


def test_who_has_an_agent_is_in_nobody_s_way(open_house: Callable[..., LineHouse]) -> None:
    """Not in the length, not before others; their own place is still told."""
    house = open_house("alice")
    house.is_there("alice")
    served, waits = house.joins("served"), house.joins("waits", minute=1)
    with house.do(served.turn()):
        assert (served.position(), waits.position()) == (1, 1)
        assert house.keeper.length("cards") == 1


def test_the_wait_is_told_from_what_calls_took_and_by_who_is_there(open_house: Callable[..., LineHouse]) -> None:
    """None while nobody is on duty; the same for who joins as for who has just joined."""
    house = open_house("alice")
    house.keeper.outlook.note_handled("cards", *[100.0] * 60)
    assert house.keeper.expected_wait("cards") is None
    house.is_there("alice")
    assert house.keeper.expected_wait("cards") == WaitRange(0, 0)
    house.joins("served")
    would_be = house.keeper.expected_wait("cards")
    waits = house.joins("waits")
    assert would_be is not None
    assert would_be == waits.expected_wait()
    assert would_be.low_s < 50 < would_be.high_s <= 100
    for _ in range(60):
        house.keeper.outlook.note_handled("cards", 1000.0)
    longer = waits.expected_wait()
    assert longer is not None
    assert longer.high_s > would_be.high_s * 9


def test_what_is_quoted_is_rounded_and_sinks_no_quicker_than_the_time(open_house: Callable[..., LineHouse]) -> None:
    """Unless there is a cause: here an agent who joins."""
    house = open_house("alice", "bob")
    house.keeper.outlook.note_handled("cards", *[600.0] * 60)
    house.is_there("alice")
    for n in range(4):
        house.joins(f"before{n}", minute=-9)
    place = house.joins("me")
    first = place.quote()
    assert first is not None
    assert first.high_s % 300 == 0
    house.keeper.outlook.note_handled("cards", *[300.0] * 60)
    assert place.quote() == WaitRange(place.quote().low_s, first.high_s)  # type: ignore[union-attr]
    house.do(house.clock.sleep(301))
    later = place.quote()
    assert later is not None
    assert later.high_s == first.high_s - 300
    house.is_there("bob")
    with_bob = place.quote()
    assert with_bob is not None
    assert with_bob.high_s < later.high_s - 300


def test_callers_who_give_up_shorten_the_wait_and_those_who_become_promises_do_not(
    open_house: Callable[..., LineHouse],
) -> None:
    """A promise goes on waiting in the same place."""

    def after_many_left(*, promised: bool) -> WaitRange | None:
        house = open_house("alice")
        house.is_there("alice")
        for n in range(8):
            house.joins(f"before{n}", minute=-9)
        for n in range(60):
            with house.keeper.join(f"c{n}", "cards", START + timedelta(seconds=n)):
                house.do(house.clock.sleep(60))
                if promised:
                    house.promised(f"p{n}", minute=n / 60, due_min=999)
        return house.joins("me", minute=99).expected_wait()

    left, stayed = after_many_left(promised=False), after_many_left(promised=True)
    assert left is not None
    assert stayed is not None
    assert left.high_s < stayed.high_s * 0.8


def test_the_last_agent_who_leaves_is_noticed_by_those_who_wait(open_house: Callable[..., LineHouse]) -> None:
    """An agent who rests after a missed call is still there; and where nobody is, that is so at once."""
    house = open_house("alice", "bob")
    house.is_there("alice")
    house.is_there("bob")
    missed = house.do(house.joins("first").turn())
    house.keeper.may_serve = lambda: False
    nobody = house.ends(house.joins("second").no_agents())
    house.is_there("bob", there=False)
    assert (nobody(), house.keeper.agents_on_duty("cards")) == (False, 1)
    house.do(misses(missed))
    assert (nobody(), house.desk.state_of("alice")) == (False, AgentState.PAUSED)
    house.is_there("alice", there=False)
    assert (nobody(), house.keeper.agents_on_duty("cards")) == (True, 0)
    house.do(house.keeper.no_agents("cards"))


def test_each_queue_has_its_own_calling_hours(open_house: Callable[..., LineHouse]) -> None:
    """A promise gets no agent outside of them, and one the moment that they begin; here at eight in the evening."""
    house = open_house("alice")
    house.is_there("alice")
    running = house.ends(house.keeper.run())
    house.promised("night", queue="nights")
    house.do(house.clock.sleep(8 * 3600 - 1))
    assert house.dialled == []
    house.do(house.clock.sleep(1.001))
    assert [promise.id for promise, _ in house.dialled] == ["night"]
    assert not running()


async def misses(reservation: DeskReservation) -> None:
    """Let the agent's phone ring out."""
    with reservation:
        reservation.rings()
        reservation.missed()
