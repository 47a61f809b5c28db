"""Rooms of a scene that are too small for a file of their own: the queue_log, the lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.ports.lease import lease_of_pbx

if TYPE_CHECKING:
    from controller.domain.queue_events import QueueEvent


class Noted:
    """The queue_log of a scene: a list."""

    def __init__(self, events: list[QueueEvent]) -> None:
        self._events = events

    def note(self, event: QueueEvent) -> None:
        """Add one event."""
        self._events.append(event)


class Leading:
    """The lease of a scene: held, unless a test says otherwise."""

    name = lease_of_pbx()
    term: int | None = 0
