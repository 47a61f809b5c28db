"""Where calls can go, as a graph: which ways go round, what nothing leads to, and where somebody is let down.

A place is an entrance, a menu, a queue or a web page; a way leads from one of them on, by a key of the caller's or by
what happens to them. Whatever ends a call, or hands it to somebody else, leads to no place.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from controller.domain.menu import (
    CallOut,
    Destination,
    JoinQueue,
    JoinUrgently,
    LeaveNumber,
    OpenMenu,
    SayGoodbye,
    TextBookingLink,
    TextPage,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from controller.domain.menu import Entrance, Menu


class Kind(StrEnum):
    """What a place is."""

    ENTRANCE = "entrance"
    MENU = "menu"
    QUEUE = "queue"
    WEB_PAGE = "web page"


class Place(NamedTuple):
    """Something that calls come to. `str` of it is for people: `menu "main"`."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f'{self.kind.value} "{self.name}"'


class Turn(StrEnum):
    """What makes a call take a way; the words of the settings."""

    LEADS_TO = "leads_to"
    KEY = "key"
    NO_KEY = "no_key"
    WRONG_KEY = "wrong_key"
    ON_CLOSED = "on_closed"
    ON_NO_AGENTS = "on_no_agents"
    ON_FULL = "on_full"
    ON_OVERFLOW = "on_overflow"
    ON_MAX_WAIT = "on_max_wait"


CHOSEN: frozenset[Turn] = frozenset({Turn.KEY, Turn.WRONG_KEY})
"""Taken because the caller pressed something."""
UNASKED: frozenset[Turn] = frozenset(Turn) - CHOSEN
"""Taken whatever the caller does: a ring of these never ends. (The longest wait counts from the call's arrival, so
whoever comes back to a queue after it is sent on at once.)"""
OVER_AT_THE_QUEUE = (LeaveNumber, TextBookingLink)
"""Lead to a queue without joining its line: what happens in line does not happen to these callers."""
NOT_FOR_URGENT: frozenset[Turn] = frozenset({Turn.ON_FULL, Turn.ON_OVERFLOW})
"""Nobody who is urgent is turned away for these."""
LIMITS: tuple[Turn, ...] = (Turn.ON_CLOSED, Turn.ON_NO_AGENTS, Turn.ON_FULL, Turn.ON_OVERFLOW, Turn.ON_MAX_WAIT)
"""Those of a queue, in the order in which they are looked at."""


@dataclass(frozen=True, slots=True)
class Way:
    """From one place on."""

    source: Place
    turn: Turn
    leads_to: Destination
    key: str | None = None
    """Which key, for `Turn.KEY`."""

    @property
    def target(self) -> Place | None:
        """The place that it leads to; None when the call ends, stays, or is handed to somebody outside."""
        return place_of(self.leads_to)

    @property
    def word(self) -> str:
        """How the way is called in the settings: `key 1`, `no_key`, `on_full`."""
        return f"key {self.key}" if self.turn is Turn.KEY else self.turn.value


def place_of(destination: Destination) -> Place | None:
    """Return the place that a destination is, if it is one."""
    match destination:
        case OpenMenu(menu):
            return Place(Kind.MENU, menu)
        case JoinQueue(queue) | JoinUrgently(queue) | LeaveNumber(queue) | TextBookingLink(queue):
            return Place(Kind.QUEUE, queue)
        case TextPage(page):
            return Place(Kind.WEB_PAGE, page)
        case _:
            return None


def ways_of(
    entrances: Iterable[Entrance],
    menus: Iterable[Menu],
    limits: Mapping[str, Mapping[Turn, Destination]],
) -> list[Way]:
    """Return every way that there is. `limits`: what happens at each queue, by its name."""
    ways = [Way(Place(Kind.ENTRANCE, one.name), Turn.LEADS_TO, one.leads_to) for one in entrances]
    for menu in menus:
        here = Place(Kind.MENU, menu.name)
        ways += [Way(here, Turn.KEY, destination, key) for key, destination in menu.keys.items()]
        ways += [Way(here, Turn.NO_KEY, menu.no_key), Way(here, Turn.WRONG_KEY, menu.wrong_key)]
    for queue, exits in limits.items():
        here = Place(Kind.QUEUE, queue)
        ways += [Way(here, turn, exits[turn]) for turn in LIMITS if turn in exits]
    return ways


