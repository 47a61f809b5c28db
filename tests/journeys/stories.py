"""How a story that is swept begins: who calls, which keys they press, in what kind of queue."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from controller.domain.opening_hours import OpeningHours, Span
from controller.journeys import prompts
from controller.journeys.customer_first import customer_first
from controller.journeys.redial_by_hand import REDIAL
from tests.journeys.scene import CARDS, Scene
from tests.journeys.scripted_channel import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from controller.journeys.dialled import Dialled, NotDialled
    from controller.journeys.house import Queue
    from tests.journeys.scripted_call import Moment, Step
    from tests.journeys.theatre import Theatre

PATIENCE_S = 150.0
NUMBER = "+819012345678"
OFFICE = "0398765432"
MAIN = "menu-main"
APART_S = 0.2
CUTS_SHORT = {prompts.AGENT_WHISPER: ["#", "#"], prompts.AGENT_WHISPER_WAITING: ["#", "#"]}
"""An agent who does not listen to the end whose callback it is."""
AGENT = Person(talks_s=None, patience_s=400, presses=CUTS_SHORT)
DEAF = Person(answers_after_s=None)
CALLER = Person(patience_s=PATIENCE_S)
YES = {prompts.CALLBACK_CONFIRM: ["1", "1"]}
TOKYO = ZoneInfo("Asia/Tokyo")


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
    cards: Callable[[datetime], Queue] = lambda _now: CARDS
    """The queue, by when the story begins (aware UTC)."""
    opening: Mapping[str, Any] = field(default_factory=dict)
    """More arguments of the scene: where the number leads, menus, pages."""

    def play(self, theatre: Theatre, *plans: Plan) -> Scene:
        """Let it begin; `plans` are in force from its first verb on."""
        cards = self.cards(theatre.clock.now())
        scene = Scene(theatre, self.staff, signed_in=False, cards=cards, **self.opening)
        for plan in plans:
            plan.scene = scene
            scene.pbx.plans.append(plan)
        self.begins(scene)
        scene.pass_s(self.signs_in_after_s)
        for name in self.staff:
            if not scene.killed:
                scene.registers(name)
        return scene


def ruled(**rules: Any) -> Callable[[datetime], Queue]:
    """Return the queue with these rules, whatever the hour."""
    return lambda _now: replace(CARDS, **rules)


def closed_until_tomorrow(**rules: Any) -> Callable[[datetime], Queue]:
    """Return the queue when it is open for two hours tomorrow, and at no other time."""

    def cards(now: datetime) -> Queue:
        tomorrow = now.astimezone(TOKYO).date() + timedelta(days=1)
        hours = OpeningHours(((),) * 7, TOKYO, exceptions={tomorrow: (Span(time(10), time(12)),)})
        return replace(CARDS, hours=hours, **rules)

    return cards


SHOWN = {prompts.USE_THIS_NUMBER: ["1", "1", "1"]}


def calls(*numbers: str, **presses: list[str]) -> Callable[[Scene], object]:
    """Begin with callers from these numbers, one after the other, who press what they are asked for."""
    person = Person(presses={name.replace("_", "-"): keys for name, keys in presses.items()}, patience_s=PATIENCE_S)
    return lambda scene: ring_in_turn(scene, numbers or ("09012345678",), person)


def ring_in_turn(scene: Scene, numbers: tuple[str, ...], person: Person) -> None:
    """Let callers ring, one shortly after the other."""
    for nth, number in enumerate(numbers):
        if nth:
            scene.pass_s(APART_S)
        if not scene.killed:
            scene.rings(person, number=number)


def at_menu(*keys: str, **presses: list[str]) -> Callable[[Scene], object]:
    """Begin with a caller who presses these keys, one each time that the menu is said."""
    return calls(menu_main=[*keys, keys[-1], keys[-1]], **presses)


def leaving(**presses: list[str]) -> Callable[[Scene], object]:
    """Begin with a caller who presses 1 whenever it is offered."""
    return calls(hold_offer=["1", "1"], offer=["1", "1"], **presses)


def calling_back(person: Person) -> Callable[[Scene], object]:
    """Begin with a promise to this person."""
    return lambda scene: scene.promised(NUMBER, person=person)


def twice_the_same_number(scene: Scene) -> None:
    """Begin with a promise, and with a caller who wants another one for the same number."""
    scene.promised(NUMBER)
    scene.pass_s(5)
    calls(welcome_back=["1", "1"], use_this_number=["1", "1", "1"])(scene)


def ringing_back(*, after_s: float, customer: Person, caller: Person = CALLER) -> Callable[[Scene], object]:
    """Begin with a promise, whose customer rings in after a while."""

    def begin(scene: Scene) -> None:
        scene.promised(NUMBER, person=customer)
        for name in scene.pbx.agents:
            scene.registers(name)
        scene.pass_s(after_s)
        if not scene.killed:
            scene.rings(caller)

    return begin


def the_last_agent_leaves(scene: Scene) -> None:
    """Begin with an agent who goes home while a caller waits for them to end a call."""
    scene.registers("alice")
    scene.rings(Person(talks_s=20, patience_s=PATIENCE_S), number="09012340001")
    scene.pass_s(6)
    if not scene.killed:
        scene.rings(CALLER, number="09012340002")
        scene.pass_s(6)
    if not scene.killed:
        scene.registers("alice", registered=False)


def outside(person: Person) -> Callable[[Scene], object]:
    """Begin with a caller who wants the number outside, behind which is this person."""

    def begin(scene: Scene) -> None:
        scene.pbx.externals[OFFICE] = person
        at_menu("5", "6")(scene)

    return begin


def someone_is_urgent(scene: Scene) -> None:
    """Begin with a caller who waits, and one who cannot."""
    at_menu("1")(scene)
    scene.pass_s(14)
    if not scene.killed:
        scene.rings(Person(presses={MAIN: ["2", "2"]}, patience_s=PATIENCE_S), number="09012340002")


def came_back_first(scene: Scene, caller: Person = CALLER) -> None:
    """Begin with a promise, whose customer rings in before there is an agent."""
    scene.promised(NUMBER, person=Person(presses=YES, patience_s=PATIENCE_S))
    scene.pass_s(5)
    scene.rings(caller)


def calling_back_first(person: Person) -> Callable[[Scene], object]:
    """Begin with a customer who is dialled before there is an agent."""

    def begin(scene: Scene) -> None:
        promise = scene.promised(NUMBER, person=person)

        async def story() -> Dialled | NotDialled:
            return await customer_first(promise, scene.queues["cards"], scene.house)

        scene.do(lambda: scene.supervisor.spawn(scene.dialer.follow(promise, story)))

    return begin


def redialling(person: Person) -> Callable[[Scene], object]:
    """Begin with an agent who calls a customer back by hand."""

    def begin(scene: Scene) -> None:
        scene.registers("alice")
        scene.do(lambda: scene.pbx.agent_dials("alice", f"{REDIAL}0{NUMBER.removeprefix('+81')}", AGENT))
        scene.promised(NUMBER, person=person)

    return begin
