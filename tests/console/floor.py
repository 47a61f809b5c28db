"""A floor by a script: it is what a test says, and writes down what was asked of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState
from controller.domain.line import WaiterKind
from controller.ports.floor import AgentEntry, EntryState, FloorNow, LineEntry, QueueEntry, Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.ports.clock import Clock

CALL, PROMISE = "1795331535.14", "081f3bb8bbd48529"
"""Who is in line: a live caller, and a promise that waits behind."""
AGENT, OTHER_AGENT = "agent-1", "agent-2"
NUMBER, OTHER_NUMBER = "+819012345678", "+81312345678"


class ScriptedFloor:
    """`Floor`, of two agents, two queues and two who wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.shown = _at(clock.now())
        """What `now` tells, but for the time; `changed` tells listeners."""
        self.asked: list[tuple[object, ...]] = []
        """The commands, each with what came with it."""
        self.refuses: dict[str, Refused] = {}
        """What is answered to a command, by its name; None to all others."""
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> FloorNow:
        """Return what the test says."""
        return replace(self.shown, at=self._clock.now())

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Tell `listener` of each change."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def changed(self, shown: FloorNow | None = None) -> None:
        """Let the floor be another, and tell whoever listens."""
        self.shown = shown or self.shown
        for listener in tuple(self._listeners):
            listener()

    async def sign_in(self, agent: str) -> Refused | None:
        """Write it down."""
        return self._asked("sign_in", agent)

    async def sign_out(self, agent: str) -> Refused | None:
        """Write it down."""
        return self._asked("sign_out", agent)

    async def pause(self, agent: str, reason: str) -> Refused | None:
        """Write it down."""
        return self._asked("pause", agent, reason)

    async def unpause(self, agent: str) -> Refused | None:
        """Write it down."""
        return self._asked("unpause", agent)

    async def end_wrap_up(self, agent: str) -> Refused | None:
        """Write it down."""
        return self._asked("end_wrap_up", agent)

    async def extend_wrap_up(self, agent: str, by_s: float) -> Refused | None:
        """Write it down."""
        return self._asked("extend_wrap_up", agent, by_s)

    async def hang_up(self, agent: str) -> Refused | None:
        """Write it down."""
        return self._asked("hang_up", agent)

    async def preview(self, agent: str, choice: str) -> Refused | None:
        """Write it down."""
        return self._asked("preview", agent, choice)

    async def prioritise(self, waiter_id: str, *, urgent: bool) -> Refused | None:
        """Write it down."""
        return self._asked("prioritise", waiter_id, urgent)

    async def assign(self, waiter_id: str, agent: str) -> Refused | None:
        """Write it down."""
        return self._asked("assign", waiter_id, agent)

    async def move(self, waiter_id: str, queue: str) -> Refused | None:
        """Write it down."""
        return self._asked("move", waiter_id, queue)

    async def close_queue(self, queue: str, *, by: str, until: datetime | None) -> Refused | None:
        """Write it down."""
        return self._asked("close_queue", queue, by, until)

    async def open_queue(self, queue: str) -> Refused | None:
        """Write it down."""
        return self._asked("open_queue", queue)

    async def announce(self, queue: str, prompt: str) -> Refused | None:
        """Write it down."""
        return self._asked("announce", queue, prompt)

    async def pause_recording(self, agent: str) -> Refused | None:
        """Write it down."""
        return self._asked("pause_recording", agent)

    async def resume_recording(self, agent: str) -> Refused | None:
        """Write it down."""
        return self._asked("resume_recording", agent)

    async def listen(self, agent: str, endpoint: str) -> Refused | None:
        """Write it down."""
        return self._asked("listen", agent, endpoint)

    def _asked(self, command: str, *more: object) -> Refused | None:
        self.asked.append((command, *more))
        return self.refuses.get(command)


def _at(now: datetime) -> FloorNow:
    """Return a floor on which somebody waits, and somebody is free."""
    return FloorNow(
        at=now,
        line=(
            LineEntry(CALL, WaiterKind.LIVE, "support", "asterisk", now, EntryState.WAITING, NUMBER, place=1),
            LineEntry(PROMISE, WaiterKind.PROMISE, "support", "asterisk", now, EntryState.WAITING, OTHER_NUMBER, 2),
        ),
        agents=(
            AgentEntry(AGENT, "asterisk", ("support",), AgentState.AVAILABLE, now, phone_registered=True),
            AgentEntry(OTHER_AGENT, "asterisk", ("support", "sales"), AgentState.PAUSED, now, "lunch"),
        ),
        queues=(
            QueueEntry("support", is_open=True, live=1, promises_due=1, agents_on_duty=1, agents_free=1),
            QueueEntry("sales", is_open=False),
        ),
    )
