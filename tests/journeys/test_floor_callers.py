"""What a supervisor does to callers who hold: over the real journeys, in every state, and after a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentState
from controller.domain.menu import SayGoodbye
from controller.domain.queue_events import Connected, Entered
from controller.journeys import prompts
from controller.journeys.house import Announcements, Limits, Offer
from controller.ports.floor import EntryState, Refused
from controller.ports.survey import Role
from tests.journeys.floor_stage import FloorStage
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, CALLER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_channel import Channel

NUMBERS = ("09012340001", "09012340002", "09012340003")
ONE_EACH = {"alice": frozenset({"cards"}), "bob": frozenset({"loans"})}
SLOW = replace(AGENT, answers_after_s=5)
STAYS = Person(patience_s=600)


def holding(scene: Scene, count: int = 1, person: Person = STAYS) -> list[Channel]:
    """Return callers who hold for cards, one after the other."""
    callers = []
    for number in NUMBERS[:count]:
        callers.append(scene.rings(person, number=number))
        scene.pass_s(5)
    return callers


# -- move


def test_a_caller_who_is_moved_hears_the_other_queue_and_is_served_there(open_scene: Callable[..., Scene]) -> None:
    """With the music of that queue, by its agent, under its name in the reports; nobody hung up."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, queues=ONE_EACH, signed_in=False)
    stage = FloorStage(scene)
    (caller,) = holding(scene)
    assert (caller.held_in, stage.entry(caller.id).queue) == ("cards", "cards")
    assert stage.move(caller.id, "loans") is None
    scene.pass_s(1)
    assert (caller.held_in, caller.marks["queue"]) == ("loans", "loans")
    assert (stage.queue("cards").live, stage.queue("loans").live) == (0, 1)
    scene.registers("alice")
    scene.pass_s(5)
    assert scene.pbx.of(Role.AGENT) == []
    scene.registers("bob")
    scene.pass_s(5)
    assert [each.agent for each in scene.pbx.of(Role.AGENT)] == ["bob"]
    noted = [(type(event), event.queue) for event in scene.queue_events if isinstance(event, Entered | Connected)]
    assert noted == [(Entered, "cards"), (Entered, "loans"), (Connected, "loans")]
    assert scene.theatre.sql("SELECT queue FROM calls") == [("loans",)]


def test_a_caller_who_is_moved_keeps_the_place_by_arrival(open_scene: Callable[..., Scene]) -> None:
    """They are before those who came to the other queue after them."""
    scene = open_scene({"bob": AGENT}, signed_in=False)
    stage = FloorStage(scene)
    first, _ = holding(scene, 2)
    there = scene.rings(CALLER, number="09012340009", dialled="0312345679")
    scene.pass_s(5)
    assert stage.move(first.id, "loans") is None
    assert [stage.entry(each.id).place for each in (first, there)] == [1, 2]


def test_a_move_outlives_a_restart(open_scene: Callable[..., Scene]) -> None:
    """It stands on the channel; so does that somebody is urgent, and whose they are."""
    deaf = Person(answers_after_s=None)
    scene = open_scene({"alice": deaf, "bob": deaf}, queues=ONE_EACH, signed_in=False)
    (caller,) = holding(scene)
    stage = FloorStage(scene)
    stage.move(caller.id, "loans")
    stage.prioritise(caller.id)
    stage.assign(caller.id, "bob")
    scene.pass_s(1)
    scene.restart()
    scene.pass_s(3)
    entry = FloorStage(scene).entry(caller.id)
    assert (entry.queue, entry.urgent, entry.agent) == ("loans", True, "bob")
    assert caller.held_in == "loans"
    assert [each.agent for each in scene.pbx.of(Role.AGENT)] == ["bob"]


