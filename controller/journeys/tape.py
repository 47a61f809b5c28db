"""The recording of one talk: begun beside it, ended behind it. Neither talk nor agent ever waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

import structlog

from controller.domain.line import WaiterKind
from controller.domain.phone_number import mask
from controller.domain.recording import Recording
from controller.ports.calls import CallerHungUp, PbxUnavailableError
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from datetime import datetime
    from typing import Any

    from controller.domain.recording import Consent
    from controller.journeys.house import House
    from controller.ports.calls import Call
    from controller.ports.recordings import RecordingBook

log = structlog.get_logger(__name__)
T = TypeVar("T")

RETRY_S = 10.0
"""After so long a database that was away is asked again."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose talk it is."""

    waiter_id: str
    """The call's id, or the promise's."""
    kind: WaiterKind = WaiterKind.LIVE
    number: str = ""
    """E.164, or as the network showed it; "": withheld."""
    attempt_id: str = ""


class Tape:
    """What is recorded of a talk while the context is open, if anything is; left by a fault too, it ends.

    Cancelled, as when the controller stops, it is let be: the talk goes on, and its recording.
    """

    def __init__(self, call: Call, whose: Whose, house: House) -> None:
        """Take the party for whom an agent was rung, and with whose bridge the recording ends."""
        self._call = call
        self._whose = whose
        self._house = house
        self._over: asyncio.Future[datetime] | None = None
        self._story: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._story is None or self._over is None:
            return
        if kind is not None and not issubclass(kind, Exception):
            self._story.cancel()
        elif not self._over.done():
            self._over.set_result(self._house.clock.now())

    def begin(self, queue: str, agent: str) -> None:
        """Have the talk recorded, if that is what its queue does, and the party has agreed to. Returns at once."""
        book, consent, at = self._house.recordings, self._call.consent, self._house.queues.get(queue)
        if book is not None and at is not None and consent is not None and consent.covers(at.recording):
            self._tell(lambda over: self._record(book, self._new(queue, agent, consent), over))

    async def found(self) -> None:
        """Go on with the recording of a talk that was found after a restart, if there is one. Returns at once."""
        book = self._house.recordings
        if book is not None:
            self._tell(lambda over: self._go_on(book, over))

    def _tell(self, story: Callable[[asyncio.Future[datetime]], Coroutine[Any, Any, None]]) -> None:
        over: asyncio.Future[datetime] = asyncio.get_running_loop().create_future()
        self._over, self._story = over, self._house.recorded.see_through(story(over))

    def _new(self, queue: str, agent: str, consent: Consent) -> Recording:
        house, whose = self._house, self._whose
        return Recording(
            id=house.new_id(),
            waiter_id=whose.waiter_id,
            kind=whose.kind,
            pbx=house.pbx,
            queue=queue,
            agent=agent,
            consent=consent,
            began_at=house.clock.now(),
            number=whose.number,
            attempt_id=whose.attempt_id,
        )

    async def _record(self, book: RecordingBook, recording: Recording, over: asyncio.Future[datetime]) -> None:
        try:
            # The row first: no sound is kept that retention does not know of.
            await book.begin(recording)
        except StoreUnavailableError as error:
            self._say_why_not(error)
            # It may have been written all the same, and only the answer lost.
            return await self._take_back(book, recording.id)
        try:
            await self._call.record(recording.id)
        except (CallerHungUp, PbxUnavailableError) as error:
            if isinstance(error, PbxUnavailableError):
                self._say_why_not(error)
            await self._take_back(book, recording.id)
            return None
        return await self._until_over(book, recording, over)

    async def _go_on(self, book: RecordingBook, over: asyncio.Future[datetime]) -> None:
        rows = await self._stored(lambda: book.going_on(self._house.pbx))
        recording = next((row for row in reversed(rows) if row.waiter_id == self._whose.waiter_id), None)
        if recording is None:
            return
        try:
            # It runs; or whoever wrote the row died before it was asked for.
            await self._call.record(recording.id)
        except (CallerHungUp, PbxUnavailableError):
            await self._end(book, recording.id, self._house.clock.now())
            return
        await self._until_over(book, recording, over)

    async def _until_over(self, book: RecordingBook, recording: Recording, over: asyncio.Future[datetime]) -> None:
        recorded = self._house.recorded
        if not over.done():
            recorded.begun(recording.agent, recording.id, paused=recording.paused_at is not None)
        try:
            ended_at = await over
        finally:
            recorded.ended(recording.id)
        await self._end(book, recording.id, ended_at)

    async def _take_back(self, book: RecordingBook, recording_id: str) -> None:
        """Have a row gone whose sound was never kept; should there be any after all, it is erased."""
        await self._end(book, recording_id, self._house.clock.now())
        await self._stored(lambda: book.delete(recording_id))

    async def _end(self, book: RecordingBook, recording_id: str, ended_at: datetime) -> None:
        await self._stored(lambda: book.end(recording_id, ended_at))

    async def _stored(self, work: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await work()
            except StoreUnavailableError:
                await self._house.clock.sleep(RETRY_S)

    def _say_why_not(self, error: Exception) -> None:
        told = {"call_id": self._call.id, "number": mask(self._whose.number)}
        log.error("a talk is not recorded", reason=str(error), **told)
