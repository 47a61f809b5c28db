"""Which queues are closed by hand, as was read last: what a journey asks at a queue's door."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from controller.ports.queue_closures import Closure


class ClosedByHand:
    """The closures, in memory: nobody who calls waits for the database to learn that a queue is open."""

    def __init__(self) -> None:
        self._closures: dict[str, Closure] = {}

    def learn(self, closures: Iterable[Closure]) -> None:
        """Take over all that there are."""
        self._closures = {closure.queue: closure for closure in closures}

    def put(self, closure: Closure) -> None:
        """Take over one that is new."""
        self._closures[closure.queue] = closure

    def drop(self, queue: str) -> None:
        """Forget that of a queue, if there is one."""
        self._closures.pop(queue, None)

    def of(self, queue: str, now: datetime) -> Closure | None:
        """Return the closure of a queue that is in force."""
        closure = self._closures.get(queue)
        return closure if closure is not None and closure.is_in_force(now) else None
