"""What agents choose on a screen for a promise that they are shown; and customers who wait for an agent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.journeys.house import Callbacks, DialMode
from controller.ports.floor import EntryState, Refused
from controller.ports.survey import Role
from tests.journeys.floor_stage import FloorStage
from tests.journeys.scene import CARDS
from tests.journeys.stories import AGENT
from tests.journeys.test_floor_promises import CUSTOMER, NUMBERS
from tests.journeys.test_preview import PREVIEW, chooses

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_channel import Person


def previewing(open_scene: Callable[..., Scene], agent: Person, **staff: Person) -> tuple[Scene, FloorStage]:
    """Return a scene in which alice hears whose callback it is, and can choose; and its floor."""
    scene = open_scene({"alice": agent, **staff}, cards=PREVIEW, signed_in=False)
    scene.promised(NUMBERS[0], person=CUSTOMER)
    scene.registers("alice")
    scene.pass_s(7)
    return scene, FloorStage(scene)


def test_an_agent_can_choose_on_the_screen_to_dial(open_scene: Callable[..., Scene]) -> None:
    """In the middle of what is said to them; no key is pressed."""
    scene, stage = previewing(open_scene, replace(AGENT, presses={}))
    assert stage.do(stage.floor.preview("alice", "dial")) is None
    scene.pass_s(60)
    assert scene.attempts() == [("alice", "talked")]
    assert scene.pbx.of(Role.AGENT)[0].answered_with == []


def test_an_agent_can_choose_on_the_screen_to_leave_it_to_a_colleague(open_scene: Callable[..., Scene]) -> None:
    """Who is asked next."""
    scene, stage = previewing(open_scene, replace(AGENT, presses={}), bob=chooses("1"))
    assert stage.do(stage.floor.preview("alice", "to_colleague")) is None
    scene.pass_s(5)
    scene.registers("bob")
    scene.pass_s(60)
    assert scene.attempts() == [("bob", "talked")]
    assert scene.pbx.of(Role.AGENT)[0].heard[-1] == prompts.PREVIEW_PASSED


def test_an_agent_can_choose_on_the_screen_to_put_it_off(open_scene: Callable[..., Scene]) -> None:
    """By as much as by key."""
    scene, stage = previewing(open_scene, replace(AGENT, presses={}))
    assert stage.do(stage.floor.preview("alice", "put_off")) is None
    scene.pass_s(30)
    (promise,) = scene.promises()
    assert (promise.state, scene.attempts()) == (PromiseState.WAITING, [])
    assert (promise.not_before - scene.theatre.clock.now()).total_seconds() > 1700


def test_the_first_choice_counts_and_there_is_none_when_nobody_is_asked(open_scene: Callable[..., Scene]) -> None:
    """By key or on the screen; while the phone rings nothing is asked yet."""
    scene, stage = previewing(open_scene, replace(AGENT, presses={}))
    assert stage.do(stage.floor.preview("alice", "maybe")) is Refused.UNKNOWN
    assert stage.do(stage.floor.preview("alice", "put_off")) is None
    assert stage.do(stage.floor.preview("alice", "dial")) is Refused.NOT_NOW
    scene.pass_s(30)
    assert scene.attempts() == []
    by_key = open_scene({"alice": chooses("3")}, cards=PREVIEW)
    floor = FloorStage(by_key)
    assert floor.do(floor.floor.preview("alice", "dial")) is Refused.NOT_NOW
    by_key.promised(NUMBERS[0], person=CUSTOMER)
    by_key.pass_s(16)
    assert floor.do(floor.floor.preview("alice", "dial")) is Refused.NOT_NOW
    by_key.pass_s(30)
    assert by_key.attempts() == []


# -- customer first


def test_a_customer_who_has_confirmed_waits_for_the_agent_whom_the_promise_was_given_to(
    open_scene: Callable[..., Scene],
) -> None:
    """They stand in line themselves, and are shown once; nobody sends them elsewhere."""
    first = replace(CARDS, callbacks=Callbacks(mode=DialMode.CUSTOMER_FIRST, max_deck_s=200))
    scene = open_scene({"alice": AGENT, "bob": replace(AGENT, answers_after_s=12)}, cards=first, signed_in=False)
    promise = scene.promised(NUMBERS[0], person=replace(CUSTOMER, talks_s=30))
    stage = FloorStage(scene)
    stage.assign(promise.id, "bob")
    scene.registers("bob")
    scene.pass_s(10)
    shown = [(each.id, each.state, each.agent, each.number) for each in stage.now().line]
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert shown == [(customer.id, EntryState.RINGING, "bob", promise.number)]
    assert stage.move(customer.id, "loans") is Refused.NOT_NOW
    assert stage.assign(customer.id, "alice") is Refused.NOT_NOW
    scene.registers("alice")
    scene.pass_s(60)
    assert [each.agent for each in scene.pbx.of(Role.AGENT)] == ["bob"]
    assert [outcome for _, outcome in scene.attempts()] == ["talked"]
    assert scene.states()["alice"] is AgentState.AVAILABLE
