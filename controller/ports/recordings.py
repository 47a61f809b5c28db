"""Recordings of talks: the record of them, and the place on the PBX where the sound is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from controller.domain.recording import Recording


@dataclass(frozen=True, slots=True)
class WantedRecordings:
    """Which recordings are listed; what is left empty does not matter. `spelled`: a number, in every spelling."""

    since: datetime | None = None
    """Began then or later."""
    until: datetime | None = None
    """Began before then."""
    queue: str = ""
    agent: str = ""
    spelled: Sequence[str] = ()
    waiter_id: str = ""


@dataclass(frozen=True, slots=True)
class After:
    """Where a page of a list goes on: behind the recording with this beginning and id."""

    began_at: datetime
    id: str


class RecordingBook(Protocol):
    """Keeps the record. Every method is one transaction and raises StoreUnavailableError."""

    async def begin(self, recording: Recording) -> None:
        """Write that a talk is about to be recorded, before it is. Repeatable."""
        ...

    async def end(self, recording_id: str, ended_at: datetime) -> bool:
        """Write that it is over; the first end stays. False: there is none that goes on."""
        ...

    async def note_pause(self, recording_id: str, paused_at: datetime | None) -> bool:
        """Write since when it is paused; None: it goes on. False: there is none that goes on."""
        ...

    async def find(self, recording_id: str) -> Recording | None:
        """Return one, erased or not."""
        ...

    async def page(self, wanted: WantedRecordings, *, after: After | None, limit: int) -> list[Recording]:
        """Return recordings whose sound is there (not unwanted, not erased), the last to begin first."""
        ...

    async def going_on(self, pbx: str) -> list[Recording]:
        """Return those of an Asterisk that have no end, first to begin first."""
        ...

    async def delete(self, recording_id: str) -> bool:
        """Mark one that is over as unwanted, and forget whose it was; False when there is none such."""
        ...

    async def to_erase(self, pbx: str, limit: int) -> list[str]:
        """Return the ids of unwanted ones of an Asterisk whose sound may still be there."""
        ...

    async def erased(self, recording_id: str, at: datetime) -> None:
        """Write that the sound is gone."""
        ...


class RecordingShelf(Protocol):
    """Where one Asterisk keeps the sound. Every method raises PbxUnavailableError."""

    def sound(self, recording_id: str) -> AsyncIterator[bytes]:
        """Yield the file (WAV) in pieces. Raises LookupError, before the first piece, where there is none."""
        ...

    async def erase(self, recording_id: str) -> None:
        """Delete the file; one that is not there is no error."""
        ...

    async def pause(self, recording_id: str) -> bool:
        """Keep nothing of what is said from now on; False: it is not being recorded."""
        ...

    async def resume(self, recording_id: str) -> bool:
        """Go on after a pause; False: it is not being recorded."""
        ...

    async def is_going_on(self, recording_id: str) -> bool:
        """Tell whether it is being recorded, paused or not."""
        ...
