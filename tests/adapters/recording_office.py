"""Who looks after recordings, on a real database, beside a PBX that has what it is given; time is turned by hand."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.journeys.recorded import Recorded
from controller.ports.calls import PbxUnavailableError
from controller.workers.recording_keeper import LOOK_AGAIN_S, LOOK_TWICE_S, RecordingKeeper
from tests.adapters.promise_house import LockedRoom
from tests.contract.recorded import over

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from controller.store import Store
    from tests.contract.store_under_test import HandClock


class Shelf(LockedRoom):
    """A PBX with so much sound, some of which is being written."""

    def __init__(self, *going_on: str, kept: tuple[str, ...] = ()) -> None:
        self.going_on = set(going_on)
        self.kept = {*going_on, *kept}
        self.paused: list[str] = []
        self.asked: Counter[str] = Counter()
        self.is_away = False
        self.fails_for = ""
        self.stuck: frozenset[str] = frozenset()
        self.meanwhile: list[Callable[[], None]] = []
        """What happens while it is asked, each time the next."""

    async def is_going_on(self, recording_id: str) -> bool:
        """Tell it."""
        self._ask(recording_id)
        return recording_id in self.going_on

    async def pause(self, recording_id: str) -> bool:
        """Pause it."""
        self._ask(recording_id)
        self.paused.append(recording_id)
        return recording_id in self.going_on

    async def erase(self, recording_id: str) -> None:
        """Delete it."""
        self._ask(recording_id)
        if recording_id in self.stuck:
            raise PbxUnavailableError("500 Internal Server Error")
        self.kept.discard(recording_id)

    def _ask(self, recording_id: str) -> None:
        self.asked[recording_id] += 1
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if self.is_away or recording_id == self.fails_for:
            raise PbxUnavailableError("there is no connection")


@dataclass
class Office:
    """A keeper that runs, with all that it is handed."""

    store: Store
    clock: HandClock
    shelf: Shelf
    recorded: Recorded = field(default_factory=Recorded)

    def __post_init__(self) -> None:
        self.keeper = RecordingKeeper(
            self.store.recordings,
            self.shelf,
            self.recorded,
            self.clock,
            pbx="asterisk",
            unwanted=self.store.recordings_unwanted,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Let the keeper run for the length of the block, from when it has looked for what is to be erased."""
        running = asyncio.create_task(self.keeper.run())
        try:
            await self.rests(1)
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert self.store.recordings_unwanted == []

    async def rests(self, times: int) -> list[float]:
        """Wait until it has begun to rest so many times; return for how long each."""
        async with asyncio.timeout(30):
            return [await self.clock.slept.get() for _ in range(times)]

    async def connects(self) -> list[float]:
        """Let a connection be made, and see what the keeper does about it: it looks, and it erases."""
        self.keeper.connected()
        return sorted(await self.rests(2))

    async def looks_twice(self) -> None:
        """Let it look again for what it did not find."""
        assert await self.later(LOOK_TWICE_S, times=1) == [LOOK_AGAIN_S]

    async def later(self, by_s: float, times: int = 2) -> list[float]:
        """Let time pass; return for how long it rests then."""
        self.clock.turn(by_s)
        return await self.rests(times)

    async def is_over(self, recording_id: str = "r-1") -> bool:
        """Tell whether the record says that one is over."""
        found = await self.store.recordings.find(recording_id)
        assert found is not None
        return found.ended_at is not None


async def unwanted(store: Store, *ids: str) -> None:
    """Let recordings be deleted."""
    for recording_id in ids:
        await over(store, recording_id)
        assert await store.recordings.delete(recording_id)