def rings(ways: Iterable[Way]) -> list[tuple[Way, ...]]:
    """Return the rings that a call can go round without a key: the shortest through each way, each ring once.

    A ring begins with the first of its ways in the order of `ways`. Who leaves a number, or gets a link, does not go
    on.
    """
    followed = [way for way in ways if way.turn in UNASKED and not isinstance(way.leads_to, OVER_AT_THE_QUEUE)]
    rank = {way: index for index, way in reversed(list(enumerate(followed)))}
    found: dict[frozenset[Way], tuple[Way, ...]] = {}
    for way in followed:
        ring = _shortest_ring(way, followed)
        if ring and frozenset(ring) not in found:
            first = min(range(len(ring)), key=lambda index: rank[ring[index]])
            found[frozenset(ring)] = ring[first:] + ring[:first]
    return sorted(found.values(), key=lambda ring: rank[ring[0]])


def _shortest_ring(way: Way, ways: Sequence[Way]) -> tuple[Way, ...] | None:
    """Return the shortest ring that begins with `way`."""
    paths: deque[tuple[Way, ...]] = deque([(way,)])
    seen = {way}
    while paths:
        path = paths.popleft()
        if follows(path[-1], way):
            return path
        for step in ways:
            if step not in seen and follows(path[-1], step):
                seen.add(step)
                paths.append((*path, step))
    return None


def follows(before: Way, after: Way) -> bool:
    """Tell whether a call that came by one way can leave by the other."""
    is_urgent = isinstance(before.leads_to, JoinUrgently)
    return before.target == after.source and not (is_urgent and after.turn in NOT_FOR_URGENT)


def told_ring(ring: Sequence[Way]) -> str:
    """Return a ring for people: `menu "a" (no_key) -> menu "b" (no_key) -> menu "a"`."""
    steps = [f"{way.source} ({way.word})" for way in ring]
    return " -> ".join([*steps, str(ring[0].source)])


def reached(ways: Iterable[Way]) -> set[Place]:
    """Return every place that a call can come to from some entrance, the entrances included."""
    by_source: dict[Place, list[Way]] = {}
    for way in ways:
        by_source.setdefault(way.source, []).append(way)
    found = {place for place in by_source if place.kind is Kind.ENTRANCE}
    waiting = list(found)
    while waiting:
        for way in by_source.get(waiting.pop(), ()):
            if way.target is not None and way.target not in found:
                found.add(way.target)
                waiting.append(way.target)
    return found


def let_down(ways: Iterable[Way]) -> list[Way]:
    """Return the ways on which a caller hears a message and is hung up on without having chosen it by a key."""
    return [way for way in ways if isinstance(way.leads_to, SayGoodbye) and way.turn is not Turn.KEY]


def asks_of_the_silent(ways: Iterable[Way]) -> list[Way]:
    """Return the ways that take somebody who pressed no key to where a key has to be pressed."""
    asking = (LeaveNumber, TextPage, TextBookingLink)
    return [way for way in ways if way.turn is Turn.NO_KEY and isinstance(way.leads_to, asking)]


def without_people(menus: Iterable[str], ways: Iterable[Way]) -> list[str]:
    """Return the menus from which no key leads to a person: to a queue, a callback, or a number outside.

    A link by SMS is none: not every phone takes it.
    """
    steps = list(ways)
    good = {way.source for way in steps if isinstance(way.leads_to, CallOut) or _is_queue(way)}
    grown = True
    while grown:
        more = {way.source for way in steps if way.target in good} - good
        good |= more
        grown = bool(more)
    return [name for name in menus if Place(Kind.MENU, name) not in good]


def spoken_places(
    entrances: Iterable[Entrance], ways: Iterable[Way], switches: Mapping[str, Collection[str]]
) -> Iterator[tuple[Place, str]]:
    """Yield each (place, language) that a call can be in, once. `switches`: the languages that each menu offers."""
    by_source: dict[Place, list[Way]] = {}
    for way in ways:
        by_source.setdefault(way.source, []).append(way)
    waiting = [(Place(Kind.ENTRANCE, one.name), one.language) for one in entrances]
    seen = set(waiting)
    while waiting:
        place, language = waiting.pop(0)
        yield place, language
        languages = switches.get(place.name, ()) if place.kind is Kind.MENU else ()
        onward = [(place, other) for other in languages]
        onward += [(way.target, language) for way in by_source.get(place, ()) if way.target is not None]
        for step in onward:
            if step not in seen:
                seen.add(step)
                waiting.append(step)


def _is_queue(way: Way) -> bool:
    is_there = way.target is not None and way.target.kind is Kind.QUEUE
    return is_there and not isinstance(way.leads_to, TextBookingLink)
