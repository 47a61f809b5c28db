"""The fault sweep: every story, with each request to the PBX refused once, and each transaction failing once.

A transaction fails before it has done anything, and after it was committed: then only the answer is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.journeys import prompts
from controller.ports.calls import PbxUnavailableError
from controller.ports.promises import StoreUnavailableError
from controller.ports.survey import Role
from tests.journeys.repertoire import JOURNEYS
from tests.journeys.scripted import DATABASE
from tests.journeys.scripted_call import Moment
from tests.journeys.swept import new_moments_of, played, problems

if TYPE_CHECKING:
    from tests.journeys.scene import Scene
    from tests.journeys.scripted_call import Step
    from tests.journeys.theatre import Theatre

NEVER_FAIL = {"arrived", "joined", "quoted", "answered", "ended", "close_orphans", "language_of", "remember_language"}
"""The record of calls and the memory of callers: their ports promise that a failure is logged and no more."""
SAID_SO = {prompts.APOLOGY, prompts.CALL_AGAIN}
"""Whoever heard one of these knows that it went wrong; the others must not notice."""


class Failing:
    """The plan of one run: at one moment of one step something fails, once."""

    def __init__(self, step: Step, moment: Moment, error: Exception) -> None:
        self._at = (step, moment)
        self._error = error
        self.scene: Scene | None = None
        self.failed = False

    def __call__(self, step: Step, moment: Moment) -> None:
        """Fail."""
        if (step, moment) == self._at and not self.failed:
            self.failed = True
            raise self._error


def wrong_after(name: str, theatre: Theatre, step: Step, moment: Moment, error: Exception) -> list[str]:
    """Play one story with one fault; return what is wrong, but for those who were told of it."""
    plan = Failing(step, moment, error)
    scene, in_vain = played(JOURNEYS[name], theatre, plan)
    told = {caller.id for caller in scene.pbx.of(Role.CALLER) if SAID_SO & set(caller.heard)}
    found = [each for each in problems(scene) + in_vain if each.split()[0] not in told]
    scene.close()
    return found if plan.failed else ["the story did not come to this moment again"]


@pytest.mark.parametrize("name", JOURNEYS)
def test_wherever_the_database_fails_once_nobody_is_stuck_and_no_promise_is_lost(theatre: Theatre, name: str) -> None:
    """Who was promised nothing is told so, and what was committed without an answer is found again."""
    wrong = {
        f"{moment} {step.verb} (#{step.ordinal})": found
        for step, moment in new_moments_of(name, theatre)
        if step.who == DATABASE and step.verb not in NEVER_FAIL
        if (found := wrong_after(name, theatre, step, moment, StoreUnavailableError("it is away")))
    }
    assert wrong == {}


@pytest.mark.parametrize("name", JOURNEYS)
def test_wherever_the_pbx_refuses_something_once_nobody_is_stuck_and_no_promise_is_lost(
    theatre: Theatre, name: str
) -> None:
    """The call that needed it ends with an apology, and its line, agent, attempt and record are in order."""
    wrong = {
        f"{step.who}'s {step.verb} (#{step.ordinal})": found
        for step, moment in new_moments_of(name, theatre)
        if step.who != DATABASE and moment is Moment.BEFORE
        if (found := wrong_after(name, theatre, step, moment, PbxUnavailableError("no such bridge")))
    }
    assert wrong == {}
