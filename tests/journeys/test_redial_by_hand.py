"""An agent calls a customer back by hand: *46 and the number, from their own phone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentEvent, AgentState
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.scripted_call import Moment
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, CALLER, NUMBER, YES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Step
    from tests.journeys.scripted_channel import Channel

CODE = "4609012345678"
CUSTOMER = Person(presses=YES)
DEAF = Person(answers_after_s=None)
PAUSED = "meeting"


def begins(scene: Scene, code: str = CODE, *, person: Person = AGENT, name: str = "alice") -> Channel:
    """Let an agent dial the code."""
    return scene.do(lambda: scene.pbx.agent_dials(name, code, person))


def opened(open_scene: Callable[..., Scene], customer: Person = CUSTOMER, **staff: Person) -> Scene:
    """Return a scene with a promise that the dialer leaves alone: its only agent is in a meeting."""
    scene = open_scene(staff or {"alice": AGENT}, queues={"carol": frozenset({"loans"})}, signed_in=False)
    for name in scene.pbx.agents:
        scene.registers(name)
        scene.do(partial(scene.desk.move, name, AgentEvent.PAUSE, reason=PAUSED))
    scene.promised(NUMBER, person=customer)
    return scene


def by_hand(scene: Scene) -> list[tuple[str, str, bool]]:
    """Return agent, outcome, and whether it was by hand, of every attempt."""
    rows = scene.theatre.sql("SELECT agent, outcome, by_hand FROM attempts ORDER BY id")
    return [(agent, outcome, bool(by)) for agent, outcome, by in rows]


def test_an_agent_who_dials_the_number_talks_with_the_customer(open_scene: Callable[..., Scene]) -> None:
    """The customer is asked as ever; the agent hears music, is on a call meanwhile, and then in their pause again."""
    scene = opened(open_scene)
    agent = begins(scene)
    scene.pass_s(10)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert agent.heard == [prompts.REDIAL_DIALLING]
    assert customer.talked_with == [agent.id]
    assert (scene.states(), scene.promises()[0].state) == ({"alice": AgentState.ON_CALL}, PromiseState.CONNECTED)
    scene.pass_s(60)
    assert scene.promises()[0].state is PromiseState.FULFILLED
    assert by_hand(scene) == [("alice", "talked", True)]
    assert (scene.states(), scene.pbx.live) == ({"alice": AgentState.PAUSED}, [])


@pytest.mark.parametrize("dialled", ["46009012345678", "460901234567", "46999", "460312345679999999", "46110"])
def test_a_number_that_nobody_may_call_is_refused(open_scene: Callable[..., Scene], dialled: str) -> None:
    """Whatever an agent dials: only a whole number that the allow-list has."""
    scene = opened(open_scene)
    agent = begins(scene, dialled)
    scene.pass_s(20)
    assert (agent.heard, agent.hung_up_by) == ([prompts.REDIAL_BAD_NUMBER], "controller")
    assert scene.attempts() == []


@pytest.mark.parametrize(("dialled", "name"), [("460312340000", "alice"), (CODE, "carol")])
def test_only_who_waits_for_a_call_of_the_agents_own_queues_can_be_called(
    open_scene: Callable[..., Scene], dialled: str, name: str
) -> None:
    """A phone account that was stolen cannot telephone anywhere else; carol does not serve the queue."""
    scene = opened(open_scene, alice=AGENT, carol=AGENT)
    agent = begins(scene, dialled, name=name)
    scene.pass_s(20)
    assert (agent.heard, scene.attempts()) == ([prompts.REDIAL_NONE], [])


def test_an_agent_who_is_signed_out_calls_nobody(open_scene: Callable[..., Scene]) -> None:
    """Where a PIN is due, it is what tells an agent from a phone."""
    scene = opened(open_scene)
    scene.do(partial(scene.desk.move, "alice", AgentEvent.SIGN_OUT))
    agent = begins(scene)
    scene.pass_s(20)
    assert (agent.heard, scene.attempts()) == ([prompts.AGENT_NOT_POSSIBLE], [])


def test_a_phone_of_nobody_calls_nobody(open_scene: Callable[..., Scene]) -> None:
    """It is told so."""
    scene = opened(open_scene)
    phone = scene.do(lambda: scene.pbx.agent_dials("alice", CODE, AGENT, endpoint="lobby"))
    scene.pass_s(20)
    assert (phone.heard, scene.attempts()) == ([prompts.AGENT_UNKNOWN], [])


def test_an_agent_who_is_being_rung_for_somebody_is_not_free_for_it(open_scene: Callable[..., Scene]) -> None:
    """That call comes first."""
    scene = open_scene({"alice": Person(answers_after_s=None)})
    scene.rings(CALLER, number="09012340002")
    scene.pass_s(3)
    scene.promised(NUMBER, person=CUSTOMER)
    agent = begins(scene)
    scene.pass_s(5)
    assert (agent.heard, scene.attempts()) == ([prompts.AGENT_NOT_POSSIBLE], [])


def test_while_a_colleague_is_calling_the_agent_is_told_so(open_scene: Callable[..., Scene]) -> None:
    """One live attempt a number: the one that was written first goes on."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, signed_in=False)
    scene.promised(NUMBER, person=replace(CUSTOMER, answers_after_s=10))
    scene.registers("bob")
    scene.registers("alice")
    scene.do(partial(scene.desk.move, "alice", AgentEvent.PAUSE, reason=PAUSED))
    scene.pass_s(5)
    agent = begins(scene)
    scene.pass_s(60)
    assert agent.heard == [prompts.AGENT_COLLEAGUE]
    assert by_hand(scene) == [("bob", "talked", False)]
    assert scene.pbx.overlaps == []


