"""Asterisk's queue_log, written by way of AMI: Asterisk adds the time and puts the line into its own file or table.

Names, fields and their order are app_queue's (apps/app_queue.c of Asterisk 22; Asterisk documentation, "Queue Logs").
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from controller.asterisk.ami_account import Retries, connect_for_ever
from controller.asterisk.ami_errors import AmiRefusedError
from controller.asterisk.ami_wire import header
from controller.domain.queue_events import (
    Abandoned,
    AgentAdded,
    AgentPaused,
    AgentRemoved,
    AgentUnpaused,
    Completed,
    Connected,
    Entered,
    LeftAfterMaxWait,
    LeftEmptyQueue,
    LeftWithKey,
    RangOut,
)
from controller.ports.queue_log import QueueLog

if TYPE_CHECKING:
    from typing import NoReturn

    from controller.asterisk.ami_account import AmiAccount
    from controller.asterisk.ami_errors import AmiError
    from controller.asterisk.ami_wire import AmiConnection
    from controller.domain.queue_events import QueueEvent
    from controller.ports.clock import Clock

log = structlog.get_logger(__name__)

NOBODY = "NONE"
"""What app_queue writes where there is no agent, or no call."""
FROM_OUTSIDE = "MANAGER"
"""What app_queue writes in the place of a call when a program adds or removes a member."""
CAPACITY = 10_000
"""Lines that are kept while AMI is away: some 2,000 calls, 2 MB."""
RETRIES = Retries()
LONGEST_FIELD = 80
"""Asterisk reads at most 1,024 characters of an AMI line."""
_WHAT_TO_DO = "give the AMI user write = agent in manager.conf, and load app_queue"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log, without its time."""

    queue: str
    event: str
    call_id: str = NOBODY
    agent: str = NOBODY
    fields: tuple[str, ...] = ()


def line_of(event: QueueEvent) -> Line:
    """Return the line that app_queue writes for an event: whole seconds, rounded down; milliseconds in RINGNOANSWER."""
    match event:
        case Entered(call_id, queue, number, place):
            return Line(queue, "ENTERQUEUE", call_id, fields=("", number or "", str(place)))
        case RangOut(call_id, queue, agent, ring_s):
            return Line(queue, "RINGNOANSWER", call_id, agent, (str(max(0, round(ring_s * 1000))),))
        case Connected(call_id, queue, agent, hold_s, agent_call_id, ring_s):
            return Line(queue, "CONNECT", call_id, agent, (_seconds(hold_s), agent_call_id, _seconds(ring_s)))
        case Completed(call_id, queue, agent, hold_s, talk_s, first_place, by_agent):
            name = "COMPLETEAGENT" if by_agent else "COMPLETECALLER"
            return Line(queue, name, call_id, agent, (_seconds(hold_s), _seconds(talk_s), str(first_place)))
        case Abandoned() | LeftWithKey() | LeftAfterMaxWait() | LeftEmptyQueue():
            return _left(event)
        case AgentAdded() | AgentRemoved() | AgentPaused() | AgentUnpaused():
            return _duty(event)


def _left(event: Abandoned | LeftWithKey | LeftAfterMaxWait | LeftEmptyQueue) -> Line:
    """Return the line of a caller who left without an agent."""
    fields = (str(event.place), str(event.first_place), _seconds(event.wait_s))
    match event:
        case Abandoned():
            return Line(event.queue, "ABANDON", event.call_id, fields=fields)
        case LeftWithKey():
            return Line(event.queue, "EXITWITHKEY", event.call_id, fields=(event.key, *fields))
        case LeftAfterMaxWait():
            return Line(event.queue, "EXITWITHTIMEOUT", event.call_id, fields=fields)
        case LeftEmptyQueue():
            return Line(event.queue, "EXITEMPTY", event.call_id, fields=fields)


