"""What the log says of each turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from controller.domain.line import Decision

log = structlog.get_logger("controller.workers.line_keeper")


def tell_turn(decision: Decision) -> None:
    """Say who gets which agent, how long they waited for it, and why it is they."""
    log.info(
        "turn",
        waiter=decision.waiter_id,
        kind=decision.kind.value,
        agent=decision.agent,
        waited_s=round((decision.at - decision.since).total_seconds(), 3),
        reason=decision.reason.value,
    )
