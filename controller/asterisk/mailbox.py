"""One ordered queue of events per call: what stands between the reader, which never waits, and a call, which does."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from controller.asterisk.ari.events import ChannelDtmfReceived

if TYPE_CHECKING:
    from controller.asterisk.ari.events import Event

CAPACITY = 1_000
"""Keys beyond this many unread events are dropped: a caller who leans on a key fills no memory."""


class Mailbox:
    """The events of one call, in the order in which they came. One reader at a time."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._events: deque[Event] = deque()
        self._capacity = capacity
        self._reader: asyncio.Future[None] | None = None
        self.dropped = 0
        """How many keys were dropped."""

    def __len__(self) -> int:
        return len(self._events)

    def post(self, event: Event) -> None:
        """Put an event at the end. Never waits, never fails."""
        if len(self._events) >= self._capacity and isinstance(event, ChannelDtmfReceived):
            self.dropped += 1
            return
        self._events.append(event)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def next(self) -> Event:
        """Take the next event, waiting for one if need be. Cancelled, it has taken none.

        Raise RuntimeError when somebody waits already: two readers would tear the order apart.
        """
        await self.wait()
        return self._events.popleft()

    async def wait(self) -> None:
        """Return as soon as an event is there, and leave it there: this can be raced without losing one."""
        if self._events:
            return
        if self._reader is not None:
            raise RuntimeError("somebody reads this mailbox already")
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None
