"""What on the floor needs a person: found in what is seen there, and kept with when it began."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.ports.floor import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from controller.ports.floor import FloorNow
    from controller.ports.floor_book import FloorLook

CODES_STOPPED_FOR = timedelta(hours=1)
"""So long after a code was held back it is told."""
MOST_LATE = 20
"""Of promises that are late so many are told, the latest ones first: where there are more, one reads the list."""
_NOT_THERE = frozenset({"opening", "coming_home", "standing_by"})


class Problems:
    """Finds them. `since` of what has no instant of its own is when it was first seen."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], datetime] = {}

    def found(self, floor: FloorNow, look: FloorLook) -> tuple[Problem, ...]:
        """Return all of them, the critical ones first; those that the floor has already are kept."""
        found = [*floor.problems, *_of_pbxs(floor), *_of_trunks(floor), *_of_queues(floor), *_of_promises(floor)]
        found += [*_of_texts(floor, look), *_of_hooks(look)]
        self._since = {(one.kind, one.what): self._since.get((one.kind, one.what), floor.at) for one in found}
        dated = [replace(one, since=one.since or self._since[one.kind, one.what]) for one in found]
        return tuple(sorted(dated, key=lambda one: one.severity is not Severity.CRITICAL))


def _of_pbxs(floor: FloorNow) -> Iterator[Problem]:
    for pbx in floor.pbxs:
        # Where another controller has it, that one tells.
        if pbx.state == "opening" or (pbx.state in _NOT_THERE and not pbx.member):
            yield Problem("pbx_away", Severity.CRITICAL, pbx.name)


def _of_trunks(floor: FloorNow) -> Iterator[Problem]:
    works = {(trunk.pbx, trunk.name): trunk.healthy and trunk.rests_s <= 0 for trunk in floor.trunks}
    for (pbx, name), is_up in works.items():
        if not is_up:
            has_other_way = any(up for (at, _), up in works.items() if at == pbx)
            yield Problem("trunk_down", Severity.WARNING if has_other_way else Severity.CRITICAL, name)


def _of_queues(floor: FloorNow) -> Iterator[Problem]:
    for queue in floor.queues:
        # Who holds when it closes is served all the same.
        if queue.agents_on_duty == 0 and (queue.live or (queue.is_open and queue.promises_due)):
            yield Problem("no_agents", Severity.CRITICAL if queue.live else Severity.WARNING, queue.name)


def _of_promises(floor: FloorNow) -> Iterable[Problem]:
    late = [
        Problem("promise_late", Severity.WARNING, entry.id, entry.due_by)
        for entry in floor.line
        if entry.due_by is not None and entry.due_by < floor.at
    ]
    return sorted(late, key=lambda one: (one.since or floor.at, one.what))[:MOST_LATE]


def _of_texts(floor: FloorNow, look: FloorLook) -> Iterator[Problem]:
    if look.replies:
        yield Problem("reply_needs_person", Severity.WARNING, since=look.first_reply_at)
    stopped_at = look.codes_stopped_at
    if stopped_at is not None and floor.at - stopped_at < CODES_STOPPED_FOR:
        yield Problem("sms_stopped", Severity.WARNING, since=stopped_at)


def _of_hooks(look: FloorLook) -> Iterator[Problem]:
    for name, failed_at in sorted(look.hooks_failed_at.items()):
        yield Problem("hook_failing", Severity.WARNING, name, failed_at)
