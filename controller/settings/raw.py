"""The file as it was read, looked at piece by piece: what has the wrong shape is passed over, the model tells that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import phonenumbers

from controller.domain.menu_graph import LIMITS, Kind, Place, Turn, Way
from controller.domain.promise import DEFAULT_PBX
from controller.settings.destinations import parse_destination

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.settings.toml_lines import Path

Finding = tuple["Path", str]
"""Where a mistake is, and what it is."""
Tables = list[tuple[int, dict[str, Any]]]
"""The blocks of one [[table]], each with its place among them."""


def tables(raw: Mapping[str, Any], key: str) -> Tables:
    """Return the blocks of `[[key]]` that are tables."""
    given = raw.get(key)
    return [pair for pair in enumerate(given) if isinstance(pair[1], dict)] if isinstance(given, list) else []


def pbx_tables(raw: Mapping[str, Any]) -> list[tuple[Path, dict[str, Any]]]:
    """Return the tables of the Asterisks, each with its place: one `[asterisk]`, or several `[[asterisk]]`."""
    if isinstance(raw.get("asterisk"), list):
        return [(("asterisk", index), block) for index, block in tables(raw, "asterisk")]
    return [(("asterisk",), table(raw, "asterisk"))]


def pbx_names(raw: Mapping[str, Any]) -> list[str]:
    """Return the names of the Asterisks, in the order of the file; one without a name has that of the only one."""
    given = (block.get("name", DEFAULT_PBX) for _, block in pbx_tables(raw))
    return [name for name in given if isinstance(name, str)]


def table(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the table `key`; an empty one when it is none."""
    given = raw.get(key)
    return given if isinstance(given, dict) else {}


def texts(place: Mapping[str, Any], key: str) -> list[tuple[int, str]]:
    """Return the texts in the list `key`, each with its place in it."""
    given = place.get(key)
    return [pair for pair in enumerate(given) if isinstance(pair[1], str)] if isinstance(given, list) else []


def names(blocks: Tables) -> set[str]:
    """Return the names of the blocks that have one."""
    return {block["name"] for _, block in blocks if isinstance(block.get("name"), str)}


def home(raw: Mapping[str, Any]) -> str:
    """Return the country that numbers without + belong to."""
    country = table(raw, "dialer").get("home_country")
    return country if isinstance(country, str) and country in phonenumbers.SUPPORTED_REGIONS else "JP"


@dataclass(frozen=True, slots=True)
class Routes:
    """The ways that the file describes."""

    ways: list[tuple[Path, Way]]
    """Each with the place where its destination stands."""
    are_all_read: bool
    """False when a destination was passed over."""


def routes(raw: Mapping[str, Any]) -> Routes:
    """Return the ways. A queue's own numbers are an entrance of the queue's name, at the place where they stand."""
    ways: list[tuple[Path, Way]] = []
    written = list(_written(raw))
    for path, place, turn, given in written:
        try:
            destination = parse_destination(given)
        except ValueError:
            continue
        ways.append((path, Way(place, turn, destination, str(path[-1]) if turn is Turn.KEY else None)))
    return Routes(ways, are_all_read=len(ways) == len(written))


def _written(raw: Mapping[str, Any]) -> Iterator[tuple[Path, Place, Turn, Any]]:
    """Yield each destination as it is written: where it stands, and what leads to it."""
    for index, block, name in _named(raw, "entrances"):
        yield ("entrances", index, "leads_to"), Place(Kind.ENTRANCE, name), Turn.LEADS_TO, block.get("leads_to")
    for index, block, name in _named(raw, "menus"):
        here = Place(Kind.MENU, name)
        for key, given in table(block, "keys").items():
            yield ("menus", index, "keys", key), here, Turn.KEY, given
        for turn in (Turn.NO_KEY, Turn.WRONG_KEY):
            if turn.value in block:
                yield ("menus", index, turn.value), here, turn, block[turn.value]
    for index, block, name in _named(raw, "queues"):
        if texts(block, "dialled_numbers"):
            path: Path = ("queues", index, "dialled_numbers")
            yield path, Place(Kind.ENTRANCE, name), Turn.LEADS_TO, {"queue": name}
        limits = table(block, "limits")
        for turn in LIMITS:
            if turn.value in limits:
                yield ("queues", index, "limits", turn.value), Place(Kind.QUEUE, name), turn, limits[turn.value]


def _named(raw: Mapping[str, Any], key: str) -> Iterator[tuple[int, dict[str, Any], str]]:
    for index, block in tables(raw, key):
        name = block.get("name")
        if isinstance(name, str):
            yield index, block, name
