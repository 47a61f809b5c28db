"""A caller in line: who is served when, by whom, and what the caller hears meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentState
from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

CALLER = Person(talks_s=None)
AGENT = Person(talks_s=20)
DEAF = Person(answers_after_s=None)


def test_a_caller_who_finds_an_agent_free_is_joined_with_them(open_scene: Callable[..., Scene]) -> None:
    """Greeted, on hold until the agent answers, then together; the agent gets wrap-up time afterwards."""
    scene = open_scene({"alice": AGENT})
    caller = scene.rings(CALLER)
    scene.pass_s(5)
    agent = scene.pbx.of(Role.AGENT)[0]
    assert caller.peer is agent
    assert caller.heard[0] == prompts.WELCOME
    assert scene.states() == {"alice": AgentState.ON_CALL}
    scene.pass_s(20)
    assert scene.endings() == {caller.id: "served"}
    assert (caller.hung_up_by, agent.hung_up_by) == ("controller", "person")
    assert scene.states() == {"alice": AgentState.WRAP_UP}
    scene.pass_s(10)
    assert scene.states() == {"alice": AgentState.AVAILABLE}


def test_a_caller_hears_music_and_the_offer_again_and_again_until_an_agent_signs_in(
    open_scene: Callable[..., Scene],
) -> None:
    """Once at once, then at the interval of the queue."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    caller = scene.rings(CALLER)
    scene.pass_s(70)
    assert caller.held_in == "cards"
    assert caller.heard == [prompts.WELCOME, prompts.HOLD_OFFER, prompts.OFFER, prompts.OFFER]
    assert [waiter.id for waiter in scene.keeper.waiters] == [caller.id]
    scene.registers("alice")
    scene.pass_s(2)
    assert caller.talked_with == ["agent-1"]
    scene.pass_s(20)
    assert scene.keeper.waiters == []


def test_the_music_goes_on_while_the_agent_is_rung(open_scene: Callable[..., Scene]) -> None:
    """Nobody meets silence before there is somebody to talk to."""
    scene = open_scene({"alice": Person(answers_after_s=8)})
    caller = scene.rings(CALLER)
    scene.pass_s(6)
    assert scene.states() == {"alice": AgentState.RINGING}
    assert caller.held_in == "cards"


def test_an_agent_who_does_not_answer_is_paused_and_the_next_one_is_tried(open_scene: Callable[..., Scene]) -> None:
    """The caller keeps the place all the while."""
    scene = open_scene({"alice": DEAF, "bob": AGENT})
    first = scene.rings(CALLER)
    scene.pass_s(15)
    second = scene.rings(CALLER, number="09012340002")
    scene.pass_s(15)
    assert first.talked_with == ["agent-2"] or second.talked_with == ["agent-2"]
    assert scene.states()["alice"] in {AgentState.PAUSED, AgentState.RINGING}
    scene.pass_s(40)
    assert scene.pbx.of(Role.AGENT)[0].agent == "alice"
    assert first.talked_with


def test_a_caller_whose_agent_was_paused_waits_and_is_served_when_the_pause_is_over(
    open_scene: Callable[..., Scene],
) -> None:
    """With one agent there is nobody else: 20 s of ringing, 30 s of peace, then the phone rings again."""
    scene = open_scene({"alice": DEAF})
    caller = scene.rings(CALLER)
    scene.pass_s(30)
    assert scene.states() == {"alice": AgentState.PAUSED}
    assert caller.held_in == "cards"
    scene.pbx.agents["alice"] = AGENT
    scene.pass_s(30)
    assert caller.talked_with == ["agent-2"]


def test_an_agent_who_answers_and_is_gone_before_they_are_joined_costs_the_caller_nothing(
    open_scene: Callable[..., Scene],
) -> None:
    """The caller holds on, in the same place, and the next agent takes the call."""
    scene = open_scene({"alice": AGENT, "bob": AGENT})

    def agent_drops_the_receiver(step: object, moment: object) -> None:
        agents = scene.pbx.of(Role.AGENT)
        if getattr(step, "verb", "") == "connect" and str(moment) == "before" and len(agents) == 1:
            agents[0].hang_up("person")

    scene.pbx.plans.append(agent_drops_the_receiver)
    caller = scene.rings(CALLER)
    scene.pass_s(10)
    assert [agent.agent for agent in scene.pbx.of(Role.AGENT)] == ["alice", "bob"]
    assert caller.talked_with == ["agent-2"]


