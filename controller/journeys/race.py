"""One helper for every race in a journey: an agent is free, or the caller pressed 1, or it is time for an offer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


async def first_of(**contenders: Coroutine[Any, Any, Any]) -> tuple[str, Any]:
    """Run the contenders together; return the name and the result of the first to finish. The others are cancelled.

    When several finish in the same turn, one that raised counts first (a hang-up is never overlooked), then the
    order in which they were given. A contender that must not leave anything behind cleans up when it is cancelled.
    """
    tasks = {name: asyncio.ensure_future(contender) for name, contender in contenders.items()}
    try:
        await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks.values():
            task.cancel()
        # Losers are waited for, so that what they started is stopped before the story goes on.
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    finished = [(name, task) for name, task in tasks.items() if not task.cancelled()]
    for _, task in finished:
        error = task.exception()
        if error is not None:
            raise error
    name, winner = finished[0]
    return name, winner.result()
