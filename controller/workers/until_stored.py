"""Outlasts a database that is away: what has to be read or written is tried until it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from controller.ports.clock import Clock

T = TypeVar("T")

STEADY_S = (1.0,)
"""For what a person waits for."""
GROWING_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""For what can wait; the last pause is kept."""


async def until_stored(
    attempt: Callable[[], Awaitable[T]],
    clock: Clock,
    tell: Callable[[StoreUnavailableError, float], None],
    *,
    pauses_s: Sequence[float] = STEADY_S,
) -> T:
    """Return what `attempt` returns, once it does not raise StoreUnavailableError any more.

    `attempt` has to be safe to repeat: only its answer may have been lost. `tell` gets each failure, and in how many
    seconds it is tried again. All other errors go through.
    """
    failures = 0
    while True:
        try:
            return await attempt()
        except StoreUnavailableError as error:
            pause_s = pauses_s[min(failures, len(pauses_s) - 1)]
            failures += 1
            tell(error, pause_s)
            await clock.sleep(pause_s)
