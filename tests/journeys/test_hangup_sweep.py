"""The hang-up sweep: every journey, with each party hanging up before, during and after each verb that it calls.

The verbs are not listed here: each journey is played once to see which it calls, and then once for each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.repertoire import JOURNEYS
from tests.journeys.scripted_call import Moment
from tests.journeys.swept import moments_of, new_moments_of, played, problems

if TYPE_CHECKING:
    from controller.ports.survey import Role
    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Step
    from tests.journeys.theatre import Theatre


class HangingUp:
    """The plan of one run: at one moment of one step, one party hangs up."""

    def __init__(self, step: Step, moment: Moment, role: Role) -> None:
        self._at = (step, moment)
        self._role = role
        self.scene: Scene | None = None
        self.hung_up = False

    def __call__(self, step: Step, moment: Moment) -> None:
        """Hang up the newest call of the role, which may still be on its way."""
        if (step, moment) != self._at or self.scene is None or self.hung_up:
            return
        there = [channel for channel in self.scene.pbx.of(self._role) if not channel.gone]
        if there:
            self.hung_up = True
            there[-1].hang_up("person")


@pytest.mark.parametrize("name", JOURNEYS)
def test_wherever_a_party_hangs_up_nothing_is_lost_and_nothing_is_stuck(theatre: Theatre, name: str) -> None:
    """Line, agents, legs, promises, attempts, records and tasks are looked at after each run."""
    wrong: dict[str, list[str]] = {}
    moments = new_moments_of(name, theatre)
    for (step, moment), roles in moments.items():
        for role in sorted(roles):
            plan = HangingUp(step, moment, role)
            scene, in_vain = played(JOURNEYS[name], theatre, plan)
            found = problems(scene) + in_vain if plan.hung_up else ["the story did not come to this moment again"]
            if found:
                wrong[f"{role} hangs up {moment} {step.who}'s {step.verb} (#{step.ordinal})"] = found
            scene.close()
    assert wrong == {}
    assert {moment for _, moment in moments_of(name, theatre)} == set(Moment)
