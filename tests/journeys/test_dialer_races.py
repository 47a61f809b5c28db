"""While a dial is on its way: the customer is cancelled, blocked, redialled, the lease goes. Each has one winner."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentState
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.journeys.house import Callbacks, DialMode
from controller.ports.survey import Role
from tests.journeys.scene import CARDS
from tests.journeys.scripted_call import Moment, Step
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

NUMBER = "+819012345678"
AGENT = Person(talks_s=None, patience_s=400)
SAYS_YES = Person(answers_after_s=5, presses={prompts.CALLBACK_CONFIRM: ["1"]})
DEAF = Person(answers_after_s=None)
PREVIEW = replace(CARDS, callbacks=Callbacks(mode=DialMode.PREVIEW))
CUSTOMER_FIRST = replace(CARDS, callbacks=Callbacks(mode=DialMode.CUSTOMER_FIRST))


def until(scene: Scene, who: str, verb: str, *, limit_s: int = 120) -> None:
    """Let time pass until this verb has begun."""
    for _ in range(10 * limit_s):
        if any((step.who, step.verb) == (who, verb) for step in scene.pbx.steps):
            return
        scene.pass_s(0.1)
    raise AssertionError(f"{who} did not {verb}")


@pytest.mark.parametrize("cards", [CARDS, CUSTOMER_FIRST])
def test_a_cancel_from_another_process_takes_the_ringing_back(open_scene: Callable[..., Scene], cards: object) -> None:
    """The doorbell rings, the phone stops ringing, and the attempt is closed as withdrawn."""
    scene = open_scene({"alice": AGENT}, cards=cards)
    promise = scene.promised(NUMBER, person=DEAF)
    until(scene, "customer", "dial")
    scene.pass_s(2)
    scene.cancel(promise)
    scene.pass_s(1)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert customer.hung_up_by == "controller"
    scene.pass_s(60)
    (promise,) = scene.promises()
    assert (promise.state, promise.last_outcome) == (PromiseState.CANCELLED, Outcome.WITHDRAWN)
    assert scene.attempts()[0][1] == "withdrawn"
    assert scene.states() == {"alice": AgentState.AVAILABLE}


def test_a_cancel_before_the_agent_answers_lets_the_agent_go_and_dials_nobody(
    open_scene: Callable[..., Scene],
) -> None:
    """No attempt is written."""
    scene = open_scene({"alice": Person(answers_after_s=15, talks_s=None)})
    promise = scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(3)
    scene.cancel(promise)
    scene.pass_s(60)
    assert scene.attempts() == []
    assert scene.pbx.of(Role.CUSTOMER) == []
    assert scene.states() == {"alice": AgentState.AVAILABLE}


def test_a_cancel_during_the_talk_comes_too_late(open_scene: Callable[..., Scene]) -> None:
    """A talk that has begun is never cut, and the promise is kept."""
    scene = open_scene({"alice": AGENT})
    promise = scene.promised(NUMBER, person=SAYS_YES)
    until(scene, "customer", "connect")
    scene.pass_s(2)
    scene.cancel(promise)
    scene.pass_s(60)
    assert scene.promises()[0].state is PromiseState.FULFILLED
    assert [customer.hung_up_by for customer in scene.pbx.of(Role.CUSTOMER)] == ["person"]


def test_a_stop_while_the_phone_rings_takes_the_ringing_back(open_scene: Callable[..., Scene]) -> None:
    """And nobody calls that number again."""
    scene = open_scene({"alice": AGENT})
    scene.promised(NUMBER, person=DEAF)
    until(scene, "customer", "dial")
    scene.blocks(NUMBER)
    scene.pass_s(2)
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    assert customer.hung_up_by == "controller"
    scene.pass_s(3 * 3600)
    assert scene.promises()[0].state is PromiseState.CANCELLED
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1


def test_a_lost_lease_between_the_agents_answer_and_the_claim_dials_nobody(open_scene: Callable[..., Scene]) -> None:
    """The promise stays in line, and is kept when the lease is ours again."""
    scene = open_scene({"alice": AGENT})

    def lose(step: Step, moment: Moment) -> None:
        if (step.who, step.verb, moment) == ("agent", "dial", Moment.AFTER):
            scene.leadership.term = None
            scene.pbx.plans.clear()

    scene.pbx.plans.append(lose)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(120)
    assert scene.pbx.of(Role.CUSTOMER) == []
    assert scene.attempts() == []
    assert scene.promises()[0].state is PromiseState.WAITING
    scene.leadership.term = 0
    scene.do(scene.keeper.serve)
    scene.pass_s(120)
    assert scene.promises()[0].state is PromiseState.FULFILLED


def test_without_the_lease_no_agent_is_asked_and_callers_are_served_all_the_same(
    open_scene: Callable[..., Scene],
) -> None:
    """Only what places calls to customers needs it."""
    scene = open_scene({"alice": AGENT})
    scene.leadership.term = None
    scene.promised(NUMBER, person=SAYS_YES)
    caller = scene.rings(Person(talks_s=20), number="09012340002")
    scene.pass_s(60)
    assert len(caller.talked_with) == 1
    assert [leg.for_call for leg in scene.pbx.of(Role.AGENT)] == [caller.id]


def test_an_agent_who_redials_by_hand_wins_over_a_dial_whose_agent_has_not_answered_yet(
    open_scene: Callable[..., Scene],
) -> None:
    """The customer's phone rings once, and the dialer's agent is let go."""
    slow = Person(answers_after_s=12, talks_s=None)
    scene = open_scene(
        {"alice": slow, "bob": AGENT}, queues={"alice": frozenset({"cards"}), "bob": frozenset({"cards"})}
    )
    scene.promised(NUMBER, person=replace(SAYS_YES, talks_s=60))
    scene.pass_s(1)
    ringing = [name for name, state in scene.states().items() if state is AgentState.RINGING]
    other = next(name for name in scene.states() if name not in ringing)
    scene.do(lambda: scene.pbx.agent_dials(other, "4609012345678", AGENT))
    scene.pass_s(120)
    assert scene.pbx.overlaps == []
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1
    assert [agent for agent, _ in scene.attempts()] == [other]
    assert scene.promises()[0].state is PromiseState.FULFILLED
    scene.pass_s(60)
    assert set(scene.states().values()) == {AgentState.AVAILABLE}


def test_a_promise_that_an_agent_redials_by_hand_is_offered_to_nobody_else(open_scene: Callable[..., Scene]) -> None:
    """Also before the attempt is written, while they hear that the customer is dialled."""
    scene = open_scene({"alice": AGENT, "bob": AGENT}, signed_in=False)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.keeper.may_serve = lambda: False
    scene.registers("bob")
    scene.do(lambda: scene.pbx.agent_dials("bob", "4609012345678", AGENT))
    scene.pass_s(0.3)
    assert scene.attempts() == []
    scene.keeper.may_serve = lambda: True
    scene.registers("alice")
    scene.pass_s(120)
    assert [leg.agent for leg in scene.pbx.of(Role.AGENT)] == ["bob"]
    assert scene.promises()[0].state is PromiseState.FULFILLED


def test_a_lone_agent_who_passes_a_promise_on_hears_of_it_again_but_not_at_once(
    open_scene: Callable[..., Scene],
) -> None:
    """Nobody else is there to have it."""
    passes = Person(talks_s=None, presses={prompts.PREVIEW_MENU: ["2"] * 5})
    scene = open_scene({"alice": passes}, cards=PREVIEW)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(20)
    rung = [leg.agent for leg in scene.pbx.of(Role.AGENT)]
    assert rung == ["alice"]
    scene.pass_s(60)
    rung = [leg.agent for leg in scene.pbx.of(Role.AGENT)]
    assert 2 <= len(rung) <= 3


def test_with_a_colleague_on_duty_whoever_passed_is_left_in_peace(open_scene: Callable[..., Scene]) -> None:
    """Alice passes, Bob dials; Alice is rung once."""
    passes = Person(talks_s=None, presses={prompts.PREVIEW_MENU: ["2"] * 5})
    dials = Person(talks_s=None, presses={prompts.PREVIEW_MENU: ["1"] * 5})
    scene = open_scene({"alice": passes, "bob": dials}, cards=PREVIEW)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(120)
    rung = [leg.agent for leg in scene.pbx.of(Role.AGENT)]
    assert rung == ["alice", "bob"]
    assert scene.promises()[0].state is PromiseState.FULFILLED


def test_a_promise_that_an_agent_puts_off_comes_back_later(open_scene: Callable[..., Scene]) -> None:
    """After the queue's time, and no attempt is used."""
    puts_off = Person(talks_s=None, presses={prompts.PREVIEW_MENU: ["3", "1"]})
    scene = open_scene({"alice": puts_off}, cards=PREVIEW)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(1700)
    assert len(scene.pbx.of(Role.AGENT)) == 1
    assert (scene.promises()[0].attempts_used, scene.attempts()) == (0, [])
    scene.pass_s(400)
    assert len(scene.pbx.of(Role.AGENT)) == 2


