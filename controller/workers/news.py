"""Something that happens again and again, for whoever waits for the next time."""

from __future__ import annotations

import asyncio


class News:
    """Wakes all who wait at the time; who begins to wait later waits for the next time."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        """Wake everybody who waits."""
        self._next.set()
        self._next = asyncio.Event()

    async def come(self) -> None:
        """Wait until it happens."""
        await self._next.wait()
