"""Where the figures come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.figure_facts import Facts, FactsSince


class FactsSoFar(Protocol):
    """Reads a time that is not over yet again and again; each time what is new, and what may have changed."""

    async def read(self, as_of: datetime) -> FactsSince:
        """Return what there is now and was not told before, and what goes on; one look at a time. Aware UTC.

        What is told counts as told once this has returned. Raises StoreUnavailableError: nothing was told then.
        """
        ...


class FactsBook(Protocol):
    """Reads what happened. Every method raises StoreUnavailableError when the database fails."""

    async def facts(self, start: datetime, end: datetime, *, as_of: datetime, queue: str | None = None) -> Facts:
        """Return all that touches [start, end), as `controller.domain.figures.by_interval` wants it.

        Calls that arrived then, the promises that were asked for then, their attempts and SMS whenever those were; the
        talks and agents' spans that touch it; the line's turns of then. `queue`: of one queue alone. Aware UTC.
        """
        ...

    def so_far(self, start: datetime, end: datetime) -> FactsSoFar:
        """Return who reads [start, end) while it goes on; at no time it has told less than `facts` would."""
        ...
