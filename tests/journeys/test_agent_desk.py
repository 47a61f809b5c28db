"""The agents' desk: reservations, rests that end when they should and not before, and what others are told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentEvent, AgentState, RefusedAgentEventError
from controller.domain.line import Waiter, WaiterKind
from controller.journeys.house import Queue
from controller.workers.agent_desk import Serving
from tests.journeys.agents_office import Office
from tests.journeys.virtual_time import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.workers.agent_desk import DeskReservation
    from tests.journeys.theatre import Theatre

CARDS = Queue(name="cards", language="ja", wrap_up_s=30, missed_pause_s=60)
WAITER = Waiter("call-1", WaiterKind.LIVE, "cards", VirtualClock.START)


@pytest.fixture
def office(theatre: Theatre) -> Iterator[Office]:
    """Open an office in which a phone that registers is enough."""
    opened = Office(theatre)
    yield opened
    opened.close()


def talking(office: Office, *, for_s: float = 0, queue: Queue = CARDS) -> DeskReservation:
    """Let alice take a call, and talk."""
    reservation = office.do(lambda: office.desk.reserve(office.desk.agent("alice"), queue, WAITER))
    office.do(reservation.__enter__)
    office.do(reservation.rings)
    office.do(reservation.answered)
    office.pass_s(for_s)
    return reservation


def hangs_up(office: Office, reservation: DeskReservation) -> None:
    """End the call."""
    office.do(reservation.give_back)


def test_a_wrap_up_is_over_when_the_queue_says_so_and_not_a_second_before(office: Office) -> None:
    """Nobody is rung while still writing."""
    hangs_up(office, talking(office, for_s=100))
    office.pass_s(29)
    assert office.state() == "wrap_up"
    office.pass_s(1.5)
    assert office.state() == "available"


def test_an_agent_can_be_ready_before_the_wrap_up_is_over(office: Office) -> None:
    """By hand, and it is told as true."""
    hangs_up(office, talking(office, for_s=100))
    office.pass_s(5)
    office.dials("15")
    assert office.state() == "available"
    ((queue, handle_s),) = office.handled
    assert queue == "cards"
    assert 105 <= handle_s < 110


def test_the_end_of_one_wrap_up_does_not_end_the_next(office: Office) -> None:
    """The timer of the first is still running when the second begins."""
    hangs_up(office, talking(office))
    office.pass_s(20)
    office.dials("15")
    hangs_up(office, talking(office))
    office.pass_s(29)
    assert office.state() == "wrap_up"
    office.pass_s(2)
    assert office.state() == "available"


def test_the_end_of_a_missed_calls_pause_ends_neither_lunch_nor_a_later_wrap_up(office: Office) -> None:
    """Each rest has a timer, and each timer has one rest."""
    reservation = office.do(lambda: office.desk.reserve(office.desk.agent("alice"), CARDS, WAITER))
    office.do(reservation.rings)
    office.do(reservation.missed)
    assert office.state() == "paused"
    office.pass_s(40)
    office.dials("14")
    hangs_up(office, talking(office, for_s=10))
    office.dials("132")
    office.pass_s(300)
    assert office.state() == "paused: lunch"


@pytest.mark.parametrize("lost_s", [0.5, 20, 40])
def test_a_phone_that_is_lost_during_the_wrap_up_does_not_end_it(office: Office, lost_s: float) -> None:
    """A phone that comes back is rung no sooner than it would have been; the wrap-up's time goes on meanwhile."""
    hangs_up(office, talking(office))
    office.pass_s(5)
    office.phone("alice", registered=False)
    assert office.state() == "signed_out"
    office.pass_s(lost_s)
    office.phone("alice")
    assert office.state() == ("available" if lost_s > 25 else "wrap_up")
    office.pass_s(26)
    assert office.state() == "available"


def test_a_pause_and_its_end_do_not_shorten_the_wrap_up(office: Office) -> None:
    """*131 and *14 are no way around *15, which says what it does."""
    hangs_up(office, talking(office))
    office.dials("131")
    office.dials("14")
    assert office.state() == "wrap_up"
    office.pass_s(30)
    assert office.state() == "available"


@pytest.mark.parametrize(("code", "state"), [("131", "paused: break"), ("12", "signed_out")])
def test_what_an_agent_dials_during_a_call_takes_effect_after_it(office: Office, code: str, state: str) -> None:
    """With no moment between in which they could be rung."""
    reservation = talking(office, for_s=10)
    office.dials(code)
    assert office.desk.agent("alice").state is AgentState.ON_CALL
    seen = len(office.changes)
    hangs_up(office, reservation)
    office.pass_s(100)
    assert office.state() == state
    assert not any(after.is_free for _, after in office.changes[seen:])


def test_an_agent_who_pauses_while_the_phone_rings_still_gets_that_call(office: Office) -> None:
    """And no other."""
    reservation = office.do(lambda: office.desk.reserve(office.desk.agent("alice"), CARDS, WAITER))
    office.do(reservation.rings)
    office.dials("132")
    assert office.desk.agent("alice").state is AgentState.RINGING
    office.do(reservation.give_back)
    assert office.state() == "paused: lunch"


