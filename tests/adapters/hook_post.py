"""A sender of webhooks on a real outbox, and receivers that listen; time is turned by hand."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import structlog

from controller.hooks.client import HookClient
from controller.hooks.signing import read_secrets
from controller.ports.hooks import HookWish
from controller.workers.hook_sender import HookSender
from tests.adapters.hook_receiver import SECRET, Receiver
from tests.contract.store_under_test import HandClock, make, rows, store_at, wanted

if TYPE_CHECKING:
    from controller.store import Store

NUMBER = "+819012345671"


class Post:
    """A store with hooks, their receivers, and a sender; it can be killed and started anew."""

    def __init__(self, url: str, clock: HandClock) -> None:
        self.url, self.clock = url, clock
        self.receivers: dict[str, Receiver] = {}
        self.entries: list[dict[str, Any]] = []
        self._new: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.rooms = AsyncExitStack()
        self._opened: AsyncExitStack | None = None
        self.task: asyncio.Task[None] | None = None
        self.store: Store

    async def open(self, *names: str, events: tuple[str, ...] = ("*",)) -> None:
        """Open the store, with a hook and a receiver of each name."""
        for name in names:
            if name not in self.receivers:
                self.receivers[name] = await self.rooms.enter_async_context(Receiver().listening())
        await self.leave()
        wishes = tuple(HookWish(name, self.receivers[name].url, events, with_numbers=True) for name in names)
        self._opened = AsyncExitStack()
        prefix = f"p{len(self.entries)}"
        self.store = await self._opened.enter_async_context(
            store_at(self.url, self.clock, prefix=prefix, hooks=wishes, busy_timeout_s=0.05)
        )

    def start(self, *, timeout_s: float = 20.0) -> None:
        """Let the sender run."""
        log = structlog.wrap_logger(None, processors=[self.keep])
        secrets = read_secrets(SECRET)
        posts = {
            wish.name: HookClient(wish.url, secrets, self.clock, allow_private=True, timeout_s=timeout_s)
            for wish in self.store.hooks.wishes
        }
        sender = HookSender(self.store.hooks, posts, self.clock, log)
        self.store.hooks_queued.append(sender.wake)
        self.task = asyncio.create_task(sender.run())

    async def kill(self) -> None:
        """Stop the sender in the middle of whatever it does."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait({self.task})
            assert self.task.cancelled()
            self.task = None

    async def leave(self) -> None:
        """Stop the sender and close the store."""
        await self.kill()
        if self._opened is not None:
            await self._opened.aclose()
            self._opened = None

    async def close(self) -> None:
        """Close everything."""
        await self.leave()
        await self.rooms.aclose()

    async def promise(self, call: str = "call-1", *, number: str = NUMBER) -> str:
        """Let a promise be made; return its id."""
        return (await make(self.store, wanted(call, number=number))).promise.id

    async def logged(self, name: str) -> dict[str, Any]:
        """Return the next line of this name."""
        while True:
            entry = await self._new.get()
            if entry["event"] == name:
                return entry

    async def idle(self, at_least_s: float = 0.0) -> float:
        """Return how long the sender begins to wait, once it waits for so long or longer."""
        while (delay_s := await self.clock.slept.get()) < at_least_s:
            pass
        return delay_s

    async def outbox(self) -> list[tuple[str, str, bool, int]]:
        """Return hook, event, whether it was delivered, and tries, oldest first."""
        found = await rows(self.store, "SELECT hook, event, delivered, tries FROM hook_deliveries ORDER BY id")
        return [(row["hook"], row["event"], bool(row["delivered"]), row["tries"]) for row in found]

    def keep(self, _logger: Any, level: str, entry: Any) -> Any:
        """Take note of a line of the log, and write it nowhere."""
        self.entries.append({**entry, "level": level})
        self._new.put_nowait(self.entries[-1])
        raise structlog.DropEvent
