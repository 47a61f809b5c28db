"""The sound of recorded talks: files that Asterisk writes, keeps and hands out (`recording/` in its spool folder)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller.asterisk.ari.errors import AriConflict, AriError, AriNotFound
from controller.ports.calls import PbxUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.ari.events import RecordingFailed

log = structlog.get_logger(__name__)


class AriRecordingShelf:
    """`RecordingShelf` on ARI. Works by HTTP, so also while the event WebSocket is down, but for a pause."""

    def __init__(self, client: AriClient) -> None:
        self._client = client

    async def sound(self, recording_id: str) -> AsyncIterator[bytes]:
        """Yield the file in pieces. Raises LookupError, before the first, where there is none; PbxUnavailableError."""
        try:
            async with self._client.recordings.file(recording_id) as pieces:
                async for piece in pieces:
                    yield piece
        except AriNotFound:
            raise LookupError(recording_id) from None
        except AriError as error:
            raise PbxUnavailableError(str(error)) from error

    async def erase(self, recording_id: str) -> None:
        """Delete the file, if it is there. Raises PbxUnavailableError."""
        await self._if_there(lambda: self._client.recordings.delete(recording_id))

    async def pause(self, recording_id: str) -> bool:
        """Keep nothing from now on; False: it does not run. Raises PbxUnavailableError."""
        return await self._if_there(self._client.recordings.live(recording_id).pause)

    async def resume(self, recording_id: str) -> bool:
        """Go on; False: it does not run. Raises PbxUnavailableError."""
        return await self._if_there(self._client.recordings.live(recording_id).unpause)

    async def is_going_on(self, recording_id: str) -> bool:
        """Tell whether it runs, paused or not. Raises PbxUnavailableError."""
        return await self._if_there(self._client.recordings.live(recording_id).get)

    async def _if_there(self, request: Callable[[], Awaitable[object]]) -> bool:
        try:
            await request()
        except (AriNotFound, AriConflict):
            return False
        except AriError as error:
            raise PbxUnavailableError(str(error)) from error
        return True


def note_failure(event: RecordingFailed) -> None:
    """Say in the log that Asterisk could not go on with a recording; the talk does."""
    log.error("the PBX does not record a talk", recording_id=event.recording.name, reason=event.recording.cause)
