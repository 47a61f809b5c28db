"""Writes the line's decisions down, behind whoever makes them: a decision never waits for the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.line import Decision
from controller.workers.write_behind import KEPT, WriteBehind

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock
    from controller.ports.line_audit import LineAudit


class LineRecorder(WriteBehind[Decision]):
    """Takes decisions by `note`, and writes them in their order."""

    def __init__(self, audit: LineAudit, clock: Clock, log: FilteringBoundLogger, *, keep: int = KEPT) -> None:
        super().__init__(audit.record, clock, log, what="line_audit", keep=keep)
