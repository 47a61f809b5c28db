"""A guard for calls, a task group for workers.

One call's fault ends that call and no other. A worker's fault ends the process: the service is restarted, and
recovery settles the rest.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Coroutine

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs one task a call, each on its own; and lets all of them go at once when the process leaves."""

    def __init__(self, **bound: str) -> None:
        """`bound` stands in each log line of every story, beside its own."""
        self._bound = bound
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving = False

    def spawn(self, story: Coroutine[Any, Any, None], **bound: str) -> None:
        """Run `story` on its own, with `bound` (call_id, promise_id, ...) in each of its log lines."""
        if self._leaving:
            story.close()
            return
        task = asyncio.get_running_loop().create_task(self._guarded(story, bound))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def leave(self) -> None:
        """Stop all stories where they stand. Their calls stay on the PBX: the next start takes them up."""
        self._leaving = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _guarded(self, story: Coroutine[Any, Any, None], bound: dict[str, str]) -> None:
        # Whoever happened to set it going may be in the middle of another call: its names are not this story's.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**self._bound, **bound)
        try:
            await story
        except Exception:
            log.exception("a call's story failed; other calls go on")
