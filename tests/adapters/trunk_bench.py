"""Trunks on a loop with virtual time, and the few things that are asked of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from controller.asterisk.trunks import Trunk, Trunks
from tests.journeys.virtual_time import VirtualClock, VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

FAST = 1000.0
"""So many calls a second that the pace plays no part."""


class Bench:
    """Trunks on a loop with virtual time."""

    def __init__(self) -> None:
        self.loop = VirtualTimeLoop()
        self.clock = VirtualClock(self.loop)
        self.told_at_s: list[float] = []

    def trunks(self, *trunks: Trunk) -> Trunks:
        """Return trunks whose news of room is noted."""
        made = Trunks(trunks, self.clock)
        made.on_room = lambda: self.told_at_s.append(self.loop.time())
        return made

    def play(self, story: Coroutine[Any, Any, None]) -> None:
        """Play a story to its end."""
        self.loop.run_until_complete(story)


def trunk(name: str, *, circuits: int = 2, calls_per_s: float = FAST) -> Trunk:
    """Return a trunk."""
    return Trunk(name, "0312345678", max_concurrent_calls=circuits, calls_per_s=calls_per_s)


def room(trunks: Trunks) -> bool:
    """Tell whether a call would leave at once; asked anew each time."""
    return trunks.has_room


def detour(trunks: Trunks) -> bool:
    """Tell whether there is another way; asked anew each time."""
    return trunks.other_way


async def placed(trunks: Trunks, call_id: str) -> str | None:
    """Place a call; return the trunk that it left by."""
    async with trunks.turn(call_id) as way:
        if way is None:
            return None
        trunks.leaves(call_id)
        return way.endpoint


async def later(seconds: float) -> None:
    """Let time pass."""
    await asyncio.sleep(seconds)
