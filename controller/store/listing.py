"""What the database holds, for a person at the command line. Reads only: no file is made, no table is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from controller.domain.promise import PromiseState
from controller.domain.quote_coverage import QuotedWait
from controller.store.line_audit import decision_from
from controller.store.looking import look
from controller.store.tables import HAS_QUOTE, calls, line_decisions, promises

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.engine import Row

    from controller.domain.line import Decision


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """One promise. Times are aware UTC, `number` is E.164."""

    id: str
    queue: str
    number: str
    state: PromiseState
    attempts_used: int
    last_outcome: str | None
    since: datetime
    not_before: datetime
    expires_at: datetime
    slot_starts_at: datetime | None
    slot_ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class CallRow:
    """One incoming call.

    `queue` is None for one that came to no queue, `ending` while it goes on, `number` when it was withheld.
    """

    id: str
    dialled: str
    queue: str | None
    number: str | None
    arrived_at: datetime
    joined_at: datetime | None
    quoted_low_s: float | None
    quoted_high_s: float | None
    agent: str | None
    answered_at: datetime | None
    ending: str | None
    ended_at: datetime | None


async def list_promises(url: str, *, state: PromiseState | None, limit: int) -> list[PromiseRow]:
    """Return the `limit` newest promises, newest first, of one state or of all.

    Raises StoreUnavailableError, also when there is no database yet.
    """
    query = select(*(promises.c[name] for name in PromiseRow.__slots__)).order_by(promises.c.since.desc()).limit(limit)
    if state is not None:
        query = query.where(promises.c.state == state.value)
    rows = await _read(url, query)
    return [PromiseRow(**{**row._asdict(), "state": PromiseState(row.state)}) for row in rows]


async def list_calls(url: str, *, limit: int) -> list[CallRow]:
    """Return the `limit` newest incoming calls, newest first. Raises StoreUnavailableError as `list_promises`."""
    query = select(*(calls.c[name] for name in CallRow.__slots__)).order_by(calls.c.arrived_at.desc()).limit(limit)
    return [CallRow(**row._asdict()) for row in await _read(url, query)]


async def list_waits(url: str, *, since: datetime, until: datetime) -> list[QuotedWait]:
    """Return every wait that was announced in [since, until), and is over, oldest first. Raises as `list_promises`."""
    over_at = func.coalesce(calls.c.answered_at, calls.c.ended_at)
    query = (
        select(calls, over_at.label("over_at"))
        .where(HAS_QUOTE, calls.c.quoted_at >= since, calls.c.quoted_at < until, over_at.is_not(None))
        .order_by(calls.c.quoted_at, calls.c.id)
    )
    return [
        QuotedWait(
            queue=row.queue or "",
            low_s=row.quoted_low_s,
            high_s=row.quoted_high_s,
            waited_s=(row.over_at - row.quoted_at).total_seconds(),
            was_answered=row.answered_at is not None,
        )
        for row in await _read(url, query)
    ]


async def list_decisions(url: str, *, queue: str | None, limit: int) -> list[Decision]:
    """Return the `limit` newest decisions of the line, newest first, of one queue or of all. Raises as above."""
    query = select(line_decisions).order_by(line_decisions.c.at.desc(), line_decisions.c.id.desc()).limit(limit)
    if queue is not None:
        query = query.where(line_decisions.c.queue == queue)
    return [decision_from(row._mapping) for row in await _read(url, query)]  # noqa: SLF001 - SQLAlchemy's public name


async def _read(url: str, query: Select[Any]) -> list[Row[Any]]:
    return await look(url, lambda connection: list(connection.execute(query)))