def test_a_dry_run_rings_no_agent_and_frees_whoever_was_reserved(open_scene: Callable[..., Scene]) -> None:
    """Everything is written but no phone rings."""
    scene = open_scene({"alice": AGENT}, dry_run=True)
    scene.pbx.gate = lambda _number: Outcome.DRY_RUN
    meanwhile: list[AgentState] = []

    def watch(step: Step, _moment: Moment) -> None:
        if step.who == "customer":
            meanwhile.append(scene.desk.state_of("alice"))

    scene.pbx.plans.append(watch)
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(5)
    assert [channel for channel in scene.pbx.channels if channel.placed] == []
    assert scene.attempts()[0][1] == "dry_run"
    assert set(meanwhile) == {AgentState.AVAILABLE}
    assert scene.states() == {"alice": AgentState.AVAILABLE}


def test_a_second_trunk_is_tried_at_once_and_a_lone_one_after_its_gap(open_scene: Callable[..., Scene]) -> None:
    """Congestion: the gap is waited for only where there is no other way."""
    for another, tries in ((True, 2), (False, 1)):
        scene = open_scene({"alice": AGENT})
        ways = [another, False]
        scene.dialer.pen.other_way = lambda ways=ways: ways.pop(0) if ways else False  # type: ignore[misc]
        scene.promised(NUMBER, person=Person(refuses=Outcome.CONGESTION))
        scene.pass_s(100)
        assert len(scene.pbx.of(Role.CUSTOMER)) == tries
        scene.close()
