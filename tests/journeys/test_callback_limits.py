"""Keeping promises within limits: one call a number, so many at once, on time, and what the database allows."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentState
from controller.domain.lifecycle import Cancelled
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.scripted_call import Moment, Step
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene

NUMBER = "+819012345678"
AGENT = Person(talks_s=None)
SAYS_YES = Person(presses={prompts.CALLBACK_CONFIRM: ["1"]})


def called_back(scene: Scene, person: Person, *, for_s: float = 120) -> None:
    """Let there be a promise to this person, and time enough to keep it."""
    scene.promised(NUMBER, person=person)
    scene.pass_s(for_s)


def stand(scene: Scene) -> tuple[PromiseState, Outcome | None, int]:
    """Return how the one promise stands."""
    (promise,) = scene.promises()
    return promise.state, promise.last_outcome, promise.attempts_used


def test_a_promise_that_somebody_else_has_moved_is_not_dialled_and_leaves_the_line(
    open_scene: Callable[..., Scene],
) -> None:
    """Cancelled by another process while the agent was being rung."""
    scene = open_scene({"alice": Person(answers_after_s=5, talks_s=None)})
    promise = scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(2)
    scene.theatre.store.changed.clear()
    scene.theatre.outside(scene.theatre.store.promises.advance(promise.id, Cancelled()))
    scene.theatre.store.changed.append(scene.keeper.promise_changed)
    scene.pass_s(120)
    assert scene.pbx.of(Role.CUSTOMER) == []
    assert scene.attempts() == []
    assert scene.keeper.waiters == []
    assert len(scene.pbx.of(Role.AGENT)) == 1


def test_one_number_is_rung_once_at_a_time_whatever_the_queue(open_scene: Callable[..., Scene]) -> None:
    """Two promises, two agents, one telephone: the second promise is kept after the first call."""
    scene = open_scene({"alice": AGENT, "bob": AGENT})
    scene.promised(NUMBER, person=SAYS_YES)
    scene.promised(NUMBER, queue="loans")
    scene.pass_s(300)
    assert scene.pbx.overlaps == []
    assert [promise.state for promise in scene.promises()] == [PromiseState.FULFILLED] * 2


def test_no_more_calls_are_placed_at_once_than_the_admin_allows(open_scene: Callable[..., Scene]) -> None:
    """Three free agents and three promises that are due: one call at a time."""
    scene = open_scene({"alice": AGENT, "bob": AGENT, "carol": AGENT}, max_concurrent_calls=1)
    most = 0

    def count(_step: Step, _moment: Moment) -> None:
        nonlocal most
        most = max(most, len([channel for channel in scene.pbx.live if channel.role is Role.CUSTOMER]))

    scene.pbx.plans.append(count)
    scene.keeper.may_serve = lambda: False
    for number in ("+819012340001", "+819012340002", "+819012340003"):
        scene.promised(number, person=SAYS_YES)
    scene.keeper.may_serve = lambda: True
    scene.do(scene.keeper.serve)
    scene.pass_s(300)
    assert most == 1
    assert [promise.state for promise in scene.promises()] == [PromiseState.FULFILLED] * 3


def test_an_outcome_that_the_database_does_not_take_is_written_when_it_is_back(
    open_scene: Callable[..., Scene],
) -> None:
    """Never dropped, and the customer is not called again meanwhile."""
    scene = open_scene({"alice": AGENT})
    called_back(scene, SAYS_YES, for_s=20)
    with scene.theatre.database_locked():
        scene.pass_s(60)
    assert scene.promises()[0].state is PromiseState.CONNECTED
    scene.pass_s(5)
    assert stand(scene) == (PromiseState.FULFILLED, Outcome.TALKED, 1)
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1


def test_no_customer_is_dialled_while_the_database_is_away(open_scene: Callable[..., Scene]) -> None:
    """An attempt that cannot be written is not made; the promise stays and is kept afterwards."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    scene.promised(NUMBER, person=SAYS_YES)
    with scene.theatre.database_locked():
        scene.registers("alice")
        scene.pass_s(60)
        assert scene.pbx.of(Role.CUSTOMER) == []
    scene.pass_s(120)
    assert stand(scene) == (PromiseState.FULFILLED, Outcome.TALKED, 1)


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_promise_past_its_lifetime_is_closed_and_not_dialled_whether_there_is_an_agent_or_not(
    open_scene: Callable[..., Scene], *, signed_in: bool
) -> None:
    """On time, also when nobody could have kept it; nobody is called about what they wanted yesterday."""
    scene = open_scene({"alice": AGENT}, signed_in=signed_in)
    scene.keeper.may_dial = lambda: False
    scene.promised(NUMBER, person=SAYS_YES)
    scene.pass_s(24 * 3600 + 5)
    assert scene.promises()[0].state is PromiseState.EXPIRED
    assert scene.keeper.waiters == []
    assert scene.theatre.sql("SELECT template FROM sms_outbox") == [("expired",)]
    scene.keeper.may_dial = lambda: True
    scene.registers("alice")
    scene.pass_s(60)
    assert scene.pbx.of(Role.CUSTOMER) == []
    assert scene.states() == {"alice": AgentState.AVAILABLE}


def test_nobody_is_called_back_while_they_are_still_on_the_telephone(open_scene: Callable[..., Scene]) -> None:
    """An agent is free the moment the promise is made; the caller first hears it out and hangs up."""
    scene = open_scene({"alice": AGENT}, signed_in=False)
    scene.pbx.customers[NUMBER] = SAYS_YES
    on_the_phone: list[bool] = []

    def watch(step: Step, moment: Moment) -> None:
        if (step.verb, moment) == ("make", Moment.AFTER):
            asyncio.get_running_loop().call_soon(partial(scene.signs_in, "alice"))
        if (step.who, step.verb, moment) == ("customer", "dial", Moment.BEFORE):
            on_the_phone.append(not scene.pbx.of(Role.CALLER)[0].gone)

    scene.pbx.plans.append(watch)
    scene.rings(Person(presses={prompts.HOLD_OFFER: ["1"], prompts.USE_THIS_NUMBER: ["1"]}))
    scene.pass_s(120)
    assert on_the_phone == [False]
    assert stand(scene) == (PromiseState.FULFILLED, Outcome.TALKED, 1)
