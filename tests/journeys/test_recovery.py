"""Recovery by example: what a controller does about what it finds. The kill sweep does the same at every moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentState
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.ports.promises import StoreUnavailableError
from controller.ports.survey import Role
from tests.journeys.scripted_call import Moment, Step
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import CUTS_SHORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

NUMBER = "+819012345678"
AGENT = Person(talks_s=None, presses=CUTS_SHORT)
CALLER = Person(talks_s=60)
YES = Person(presses={prompts.CALLBACK_CONFIRM: ["1", "1"]}, talks_s=60)


def test_after_a_lost_connection_calls_that_were_followed_all_the_time_are_left_alone(
    open_scene: Callable[..., Scene],
) -> None:
    """The same controller, connected again: a caller on hold has not abandoned anything."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    caller = scene.rings(CALLER)
    scene.pass_s(20)
    scene.reconnect()
    assert scene.endings() == {caller.id: None}
    scene.registers("alice")
    scene.pass_s(70)
    assert scene.endings() == {caller.id: "served"}


def test_callers_on_hold_keep_their_order_over_a_restart(open_scene: Callable[..., Scene]) -> None:
    """By when they first came, not by who was found first."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    callers = []
    for nth in range(3):
        callers.append(scene.rings(CALLER, number=f"0901234000{nth}"))
        scene.pass_s(5)
    scene.pbx.channels.reverse()
    scene.restart()
    scene.pass_s(250)
    scene.pbx.channels.sort(key=lambda channel: channel.nth)
    assert [agent.talked_with for agent in scene.pbx.of(Role.AGENT)] == [[caller.id] for caller in callers]


def test_a_talk_goes_on_over_a_restart_and_its_agent_is_not_rung_meanwhile(open_scene: Callable[..., Scene]) -> None:
    """And gets wrap-up time when it is over."""
    scene = open_scene({"alice": AGENT})
    caller = scene.rings(CALLER)
    scene.pass_s(20)
    scene.restart()
    scene.rings(Person(), number="09012340002")
    scene.pass_s(20)
    assert scene.states() == {"alice": AgentState.ON_CALL}
    assert caller.peer is not None
    scene.pass_s(25)
    assert scene.endings()[caller.id] == "served"
    assert scene.states() == {"alice": AgentState.WRAP_UP}


def test_a_customer_who_hung_up_while_nobody_watched_is_called_again_after_a_while(
    open_scene: Callable[..., Scene],
) -> None:
    """The call is no longer there: unknown, one attempt used, and not dialled again to find out."""
    scene = open_scene({"alice": AGENT})
    scene.promised(NUMBER, person=Person(answers_after_s=10, patience_s=8))
    scene.pass_s(5)
    scene.restart(after_s=10)
    scene.pass_s(60)
    (promise,) = scene.promises()
    assert (promise.state, promise.last_outcome, promise.attempts_used) == (PromiseState.WAITING, Outcome.UNKNOWN, 1)
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1


def test_a_talk_that_ended_while_nobody_watched_has_kept_the_promise(open_scene: Callable[..., Scene]) -> None:
    """It was on disk that they talked."""
    scene = open_scene({"alice": AGENT})
    scene.promised(NUMBER, person=YES)
    scene.pass_s(20)
    scene.restart(after_s=60)
    (promise,) = scene.promises()
    assert (promise.state, promise.last_outcome) == (PromiseState.FULFILLED, Outcome.TALKED)


def test_a_customer_whose_phone_rings_is_waited_for_and_not_dialled_again(open_scene: Callable[..., Scene]) -> None:
    """They answer to the next controller."""
    scene = open_scene({"alice": AGENT})
    scene.promised(NUMBER, person=Person(answers_after_s=12, presses=YES.presses, talks_s=60))
    scene.pass_s(5)
    scene.restart()
    scene.pass_s(100)
    assert [customer.talked_with for customer in scene.pbx.of(Role.CUSTOMER)] == [["agent-1"]]
    assert scene.promises()[0].state is PromiseState.FULFILLED


def test_an_agent_who_was_being_rung_for_a_caller_is_let_go_and_rung_again(open_scene: Callable[..., Scene]) -> None:
    """A leg without a purpose does not ring on."""
    scene = open_scene({"alice": Person(answers_after_s=8, talks_s=None)})
    caller = scene.rings(CALLER)
    scene.pass_s(4)
    scene.restart()
    assert scene.pbx.of(Role.AGENT)[0].hung_up_by == "controller"
    scene.pass_s(12)
    assert caller.talked_with == ["agent-2"]


def test_calls_that_ended_while_nobody_watched_get_an_ending(open_scene: Callable[..., Scene]) -> None:
    """Abandoned, when neither an agent nor a promise was reached."""
    scene = open_scene()
    caller = scene.rings(Person(patience_s=15))
    scene.pass_s(10)
    scene.restart(after_s=10)
    assert scene.endings() == {caller.id: "abandoned"}


@pytest.mark.parametrize("verb", ["open_attempts", "made_on_call", "close_orphans", "waiting"])
def test_a_database_that_is_away_when_the_controller_comes_back_costs_nobody_the_place(
    open_scene: Callable[..., Scene], verb: str
) -> None:
    """It is tried again; whoever holds holds on, and is served."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    keying = scene.rings(Person(presses={prompts.HOLD_OFFER: ["1"]}, talks_s=20), number=None)
    scene.pass_s(5)
    holding = scene.rings(Person(talks_s=20))
    scene.pass_s(4)
    assert (keying.marks["stage"], holding.marks["stage"]) == ("leaving_number", "in_line")
    left = [StoreUnavailableError("the database does not answer")]

    def away(step: Step, moment: Moment) -> None:
        if left and scene.pbx.epoch and (step.verb, moment) == (verb, Moment.BEFORE):
            raise left.pop()

    scene.pbx.plans.append(away)
    scene.restart()
    scene.pass_s(120)
    assert left == []
    assert len(keying.talked_with) == len(holding.talked_with) == 1
    assert set(scene.endings().values()) == {"served"}


