"""A running ARI client and everything it heard."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from controller.asterisk.ari.client import AriClient
from controller.asterisk.ari.events import (
    Event,
    StasisStart,
)
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import TypeVar

    from controller.asterisk.ari.objects import Channel
    from controller.provision import Site

    Kind = TypeVar("Kind", bound=Event)

APP = "orikaeshi"
TRUNK = "endpoint:PJSIP/carrier"
UNREACHABLE, UNKNOWN = "09012340001", "09099999999"


class Watched:
    """A running client and everything it heard."""

    def __init__(self, site: Site, password: str) -> None:
        self.heard: list[Event] = []
        self._taken: set[str] = set()
        self._ups = 0
        self.client = AriClient(
            site.ari_url,
            APP,
            site.ari_user,
            password,
            on_event=self._take,
            on_connected=self._up,
            on_disconnected=lambda: None,
            clock=SystemClock(),
            rng=random.Random(3),  # noqa: S311 - spreads reconnects, guards nothing
        )
        self._changed = asyncio.Event()
        self.running: asyncio.Task[None] | None = None

    def _take(self, said: Event) -> None:
        self.heard.append(said)
        self._changed.set()

    def _up(self) -> None:
        self._ups += 1
        self._changed.set()

    async def until(self, kind: type[Kind], test: Callable[[Kind], bool] = lambda _: True) -> Kind:
        """Return the first event of this kind that passes the test, also one from before."""
        async with asyncio.timeout(15):
            while True:
                self._changed.clear()
                for said in self.heard:
                    if isinstance(said, kind) and test(said):
                        return said
                await self._changed.wait()

    async def until_up(self, times: int) -> None:
        """Return once the client has come up that often."""
        async with asyncio.timeout(15):
            while self._ups < times:
                self._changed.clear()
                await self._changed.wait()

    async def caller(self, name: str) -> tuple[Channel, Channel]:
        """Have a call come in through the dialplan; return the caller's end and ours, which is not answered yet."""
        await self.client.channels.originate(
            "Local/s@orikaeshi-inbound/n", channel_id=name, timeout_s=20, app=APP, app_args=f"far,{name}"
        )
        come = await self.until(
            StasisStart, lambda said: said.args[:1] == ("inbound",) and said.channel.id not in self._taken
        )
        self._taken.add(come.channel.id)
        return self.client.channels.named(name), self.client.channels.named(come.channel.id)


@asynccontextmanager
async def watching(site: Site, *, password: str | None = None) -> AsyncIterator[Watched]:
    """Run a client for the length of the block, and leave no channel behind."""
    watched = Watched(site, password or site.ari_password)
    watched.running = running = asyncio.create_task(watched.client.run())
    try:
        await watched.until_up(1)
        yield watched
        for channel in await watched.client.channels.list():
            await asyncio.gather(watched.client.channels.named(channel.id).hangup(), return_exceptions=True)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await watched.client.close()
