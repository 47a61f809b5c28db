"""One way through the menus, key by key, as one caller would hear it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.menu import (
    Destination,
    JoinQueue,
    JoinUrgently,
    OpenMenu,
    Repeat,
    SwitchLanguage,
)
from controller.rehearse.tree import OFFERED_FOR_LATER, Author, Step

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from controller.domain.menu import Entrance, Menu
    from controller.rehearse.script import Scene

NOTHING = "-"
"""In place of a key: nothing is pressed, until the menu gives up."""


def walk_path(scene: Scene, entrance: Entrance, presses: Sequence[str]) -> list[Step]:
    """Return what a caller who comes in there and presses these keys meets, in order. No step has followers."""
    return [replace(step, after=()) for step in _Walk(scene, entrance, presses).steps()]


class _Walk:
    """A caller on their way: in which language, and the keys that they have not pressed yet."""

    def __init__(self, scene: Scene, entrance: Entrance, presses: Sequence[str]) -> None:
        self._scene = scene
        self._entrance = entrance
        self._presses = list(presses)
        self._language = entrance.language

    @property
    def _author(self) -> Author:
        """A new one for each step: whoever walks hears a place again that they have heard before."""
        return Author(self._scene)

    def steps(self) -> Iterator[Step]:
        """Yield each step."""
        yield self._author.entrance_alone(self._entrance)
        how = ""
        onward: Destination | None = self._entrance.leads_to
        while onward is not None:
            match onward:
                case OpenMenu(name):
                    menu = self._scene.menus[name]
                    yield self._author.menu_alone(how, f"menu {name}", name, self._language)
                    how, onward = yield from self._answer(menu)
                case JoinQueue(name) | JoinUrgently(name):
                    yield self._author.step(how, onward, self._language)
                    how, onward = yield from self._at_the_door(name)
                case _:
                    yield self._author.step(how, onward, self._language)
                    onward = None
        if self._presses:
            yield Step("", f"not pressed any more: {' '.join(self._presses)}")

    def _at_the_door(self, name: str) -> Generator[Step, None, tuple[str, Destination | None]]:
        """Return where a queue sends the caller when it is closed."""
        if self._scene.is_open(name):
            return "", None
        onward = self._scene.queues[name].limits.on_closed
        if onward is None:
            yield Step("closed", OFFERED_FOR_LATER)
        return "closed", onward

    def _answer(self, menu: Menu) -> Generator[Step, None, tuple[str, Destination | None]]:
        """Yield what each press leads to within the menu; return how and where it is left, None when it is not."""
        wrong = 0
        while self._presses:
            key = self._presses.pop(0)
            how = f"press {key}"
            if key == NOTHING:
                return "no key", menu.no_key
            answer = menu.keys.get(key)
            if answer is None:
                wrong += 1
                if wrong >= menu.tries:
                    return how, menu.wrong_key
                yield Step(how, "is not used here; the menu is said again")
            elif isinstance(answer, SwitchLanguage):
                self._language = answer.language
                yield self._author.menu_alone(how, f"menu {menu.name} in {answer.language}", menu.name, self._language)
            elif isinstance(answer, Repeat):
                yield self._author.menu_alone(how, f"menu {menu.name} again", menu.name, self._language)
            else:
                return how, answer
        yield Step("", f"waits for a key: {' '.join(menu.keys)}")
        return "", None