def test_a_leg_that_is_needed_by_nobody_is_hung_up_though_the_database_was_away(
    open_scene: Callable[..., Scene],
) -> None:
    """What is found is found once; a failure after that must not leave it ringing."""
    scene = open_scene({"alice": Person(answers_after_s=30, talks_s=None)})
    scene.promised(NUMBER, person=YES)
    scene.pass_s(5)
    left = [StoreUnavailableError("the database does not answer")] * 2

    def away(step: Step, moment: Moment) -> None:
        if left and scene.pbx.epoch and (step.verb, moment) == ("open_attempts", Moment.BEFORE):
            raise left.pop()

    scene.pbx.plans.append(away)
    scene.restart()
    assert scene.pbx.of(Role.AGENT)[0].hung_up_by == "controller"


def test_who_talked_is_not_called_again_though_nobody_could_write_it_down(open_scene: Callable[..., Scene]) -> None:
    """The controller dies as the two are joined, and both have hung up when the next one comes: their talk is found."""
    scene = open_scene({"alice": Person(presses=CUTS_SHORT, talks_s=3)})

    def dies(step: Step, moment: Moment) -> None:
        joined = any(customer.peer is not None for customer in scene.pbx.of(Role.CUSTOMER))
        if joined and not scene.killed and (step.verb, moment) == ("advance", Moment.BEFORE):
            scene.kill()

    scene.pbx.plans.append(dies)
    promise = scene.promised(NUMBER, person=Person(presses=YES.presses, talks_s=3))
    scene.pass_s(120)
    assert scene.killed
    assert scene.theatre.sql("SELECT state FROM promises") == [("dialling",)]
    scene.pbx.plans.clear()
    scene.restart(after_s=10)
    scene.pass_s(600)
    (kept,) = scene.promises()
    assert (kept.id, kept.state, kept.last_outcome) == (promise.id, PromiseState.FULFILLED, Outcome.TALKED)
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1
