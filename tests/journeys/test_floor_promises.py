"""What a supervisor does to promises: kept in the database, heard by every office, and bound by what holds for all."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentState
from controller.domain.slots import SlotPlan
from controller.domain.supervising import Moved
from controller.journeys import prompts
from controller.ports.floor import EntryState, Refused
from controller.ports.survey import Role
from tests.journeys.floor_stage import FloorStage
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, YES

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.promise import Promise
    from tests.journeys.scene import Scene

NUMBERS = ("+819012345601", "+819012345602", "+819012345603")
CUSTOMER = Person(presses=YES, talks_s=10)
SLOW = replace(AGENT, answers_after_s=5)
ONE_EACH = {"alice": frozenset({"cards"}), "bob": frozenset({"loans"})}


def promised(scene: Scene, count: int = 1, queue: str = "cards") -> list[Promise]:
    """Return promises to customers who answer, one after the other."""
    made = []
    for number in NUMBERS[:count]:
        made.append(scene.promised(number, queue=queue, person=CUSTOMER))
        scene.pass_s(1)
    return made


def called(scene: Scene) -> list[str]:
    """Return the numbers that were called, in order."""
    return [channel.facts.dialled for channel in scene.pbx.of(Role.CUSTOMER)]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_promise_that_is_made_urgent_is_kept_first(open_scene: Callable[..., Scene], restarts: bool) -> None:
    """Also by the next process: it is in the database."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    first, second = promised(scene, 2)
    stage = FloorStage(scene)
    assert stage.prioritise(second.id) is None
    assert stage.line() == [second.id, first.id]
    assert stage.entry(second.id).urgent
    if restarts:
        scene.registers("alice", registered=False)
        scene.restart()
    scene.registers("alice")
    scene.pass_s(120)
    assert called(scene) == [NUMBERS[1], NUMBERS[0]]


def test_a_promise_that_is_urgent_no_more_waits_in_its_place(open_scene: Callable[..., Scene]) -> None:
    """As it had been."""
    scene = open_scene({})
    first, second = promised(scene, 2)
    stage = FloorStage(scene)
    stage.prioritise(second.id)
    assert stage.prioritise(second.id, urgent=False) is None
    assert stage.line() == [first.id, second.id]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_promise_that_is_assigned_is_kept_by_that_agent_alone(
    open_scene: Callable[..., Scene], restarts: bool
) -> None:
    """While they talk with somebody else it waits, and the other agent takes the next."""
    scene = open_scene({"alice": AGENT, "bob": replace(AGENT, talks_s=40)}, signed_in=False)
    caller = scene.rings(Person(patience_s=600))
    scene.registers("bob")
    scene.pass_s(8)
    assert caller.talked_with == ["agent-1"]
    first, second = promised(scene, 2)
    stage = FloorStage(scene)
    assert stage.assign(first.id, "bob") is None
    if restarts:
        scene.restart()
        scene.registers("alice", registered=False)
    scene.registers("alice")
    scene.pass_s(12)
    assert called(scene) == [NUMBERS[1]]
    scene.pass_s(120)
    assert scene.attempts() == [("alice", "talked"), ("bob", "talked")]
    assert stage.do(scene.theatre.store.promises.get(first.id)).assigned_to == "bob"
    assert stage.do(scene.theatre.store.promises.get(second.id)).assigned_to == ""


def test_a_promise_for_an_agent_who_signs_out_is_everybody_s(open_scene: Callable[..., Scene]) -> None:
    """At once: nobody waits for somebody who is not there."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, signed_in=False)
    caller = scene.rings(Person(patience_s=600))
    scene.registers("bob")
    scene.pass_s(8)
    assert caller.talked_with == ["agent-1"]
    (promise,) = promised(scene)
    stage = FloorStage(scene)
    stage.assign(promise.id, "bob")
    scene.registers("alice")
    scene.pass_s(20)
    assert called(scene) == []
    stage.do(stage.floor.sign_out("bob"))
    scene.pass_s(60)
    assert scene.attempts() == [("alice", "talked")]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_promise_that_is_moved_is_kept_by_the_other_queue(open_scene: Callable[..., Scene], restarts: bool) -> None:
    """With the place that it had, before those who asked that queue later."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, queues=ONE_EACH, signed_in=False)
    (promise,) = promised(scene)
    later = scene.promised("+819012345609", queue="loans", person=CUSTOMER)
    stage = FloorStage(scene)
    assert stage.move(promise.id, "loans") is None
    assert [stage.entry(each.id).place for each in (promise, later)] == [1, 2]
    if restarts:
        scene.restart()
        scene.registers("alice", registered=False)
        scene.registers("bob", registered=False)
    for name in ("alice", "bob"):
        scene.registers(name)
    scene.pass_s(120)
    assert scene.attempts() == [("bob", "talked"), ("bob", "talked")]
    assert called(scene) == [promise.number, later.number]


