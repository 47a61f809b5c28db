"""The record of what agents did with their time: each unbroken time in one state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.domain.promise import DEFAULT_PBX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from controller.domain.agents import AgentState
    from controller.domain.line import WaiterKind


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """One span as it is written down. Times are aware UTC."""

    agent: str
    state: AgentState
    since: datetime
    until: datetime | None = None
    """None: it goes on."""
    reason: str = ""
    """Of a pause by hand; "missed" of the one after a call that was not answered."""
    queues: frozenset[str] = frozenset()
    """Which the agent served then."""
    queue: str = ""
    """Of whom they were set aside for, rang for, talked with or wrapped up after; "" for nobody, as the next two."""
    waiter_id: str = ""
    kind: WaiterKind | None = None
    pbx: str = DEFAULT_PBX
    is_new: bool = True
    """False: it is in the record, and ends otherwise than it says there."""

    @property
    def identity(self) -> tuple[str, str, str, datetime, str]:
        """What tells it from every other."""
        return self.pbx, self.agent, self.state.value, self.since, self.waiter_id


class AgentSpans(Protocol):
    """Keeps every span, but for the time signed out, which is nobody's to keep."""

    async def record(self, spans: Sequence[SpanRecord]) -> None:
        """Write spans in one transaction, the later word on one span for the earlier. Raises StoreUnavailableError."""
        ...

    async def close_left_open(self, pbx: str, *, before: datetime) -> list[SpanRecord]:
        """Close what a controller that died has left open at an Asterisk since before an instant; return it.

        Nobody knows when it died: each ends with the last thing that is known of that Asterisk, and that may be its own
        beginning. Raises StoreUnavailableError.
        """
        ...
