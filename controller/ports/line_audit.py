"""The record of the line's decisions: who was served, by whom, in whose stead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from controller.domain.line import Decision


class LineAudit(Protocol):
    """Keeps every decision, so that the order can be checked afterwards."""

    async def record(self, decisions: list[Decision]) -> None:
        """Write decisions in one transaction. Raises StoreUnavailableError."""
        ...