def test_who_is_moved_to_a_free_agent_talks_at_once_in_the_other_queue(open_scene: Callable[..., Scene]) -> None:
    """The move and the turn come in the same moment: the talk is the other queue's."""
    scene = open_scene({"bob": AGENT}, queues={"bob": frozenset({"loans"})})
    (caller,) = holding(scene)
    assert FloorStage(scene).move(caller.id, "loans") is None
    scene.pass_s(4)
    assert caller.talked_with == ["agent-1"]
    assert caller.marks["queue"] == "loans"
    (connected,) = [event for event in scene.queue_events if isinstance(event, Connected)]
    assert connected.queue == "loans"


def test_a_caller_whose_agent_is_being_rung_is_not_moved_nor_given_to_another(
    open_scene: Callable[..., Scene],
) -> None:
    """Whoever is rung was chosen for them, and talks with them."""
    scene = open_scene({"alice": SLOW, "bob": AGENT}, queues=ONE_EACH)
    stage = FloorStage(scene)
    caller = scene.rings(STAYS)
    scene.pass_s(4)
    assert stage.entry(caller.id).state is EntryState.RINGING
    assert stage.move(caller.id, "loans") is Refused.NOT_NOW
    assert stage.assign(caller.id, "bob") is Refused.NOT_NOW
    assert stage.prioritise(caller.id) is Refused.NOT_NOW
    scene.pass_s(10)
    assert caller.talked_with == ["agent-1"]
    assert stage.entry(caller.id).state is EntryState.TALKING
    assert stage.move(caller.id, "loans") is Refused.NOT_NOW


def test_a_caller_whose_agent_did_not_answer_can_be_moved(open_scene: Callable[..., Scene]) -> None:
    """They hold on, and are the line's again."""
    scene = open_scene({"alice": Person(answers_after_s=None), "bob": AGENT}, queues=ONE_EACH)
    stage = FloorStage(scene)
    caller = scene.rings(STAYS)
    scene.pass_s(25)
    assert scene.states()["alice"] is AgentState.PAUSED
    assert stage.move(caller.id, "loans") is None
    scene.pass_s(4)
    assert [each.agent for each in scene.pbx.of(Role.AGENT)] == ["alice", "bob"]


def test_a_caller_who_leaves_a_number_is_left_alone(open_scene: Callable[..., Scene]) -> None:
    """They do so for the queue that they stand in; when they hold on after all, they can be moved."""
    scene = open_scene({}, cards=CARDS)
    person = Person(presses={prompts.HOLD_OFFER: ["1"]}, patience_s=600)
    caller = scene.rings(person)
    scene.pass_s(6)
    stage = FloorStage(scene)
    assert caller.marks["stage"] == "leaving_number"
    assert stage.move(caller.id, "loans") is Refused.NOT_NOW
    scene.pass_s(200)
    assert prompts.BACK_TO_HOLD in caller.heard
    assert stage.move(caller.id, "loans") is None


def test_nobody_is_moved_where_they_would_be_turned_out(open_scene: Callable[..., Scene]) -> None:
    """No such queue, the same queue, a queue without agents that turns people out, one that is closed."""
    staffed = replace(CARDS, limits=Limits(on_no_agents=SayGoodbye("goodbye")))
    scene = open_scene({"bob": AGENT}, cards=staffed, queues={"bob": frozenset({"loans"})}, signed_in=False)
    stage = FloorStage(scene)
    caller = scene.rings(STAYS, dialled="0312345679")
    scene.pass_s(5)
    assert stage.move(caller.id, "no-such-queue") is Refused.UNKNOWN
    assert stage.move("nobody", "cards") is Refused.UNKNOWN
    assert stage.move(caller.id, "loans") is Refused.NOT_NOW
    assert stage.move(caller.id, "cards") is Refused.NOT_NOW
    assert caller.held_in == "loans"