def test_of_an_agent_who_hears_the_whisper_and_one_who_dials_the_first_to_claim_wins(
    open_scene: Callable[..., Scene],
) -> None:
    """The other one is told that a colleague is calling."""
    listens = replace(AGENT, presses={})
    scene = open_scene({"bob": listens, "alice": AGENT}, signed_in=False)
    scene.promised(NUMBER, person=CUSTOMER)
    scene.registers("bob")
    scene.pass_s(3)
    begins(scene)
    scene.pass_s(60)
    (rung,) = [channel for channel in scene.pbx.of(Role.AGENT) if channel.agent == "bob"]
    assert rung.heard[-1] == prompts.AGENT_COLLEAGUE
    assert by_hand(scene) == [("alice", "talked", True)]
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1


def test_the_dialer_leaves_a_customer_alone_whom_an_agent_is_calling(open_scene: Callable[..., Scene]) -> None:
    """An agent who becomes free meanwhile gets another one."""
    scene = opened(open_scene, replace(CUSTOMER, answers_after_s=10), alice=AGENT, bob=AGENT)
    begins(scene)
    scene.pass_s(2)
    scene.do(partial(scene.desk.move, "bob", AgentEvent.UNPAUSE))
    scene.pass_s(60)
    assert by_hand(scene) == [("alice", "talked", True)]


@pytest.mark.parametrize(
    ("customer", "told", "outcome"),
    [
        (DEAF, prompts.AGENT_NO_ANSWER, Outcome.NO_ANSWER),
        (Person(presses={prompts.CALLBACK_CONFIRM: ["3"]}), prompts.AGENT_DECLINED, Outcome.DECLINED),
    ],
)
def test_an_agent_whose_customer_does_not_talk_hears_why(
    open_scene: Callable[..., Scene], customer: Person, told: str, outcome: Outcome
) -> None:
    """And the outcome counts like every other."""
    scene = opened(open_scene, customer)
    agent = begins(scene)
    scene.pass_s(60)
    assert agent.heard == [prompts.REDIAL_DIALLING, told]
    promise = scene.promises()[0]
    assert (promise.last_outcome, promise.attempts_used) == (outcome, 1)


