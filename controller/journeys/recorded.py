"""Which agents' talks are being recorded: what a screen shows, and what a pause is asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from controller.domain.recording import RecordingState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

log = structlog.get_logger(__name__)


class Recorded:
    """The recordings that go on at one Asterisk, in memory, by the agent's name: an agent has one talk at a time.

    Journeys fill it; after a restart it is filled from the rows of those that still go on.
    """

    def __init__(self) -> None:
        self._by_agent: dict[str, tuple[str, RecordingState]] = {}
        self._stories: set[asyncio.Task[None]] = set()
        self.on_changed: Callable[[], None] = lambda: None
        """Called, on the loop, whenever `of` may tell something else."""

    def begun(self, agent: str, recording_id: str, *, paused: bool = False) -> None:
        """Take note that an agent's talk is being recorded. Told of again, the recording stays as it is known."""
        known = self._by_agent.get(agent)
        if known is None or known[0] != recording_id:
            self._put(agent, recording_id, paused=paused)

    def ended(self, recording_id: str) -> None:
        """Take note that a recording is over; of one that is not known, nothing."""
        agent = self._agent_of(recording_id)
        if agent is not None:
            del self._by_agent[agent]
            self.on_changed()

    def set_paused(self, recording_id: str, *, paused: bool) -> None:
        """Take note that a recording was paused, or goes on; of one that is not known, nothing."""
        agent = self._agent_of(recording_id)
        if agent is not None:
            self._put(agent, recording_id, paused=paused)

    def of(self, agent: str) -> tuple[str, RecordingState] | None:
        """Return the id of the recording of the talk that an agent is in, and how it is; None: it is not recorded."""
        return self._by_agent.get(agent)

    def see_through(self, story: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run what a talk does not wait for; a fault in it costs the recording, and is told in the log."""
        task = asyncio.ensure_future(_guarded(story))
        self._stories.add(task)
        task.add_done_callback(self._stories.discard)
        return task

    async def leave(self) -> None:
        """End what is still under way; what is not written is found again from the rows without an end."""
        for task in (stories := tuple(self._stories)):
            task.cancel()
        await asyncio.gather(*stories, return_exceptions=True)

    def _agent_of(self, recording_id: str) -> str | None:
        return next((agent for agent, (known, _) in self._by_agent.items() if known == recording_id), None)

    def _put(self, agent: str, recording_id: str, *, paused: bool) -> None:
        self._by_agent[agent] = recording_id, RecordingState.PAUSED if paused else RecordingState.RUNNING
        self.on_changed()


async def _guarded(story: Coroutine[Any, Any, None]) -> None:
    try:
        await story
    except Exception:
        log.exception("the recording of a talk went wrong")
