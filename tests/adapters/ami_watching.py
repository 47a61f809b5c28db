"""A watcher under observation: run it, hear what it says, and decide when its pauses end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from controller.asterisk.ami import FOLLOWED_EVENTS, AmiWatcher
from controller.asterisk.ami_account import AmiAccount
from controller.ports.phones import DeviceState, PhoneStatus
from tests.adapters.ami_server import SECRET, USER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from controller.ports.phones import PbxNews

SETTING_UP = ["Login"] + ["Filter"] * len(FOLLOWED_EVENTS)
LISTING = ["DeviceStateList", "PJSIPShowContacts", "PJSIPShowEndpoints"]
IDLE = PhoneStatus("agent-1", registered=True, device=DeviceState.NOT_INUSE)
BUSY = PhoneStatus("agent-1", registered=True, device=DeviceState.INUSE)


class GatedClock:
    """A clock whose sleeps last until the test lets them end; `asked` has their lengths in seconds."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self._gate = asyncio.Semaphore(0)

    def now(self) -> datetime:
        """Nobody here asks for the time of day."""
        raise NotImplementedError

    async def sleep(self, delay_s: float) -> None:
        """Wait for `let_go`."""
        self.asked.put_nowait(delay_s)
        await self._gate.acquire()

    def let_go(self) -> None:
        """End one sleep."""
        self._gate.release()


class Listener:
    """A subscriber that remembers everything and can be waited for."""

    def __init__(self) -> None:
        self.statuses: list[PhoneStatus] = []
        self.pbx: list[PbxNews] = []
        self._wake = asyncio.Event()

    def phone(self, status: PhoneStatus) -> None:
        """Take a status."""
        self.statuses.append(status)
        self._wake.set()

    def news(self, news: PbxNews) -> None:
        """Take news of the PBX."""
        self.pbx.append(news)
        self._wake.set()

    async def until(self, status: PhoneStatus, *, within_s: float = 10) -> None:
        """Return once this status is the newest of its endpoint. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not any(status == newest for newest in {seen.endpoint: seen for seen in self.statuses}.values()):
                self._wake.clear()
                await self._wake.wait()

    async def until_pbx(self, news: PbxNews, count: int = 1, *, within_s: float = 10) -> None:
        """Return once this news was told `count` times. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while self.pbx.count(news) < count:
                self._wake.clear()
                await self._wake.wait()


class Watch:
    """A running watcher with its listener and its clock."""

    def __init__(self, port: int, **overrides: Any) -> None:
        account: dict[str, Any] = {"host": "127.0.0.1", "username": USER, "secret": SECRET}
        account |= {name: overrides.pop(name) for name in (*account, "action_timeout_s") if name in overrides}
        self.clock = GatedClock()
        self.trunks: list[tuple[str, bool]] = []
        self.trunk_news: asyncio.Queue[None] = asyncio.Queue()
        self.watcher = AmiWatcher(
            AmiAccount(port=port, **account), clock=self.clock, **{"endpoints": ["agent-1"]} | overrides
        )
        self.watcher.on_trunk = self._trunk
        self.heard = Listener()
        self.watcher.subscribe(self.heard.phone)
        self.watcher.subscribe_pbx(self.heard.news)

    def _trunk(self, endpoint: str, healthy: bool) -> None:
        self.trunks.append((endpoint, healthy))
        self.trunk_news.put_nowait(None)

    async def failure(self) -> str:
        """Wait until the watcher has given up on a connection; return the problem it states."""
        async with asyncio.timeout(10):
            await self.clock.asked.get()
        assert self.watcher.stale
        return self.watcher.problem or ""


@asynccontextmanager
async def watching(port: int, **overrides: Any) -> AsyncIterator[Watch]:
    """Run a watcher for the length of the block."""
    watch = Watch(port, **overrides)
    task = asyncio.create_task(watch.watcher.run())
    try:
        yield watch
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
