"""The turns of the line in a time that goes on: those that are new, and those that are none after all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select

from controller.store.facts_calls import read_given, turns_of
from controller.store.facts_spans_so_far import in_parts
from controller.store.tables import line_decisions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.fairness import Turn
    from controller.store.facts_calls import Given

_OF = line_decisions.c


@dataclass(frozen=True, slots=True)
class TurnsMark:
    """What is to be known of the looks so far."""

    read_to: int
    """Decisions after this id are read again: one before the last may be committed after it."""
    told: frozenset[int]
    """Callers' turns after it that have been told."""
    going_on: frozenset[int]
    by_promise: dict[str, dict[int, Given]] = field(default_factory=dict)
    """Of a promise all: what one decision comes to depends on the others."""


@dataclass(frozen=True, slots=True)
class TurnsSoFar:
    """What one look found."""

    came: tuple[Turn, ...]
    gone: tuple[Turn, ...]
    mark: TurnsMark


async def read_turns_so_far(
    connection: AsyncConnection, start: datetime, end: datetime, quiet: datetime, mark: TurnsMark | None
) -> TurnsSoFar:
    """Return the turns of [start, end) that are new since the look of `mark`, whose `by_promise` is used up."""
    within = and_(_OF.at >= start, _OF.at < end)
    if mark is None:
        given = await read_given(connection, within)
        first = min((one.id for one in given), default=None)
        read_to = first - 1 if first is not None else await connection.scalar(select(func.max(_OF.id))) or 0
        mark = TurnsMark(read_to, frozenset(), frozenset())
    else:
        given = await read_given(connection, and_(_OF.id > mark.read_to, within))
        for ids in in_parts(mark.going_on):
            given += await read_given(connection, _OF.id.in_(ids))
    came = [one.turn for one in given if not one.promise_id and one.id not in mark.told]
    gone: list[Turn] = []
    changed: defaultdict[str, list[Given]] = defaultdict(list)
    for one in given:
        if one.promise_id:
            changed[one.promise_id].append(one)
    for promise_id, some in changed.items():
        theirs = mark.by_promise.setdefault(promise_id, {})
        before = _turns_of(theirs.values())
        theirs.update((one.id, one) for one in some)
        now = _turns_of(theirs.values())
        came += [turn for turn in now if turn not in before]
        gone += [turn for turn in before if turn not in now]
    read_to = max((one.id for one in given if one.turn.at < quiet), default=0)
    read_to = max(read_to, mark.read_to)
    return TurnsSoFar(
        tuple(came),
        tuple(gone),
        TurnsMark(
            read_to=read_to,
            told=frozenset(one.id for one in given if one.id > read_to and not one.promise_id),
            going_on=frozenset(one.id for one in given if one.id <= read_to and not one.is_settled),
            by_promise=mark.by_promise,
        ),
    )


def _turns_of(given: Iterable[Given]) -> tuple[Turn, ...]:
    return turns_of(sorted(given, key=lambda one: (one.turn.at, one.id)))
