"""Keeping a promise, agent first: every way in which it can end, and what is written down about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentState
from controller.domain.evidence import AnsweredBy
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.journeys.house import Callbacks
from controller.ports.survey import Role
from tests.journeys.scene import CARDS
from tests.journeys.scripted_call import Moment, Step
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import CUTS_SHORT
from tests.journeys.theatre import LATER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

NUMBER = "+819012345678"
AGENT = Person(talks_s=None, presses=CUTS_SHORT)
LISTENS = Person(talks_s=None)
SAYS_YES = Person(presses={prompts.CALLBACK_CONFIRM: ["1"]})
NEVER = Person(answers_after_s=None)


def called_back(scene: Scene, person: Person, *, for_s: float = 120) -> None:
    """Let there be a promise to this person, and time enough to keep it."""
    scene.promised(NUMBER, person=person)
    scene.pass_s(for_s)


def stand(scene: Scene) -> tuple[PromiseState, Outcome | None, int]:
    """Return how the one promise stands."""
    (promise,) = scene.promises()
    return promise.state, promise.last_outcome, promise.attempts_used


def test_a_customer_who_says_yes_talks_with_the_agent_and_the_promise_is_kept(open_scene: Callable[..., Scene]) -> None:
    """The agent is rung first and hears whose call it is, and since when; the customer hears who calls."""
    scene = open_scene({"alice": LISTENS}, signed_in=False)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(17 * 60)
    scene.registers("alice")
    scene.pass_s(120)
    (agent,), (customer,) = scene.pbx.of(Role.AGENT), scene.pbx.of(Role.CUSTOMER)
    digits = [f"digit-{digit}" for digit in "5678"]
    waited = [prompts.WHISPER_WAIT_BEFORE, "minute-17", prompts.WAIT_AFTER]
    assert agent.heard == [prompts.AGENT_WHISPER, prompts.WHISPER_NUMBER_BEFORE, *digits, *waited]
    assert customer.heard == [prompts.CALLBACK_GREETING, prompts.CALLBACK_CONFIRM]
    assert customer.talked_with == [agent.id]
    assert stand(scene) == (PromiseState.FULFILLED, Outcome.TALKED, 1)
    assert scene.attempts() == [("alice", "talked")]
    assert scene.states() == {"alice": AgentState.AVAILABLE}


def test_the_attempt_is_on_disk_before_the_customer_is_dialled(open_scene: Callable[..., Scene]) -> None:
    """And the talk is on disk while it lasts, so that a crash does not have the customer called again."""
    scene = open_scene({"alice": AGENT})
    called_back(scene, SAYS_YES, for_s=12)
    order = [(step.who, step.verb) for step in scene.pbx.steps]
    assert order.index(("agent", "dial")) < order.index(("database", "open_attempt"))
    assert order.index(("database", "open_attempt")) < order.index(("customer", "dial"))
    assert scene.promises()[0].state is PromiseState.CONNECTED


@pytest.mark.parametrize(
    ("person", "outcome"),
    [
        (Person(refuses=Outcome.BUSY), Outcome.BUSY),
        (Person(refuses=Outcome.REJECTED), Outcome.REJECTED),
        (Person(refuses=Outcome.UNREACHABLE), Outcome.UNREACHABLE),
        (NEVER, Outcome.NO_ANSWER),
        (Person(), Outcome.NOT_CONFIRMED),
        (Person(presses={prompts.CALLBACK_CONFIRM: ["7", "#"]}), Outcome.NOT_CONFIRMED),
        (Person(patience_s=2.5), Outcome.DROPPED),
    ],
    ids=str,
)
def test_a_customer_who_was_not_reached_is_rung_again_later(
    open_scene: Callable[..., Scene], person: Person, outcome: Outcome
) -> None:
    """The promise waits in its place, one attempt is used, and the agent is told and free again."""
    scene = open_scene({"alice": AGENT})
    called_back(scene, person)
    assert stand(scene) == (PromiseState.WAITING, outcome, 1)
    assert scene.attempts() == [("alice", outcome.value)]
    assert scene.states() == {"alice": AgentState.AVAILABLE}
    assert scene.pbx.live == []
    scene.pbx.customers[NUMBER] = SAYS_YES
    scene.pass_s(LATER_S)
    assert stand(scene) == (PromiseState.FULFILLED, Outcome.TALKED, 2)


@pytest.mark.parametrize(
    ("person", "told"),
    [
        (NEVER, prompts.AGENT_NO_ANSWER),
        (Person(), prompts.AGENT_NO_ANSWER),
        (Person(presses={prompts.CALLBACK_CONFIRM: ["3"]}), prompts.AGENT_DECLINED),
        (Person(presses={prompts.CALLBACK_CONFIRM: ["2"], prompts.LATER_CHOOSE: ["2"]}), prompts.AGENT_POSTPONED),
        (Person(answered_by=AnsweredBy.MACHINE), prompts.AGENT_MACHINE),
        (Person(refuses=Outcome.CONGESTION), prompts.AGENT_NOT_POSSIBLE),
    ],
)
def test_the_agent_is_told_why_there_is_no_talk(open_scene: Callable[..., Scene], person: Person, told: str) -> None:
    """And not just hung up on; the customer is gone by then."""
    scene = open_scene({"alice": AGENT})
    still_there: list[bool] = []

    def look(step: Step, moment: Moment) -> None:
        if (step.who, step.verb, moment) == ("agent", "play", Moment.BEFORE):
            still_there.append(scene.pbx.of(Role.CUSTOMER)[0].live)

    scene.pbx.plans.append(look)
    called_back(scene, person)
    assert scene.pbx.of(Role.AGENT)[0].heard == [prompts.AGENT_WHISPER, told]
    assert still_there == [False]


def test_the_customer_is_not_dialled_before_the_whisper_is_over(open_scene: Callable[..., Scene]) -> None:
    """The agent may not be ready; a key says that they are."""
    scene = open_scene({"alice": LISTENS})
    called_back(scene, SAYS_YES, for_s=9)
    assert scene.pbx.of(Role.CUSTOMER) == []
    assert scene.attempts() == []
    scene.pass_s(60)
    assert scene.attempts() == [("alice", "talked")]


def test_an_agent_who_hangs_up_over_the_whisper_leaves_the_promise_as_it_was(open_scene: Callable[..., Scene]) -> None:
    """No attempt was made; the next agent keeps it."""
    scene = open_scene({"alice": Person(patience_s=4, talks_s=None), "bob": AGENT}, signed_in=False)
    scene.registers("alice")
    called_back(scene, SAYS_YES, for_s=6)
    assert scene.attempts() == []
    scene.registers("bob")
    scene.pass_s(60)
    assert scene.attempts() == [("bob", "talked")]


@pytest.mark.parametrize("message", [None, "message-machine"])
def test_an_answering_machine_never_reaches_an_agent(open_scene: Callable[..., Scene], message: str | None) -> None:
    """It records the queue's message, if there is one, and is asked for no key; it is tried again later."""
    callbacks = Callbacks(detect_machine=True, machine_message=message)
    scene = open_scene({"alice": AGENT}, cards=replace(CARDS, callbacks=callbacks))
    called_back(scene, Person(answered_by=AnsweredBy.MACHINE))
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert customer.heard == ([] if message is None else [message])
    assert (customer.talked_with, customer.hung_up_by) == ([], "controller")
    assert stand(scene) == (PromiseState.WAITING, Outcome.MACHINE, 1)