def test_the_longest_wait_of_the_other_queue_counts_from_the_move(open_scene: Callable[..., Scene]) -> None:
    """Nobody is turned out for a wait that they had elsewhere."""
    limits = Limits(max_wait_s=60, on_max_wait=SayGoodbye("goodbye"))
    scene = open_scene({}, cards=replace(CARDS, limits=limits))
    caller = scene.rings(Person(patience_s=900), dialled="0312345679")
    scene.pass_s(200)
    assert FloorStage(scene).move(caller.id, "cards") is None
    scene.pass_s(50)
    assert caller.held_in == "cards"
    scene.pass_s(30)
    assert prompts.MAX_WAIT in caller.heard


# -- prioritise


def test_who_is_made_urgent_is_served_before_those_who_came_earlier(open_scene: Callable[..., Scene]) -> None:
    """And those are counted as passed."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    stage = FloorStage(scene)
    first, second, third = holding(scene, 3)
    assert stage.prioritise(third.id) is None
    assert stage.line() == [third.id, first.id, second.id]
    scene.registers("alice")
    scene.pass_s(4)
    assert third.talked_with == ["agent-1"]
    assert [stage.entry(each.id).passed for each in (first, second)] == [1, 1]


@pytest.mark.parametrize("restarts", [False, True])
def test_who_is_made_urgent_and_back_stands_where_they_stood(open_scene: Callable[..., Scene], restarts: bool) -> None:
    """Also when the controller is restarted in between, and after."""
    scene = open_scene({})
    first, second = holding(scene, 2)
    stage = FloorStage(scene)
    stage.prioritise(second.id)
    scene.pass_s(1)
    if restarts:
        scene.restart()
        scene.pass_s(3)
        stage = FloorStage(scene)
    assert stage.line() == [second.id, first.id]
    assert stage.prioritise(second.id, urgent=False) is None
    scene.pass_s(1)
    if restarts:
        scene.restart()
        scene.pass_s(3)
        stage = FloorStage(scene)
    assert stage.line() == [first.id, second.id]


def test_who_is_urgent_is_offered_no_callback(open_scene: Callable[..., Scene]) -> None:
    """They are about to be served; the key works all the same."""
    cards = replace(CARDS, announcements=Announcements(interval_s=10, offer=Offer.AT_ONCE))
    scene = open_scene({}, cards=cards)
    (caller,) = holding(scene)
    FloorStage(scene).prioritise(caller.id)
    before = caller.heard.count(prompts.OFFER)
    scene.pass_s(60)
    assert caller.heard.count(prompts.OFFER) == before
    assert caller.held_in == "cards"


@pytest.mark.parametrize("is_cut", [True, False])
def test_what_an_order_cuts_off_is_said_again_at_once(open_scene: Callable[..., Scene], *, is_cut: bool) -> None:
    """Who is given to one agent in the midst of the offer hears it all the same; who has heard it, not twice."""
    cards = replace(CARDS, announcements=Announcements(interval_s=60, offer=Offer.AT_ONCE))
    scene = open_scene({"alice": SLOW, "bob": AGENT}, queues=ONE_EACH, signed_in=False, cards=cards)
    stage = FloorStage(scene)
    caller = scene.rings(STAYS, number=NUMBERS[0])
    while prompts.HOLD_OFFER not in caller.heard:
        scene.pass_s(0.05)
    if not is_cut:
        scene.pass_s(20)
    assert stage.prioritise(caller.id, urgent=False) is None
    scene.pass_s(10)
    assert caller.heard.count(prompts.OFFER) == int(is_cut)


def test_who_has_just_joined_can_be_moved_before_anything_was_said_to_them(open_scene: Callable[..., Scene]) -> None:
    """In the very moment in which they stand in line: what is wanted is not lost."""
    scene = open_scene({})
    stage = FloorStage(scene)
    caller = scene.rings(STAYS)
    while caller.id not in scene.keeper.places:
        scene.pass_s(0.005)
    assert caller.marks.get("stage") != "in_line"
    assert stage.move(caller.id, "loans") is None
    assert stage.prioritise(caller.id) is None
    scene.pass_s(2)
    assert (caller.held_in, caller.marks["queue"], caller.marks["urgent"]) == ("loans", "loans", "1")
