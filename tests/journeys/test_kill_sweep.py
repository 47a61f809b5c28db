"""The kill sweep: every journey, with the controller killed at each verb and at each transaction, and started again.

The telephones go on meanwhile: who is on hold holds, who talks talks, whose phone rings answers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.ports.survey import Role
from tests.journeys.repertoire import JOURNEYS
from tests.journeys.swept import LASTS_S, new_moments_of, played, problems

if TYPE_CHECKING:
    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Moment, Step
    from tests.journeys.theatre import Theatre


class Killing:
    """The plan of one run: at one moment of one step the controller is killed."""

    def __init__(self, step: Step, moment: Moment) -> None:
        self._at = (step, moment)
        self.scene: Scene | None = None
        self.talking: list[str] = []

    def __call__(self, step: Step, moment: Moment) -> None:
        """Kill it, and note who is talking."""
        if (step, moment) != self._at or self.scene is None or self.scene.killed:
            return
        self.talking = [channel.id for channel in self.scene.pbx.live if channel.peer is not None]
        self.scene.kill()


@pytest.mark.parametrize("name", JOURNEYS)
def test_wherever_the_controller_is_killed_the_next_one_takes_up_what_it_finds(theatre: Theatre, name: str) -> None:
    """No promise lost, nobody dialled twice, no talk cut, no caller hung up on."""
    wrong: dict[str, list[str]] = {}
    for step, moment in new_moments_of(name, theatre):
        plan = Killing(step, moment)
        scene, in_vain = played(JOURNEYS[name], theatre, plan)
        found = [] if scene.killed else ["the story did not come to this moment again"]
        scene.restart()
        scene.pass_s(LASTS_S)
        found += problems(scene, was_killed=True) + cut_talks(scene, plan.talking) + called_in_vain(scene) + in_vain
        if found:
            wrong[f"killed {moment} {step.who}'s {step.verb} (#{step.ordinal})"] = found
        scene.close()
    assert wrong == {}


def cut_talks(scene: Scene, talking: list[str]) -> list[str]:
    """Return who was talking when the controller was killed and was not let finish."""
    channels = {channel.id: channel for channel in scene.pbx.channels}
    pairs = {frozenset({each, channels[each].talked_with[-1]}) for each in talking}
    return [
        f"the talk of {' and '.join(sorted(pair))} was cut"
        for pair in pairs
        if not any(channels[each].hung_up_by == "person" for each in pair)
    ]


def called_in_vain(scene: Scene) -> list[str]:
    """Return customers who were called once more after they had talked with an agent."""
    customers = scene.pbx.of(Role.CUSTOMER)
    talked = [index for index, customer in enumerate(customers) if customer.talked_with]
    return (
        [f"{each.facts.dialled} was called again after the talk" for each in customers[talked[0] + 1 :]]
        if talked
        else []
    )