def test_two_callers_and_one_agent_first_come_first_served(open_scene: Callable[..., Scene]) -> None:
    """The second gets the agent after the first talk and the wrap-up."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    first = scene.rings(CALLER)
    scene.pass_s(1)
    second = scene.rings(CALLER, number="09012340002")
    scene.pass_s(10)
    scene.registers("alice")
    scene.pass_s(5)
    assert (first.talked_with, second.talked_with) == (["agent-1"], [])
    scene.pass_s(35)
    assert second.talked_with == ["agent-2"]
    scene.pass_s(40)
    assert scene.endings() == {first.id: "served", second.id: "served"}


def test_callers_and_promises_stand_in_one_line_by_arrival(open_scene: Callable[..., Scene]) -> None:
    """A promise that is older than a caller is kept first, and one that is younger afterwards."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    yes = Person(presses={prompts.CALLBACK_CONFIRM: ["1"]}, talks_s=None)
    scene.promised("+819012340001", person=yes)
    scene.pass_s(1)
    caller = scene.rings(CALLER)
    scene.pass_s(1)
    scene.promised("+819012340003", person=yes)
    scene.registers("alice")
    scene.pass_s(120)
    talks = [(channel.for_call, channel.talked_with[0]) for channel in scene.pbx.of(Role.AGENT)]
    customers = scene.pbx.of(Role.CUSTOMER)
    assert [with_whom for _, with_whom in talks] == [customers[0].id, caller.id, customers[1].id]
    assert [customer.facts.dialled for customer in customers] == ["+819012340001", "+819012340003"]


def test_an_agent_of_another_queue_is_not_rung(open_scene: Callable[..., Scene]) -> None:
    """The dialled number chooses the queue, the queue the agents."""
    scene = open_scene(
        {"alice": AGENT, "bob": AGENT}, queues={"alice": frozenset({"loans"}), "bob": frozenset({"cards"})}
    )
    scene.rings(CALLER, dialled="0312345679")
    scene.pass_s(5)
    assert [agent.agent for agent in scene.pbx.of(Role.AGENT)] == ["alice"]


def test_a_number_that_no_queue_has_is_taken_by_the_first_queue(open_scene: Callable[..., Scene]) -> None:
    """A mistake in the settings turns nobody away."""
    scene = open_scene({"alice": AGENT})
    caller = scene.rings(CALLER, dialled="0399999999")
    scene.pass_s(5)
    assert caller.talked_with == ["agent-1"]


@pytest.mark.parametrize("after_s", [0.1, 1.5, 30.0])
def test_a_caller_who_hangs_up_in_line_is_an_abandoned_call_and_nobody_is_rung_for_them(
    open_scene: Callable[..., Scene], after_s: float
) -> None:
    """放棄呼, and the line is empty."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    caller = scene.rings(Person(patience_s=after_s))
    scene.pass_s(after_s + 1)
    scene.registers("alice")
    scene.pass_s(5)
    assert scene.endings() == {caller.id: "abandoned"}
    assert scene.keeper.waiters == []
    assert scene.pbx.of(Role.AGENT) == []


def test_nobody_is_served_while_there_is_no_connection_to_the_pbx(open_scene: Callable[..., Scene]) -> None:
    """The line stands, and moves again when the connection is back."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    scene.keeper.may_serve = lambda: False
    caller = scene.rings(CALLER)
    scene.registers("alice")
    scene.pass_s(30)
    assert scene.pbx.of(Role.AGENT) == []
    scene.keeper.may_serve = lambda: True
    scene.do(scene.keeper.serve)
    scene.pass_s(5)
    assert caller.talked_with == ["agent-1"]
