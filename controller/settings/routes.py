"""Mistakes in where calls go: names that do not exist, ways that go round, queues that nobody reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.domain.menu_graph import Kind, Place, Way, reached, rings, told_ring
from controller.settings.mistakes import nearest
from controller.settings.raw import Finding, names, routes, table, tables, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.settings.toml_lines import Path

_TABLE_OF = {Kind.MENU: "menus", Kind.QUEUE: "queues", Kind.WEB_PAGE: "web_pages"}


def route_mistakes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each mistake in the ways of the file."""
    found = routes(raw)
    unknown = list(_unknown(raw, found.ways))
    yield from unknown
    yield from _rings(found.ways)
    if not unknown and found.are_all_read:  # else it would be told twice, and in the wrong place
        yield from _unreached(raw, found.ways)


def _unknown(raw: Mapping[str, Any], all_ways: list[tuple[Path, Way]]) -> Iterator[Finding]:
    known = {kind: names(tables(raw, key)) for kind, key in _TABLE_OF.items()}
    for path, way in all_ways:
        target = way.target
        if target is not None and target.name not in known[target.kind]:
            yield path, f"there is no {target}{nearest(target.name, known[target.kind])}"


def _rings(all_ways: list[tuple[Path, Way]]) -> Iterator[Finding]:
    places = {way: path for path, way in reversed(all_ways)}
    for ring in rings([way for _, way in all_ways]):
        what = f"goes round for ever without a key of the caller's: {told_ring(ring)}"
        yield places[ring[0]], f"{what}; let one of them end in a message, a callback or another number"


def _unreached(raw: Mapping[str, Any], all_ways: list[tuple[Path, Way]]) -> Iterator[Finding]:
    if table(raw, "agi").get("enabled") is True:
        return  # an existing dialplan may lead to any queue
    found = reached(way for _, way in all_ways)
    for index, queue in tables(raw, "queues"):
        name = queue.get("name")
        if isinstance(name, str) and Place(Kind.QUEUE, name) not in found and not texts(queue, "dialled_numbers"):
            yield (
                ("queues", index),
                "nobody reaches it: give it dialled_numbers, or let an entrance, a menu or another queue lead to it",
            )