def test_a_number_that_has_a_promise_there_is_not_moved(open_scene: Callable[..., Scene]) -> None:
    """It would be called twice for one thing."""
    scene = open_scene({})
    (promise,) = promised(scene)
    promised(scene, queue="loans")
    stage = FloorStage(scene)
    assert stage.move(promise.id, "loans") is Refused.NUMBER_HELD
    assert stage.entry(promise.id).queue == "cards"


def test_windows_go_along_where_the_other_queue_has_them(open_scene: Callable[..., Scene]) -> None:
    """Loans has none: the customer is not called before the window begins, all the same."""
    scene = open_scene({}, cards=replace(CARDS, slots=SlotPlan(length_min=30, capacity=1)))
    (promise,) = promised(scene, queue="loans")
    stage = FloorStage(scene)
    assert stage.move(promise.id, "cards") is None
    moved = stage.do(scene.theatre.store.promises.get(promise.id))
    assert (moved.queue, moved.slot) == ("cards", None)


def test_what_is_not_there_or_does_not_wait_is_told_apart(open_scene: Callable[..., Scene]) -> None:
    """A promise that nobody knows; one that is over; one that is moved to where it is."""
    scene = open_scene({})
    first, second = promised(scene, 2)
    scene.cancel(first)
    scene.pass_s(1)
    stage = FloorStage(scene)
    assert stage.prioritise("no-such-promise") is Refused.UNKNOWN
    assert stage.prioritise(first.id) is Refused.NOT_NOW
    assert stage.move(second.id, "cards") is Refused.NOT_NOW
    assert stage.move(second.id, "nothing") is Refused.UNKNOWN
    assert stage.assign(second.id, "nobody") is Refused.UNKNOWN


def test_a_database_that_is_away_refuses_and_changes_nothing(open_scene: Callable[..., Scene]) -> None:
    """Whoever asked is told so."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    (promise,) = promised(scene)
    stage = FloorStage(scene)
    with scene.theatre.database_locked():
        answers = [
            stage.prioritise(promise.id),
            stage.assign(promise.id, "alice"),
            stage.move(promise.id, "loans"),
            stage.do(stage.floor.close_queue("cards", by="hanako", until=None)),
            stage.do(stage.floor.open_queue("cards")),
            stage.do(stage.floor.sign_out("alice")),
        ]
    assert answers == [Refused.UNAVAILABLE] * 6
    entry = stage.entry(promise.id)
    assert (entry.urgent, entry.agent, entry.queue, stage.queue("cards").is_open) == (False, "", "cards", True)


@pytest.mark.parametrize("until", ["ringing", "dialling", "talking"])
def test_a_promise_that_is_being_kept_is_left_alone(open_scene: Callable[..., Scene], until: str) -> None:
    """From when its agent's phone rings."""
    scene = open_scene({"alice": SLOW})
    person = replace(CUSTOMER, answers_after_s=8, talks_s=60)
    promise = scene.promised(NUMBERS[0], person=person)
    scene.pass_s({"ringing": 3, "dialling": 14, "talking": 40}[until])
    stage = FloorStage(scene)
    entry = stage.entry(promise.id)
    assert (entry.state, entry.agent) == (EntryState(until), "alice")
    assert stage.prioritise(promise.id) is Refused.NOT_NOW
    assert stage.move(promise.id, "loans") is Refused.NOT_NOW
    assert stage.assign(promise.id, "alice") is Refused.NOT_NOW
    scene.pass_s(150)
    assert scene.attempts() == [("alice", "talked")]


def test_an_agent_hears_of_a_colleague_when_a_promise_is_moved_under_their_hands(
    open_scene: Callable[..., Scene],
) -> None:
    """By another process, while their phone rings: nobody is dialled for the queue that it left."""
    scene = open_scene({"alice": SLOW, "bob": AGENT}, queues=ONE_EACH, signed_in=False)
    (promise,) = promised(scene)
    scene.registers("alice")
    scene.pass_s(3)
    assert scene.states()["alice"] is AgentState.RINGING
    store = scene.theatre.store
    listeners, store.changed[:] = tuple(store.changed), ()
    scene.theatre.outside(store.promises.advance(promise.id, Moved("loans")))
    store.changed.extend(listeners)
    scene.do(partial(scene.hearsay.hear_of, promise.id))
    scene.pass_s(20)
    assert scene.pbx.of(Role.AGENT)[0].heard[-1] == prompts.AGENT_COLLEAGUE
    assert called(scene) == []
    scene.registers("bob")
    scene.pass_s(60)
    assert scene.attempts() == [("bob", "talked")]
