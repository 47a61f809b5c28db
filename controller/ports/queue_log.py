"""Asterisk's queue_log, as journeys and workers see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from controller.domain.queue_events import QueueEvent


class QueueLog(Protocol):
    """Writes the standard events, so that reports which people already use stay right."""

    def note(self, event: QueueEvent) -> None:
        """Write one event, in the order of calls. Returns at once and never raises: a report never disturbs a call."""
        ...
