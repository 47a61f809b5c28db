"""Callers who are given to one agent alone, and what everybody who holds is told: over the real journeys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState
from controller.journeys import prompts
from controller.ports.floor import Refused
from controller.ports.survey import Role
from tests.journeys.floor_stage import FloorStage
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT
from tests.journeys.test_floor_callers import NUMBERS, ONE_EACH, STAYS, holding

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene


def test_who_is_assigned_waits_for_that_agent_alone(open_scene: Callable[..., Scene]) -> None:
    """Another who is free serves whoever comes next."""
    scene = open_scene({"alice": AGENT, "bob": replace(AGENT, talks_s=30)}, signed_in=False)
    stage = FloorStage(scene)
    talking, first, second = holding(scene, 3)
    scene.registers("bob")
    scene.pass_s(4)
    assert talking.talked_with == ["agent-1"]
    assert stage.assign(first.id, "bob") is None
    scene.registers("alice")
    scene.pass_s(4)
    assert [second.talked_with, first.talked_with] == [["agent-2"], []]
    assert stage.entry(first.id).agent == "bob"
    scene.pass_s(60)
    assert [each.agent for each in scene.pbx.of(Role.AGENT)][-1] == "bob"
    assert first.talked_with == ["agent-3"]


def test_an_agent_who_leaves_keeps_nobody_waiting_and_has_them_again_when_back(
    open_scene: Callable[..., Scene],
) -> None:
    """Whoever is assigned to them is everybody's meanwhile, at once; also when they leave only after their call."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, signed_in=False)
    stage = FloorStage(scene)
    talking, first, second = holding(scene, 3)
    scene.registers("bob")
    scene.pass_s(4)
    assert talking.talked_with == ["agent-1"]
    for caller in (first, second):
        assert stage.assign(caller.id, "bob") is None
    scene.registers("alice")
    scene.pass_s(4)
    assert first.talked_with == []
    assert stage.do(stage.floor.sign_out("bob")) is None
    scene.pass_s(4)
    assert (first.talked_with, second.talked_with) == (["agent-2"], [])
    assert stage.do(stage.floor.sign_in("bob")) is None
    first.hang_up("person")
    scene.pass_s(20)
    assert (scene.states()["alice"], second.talked_with) == (AgentState.AVAILABLE, [])


def test_an_assignment_can_be_taken_back(open_scene: Callable[..., Scene]) -> None:
    """Then the next agent who is free has them."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, signed_in=False)
    stage = FloorStage(scene)
    first, second = holding(scene, 2)
    scene.registers("bob")
    scene.pass_s(4)
    assert first.talked_with == ["agent-1"]
    stage.assign(second.id, "bob")
    scene.registers("alice")
    scene.pass_s(4)
    assert second.talked_with == []
    assert stage.assign(second.id, "") is None
    scene.pass_s(4)
    assert second.talked_with == ["agent-2"]


def test_nobody_is_assigned_to_who_cannot_serve_them(open_scene: Callable[..., Scene]) -> None:
    """An agent whom nobody knows, one of another queue, somebody who is not in line."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, queues=ONE_EACH, signed_in=False)
    stage = FloorStage(scene)
    (caller,) = holding(scene)
    assert stage.assign(caller.id, "nobody") is Refused.UNKNOWN
    assert stage.assign(caller.id, "bob") is Refused.NOT_NOW
    assert stage.assign("no-such-caller", "alice") is Refused.UNKNOWN
    assert stage.entry(caller.id).agent == ""


# -- announce


def test_everybody_who_holds_hears_the_announcement_and_then_music_again(open_scene: Callable[..., Scene]) -> None:
    """Once; those of another queue hear nothing of it."""
    scene = open_scene({})
    stage = FloorStage(scene)
    callers = holding(scene, 2)
    elsewhere = scene.rings(STAYS, number=NUMBERS[2], dialled="0312345679")
    scene.pass_s(5)
    assert stage.do(stage.floor.announce("cards", prompts.LINE_FULL)) is None
    scene.pass_s(20)
    assert [caller.heard.count(prompts.LINE_FULL) for caller in (*callers, elsewhere)] == [1, 1, 0]
    assert [caller.held_in for caller in callers] == ["cards", "cards"]
    assert stage.do(stage.floor.announce("cards", prompts.LINE_FULL)) is None
    scene.pass_s(20)
    assert callers[0].heard.count(prompts.LINE_FULL) == 2


def test_an_announcement_waits_for_who_is_leaving_a_number_and_is_cut_short_by_an_agent(
    open_scene: Callable[..., Scene],
) -> None:
    """Nobody loses their turn for it, nor their key."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    person = Person(presses={prompts.HOLD_OFFER: ["1"]}, patience_s=600)
    leaving = scene.rings(person)
    scene.pass_s(6)
    stage = FloorStage(scene)
    stage.do(stage.floor.announce("cards", prompts.LINE_FULL))
    scene.pass_s(1)
    assert prompts.LINE_FULL not in leaving.heard
    scene.pass_s(200)
    assert leaving.heard.count(prompts.LINE_FULL) == 1
    stage.do(stage.floor.announce("cards", prompts.LINE_FULL))
    scene.registers("alice")
    scene.pass_s(5)
    assert leaving.talked_with == ["agent-1"]


def test_what_the_pbx_cannot_play_is_not_announced(open_scene: Callable[..., Scene]) -> None:
    """Nor to a queue that there is not."""
    scene = open_scene({})
    stage = FloorStage(scene)
    (caller,) = holding(scene)
    heard = list(caller.heard)
    assert stage.do(stage.floor.announce("cards", "no-such-prompt")) is Refused.UNKNOWN
    assert stage.do(stage.floor.announce("nothing", prompts.LINE_FULL)) is Refused.UNKNOWN
    scene.pass_s(5)
    assert caller.heard == heard
