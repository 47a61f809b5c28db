"""Looks after what one Asterisk records: knows what goes on after we were away, and erases what nobody wants."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from controller.domain.recording import RecordingState
from controller.journeys.race import first_of
from controller.ports.calls import PbxUnavailableError
from controller.ports.promises import StoreUnavailableError
from controller.workers.until_stored import GROWING_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from controller.domain.recording import Recording
    from controller.journeys.recorded import Recorded
    from controller.ports.clock import Clock
    from controller.ports.recordings import RecordingBook, RecordingShelf

log = structlog.get_logger(__name__)

LOOK_AGAIN_S = 60.0
"""However long nobody wakes us: a command beside us, or another controller, may have marked something."""
LOOK_TWICE_S = 10.0
"""A recording that is not there may be about to begin, its row is first: only if it is not there then, it is over."""
BATCH = 100
MOST_REFUSALS = 3
"""After so many in a row the PBX is taken to be away, and not to have a file that it cannot delete."""
_AWAY = (PbxUnavailableError, StoreUnavailableError)


class RecordingKeeper:
    """One for each office, so that it is whoever has the lease of an Asterisk. All it does is safe to do again."""

    def __init__(
        self,
        book: RecordingBook,
        shelf: RecordingShelf,
        recorded: Recorded,
        clock: Clock,
        *,
        pbx: str,
        unwanted: list[Callable[[], None]],
    ) -> None:
        """`unwanted` are the listeners who hear that sound is to be erased: we are one of them while we run."""
        self._book = book
        self._shelf = shelf
        self._recorded = recorded
        self._clock = clock
        self._pbx = pbx
        self._listeners = unwanted
        self._connected = asyncio.Event()
        self._is_new = False
        """Nobody has looked yet since the connection was made."""
        self._woken = asyncio.Event()
        self._found: set[str] = set()
        """What was found to go on before a journey told of it: its end may be seen by nobody but us."""
        self._missing: dict[str, datetime] = {}
        """What was not found to go on over this connection, since when."""
        self._refused: set[str] = set()
        """What the PBX would not erase when it was asked last; it is asked for all others first."""

    def connected(self) -> None:
        """Take note of a new connection, after what happened meanwhile was settled. Returns at once."""
        self._is_new = True
        self._connected.set()
        self._woken.set()

    def wake(self) -> None:
        """Take note that there may be sound to erase. Returns at once."""
        self._woken.set()

    async def run(self) -> None:
        """Keep what goes on known, and erase what is unwanted, until cancelled."""
        self._listeners.append(self.wake)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._see_to_what_goes_on())
                tasks.create_task(self._again_and_again(self._erase, self._woken, "recordings cannot be erased yet"))
        finally:
            self._listeners.remove(self.wake)

    async def _see_to_what_goes_on(self) -> None:
        await self._connected.wait()
        await self._again_and_again(self._look, self._connected, "recordings cannot be looked after yet")

    async def _again_and_again(self, work: Callable[[], Awaitable[float]], woken: asyncio.Event, trouble: str) -> None:
        """Work when woken, and after as long as it says; what is away is asked again in growing pauses."""
        failures = 0
        while True:
            woken.clear()
            try:
                pause_s, failures = await work(), 0
            except _AWAY as error:
                pause_s = GROWING_S[min(failures, len(GROWING_S) - 1)]
                if failures == 0:
                    log.warning(trouble, reason=str(error), retry_in_s=pause_s)
                failures += 1
            await first_of(woken=woken.wait(), time=self._clock.sleep(pause_s))

    # -- what goes on

    async def _look(self) -> float:
        is_first = self._is_new
        if is_first:
            self._missing.clear()
        rows = await self._book.going_on(self._pbx)
        ids = {row.id for row in rows}
        self._found &= ids
        self._missing = {one: since for one, since in self._missing.items() if one in ids}
        for row in rows:
            known = self._state_of(row)
            if known is None or row.id in self._found:
                await self._look_at(row)
            elif is_first and row.paused_at is not None and known is RecordingState.PAUSED:
                await self._shelf.pause(row.id)
        self._is_new = self._connected.is_set()  # by a further connection, while we looked
        return LOOK_TWICE_S if self._missing else LOOK_AGAIN_S

    def _state_of(self, row: Recording) -> RecordingState | None:
        known = self._recorded.of(row.agent)
        return known[1] if known is not None and known[0] == row.id else None

    async def _look_at(self, row: Recording) -> None:
        if await self._shelf.is_going_on(row.id):
            self._missing.pop(row.id, None)
            await self._take_up(row)
            return
        now = self._clock.now()
        if (now - self._missing.setdefault(row.id, now)).total_seconds() < LOOK_TWICE_S:
            return
        self._recorded.ended(row.id)
        if await self._book.end(row.id, now):
            log.info("a recording has ended while nobody saw it", recording_id=row.id)
        self._missing.pop(row.id)

    async def _take_up(self, row: Recording) -> None:
        if row.id in self._found:
            return
        is_paused = row.paused_at is not None
        # Nobody has said that what is said from now on may be kept, whatever the PBX made of the pause.
        if is_paused and not await self._shelf.pause(row.id):
            return
        # Unless a journey was quicker, with this one or with the agent's next.
        if self._recorded.of(row.agent) is None:
            self._found.add(row.id)
            self._recorded.begun(row.agent, row.id, paused=is_paused)

    # -- what is unwanted

    async def _erase(self) -> float:
        in_a_row, count = 0, 0
        tried: set[str] = set()
        try:
            while ids := [one for one in await self._next() if one not in tried]:
                for recording_id in ids:
                    tried.add(recording_id)
                    try:
                        await self._shelf.erase(recording_id)
                    except PbxUnavailableError:
                        self._refused.add(recording_id)
                        in_a_row += 1
                        if in_a_row >= MOST_REFUSALS:
                            raise
                        continue
                    await self._book.erased(recording_id, self._clock.now())
                    self._refused.discard(recording_id)
                    in_a_row, count = 0, count + 1
        finally:
            if count:
                log.info("recordings were erased", count=count)
        if self._refused:
            raise PbxUnavailableError(f"the PBX does not delete {', '.join(sorted(self._refused))}")
        return LOOK_AGAIN_S

    async def _next(self) -> list[str]:
        ids = await self._book.to_erase(self._pbx, BATCH + len(self._refused))
        self._refused &= set(ids)
        return sorted(ids, key=self._refused.__contains__)
