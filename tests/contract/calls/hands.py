"""What the tests of the call ports do again and again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from controller.ports.calls import Call
    from tests.contract.calls.exchange import Exchange, FarEnd

LONG = ("enter-number", "enter-number")
"""Prompts that last longer than anybody needs to press a key."""
SHORT = "digit-5"
_begun: set[asyncio.Future[object]] = set()


async def answered(exchange: Exchange) -> tuple[Call, FarEnd]:
    """Have somebody call, and answer."""
    call, far_end = await exchange.call_in()
    await call.answer()
    return call, far_end


async def nothing() -> None:
    """Note nothing."""


async def soon(what: Awaitable[object], within_s: float = 5) -> object:
    """Wait for something that must not take long."""
    async with asyncio.timeout(within_s):
        return await what


async def begun(what: Awaitable[object]) -> asyncio.Future[object]:
    """Begin a verb, and return once it is well under way."""
    task = asyncio.ensure_future(what)
    _begun.add(task)  # Nobody may wait for it in the end: asyncio alone would lose it half done.
    task.add_done_callback(_is_over)
    await asyncio.wait({task}, timeout=0.3)
    assert not task.done(), "it ended before anything could happen to it"
    return task


def _is_over(task: asyncio.Future[object]) -> None:
    _begun.discard(task)
    if not task.cancelled():
        task.exception()  # That the party hung up in the end is no news.
