"""The agents' own calls, swept: hung up, killed and failing at every moment; what is kept is what is in force."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import Duty
from controller.journeys import prompts
from controller.ports.calls import PbxUnavailableError
from controller.ports.promises import StoreUnavailableError
from tests.journeys.agents_office import offices
from tests.journeys.scripted import DATABASE
from tests.journeys.scripted_call import Moment
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.journeys.agents_office import Office
    from tests.journeys.scripted_call import Step
    from tests.journeys.theatre import Theatre

PIN = "4711"
STORIES = {
    "signs in, at the second try": ("11", {prompts.AGENT_PIN: ["1234#", f"{PIN}#", f"{PIN}#", f"{PIN}#"]}),
    "signs out": ("12", {}),
    "pauses by the menu": ("10", {prompts.AGENT_MENU: ["3", "3"], prompts.AGENT_PAUSE_MENU: ["2", "2"]}),
    "ends a pause": ("14", {}),
}
"""By what is dialled, and what is pressed."""
HANG_UP, KILL, FAIL = "hangs up", "is killed", "fails"


@pytest.fixture
def open_office(theatre: Theatre) -> Iterator[Callable[..., Office]]:
    """Return a way to open an office; it is closed after the test."""
    with offices(theatre) as begin:
        yield begin


class Interrupting:
    """Does one thing at one moment of a story; without a moment it only writes down which there are."""

    def __init__(self, at: tuple[Step, Moment] | None = None, what: str = "") -> None:
        self._at = at
        self._what = what
        self.office: Office | None = None
        self.moments: list[tuple[Step, Moment]] = []
        self.done = False

    def __call__(self, step: Step, moment: Moment) -> None:
        """Do it, once."""
        self.moments.append((step, moment))
        if (step, moment) != self._at or self.done or self.office is None:
            return
        self.done = True
        if self._what == HANG_UP:
            self.office.pbx.channels[-1].hang_up("person")
        elif self._what == KILL:
            self.office.pbx.lose_controller()
        else:
            raise (StoreUnavailableError if step.who == DATABASE else PbxUnavailableError)("not now")


def played(open_office: Callable[..., Office], name: str, plan: Interrupting) -> Office:
    """Play one story; a controller that was killed is followed by another, which finds the call."""
    code, presses = STORIES[name]
    wants_pin = code == "11"
    office = open_office(pin_required=wants_pin, pins={"alice": PIN} if wants_pin else {})
    if code == "14":
        office.dials("131")
    plan.office = office
    office.pbx.plans.append(plan)
    office.begins(code, Person(presses=presses, patience_s=60))
    office.pass_s(20)
    if office.pbx.epoch:
        office.restart()
        office.theatre.loop.run_until_complete(office.pbx.survey())
    office.pass_s(90)
    return office


def problems(office: Office) -> list[str]:
    """Return what is wrong after a story that was interrupted."""
    found = [f"{channel.id} is still up" for channel in office.pbx.live]
    kept, alice = office.kept(), office.desk.agent("alice")
    if kept is not None and kept.duty != alice.duty:
        found.append(f"kept is {kept.duty}, in force is {alice.duty}")
    if kept is None and alice.duty != Duty(signed_in=True):
        found.append(f"nothing is kept, in force is {alice.duty}")
    if kept is not None and kept.guesses.wrong > 1:
        found.append("more guesses are counted than were made")
    if alice.duty == Duty(signed_in=True) and not alice.is_free:
        found.append(f"alice is {office.state()}")
    return found + [f"a task is left: {task}" for task in asyncio.all_tasks(office.theatre.loop)]


@pytest.mark.parametrize("what", [HANG_UP, KILL, FAIL])
@pytest.mark.parametrize("name", STORIES)
def test_wherever_an_agents_own_call_is_interrupted_what_is_kept_is_in_force(
    open_office: Callable[..., Office], name: str, what: str
) -> None:
    """And nobody is half signed in, counted twice, or left on the telephone."""
    watching = Interrupting()
    played(open_office, name, watching)
    wrong = {}
    for step, moment in watching.moments:
        if what == FAIL and moment is not Moment.BEFORE:
            continue
        plan = Interrupting((step, moment), what)
        found = problems(played(open_office, name, plan))
        if found or not plan.done:
            wrong[f"{what} {moment} {step.who}'s {step.verb} (#{step.ordinal})"] = found
    assert wrong == {}