@pytest.mark.parametrize("answered_by", [AnsweredBy.HUMAN, AnsweredBy.UNSURE, AnsweredBy.NOT_ASKED])
def test_everybody_who_is_no_machine_for_sure_is_asked_for_a_key(
    open_scene: Callable[..., Scene], answered_by: AnsweredBy
) -> None:
    """A person of whom the PBX is unsure is not hung up on; a machine that fooled it presses nothing."""
    scene = open_scene({"alice": AGENT})
    called_back(scene, replace(SAYS_YES, answered_by=answered_by))
    assert stand(scene) == (PromiseState.FULFILLED, Outcome.TALKED, 1)


def test_after_the_last_attempt_the_promise_is_exhausted_and_the_customer_gets_an_sms(
    open_scene: Callable[..., Scene],
) -> None:
    """Three calls, an hour apart, and two texts: we will try again, and that was the last try."""
    scene = open_scene({"alice": AGENT})
    called_back(scene, NEVER, for_s=3 * LATER_S)
    assert stand(scene) == (PromiseState.EXHAUSTED, Outcome.NO_ANSWER, 3)
    assert len(scene.pbx.of(Role.CUSTOMER)) == 3
    texts = scene.theatre.sql("SELECT template, number FROM sms_outbox ORDER BY id")
    assert texts == [("not_reached", NUMBER), ("gave_up", NUMBER)]


