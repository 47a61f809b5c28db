"""The journeys that are swept, and what must hold after each, wherever it was interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.domain.agents import AgentState
from controller.domain.line import WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.ports.survey import Role
from tests.journeys.scene import Scene
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.journeys.scripted_call import Moment, Step
    from tests.journeys.scripted_channel import Channel
    from tests.journeys.theatre import Theatre


LASTS_S = 600.0
"""By then everybody who has patience for 150 s is gone, and every agent has rested."""
PATIENCE_S = 150.0
NUMBER = "+819012345678"
AGENT = Person(talks_s=None, patience_s=400)
LEAVES_DURING_THE_QUESTION = Person(talks_s=None, patience_s=3.3)
"""Answers, and is gone when the customer says yes."""
DEAF = Person(answers_after_s=None)
YES = {prompts.CALLBACK_CONFIRM: ["1", "1"]}
ACKNOWLEDGED = {prompts.PROMISE_MADE, prompts.PROMISE_EXISTS}
RESTED = {AgentState.AVAILABLE, AgentState.WRAP_UP, AgentState.PAUSED}


class Plan(Protocol):
    """Something that is done at a moment of a scene."""

    scene: Scene | None

    def __call__(self, step: Step, moment: Moment) -> None:
        """Do it, if it is for this moment."""


@dataclass(frozen=True)
class Journey:
    """Something that begins by itself and comes to an end by itself."""

    staff: Mapping[str, Person]
    begins: Callable[[Scene], object]
    signs_in_after_s: float = 0

    def play(self, theatre: Theatre, plan: Plan | None = None) -> Scene:
        """Let it begin; `plan` is in force from its first verb on."""
        scene = Scene(theatre, self.staff, signed_in=False)
        if plan is not None:
            plan.scene = scene
            scene.pbx.plans.append(plan)
        self.begins(scene)
        scene.pass_s(self.signs_in_after_s)
        for name in self.staff:
            if not scene.killed:
                scene.registers(name)
        return scene


def leaving(**presses: list[str]) -> Callable[[Scene], object]:
    """Begin with a caller who presses 1 whenever it is offered."""
    offers = {prompts.HOLD_OFFER: ["1", "1"], prompts.OFFER: ["1", "1"]}
    named = {name.replace("_", "-"): keys for name, keys in presses.items()}
    return lambda scene: scene.rings(Person(presses={**offers, **named}, patience_s=PATIENCE_S))


def calling_back(person: Person) -> Callable[[Scene], object]:
    """Begin with a promise to this person."""
    return lambda scene: scene.promised(NUMBER, person=person)


def twice_the_same_number(scene: Scene) -> None:
    """Begin with a promise, and with a caller who wants another one for the same number."""
    scene.promised(NUMBER)
    scene.pass_s(5)
    leaving(use_this_number=["1", "1", "1"])(scene)


JOURNEYS: dict[str, Journey] = {
    "served at once": Journey({"alice": AGENT}, lambda scene: scene.rings(Person(patience_s=PATIENCE_S))),
    "served after a wait": Journey({"alice": AGENT}, lambda scene: scene.rings(Person(patience_s=PATIENCE_S)), 40),
    "the first agent does not answer": Journey(
        {"alice": DEAF, "bob": AGENT}, lambda scene: scene.rings(Person(patience_s=PATIENCE_S))
    ),
    "leaves the number shown": Journey({}, leaving(use_this_number=["1", "1", "1"])),
    "leaves another number": Journey(
        {},
        leaving(
            use_this_number=["2", "2", "2"],
            enter_number=["12#", "0120123456#", "0312345678#", "0312345678#", "0312345678#"],
            confirm_number=["1", "1", "1"],
        ),
    ),
    "leaves a number that holds a promise": Journey({}, twice_the_same_number),
    "leaves no number and is served": Journey({"alice": AGENT}, leaving(), 100),
    "called back": Journey({"alice": AGENT}, calling_back(Person(presses=YES, patience_s=PATIENCE_S))),
    "called back, with a second agent at hand": Journey(
        {"alice": AGENT, "bob": AGENT}, calling_back(Person(presses=YES, patience_s=PATIENCE_S))
    ),
    "called back, loses the agent": Journey(
        {"alice": LEAVES_DURING_THE_QUESTION, "bob": AGENT}, calling_back(Person(presses=YES, patience_s=PATIENCE_S))
    ),
    "called back, declines": Journey(
        {"alice": AGENT}, calling_back(Person(presses={prompts.CALLBACK_CONFIRM: ["3", "3"]}))
    ),
    "called back, presses nothing": Journey({"alice": AGENT}, calling_back(Person(patience_s=PATIENCE_S))),
    "called back, busy": Journey({"alice": AGENT}, calling_back(Person(refuses=Outcome.BUSY))),
    "called back, does not answer": Journey({"alice": AGENT}, calling_back(DEAF)),
}


class Watching:
    """The plan of the first run: see which moments there are, and who is on the telephone then."""

    def __init__(self) -> None:
        self.scene: Scene | None = None
        self.moments: dict[tuple[Step, Moment], set[Role]] = {}

    def __call__(self, step: Step, moment: Moment) -> None:
        """Write down who could hang up now."""
        if self.scene is not None:
            there = {channel.role for channel in self.scene.pbx.channels if not channel.gone}
            self.moments.setdefault((step, moment), there)


def moments_of(name: str, theatre: Theatre) -> dict[tuple[Step, Moment], set[Role]]:
    """Play a journey undisturbed, once; return every moment of every step that it has, and who is there."""
    if name not in theatre.known:
        watching = Watching()
        scene = JOURNEYS[name].play(theatre, watching)
        scene.pass_s(LASTS_S)
        assert problems(scene) == []
        scene.close()
        theatre.known[name] = watching.moments
    return theatre.known[name]


def problems(scene: Scene) -> list[str]:
    """Return what is wrong after a journey that was interrupted somewhere; empty when nothing is."""
    found = [f"{channel.id} is still up" for channel in scene.pbx.live]
    found += [f"{waiter.id} left and is in line" for waiter in scene.keeper.waiters if waiter.kind is WaiterKind.LIVE]
    found += [f"agent {name} is {state}" for name, state in scene.states().items() if state not in RESTED]
    found += [f"a task is left: {name}" for name in scene.tasks_left()]
    found += [f"{number} was called twice at once" for number in scene.pbx.overlaps]
    found += _wrong_promises(scene)
    endings = scene.endings()
    for caller in scene.pbx.of(Role.CALLER):
        found += _wrong_record(caller, endings.get(caller.id))
    return found


def _wrong_promises(scene: Scene) -> list[str]:
    found = [f"the attempt of {agent} is open" for agent, outcome in scene.attempts() if outcome is None]
    promises = scene.promises()
    found += [
        f"a promise is {promise.state}"
        for promise in promises
        if not promise.state.is_final and promise.state is not PromiseState.WAITING
    ]
    dialled = [customer.attempt_id for customer in scene.pbx.of(Role.CUSTOMER) if customer.placed]
    found += [f"attempt {each} was dialled twice" for each in dialled if dialled.count(each) > 1]
    for caller in scene.pbx.of(Role.CALLER):
        confirmed = {("use-this-number", "1"), ("confirm-number", "1")} & set(caller.answered_with)
        since_then = [promise for promise in promises if promise.since == caller.facts.arrived_at]
        if ACKNOWLEDGED & set(caller.heard) and not promises:
            found.append(f"{caller.id} was told of a promise that is not in the database")
        if since_then and not confirmed:
            found.append(f"{caller.id} confirmed nothing and has a promise")
    return found


def _wrong_record(caller: Channel, ending: str | None) -> list[str]:
    told = bool(ACKNOWLEDGED & set(caller.heard))
    found = [f"{caller.id} was {ending}"] if ending in {None, "failed"} else []
    if caller.hung_up_by == "controller" and not (caller.talked_with or told):
        found.append(f"{caller.id} was hung up on, neither served nor promised ({ending})")
    if ending == "served" and not caller.talked_with:
        found.append(f"{caller.id} counts as served and talked with nobody")
    if ending == "abandoned" and (caller.talked_with or prompts.PROMISE_MADE in caller.heard):
        found.append(f"{caller.id} counts as abandoned and was served or promised")
    return found
