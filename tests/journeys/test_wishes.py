"""What a customer asked for on a callback is kept, from the moment at which they hear it acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.scripted_channel import Person
from tests.journeys.stories import AGENT, NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Moment, Step

IN_FORTY_MINUTES = {prompts.CALLBACK_CONFIRM: ["2"], prompts.LATER_CHOOSE: ["4"], prompts.LATER_CONFIRM: ["1"]}
NOT_NEEDED = {prompts.CALLBACK_CONFIRM: ["3"]}
WISHES = [
    (IN_FORTY_MINUTES, prompts.LATER_GOODBYE, PromiseState.WAITING, Outcome.POSTPONED),
    (NOT_NEEDED, prompts.CANCELLED, PromiseState.CANCELLED, Outcome.DECLINED),
]


@pytest.mark.parametrize(("presses", "acknowledged", "state", "outcome"), WISHES)
@pytest.mark.parametrize("is_still_there", [False, True])
def test_a_kill_in_the_acknowledgement_loses_nothing(
    open_scene: Callable[..., Scene],
    presses: dict[str, list[str]],
    acknowledged: str,
    state: PromiseState,
    outcome: Outcome,
    is_still_there: bool,
) -> None:
    """Whether the customer has hung up when the next controller comes, or still listens; nobody rings them again."""
    scene = open_scene({"alice": AGENT})

    def dies(_step: Step, _moment: Moment) -> None:
        if not scene.killed and any(customer.heard[-1:] == [acknowledged] for customer in scene.pbx.of(Role.CUSTOMER)):
            scene.kill()

    scene.pbx.plans.append(dies)
    promise = scene.promised(NUMBER, person=Person(presses=presses))
    scene.pass_s(120)
    assert scene.killed
    scene.pbx.plans.clear()
    (customer,) = scene.pbx.of(Role.CUSTOMER)
    if not is_still_there:
        customer.hang_up("person")
    scene.restart()
    scene.pass_s(600)
    (kept,) = scene.promises()
    assert (kept.id, kept.state, kept.last_outcome, kept.attempts_used) == (
        promise.id,
        state,
        outcome,
        int(outcome is Outcome.DECLINED),
    )
    assert customer.gone
    assert len(scene.pbx.of(Role.CUSTOMER)) == 1


def test_a_wish_that_cannot_be_written_is_not_acknowledged(open_scene: Callable[..., Scene]) -> None:
    """The database is away: the customer hears a goodbye that promises nothing; it is written when it is back."""
    scene = open_scene({"alice": AGENT})
    scene.promised(NUMBER, person=Person(presses=NOT_NEEDED))
    while not any(prompts.CALLBACK_GREETING in customer.heard for customer in scene.pbx.of(Role.CUSTOMER)):
        scene.pass_s(1)
    with scene.theatre.database_locked():
        scene.pass_s(60)
        (customer,) = scene.pbx.of(Role.CUSTOMER)
        assert customer.heard[-1] == prompts.GOODBYE
    scene.pass_s(10)
    (promise,) = scene.promises()
    assert promise.state is PromiseState.CANCELLED
