"""Every entrance as a tree of what can follow; a place that was told before is not told again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.menu import (
    CallOut,
    Destination,
    JoinQueue,
    JoinUrgently,
    LeaveNumber,
    OpenMenu,
    Repeat,
    SayGoodbye,
    SwitchLanguage,
    TextBookingLink,
    TextPage,
)
from controller.domain.menu_graph import Kind, Place, Turn
from controller.domain.phone_number import as_printed

if TYPE_CHECKING:
    from controller.domain.menu import Entrance
    from controller.rehearse.script import Scene
    from controller.settings import Queue


@dataclass(frozen=True, slots=True)
class Said:
    """One prompt that is played."""

    prompt: str
    language: str
    text: str | None
    """None: not known."""
    is_missing: bool = False
    """Not in the catalogue, although there is one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that can happen to a call, and what can follow it."""

    how: str
    """What makes it happen: `1` (a key), `no key`, `when full`; empty for an entrance."""
    what: str
    said: tuple[Said, ...] = ()
    facts: tuple[str, ...] = ()
    after: tuple[Step, ...] = ()


OFFERED_FOR_LATER = "is offered a callback for when the queue is open"
_HOW = {
    Turn.NO_KEY: "no key",
    Turn.WRONG_KEY: "wrong key",
    Turn.ON_CLOSED: "when closed",
    Turn.ON_NO_AGENTS: "nobody on duty",
    Turn.ON_FULL: "when full",
    Turn.ON_OVERFLOW: "wait too long",
    Turn.ON_MAX_WAIT: "waited too long",
}


def trees(scene: Scene) -> list[Step]:
    """Return one tree for each entrance."""
    author = Author(scene)
    return [author.entrance(entrance) for entrance in scene.entrances]


class Author:
    """Writes steps, each place in each language in full once."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._told: set[tuple[Place, str]] = set()
        self._known_queues: set[str] = set()

    def entrance(self, entrance: Entrance) -> Step:
        """Return an entrance and all that follows."""
        alone = self.entrance_alone(entrance)
        return replace(alone, after=(self.step("", entrance.leads_to, entrance.language),))

    def entrance_alone(self, entrance: Entrance) -> Step:
        """Return an entrance without what follows."""
        numbers = ", ".join(as_printed(number, self._home) for number in entrance.dialled_numbers)
        what = f"entrance {entrance.name}: {numbers} ({entrance.language})"
        return Step("", what, (self.said(entrance.welcome, entrance.language),))

    def said(self, prompt: str, language: str) -> Said:
        """Return a prompt with its words."""
        text = self._scene.catalogue.text(prompt, language)
        return Said(prompt, language, text, is_missing=text is None and self._scene.catalogue.is_there)

    def step(self, how: str, destination: Destination, language: str, menu: str = "") -> Step:  # noqa: C901, PLR0911 - one for each destination
        """Return what a destination is and all that follows. `menu`: the menu whose answer it is."""
        match destination:
            case OpenMenu(name):
                return self._menu(how, f"menu {name}", name, language)
            case JoinQueue(name):
                return self._queue(how, f"queue {name}", name, language)
            case JoinUrgently(name):
                return self._queue(how, f"queue {name}, urgent: ahead of all others", name, language, urgent=True)
            case LeaveNumber(name):
                return Step(how, f"leaves a number for a callback by queue {name}")
            case TextPage(name):
                page = self._scene.settings.pages_by_name[name]
                title = self._scene.title(page.titles, language)
                return Step(how, f"web page {name}, by SMS: {title}", facts=(page.url,))
            case TextBookingLink(name):
                return Step(how, f"the link to book a callback by queue {name}, by SMS")
            case CallOut(number):
                return Step(how, f"is connected with {as_printed(number, self._home)}")
            case SayGoodbye(prompt):
                return Step(how, "is hung up on", (self.said(prompt, language),))
            case SwitchLanguage(other):
                again = self._again(menu, other)
                return Step(how, f"the same menu in {other}{'' if again else ' (see above)'}", after=again)
            case Repeat():
                return Step(how, "the same menu again")

    def menu_alone(self, how: str, what: str, name: str, language: str) -> Step:
        """Return a menu without what follows."""
        menu = self._scene.menus[name]
        said = tuple(self.said(prompt, language) for prompt in menu.prompts)
        times = "once" if menu.tries == 1 else f"{menu.tries} times"
        return Step(how, what, said, (f"asked {times}, {menu.first_key_timeout_s:g} s to press a key",))

    def _again(self, menu: str, language: str) -> tuple[Step, ...]:
        if (Place(Kind.MENU, menu), language) in self._told:
            return ()
        return (self._menu("", f"menu {menu} ({language})", menu, language),)

    def _menu(self, how: str, what: str, name: str, language: str) -> Step:
        if (Place(Kind.MENU, name), language) in self._told:
            return Step(how, f"{what} (see above)")
        self._told.add((Place(Kind.MENU, name), language))
        alone = self.menu_alone(how, what, name, language)
        menu = self._scene.menus[name]
        after = [self.step(key, destination, language, name) for key, destination in menu.keys.items()]
        after += [self.step(_HOW[Turn.NO_KEY], menu.no_key, language, name)]
        after += [self.step(_HOW[Turn.WRONG_KEY], menu.wrong_key, language, name)]
        return Step(how, what, alone.said, alone.facts, tuple(after))

    def _queue(self, how: str, what: str, name: str, language: str, *, urgent: bool = False) -> Step:
        queue = self._scene.queues[name]
        headline = f"{what} ({self._scene.title(queue.titles, language)})"
        if (Place(Kind.QUEUE, name), language) in self._told:
            return Step(how, f"{headline} (see above)")
        facts = () if name in self._known_queues else tuple(self._scene.facts(queue, urgent=urgent))
        if not urgent:  # what holds for urgent callers is not all that there is to tell
            self._told.add((Place(Kind.QUEUE, name), language))
            self._known_queues.add(name)
        after = [self.step(self._limit(turn, queue), one, language) for turn, one in queue.limits.exits.items()]
        if queue.hours and queue.limits.on_closed is None:
            after.insert(0, Step(self._limit(Turn.ON_CLOSED, queue), OFFERED_FOR_LATER))
        return Step(how, headline if facts or after else f"{headline} (see above)", facts=facts, after=tuple(after))

    def _limit(self, turn: Turn, queue: Queue) -> str:
        limits = queue.limits
        if turn is Turn.ON_CLOSED and not self._scene.is_open(queue.name):
            return "closed, as now"
        number = {
            Turn.ON_FULL: f"{limits.max_length} wait",
            Turn.ON_OVERFLOW: f"wait over {limits.overflow_wait_s or 0:g} s",
            Turn.ON_MAX_WAIT: f"after {limits.max_wait_s or 0:g} s",
        }
        return number.get(turn, _HOW[turn])

    @property
    def _home(self) -> str:
        return self._scene.settings.dialer.home_country
