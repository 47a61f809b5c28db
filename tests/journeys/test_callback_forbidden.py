"""The calling hours, the lease and the caps, when they change between an agent's turn and the customer's call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.caps import Caps
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.stories import NUMBER
from tests.journeys.test_callback_races import BEFORE_THE_CLAIM, BEFORE_THE_KEY, CUSTOMER, LISTENS, Against

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene


def test_when_the_calling_hours_end_over_the_whisper_the_call_is_not_sent(open_scene: Callable[..., Scene]) -> None:
    """The gate is asked in the last step: the agent is told, and no attempt is used."""
    scene = open_scene({"alice": LISTENS}, signed_in=False)
    scene.promised(NUMBER, person=CUSTOMER)

    def hours_end() -> None:
        scene.pbx.gate = lambda _number: Outcome.OUTSIDE_HOURS

    scene.pbx.plans.append(Against(scene, BEFORE_THE_CLAIM["during the whisper"], hours_end))
    scene.registers("alice")
    scene.pass_s(60)
    (promise,) = scene.promises()
    assert (promise.state, promise.last_outcome, promise.attempts_used, promise.dials) == (
        PromiseState.WAITING,
        Outcome.OUTSIDE_HOURS,
        0,
        0,
    )
    assert scene.pbx.of(Role.AGENT)[0].heard[-1] == prompts.AGENT_MAY_NOT_DIAL
    assert [channel for channel in scene.pbx.of(Role.CUSTOMER) if channel.placed] == []


def test_a_call_that_has_left_rings_on_when_the_calling_hours_end(open_scene: Callable[..., Scene]) -> None:
    """It was allowed when it was sent."""
    scene = open_scene({"alice": LISTENS}, signed_in=False)
    scene.promised(NUMBER, person=CUSTOMER)

    def hours_end() -> None:
        scene.pbx.gate = lambda _number: Outcome.OUTSIDE_HOURS

    scene.pbx.plans.append(Against(scene, BEFORE_THE_KEY["while the customer's phone rings"], hours_end))
    scene.registers("alice")
    scene.pass_s(100)
    assert scene.attempts() == [("alice", "talked")]


@pytest.mark.parametrize("what", ["the lease is lost", "the caps are reached"])
def test_what_forbids_the_claim_over_the_whisper_is_told_to_the_agent(
    open_scene: Callable[..., Scene], what: str
) -> None:
    """Nothing is written, nobody is dialled; the promise stays open."""
    scene = open_scene({"alice": LISTENS}, signed_in=False)
    scene.promised(NUMBER, person=CUSTOMER)

    def forbids() -> None:
        if what == "the lease is lost":
            scene.leadership.term = None
        else:
            scene.caps = Caps(per_number=0)

    scene.pbx.plans.append(Against(scene, BEFORE_THE_CLAIM["during the whisper"], forbids))
    scene.registers("alice")
    scene.pass_s(25)
    told = prompts.AGENT_NOT_POSSIBLE if what == "the lease is lost" else prompts.AGENT_MAY_NOT_DIAL
    assert scene.pbx.of(Role.AGENT)[0].heard[-1] == told
    assert scene.attempts() == []
    assert scene.promises()[0].state is PromiseState.WAITING