@pytest.mark.parametrize(
    ("after_the_call", "handle_s"),
    [
        ([], 130),
        (["131"], 130),  # the pause begins at once; the wrap-up is counted as it would have been
        (["12"], 130),
    ],
)
def test_how_long_a_call_kept_an_agent_is_told_once_the_wrap_up_is_over(
    office: Office, after_the_call: list[str], handle_s: float
) -> None:
    """Talk and wrap-up together, once for each call, whatever the agent does meanwhile."""
    hangs_up(office, talking(office, for_s=100))
    assert office.handled == []
    for code in after_the_call:
        office.dials(code)
    office.pass_s(100)
    ((queue, told_s),) = office.handled
    assert (queue, round(told_s, 2)) == ("cards", handle_s)


def test_a_reservation_without_a_talk_tells_nothing(office: Office) -> None:
    """Neither one that was given back nor one that was missed."""
    reservation = office.do(lambda: office.desk.reserve(office.desk.agent("alice"), CARDS, WAITER))
    office.do(reservation.give_back)
    reservation = office.do(lambda: office.desk.reserve(office.desk.agent("alice"), CARDS, WAITER))
    office.do(reservation.rings)
    office.do(reservation.missed)
    office.pass_s(100)
    assert office.handled == []
    assert office.state() == "available"


def test_a_talk_that_was_found_after_a_restart_tells_nothing_but_is_wrapped_up(office: Office) -> None:
    """Nobody saw it begin. What the agent had set before is still in force."""
    office.dials("131")
    office.restart()
    reservation = office.do(lambda: office.desk.resume("alice", CARDS, "promise-1", WaiterKind.PROMISE))
    assert reservation is not None
    assert (office.desk.agent("alice").state, office.desk.agent("alice").is_on_duty) == (AgentState.ON_CALL, False)
    office.pass_s(10)
    hangs_up(office, reservation)
    assert office.state() == "paused: break"
    office.dials("14")
    assert office.state() == "wrap_up"
    office.pass_s(30)
    assert (office.state(), office.handled) == ("available", [])


def test_others_are_told_of_every_change_and_of_nothing_else(office: Office) -> None:
    """Each as before and after; a phone that says the same again is no news."""
    office.changes.clear()
    office.phone("alice")
    assert office.changes == []
    office.moves(AgentEvent.RESERVE)
    office.moves(AgentEvent.RELEASE)
    office.phone("alice", idle=False)
    assert [(before.state.value, after.state.value, after.phone_idle) for before, after in office.changes] == [
        ("available", "reserved", True),
        ("reserved", "available", True),
        ("available", "available", False),
    ]
    assert all(before != after for before, after in office.changes)


def test_the_desk_knows_whom_an_agent_is_there_for_until_the_wrap_up_is_over(office: Office) -> None:
    """From the reservation on, through a pause in the middle of the wrap-up; then nobody."""
    assert office.desk.serving("alice") is None
    since = office.theatre.clock.now()
    reservation = talking(office, for_s=40)
    expected = Serving("call-1", "cards", WaiterKind.LIVE, since)
    assert office.desk.serving("alice") == expected
    hangs_up(office, reservation)
    assert office.desk.serving("alice") == expected
    office.moves(AgentEvent.PAUSE)
    assert office.desk.serving("alice") == expected
    office.moves(AgentEvent.UNPAUSE)
    office.pass_s(31)
    assert (office.state(), office.desk.serving("alice"), office.desk.serving("bob")) == ("available", None, None)


def test_an_agent_who_was_let_go_or_did_not_answer_is_there_for_nobody(office: Office) -> None:
    """Nor is one whose reservation was refused there for anybody else than before."""
    reservation = office.do(lambda: office.desk.reserve(office.desk.agent("alice"), CARDS, WAITER))
    other = replace(WAITER, id="call-2")
    with pytest.raises(RefusedAgentEventError):
        office.do(lambda: office.desk.reserve(office.desk.agent("alice"), CARDS, other))
    serving = office.desk.serving("alice")
    assert serving is not None
    assert serving.waiter_id == "call-1"
    office.do(reservation.give_back)
    assert office.desk.serving("alice") is None
    again = office.do(lambda: office.desk.reserve(office.desk.agent("alice"), CARDS, other))
    office.do(again.__enter__)
    office.do(again.rings)
    office.do(again.missed)
    assert (office.state(), office.desk.serving("alice")) == ("paused", None)


def test_a_talk_that_was_found_is_told_from_one_that_an_agent_begins_by_hand(office: Office) -> None:
    """The first goes on; the second is new."""
    office.do(lambda: office.desk.resume("alice", CARDS, "promise-1", WaiterKind.PROMISE))
    office.do(lambda: office.desk.resume("bob", CARDS, "promise-2", WaiterKind.PROMISE, goes_on=False))
    found = [office.desk.serving(name) for name in ("alice", "bob")]
    assert [each and (each.waiter_id, each.kind, each.goes_on) for each in found] == [
        ("promise-1", WaiterKind.PROMISE, True),
        ("promise-2", WaiterKind.PROMISE, False),
    ]
