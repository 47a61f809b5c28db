"""What an admin should look at: nothing of it is a mistake, all of it may be one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.menu import SayGoodbye, SwitchLanguage
from controller.domain.menu_graph import (
    OVER_AT_THE_QUEUE,
    Kind,
    Place,
    Turn,
    asks_of_the_silent,
    let_down,
    reached,
    spoken_places,
    without_people,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.rehearse.script import Scene

KEYS = "1234567890*#"


class Worry(StrEnum):
    """What kind of concern it is; the headings of the list."""

    MISSING_PROMPT = "prompts that the catalogue does not have"
    LET_DOWN = "callers are hung up on without having chosen it"
    NO_PERSON = "menus from which nobody reaches a person"
    UNREACHED = "nothing leads here"
    SILENT = "who pressed no key is asked for one"
    OVER_AT_ONCE = "waits that are over at once"
    DEAD_KEY = "keys that do nothing"


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to look at."""

    worry: Worry
    text: str


def concerns(scene: Scene) -> list[Concern]:
    """Return all that should be looked at, in the order of `Worry`."""
    found = [
        *(Concern(Worry.MISSING_PROMPT, text) for text in _missing(scene)),
        *(Concern(Worry.LET_DOWN, text) for text in _let_down(scene)),
        *(Concern(Worry.NO_PERSON, f'menu "{name}"') for name in without_people(_live_menus(scene), scene.ways)),
        *(Concern(Worry.UNREACHED, text) for text in _unreached(scene)),
        *(Concern(Worry.SILENT, f"{way.source}: no_key") for way in asks_of_the_silent(scene.ways)),
        *(Concern(Worry.OVER_AT_ONCE, text) for text in _over_at_once(scene)),
        *(Concern(Worry.DEAD_KEY, text) for text in _dead_keys(scene)),
    ]
    order = list(Worry)
    return sorted(found, key=lambda one: order.index(one.worry))


def prompts_used(scene: Scene) -> dict[tuple[str, str], str]:
    """Return where each (prompt, language) is played that the settings name, by the first place that plays it."""
    used: dict[tuple[str, str], str] = {}
    for place, language in _spoken(scene):
        for prompt in _prompts_at(scene, place):
            used.setdefault((prompt, language), str(place))
    return used


def _spoken(scene: Scene) -> list[tuple[Place, str]]:
    switches = {
        menu.name: [one.language for one in menu.keys.values() if isinstance(one, SwitchLanguage)]
        for menu in scene.menus.values()
    }
    return list(spoken_places(scene.entrances, scene.ways, switches))


def _prompts_at(scene: Scene, place: Place) -> Iterator[str]:
    if place.kind is Kind.ENTRANCE:
        yield next(one.welcome for one in scene.entrances if one.name == place.name)
    if place.kind is Kind.MENU:
        yield from scene.menus[place.name].prompts
    for way in scene.ways:
        if way.source == place and isinstance(way.leads_to, SayGoodbye):
            yield way.leads_to.prompt


def _missing(scene: Scene) -> Iterator[str]:
    if not scene.catalogue.is_there:
        return
    for (prompt, language), where in prompts_used(scene).items():
        if scene.catalogue.text(prompt, language) is None:
            yield f"{prompt} ({language}), of {where}"


def _let_down(scene: Scene) -> Iterator[str]:
    there = reached(scene.ways)
    for way in let_down(scene.ways):
        if way.source in there and isinstance(way.leads_to, SayGoodbye):
            yield f'{way.source}, {way.word}: hears "{way.leads_to.prompt}"'


def _live_menus(scene: Scene) -> list[str]:
    there = reached(scene.ways)
    return [name for name in scene.menus if Place(Kind.MENU, name) in there]


def _unreached(scene: Scene) -> Iterator[str]:
    there = reached(scene.ways)
    everything = [Place(Kind.MENU, name) for name in scene.menus]
    everything += [Place(Kind.QUEUE, name) for name in scene.queues]
    everything += [Place(Kind.WEB_PAGE, name) for name in scene.settings.pages_by_name]
    for place in everything:
        if place not in there:
            is_by_dialplan = place.kind is Kind.QUEUE and scene.settings.agi.enabled
            yield f"{place}{' (but for a dialplan of your own, through [agi])' if is_by_dialplan else ''}"


def _over_at_once(scene: Scene) -> Iterator[str]:
    """Yield the queues to which callers are sent too late: the longest wait counts from the call's arrival."""
    for way in scene.ways:
        target = way.target
        if way.turn is not Turn.ON_MAX_WAIT or target is None or isinstance(way.leads_to, OVER_AT_THE_QUEUE):
            continue
        before = scene.queues[way.source.name].limits.max_wait_s
        after = scene.queues[target.name].limits.max_wait_s if target.kind is Kind.QUEUE else None
        if before is not None and after is not None and after <= before:
            yield f"{target}: max_wait_s ({after:g}) is over when callers come from {way.source} (after {before:g} s)"


def _dead_keys(scene: Scene) -> Iterator[str]:
    languages: dict[Place, set[str]] = {}
    for place, language in _spoken(scene):
        languages.setdefault(place, set()).add(language)
    for name in _live_menus(scene):
        menu = scene.menus[name]
        unused = [key for key in KEYS if key not in menu.keys]
        if unused:
            yield f'menu "{name}": {" ".join(unused)}'
        for key, one in menu.keys.items():
            if isinstance(one, SwitchLanguage) and languages[Place(Kind.MENU, name)] == {one.language}:
                yield f'menu "{name}": key {key} switches to {one.language}, which the caller hears already'
