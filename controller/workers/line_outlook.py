"""What the line can expect: how long calls have kept agents and how long callers have held, and what follows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from controller.domain.handle_times import HandleTimes
from controller.domain.patience import Patience
from controller.domain.wait_estimate import Announced, Crowding, announce, cause_of, crowd_before, wait_behind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from controller.domain.line import Waiter
    from controller.domain.wait_estimate import Crowd, WaitRange
    from controller.ports.clock import Clock
    from controller.workers.agent_desk import AgentDesk


class LineOutlook:
    """Keeps what was measured of each queue, and estimates from it. Without measurements it goes by what is usual."""

    def __init__(self, desk: AgentDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock
        self._handle: dict[str, HandleTimes] = {}
        self._patience: dict[str, Patience] = {}

    def note_handled(self, queue: str, *handles_s: float) -> None:
        """Take note of how many seconds calls kept their agents, wrap-up included, oldest first."""
        self._handle[queue] = self.handle_times(queue).note_all(handles_s)

    def note_waited(self, queue: str, waited_s: float, *, left: bool) -> None:
        """Take note of how long a live caller was in line, and whether they then left it of themselves."""
        self._patience[queue] = self._patience.get(queue, Patience()).note(waited_s, left=left)

    def handle_times(self, queue: str) -> HandleTimes:
        """Return what is known of a queue's handle times."""
        return self._handle.get(queue, HandleTimes())

    def expected_wait(self, queue: str, ahead: Iterable[Waiter]) -> WaitRange | None:
        """Return the expected wait in `queue` behind those `ahead`, of every queue; None when nobody is on duty."""
        return self._wait_behind(crowd_before(ahead, queue, self._desk.agents), queue)

    def behind(self, line: Sequence[Waiter], queues: Iterable[str]) -> dict[str, WaitRange | None]:
        """Return the expected wait of who joins each of these queues now, behind all of them, in one pass."""
        alike = {(waiter.queue, waiter.kind): waiter for waiter in line}
        counts = Counter((waiter.queue, waiter.kind) for waiter in line)
        waits = {}
        for queue in queues:
            crowding = Crowding(queue, self._desk.agents)
            for kind, waiter in alike.items():
                crowding.add(waiter, counts[kind])
            waits[queue] = self._wait_behind(crowding.crowd, queue)
        return waits

    def along(self, line: Iterable[Waiter]) -> list[WaitRange | None]:
        """Return the expected wait of each of those who stand in line, in its order, in one pass."""
        crowdings: dict[str, Crowding] = {}
        passed: list[Waiter] = []
        waits = []
        for waiter in line:
            mine = crowdings.get(waiter.queue)
            if mine is None:
                mine = crowdings[waiter.queue] = Crowding(waiter.queue, self._desk.agents)
                for before in passed:
                    mine.add(before)
            waits.append(self._wait_behind(mine.crowd, waiter.queue))
            for crowding in crowdings.values():
                crowding.add(waiter)
            passed.append(waiter)
        return waits

    def announce(self, queue: str, ahead: Iterable[Waiter], *, previous: Announced | None) -> Announced | None:
        """Return what may be told now to somebody who was told `previous`; None when nobody is on duty."""
        crowd = crowd_before(ahead, queue, self._desk.agents)
        fresh = self._wait_behind(crowd, queue)
        if fresh is None:
            return None
        now = self._clock.now()
        cause = cause_of(previous, now, crowd, self.handle_times(queue)) if previous is not None else None
        return Announced(now, announce(previous, now, fresh, cause), crowd)

    def _wait_behind(self, crowd: Crowd, queue: str) -> WaitRange | None:
        return wait_behind(crowd, self.handle_times(queue), self._patience.get(queue, Patience()))