@pytest.mark.parametrize("patience_s", [0.5, 5.0])
def test_an_agent_who_hangs_up_stops_the_ringing(open_scene: Callable[..., Scene], patience_s: float) -> None:
    """Before it was sent, nothing is written; afterwards the agent was lost. The promise is open."""
    scene = opened(open_scene, DEAF)
    begins(scene, person=replace(AGENT, patience_s=patience_s))
    scene.pass_s(60)
    assert scene.pbx.live == []
    assert scene.promises()[0].state is PromiseState.WAITING
    assert by_hand(scene) == ([] if patience_s < 1 else [("alice", "agent_lost", True)])


def test_a_customer_who_said_yes_and_lost_the_agent_is_held_for_the_next_one(open_scene: Callable[..., Scene]) -> None:
    """As in every callback."""
    scene = opened(open_scene, alice=AGENT, bob=AGENT)

    def alice_leaves(step: Step, moment: Moment) -> None:
        if (step.who, step.verb, moment) == (Role.CUSTOMER, "connect", Moment.BEFORE):
            scene.pbx.of(Role.AGENT)[0].hang_up("person")

    scene.pbx.plans.append(alice_leaves)
    begins(scene)
    scene.pass_s(10)
    scene.do(partial(scene.desk.move, "bob", AgentEvent.UNPAUSE))
    scene.pass_s(60)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert customer.talked_with == ["agent-2"]
    assert scene.promises()[0].state is PromiseState.FULFILLED


def test_without_a_database_nobody_is_called(open_scene: Callable[..., Scene]) -> None:
    """It can be tried again."""
    scene = opened(open_scene)
    with scene.theatre.database_locked():
        agent = begins(scene)
        scene.pass_s(5)
    scene.pass_s(30)
    assert agent.gone
    assert [channel for channel in scene.pbx.of(Role.CUSTOMER) if channel.placed] == []
    begins(scene)
    scene.pass_s(60)
    assert by_hand(scene)[-1] == ("alice", "talked", True)


@pytest.mark.parametrize("after_s", [0.7, 1.03, 1.5, 2.5, 4.0, 12.0])
def test_a_controller_that_is_restarted_goes_on_with_what_it_finds(
    open_scene: Callable[..., Scene], after_s: float
) -> None:
    """Before the claim the agent is hung up, and the promise kept as any other; after it the two come together.

    A talk goes on, and nobody begins the dialled code anew.
    """
    scene = opened(open_scene)
    agent = begins(scene)
    scene.pass_s(after_s)
    is_claimed = scene.attempts() != []
    scene.restart()
    scene.pass_s(60)
    (customer,) = [channel for channel in scene.pbx.of(Role.CUSTOMER) if channel.placed]
    assert set(customer.talked_with) == {agent.id if is_claimed else "agent-2"}
    assert by_hand(scene) == [("alice", "talked", is_claimed)]
    assert scene.promises()[0].state is PromiseState.FULFILLED
    assert scene.pbx.live == []


def test_a_redial_is_one_of_the_calls_that_there_may_be_at_the_same_time(open_scene: Callable[..., Scene]) -> None:
    """Where one is allowed, and a colleague has it, the second agent hears that it is not possible now."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, signed_in=False, max_concurrent_calls=1)
    for name in scene.pbx.agents:
        scene.registers(name)
        scene.do(partial(scene.desk.move, name, AgentEvent.PAUSE, reason=PAUSED))
    scene.promised(NUMBER, person=DEAF)
    scene.promised("+819087654321", person=CUSTOMER)
    begins(scene)
    scene.pass_s(5)
    second = begins(scene, "4609087654321", name="bob")
    scene.pass_s(5)
    assert second.heard == [prompts.AGENT_NOT_POSSIBLE]
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1
