"""One floor over two Asterisks: what is seen is put together, and what is wanted goes to whose it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.ports.floor import EntryState, PbxEntry, Refused
from controller.ports.survey import Role
from controller.workers.floors import Floors
from tests.journeys.floor_stage import FloorStage
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, YES
from tests.journeys.two_offices import BESIDE, NEWS_TAKE_S, TwoOffices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.journeys.theatre import Theatre

NUMBER, OTHER = "+819012345678", "+819012345679"
CUSTOMER = Person(presses=YES, talks_s=20)
STAYS = Person(patience_s=900)


@pytest.fixture
def open_offices(theatre: Theatre) -> Iterator[Callable[..., TwoOffices]]:
    """Return a way to open two offices, with the agents of each."""
    opened: list[TwoOffices] = []

    def begin(first: dict[str, Person], second: dict[str, Person]) -> TwoOffices:
        opened.append(TwoOffices(theatre, first, second))
        return opened[-1]

    yield begin
    for offices in opened:
        offices.close()


def test_callers_of_both_and_each_promise_once_are_in_one_list(open_offices: Callable[..., TwoOffices]) -> None:
    """Whose line it is, is told; queues are counted over both."""
    offices = open_offices({"alice": AGENT}, {"bob": AGENT})
    here = offices.first.rings(STAYS, number="09012340001")
    there = offices.second.rings(STAYS, number="09012340002")
    offices.first.pass_s(6)
    promise = offices.promised(NUMBER, CUSTOMER)
    offices.first.pass_s(1)
    stage = FloorStage(*offices.both)
    now = stage.now()
    assert sorted((each.id, each.pbx) for each in now.line if each.id != promise.id) == sorted(
        [(here.id, offices.first.pbx_name), (there.id, BESIDE)]
    )
    assert [each.id for each in now.line].count(promise.id) == 1
    assert sorted((agent.name, agent.pbx) for agent in now.agents) == [
        ("alice", offices.first.pbx_name),
        ("bob", BESIDE),
    ]
    cards = stage.queue("cards")
    assert (cards.live, cards.promises_due, cards.agents_on_duty) == (2, 1, 0)


def test_a_promise_that_one_office_keeps_is_shown_as_it_is_there(open_offices: Callable[..., TwoOffices]) -> None:
    """Whichever of the two is asked first, and nobody changes it meanwhile."""
    offices = open_offices({"alice": AGENT}, {"bob": replace(AGENT, answers_after_s=6)})
    promise = offices.promised(NUMBER, CUSTOMER)
    offices.second.registers("bob")
    offices.first.pass_s(3)
    for scenes in (offices.both, tuple(reversed(offices.both))):
        stage = FloorStage(*scenes)
        entry = stage.entry(promise.id)
        assert (entry.state, entry.agent, entry.pbx) == (EntryState.RINGING, "bob", BESIDE)
        assert stage.prioritise(promise.id) is Refused.NOT_NOW
    offices.first.pass_s(60)
    assert offices.first.attempts() == [("bob", "talked")]


def test_what_is_changed_of_a_promise_is_heard_by_both(open_offices: Callable[..., TwoOffices]) -> None:
    """Each keeps them in the new order."""
    offices = open_offices({}, {"bob": AGENT})
    first = offices.promised(NUMBER, CUSTOMER)
    second = offices.promised(OTHER, CUSTOMER)
    stage = FloorStage(offices.first)
    assert stage.prioritise(second.id) is None
    offices.first.pass_s(2 * NEWS_TAKE_S)
    for scene in offices.both:
        assert [waiter.id for waiter in scene.keeper.waiters] == [second.id, first.id]
    offices.second.registers("bob")
    offices.first.pass_s(90)
    assert [channel.facts.dialled for channel in offices.second.pbx.of(Role.CUSTOMER)] == [OTHER, NUMBER]


def test_a_promise_that_is_assigned_is_left_to_the_office_of_that_agent(
    open_offices: Callable[..., TwoOffices],
) -> None:
    """Also while the agent is busy; when they sign out, their office gives it to whoever is there."""
    offices = open_offices({"alice": AGENT}, {"bob": replace(AGENT, talks_s=30), "carol": AGENT})
    offices.second.rings(STAYS, number="09012340002")
    offices.second.registers("bob")
    offices.first.pass_s(8)
    promise = offices.promised(NUMBER, CUSTOMER)
    stage = FloorStage(*offices.both)
    assert stage.assign(promise.id, "bob") is None
    offices.first.pass_s(2 * NEWS_TAKE_S)
    offices.first.registers("alice")
    offices.second.registers("carol")
    offices.first.pass_s(8)
    assert offices.first.attempts() == []
    stage.do(stage.floor.sign_out("bob"))
    offices.first.pass_s(60)
    assert offices.first.attempts() == [("carol", "talked")]


def test_a_caller_is_not_given_to_an_agent_of_another_asterisk(open_offices: Callable[..., TwoOffices]) -> None:
    """Their phones cannot be joined."""
    offices = open_offices({"alice": AGENT}, {"bob": AGENT})
    caller = offices.first.rings(STAYS)
    offices.first.pass_s(6)
    stage = FloorStage(*offices.both)
    assert stage.assign(caller.id, "bob") is Refused.NOT_NOW
    assert stage.move(caller.id, "loans") is None
    offices.first.pass_s(1)
    assert stage.entry(caller.id).queue == "loans"


def test_a_queue_is_closed_and_announced_at_both(open_offices: Callable[..., TwoOffices]) -> None:
    """At once."""
    offices = open_offices({}, {})
    callers = [scene.rings(STAYS, number=f"0901234000{nth}") for nth, scene in enumerate(offices.both)]
    offices.first.pass_s(6)
    stage = FloorStage(*offices.both)
    assert stage.do(stage.floor.announce("cards", "line-full")) is None
    stage.do(stage.floor.close_queue("cards", by="hanako", until=None))
    offices.first.pass_s(6)
    assert [caller.heard.count("line-full") for caller in callers] == [1, 1]
    later = [scene.rings(STAYS, number=f"0901234001{nth}") for nth, scene in enumerate(offices.both)]
    offices.first.pass_s(6)
    assert [caller.held_in for caller in later] == [None, None]


def test_whom_another_controller_has_is_elsewhere(open_offices: Callable[..., TwoOffices]) -> None:
    """An agent there, and a caller whom nobody knows here; where all are ours, there is no such caller."""
    offices = open_offices({"alice": AGENT}, {"bob": AGENT})
    stage = FloorStage(*offices.both)
    assert stage.move("no-such-caller", "loans") is Refused.UNKNOWN
    stage.floor.closed(stage.offices[1])
    assert stage.do(stage.floor.pause("bob", "lunch")) is Refused.ELSEWHERE
    assert stage.move("no-such-caller", "loans") is Refused.ELSEWHERE
    assert stage.do(stage.floor.pause("alice", "lunch")) is None
    assert [agent.name for agent in stage.now().agents] == ["alice"]


def test_without_an_office_queues_can_be_closed_and_nothing_else(open_offices: Callable[..., TwoOffices]) -> None:
    """A controller that stands by sees no line; what it keeps in the database is in force where the line is."""
    offices = open_offices({"alice": AGENT}, {})
    stage = FloorStage(*offices.both)
    floor = Floors(
        offices.first.queues,
        {"alice": "asterisk"},
        lambda: [PbxEntry("asterisk", "standing_by", "they")],
        stage.looks,
        stage.closures,
        stage.clock,
    )
    assert stage.do(floor.close_queue("cards", by="hanako", until=None)) is None
    now = floor.now()
    assert (now.line, now.agents, [queue.is_open for queue in now.queues]) == ((), (), [False, True])
    refused = [
        floor.move("c", "loans"),
        floor.assign("c", "alice"),
        floor.prioritise("c", urgent=True),
        floor.announce("cards", "line-full"),
        floor.sign_in("alice"),
        floor.hang_up("alice"),
    ]
    assert [stage.do(command) for command in refused] == [Refused.ELSEWHERE] * len(refused)
