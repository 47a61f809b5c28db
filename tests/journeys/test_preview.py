"""Preview: the agent hears whose callback it is, and says whether to dial, pass it on, or put it off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.agents import AgentState
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.journeys.house import Callbacks, DialMode
from controller.ports.survey import Role
from tests.journeys.scene import CARDS
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, CALLER, NUMBER, YES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

PREVIEW = replace(CARDS, callbacks=Callbacks(mode=DialMode.PREVIEW, postpone_s=1800, pass_pause_s=600))
CUSTOMER = Person(presses=YES)


def chooses(*keys: str) -> Person:
    """Return an agent who presses these keys when asked, one each time."""
    return replace(AGENT, presses={prompts.PREVIEW_MENU: keys})


def opened(open_scene: Callable[..., Scene], staff: dict[str, Person], **more: Any) -> Scene:
    """Return a scene in which there is a promise, to be seen beforehand."""
    scene = open_scene(staff, cards=PREVIEW, **more)
    scene.promised(NUMBER, person=CUSTOMER)
    return scene


def test_an_agent_who_presses_1_talks_with_the_customer(open_scene: Callable[..., Scene]) -> None:
    """They have heard whose call it is, and what they can press; nobody was dialled before the key."""
    scene = opened(open_scene, {"alice": chooses("1")})
    scene.pass_s(9)
    assert (scene.pbx.of(Role.CUSTOMER), scene.states()) == ([], {"alice": AgentState.RINGING})
    scene.pass_s(100)
    (agent,) = scene.pbx.of(Role.AGENT)
    assert agent.heard[0] == prompts.AGENT_WHISPER
    assert agent.heard[-1] == prompts.PREVIEW_MENU
    assert scene.attempts() == [("alice", "talked")]


def test_an_agent_who_presses_2_leaves_it_to_a_colleague(open_scene: Callable[..., Scene]) -> None:
    """Who keeps the promise; the first one is free at once, and not asked again."""
    scene = opened(open_scene, {"alice": chooses("2"), "bob": chooses("1")}, signed_in=False)
    scene.registers("alice")
    scene.pass_s(14)
    (agent,) = scene.pbx.of(Role.AGENT)
    assert agent.heard[-1] == prompts.PREVIEW_PASSED
    scene.registers("bob")
    scene.pass_s(100)
    assert [each.agent for each in scene.pbx.of(Role.AGENT)] == ["alice", "bob"]
    assert scene.attempts() == [("bob", "talked")]


def test_a_promise_that_was_passed_on_does_not_keep_the_agent_from_callers(open_scene: Callable[..., Scene]) -> None:
    """No wrap-up follows: they have done nothing yet."""
    scene = opened(open_scene, {"alice": chooses("2")})
    scene.pass_s(14)
    assert scene.states() == {"alice": AgentState.AVAILABLE}
    caller = scene.rings(CALLER, number="09012340002")
    scene.pass_s(30)
    assert caller.talked_with == ["agent-2"]


def test_an_agent_who_presses_3_puts_it_off(open_scene: Callable[..., Scene]) -> None:
    """By half an hour here; then they are asked again, and no attempt was used."""
    scene = opened(open_scene, {"alice": chooses("3")})
    scene.pass_s(1000)
    (agent,) = scene.pbx.of(Role.AGENT)
    assert agent.heard[-1] == prompts.PREVIEW_POSTPONED
    assert scene.attempts() == []
    scene.pbx.agents["alice"] = chooses("1")
    scene.pass_s(1000)
    assert scene.attempts() == [("alice", "talked")]
    (promise,) = scene.promises()
    assert (promise.state, promise.attempts_used) == (PromiseState.FULFILLED, 1)


@pytest.mark.parametrize(
    "agent",
    [chooses(), chooses("7", "8"), replace(chooses(), patience_s=5), replace(chooses(), patience_s=12)],
    ids=["presses nothing", "presses what nobody asked for", "hangs up over the whisper", "hangs up over the menu"],
)
def test_an_agent_who_does_not_choose_has_missed_the_call(open_scene: Callable[..., Scene], agent: Person) -> None:
    """A phone that answers by itself, say. They rest; the customer was not dialled, and the next agent is asked."""
    scene = opened(open_scene, {"alice": agent, "bob": chooses("1")}, signed_in=False)
    scene.registers("alice")
    for _ in range(60):
        scene.pass_s(1)
        if scene.states()["alice"] is AgentState.PAUSED:
            break
    assert scene.states()["alice"] is AgentState.PAUSED
    assert scene.attempts() == []
    scene.registers("bob")
    scene.pass_s(100)
    assert scene.attempts() == [("bob", "talked")]


def test_a_slip_of_the_finger_is_asked_once_more(open_scene: Callable[..., Scene]) -> None:
    """Another key than the three says nothing."""
    scene = opened(open_scene, {"alice": chooses("9", "1")})
    scene.pass_s(120)
    assert scene.attempts() == [("alice", "talked")]
    assert scene.promises()[0].last_outcome is Outcome.TALKED


def test_a_controller_that_is_restarted_over_the_question_asks_again(open_scene: Callable[..., Scene]) -> None:
    """The agent's phone is hung up; nothing was decided, and no attempt was made."""
    scene = opened(open_scene, {"alice": chooses("1")})
    scene.pass_s(9)
    scene.restart()
    assert scene.pbx.live == []
    scene.pass_s(120)
    assert scene.attempts() == [("alice", "talked")]