def test_whoever_presses_3_is_not_called_again(open_scene: Callable[..., Scene]) -> None:
    """No longer needed."""
    scene = open_scene({"alice": AGENT})
    called_back(scene, Person(presses={prompts.CALLBACK_CONFIRM: ["3"]}), for_s=2 * LATER_S)
    assert stand(scene) == (PromiseState.CANCELLED, Outcome.DECLINED, 1)
    assert scene.pbx.of(Role.CUSTOMER)[0].heard[-1] == prompts.CANCELLED


def test_an_agent_who_does_not_answer_is_paused_and_the_next_one_keeps_the_promise(
    open_scene: Callable[..., Scene],
) -> None:
    """The customer's phone has not rung for the first one, and no attempt is used."""
    scene = open_scene({"alice": NEVER, "bob": AGENT})
    called_back(scene, SAYS_YES, for_s=40)
    assert scene.states()["alice"] is AgentState.PAUSED
    scene.pass_s(20)
    assert scene.attempts() == [("bob", "talked")]
    assert stand(scene) == (PromiseState.FULFILLED, Outcome.TALKED, 1)


def test_an_agent_who_hangs_up_while_the_customer_is_rung_stops_the_ringing(open_scene: Callable[..., Scene]) -> None:
    """No silent call; it is tried again at once with the next agent, and no attempt is used."""
    scene = open_scene({"alice": replace(AGENT, patience_s=5), "bob": AGENT})
    called_back(scene, Person(answers_after_s=10, presses=SAYS_YES.presses))
    first, second = scene.pbx.of(Role.CUSTOMER)
    assert not first.up
    assert second.talked_with == ["agent-2"]
    assert scene.attempts() == [("alice", "agent_lost"), ("bob", "talked")]
    assert stand(scene) == (PromiseState.FULFILLED, Outcome.TALKED, 1)
    assert scene.pbx.overlaps == []


def test_a_customer_who_said_yes_and_lost_the_agent_is_held_in_the_promises_place_and_served_next(
    open_scene: Callable[..., Scene],
) -> None:
    """Ahead of a caller who came later; and the promise is kept by that talk."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, signed_in=False)
    agents = scene.pbx.of

    def alice_leaves(step: Step, moment: Moment) -> None:
        if (step.who, step.verb, moment) == ("customer", "connect", Moment.BEFORE) and len(agents(Role.AGENT)) == 1:
            agents(Role.AGENT)[0].hang_up("person")
            scene.pbx.rings(Person(), number="09012340002")

    scene.pbx.plans.append(alice_leaves)
    scene.registers("alice")
    called_back(scene, SAYS_YES, for_s=10)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert (customer.held_in, customer.gone) == ("cards", False)
    scene.registers("bob")
    scene.pass_s(5)
    assert customer.talked_with == ["agent-2"]
    scene.pass_s(60)
    assert stand(scene) == (PromiseState.FULFILLED, Outcome.TALKED, 1)
    assert scene.endings() == {"caller-1": "served"}


def test_a_held_customer_who_gives_up_was_abandoned_and_is_called_again(open_scene: Callable[..., Scene]) -> None:
    """Answered, said yes, and nobody came: our doing, so it uses no attempt."""
    scene = open_scene({"alice": AGENT})

    def alice_leaves(step: Step, moment: Moment) -> None:
        if (step.who, step.verb, moment) == ("customer", "connect", Moment.BEFORE):
            scene.pbx.of(Role.AGENT)[0].hang_up("person")
            scene.pbx.agents["alice"] = NEVER

    scene.pbx.plans.append(alice_leaves)
    called_back(scene, Person(presses=SAYS_YES.presses, patience_s=90))
    assert stand(scene) == (PromiseState.WAITING, Outcome.ABANDONED, 0)


@pytest.mark.parametrize(
    ("outcome", "state", "used"),
    [(Outcome.NOT_ALLOWED, PromiseState.EXHAUSTED, 1), (Outcome.OUTSIDE_HOURS, PromiseState.WAITING, 0)],
)
def test_what_the_gate_refuses_is_not_dialled(
    open_scene: Callable[..., Scene], outcome: Outcome, state: PromiseState, used: int
) -> None:
    """Asked in the last step; the hour is nobody's fault and uses no attempt."""
    scene = open_scene({"alice": AGENT})
    scene.pbx.gate = lambda _number: outcome
    called_back(scene, SAYS_YES)
    assert stand(scene) == (state, outcome, used)
    assert not [channel for channel in scene.pbx.of(Role.CUSTOMER) if channel.placed]