def _duty(event: AgentAdded | AgentRemoved | AgentPaused | AgentUnpaused) -> Line:
    """Return the line of an agent who comes or goes."""
    match event:
        case AgentAdded(queue, agent):
            return Line(queue, "ADDMEMBER", FROM_OUTSIDE, agent)
        case AgentRemoved(queue, agent):
            return Line(queue, "REMOVEMEMBER", FROM_OUTSIDE, agent)
        case AgentPaused(queue, agent, reason):
            return Line(queue, "PAUSE", agent=agent, fields=(reason,))
        case AgentUnpaused(queue, agent):
            return Line(queue, "UNPAUSE", agent=agent)


def headers_of(line: Line) -> dict[str, str]:
    """Return the headers of the AMI action QueueLog. Nothing in a field can begin another field, or another header."""
    headers = {
        "Queue": _field(line.queue),
        "Event": line.event,
        "Uniqueid": _field(line.call_id),
        "Interface": _field(line.agent),
    }
    message = "|".join(map(_field, line.fields))
    return {**headers, "Message": message} if message else headers


class AmiQueueLog(QueueLog):
    """Writes on a connection of its own, in order. `run` does the work and never returns by itself.

    What is noted while AMI is away is written once it is back, with the time of then. Past `capacity` lines the
    oldest are given up, and how many is told in the log. A line whose answer never came is not sent again: a line
    twice makes a report as wrong as none.
    """

    def __init__(
        self,
        account: AmiAccount,
        *,
        clock: Clock,
        capacity: int = CAPACITY,
        ping_interval_s: float = 30,
        retries: Retries = RETRIES,
    ) -> None:
        self._account = account
        self._clock = clock
        self._spool: deque[Line] = deque(maxlen=capacity)
        self._noted = asyncio.Event()
        self._ping_interval_s = ping_interval_s
        self._retries = retries
        self._dropped = 0
        self._works = False

    def note(self, event: QueueEvent) -> None:
        """Put one event at the end of the spool."""
        if len(self._spool) == self._spool.maxlen:
            self._dropped += 1
        self._spool.append(line_of(event))
        self._noted.set()

    async def run(self) -> None:
        """Connect and write; on any failure say so and try again, for ever. For a TaskGroup."""
        await connect_for_ever(
            self._write_over_one_connection,
            clock=self._clock,
            retries=self._retries,
            worked=lambda: self._works,
            on_failure=self._note_failure,
        )

    def _note_failure(self, failure: AmiError, next_try_in_s: float) -> None:
        self._works = False
        log.warning("queue log down", problem=str(failure), waiting=len(self._spool), next_try_in_s=next_try_in_s)

    async def _write_over_one_connection(self) -> NoReturn:
        """Raise AmiError, always: a connection ends in no other way."""
        async with self._account.session() as connection:
            while True:
                self._noted.clear()
                while self._spool:
                    await self._write_first(connection)
                await connection.until(self._noted, self._ping_interval_s)
                if not self._spool:
                    await connection.act("Ping")

    async def _write_first(self, connection: AmiConnection) -> None:
        connection.check()
        line = self._spool.popleft()
        answer, *_ = await connection.act("QueueLog", **headers_of(line))
        if header(answer, "Response") != "Success":
            self._keep(line)
            reason = header(answer, "Message").strip()
            raise AmiRefusedError(f"AMI at {connection.where}: QueueLog refused ({reason}): {_WHAT_TO_DO}")
        self._works = True
        if self._dropped:
            log.error("lines of the queue log are lost: AMI was away too long", lost=self._dropped)
            self._dropped = 0

    def _keep(self, line: Line) -> None:
        """Put a line that was not written back in front, unless younger ones have filled its place."""
        if len(self._spool) == self._spool.maxlen:
            self._dropped += 1
        else:
            self._spool.appendleft(line)


def _seconds(duration_s: float) -> str:
    return str(max(0, int(duration_s)))


def _field(text: str) -> str:
    return "".join(letter if letter.isprintable() and letter != "|" else "_" for letter in text[:LONGEST_FIELD])
