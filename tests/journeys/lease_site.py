"""Controllers and a lease, in virtual time on a real database; each of them can be frozen, as a machine is."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from controller.ports.lease import lease_of_pbx
from controller.workers.lease_keeper import LEASE_S, LeaseKeeper
from tests.journeys.virtual_time import Watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from controller.ports.lease import LeaseBook
    from tests.journeys.theatre import Theatre

PBX = lease_of_pbx()
GIVES_WAY_S = LEASE_S / 6
"""So long who is not at home leaves a free lease to the member who is."""


def leads(keeper: LeaseKeeper) -> bool:
    """Tell whether a controller may place calls now."""
    return keeper.term is not None


async def seek(keeper: LeaseKeeper) -> None:
    """Want the lease whenever it is lost, as an office does."""
    while True:
        await keeper.held()
        await keeper.lost()


class Site:
    """Two controllers on one database; each can be frozen, as a machine is."""

    def __init__(self, theatre: Theatre) -> None:
        theatre.empty()
        self.theatre = theatre
        self.asked: list[tuple[float, str]] = []
        self.gained: list[str] = []
        self.others: list[tuple[str, str]] = []
        """Who began to stand by, and whom for."""
        self.frozen: dict[str, asyncio.Event] = {}
        self.held_up = ""
        """What alone a frozen controller cannot do; "" for everything."""
        self.tasks: list[asyncio.Task[None]] = []

    def opens(self, name: str, home: str = "") -> LeaseKeeper:
        """Start a controller: a life ("one.2", say) of a member ("one")."""
        loop = self.theatre.loop
        self.frozen[name] = asyncio.Event()
        self.frozen[name].set()
        book = cast("LeaseBook", Watched(self.theatre.store.leases, loop, self._reaches(name)))
        keeper = LeaseKeeper(
            book,
            self.theatre.clock,
            name=PBX,
            holder=name,
            member=name.partition(".")[0],
            home=home,
            monotonic_s=loop.time,
        )
        keeper.on_gained = lambda: self.gained.append(name)
        keeper.on_other = lambda lease: self.others.append((name, lease.member))
        self.tasks.append(loop.create_task(keeper.run()))
        return keeper

    def opens_two(self) -> tuple[LeaseKeeper, LeaseKeeper]:
        """Start a controller, and a second one that finds it there."""
        first = self.opens("one")
        self.pass_s(0.01)
        return first, self.opens("two")

    def kills(self, name: str, nth: int) -> None:
        """End the controller that was opened as the nth, without a word."""
        self.freezes(name)
        self.tasks[nth].cancel()

    def is_over(self, waited_for: Coroutine[Any, Any, object]) -> bool:
        """Tell whether something that is waited for has come."""

        async def soon() -> bool:
            task = asyncio.ensure_future(waited_for)
            done, _ = await asyncio.wait({task}, timeout=0.001)
            task.cancel()
            return bool(done)

        return self.theatre.loop.run_until_complete(soon())

    def until_s(self, happens: Callable[[], bool], limit_s: float = 30) -> float:
        """Let time pass until something is so; return how long it took."""
        began_s = self.theatre.loop.time()
        while not happens():
            assert self.theatre.loop.time() < began_s + limit_s
            self.pass_s(0.01)
        return self.theatre.loop.time() - began_s

    def _reaches(self, name: str) -> Callable[[str], AbstractAsyncContextManager[None]]:
        @asynccontextmanager
        async def reaches(verb: str) -> AsyncIterator[None]:
            self.asked.append((self.theatre.loop.time(), name))
            if self.held_up in ("", verb):
                await self.frozen[name].wait()
            yield

        return reaches

    def freezes(self, name: str, *, frozen: bool = True) -> None:
        """Stop a controller where it stands, or let it go on."""
        self.frozen[name].clear() if frozen else self.frozen[name].set()

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.theatre.loop.run_until_complete(asyncio.sleep(seconds))

    def close(self) -> None:
        """Stop both."""
        for task in self.tasks:
            task.cancel()

        async def end() -> None:
            await asyncio.gather(*self.tasks, return_exceptions=True)

        self.theatre.loop.run_until_complete(end())
