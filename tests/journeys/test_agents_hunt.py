"""An agent who pauses, signs out or loses the phone at any moment of a story: nobody is stuck, nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import AgentEvent
from tests.journeys.repertoire import JOURNEYS
from tests.journeys.swept import moments_of, played, problems

if TYPE_CHECKING:
    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Moment, Step
    from tests.journeys.theatre import Theatre

STORIES = (
    "served at once",
    "the first agent does not answer",
    "called back, with a second agent at hand",
    "the last agent leaves",
    "rings back while the agent is rung",
)
PHONE_WENT = AgentEvent.PHONE_WENT


class Wishing:
    """The plan of one run: at one moment of one step the agent alice wants something, or loses the phone."""

    def __init__(self, step: Step, moment: Moment, event: AgentEvent) -> None:
        self._at = (step, moment)
        self._event = event
        self.scene: Scene | None = None
        self.done = False

    def __call__(self, step: Step, moment: Moment) -> None:
        """Do it, once."""
        if (step, moment) != self._at or self.scene is None or self.done:
            return
        self.done = True
        if self._event is PHONE_WENT:
            self.scene.signs_in("alice", registered=False)
        else:
            self.scene.desk.move("alice", self._event, reason="lunch" if self._event is AgentEvent.PAUSE else None)


@pytest.mark.parametrize("event", [AgentEvent.PAUSE, AgentEvent.SIGN_OUT, PHONE_WENT])
@pytest.mark.parametrize("name", STORIES)
def test_whenever_an_agent_goes_the_line_goes_on(theatre: Theatre, name: str, event: AgentEvent) -> None:
    """A call that has begun is ended first; somebody who waits gets another agent, or waits."""
    wrong: dict[str, list[str]] = {}
    for step, moment in moments_of(name, theatre):
        plan = Wishing(step, moment, event)
        scene, in_vain = played(JOURNEYS[name], theatre, plan)
        found = problems(scene) + in_vain if plan.done else ["the story did not come to this moment again"]
        if found:
            wrong[f"{moment} {step.who}'s {step.verb} (#{step.ordinal})"] = found
        scene.close()
    assert wrong == {}
