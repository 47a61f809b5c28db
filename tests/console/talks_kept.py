"""Recorded talks for the console: rows in the database, and a shelf with their sound that does what a test says."""

from __future__ import annotations

import io
import math
import struct
import wave
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from controller.domain.line import WaiterKind
from controller.domain.recording import Consent, Recording
from controller.ports.calls import PbxUnavailableError
from tests.console.floor import AGENT, NUMBER

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from controller.ports.recordings import RecordingShelf
    from tests.console.house import ConsoleSite

PBX = "asterisk"
RATE_HZ = 8000
_PIECE_BYTES = 4096


class Shelf:
    """`RecordingShelf` with sound by the recordings' ids."""

    def __init__(self) -> None:
        self.sounds: dict[str, bytes] = {}
        self.is_away = False
        """The Asterisk does not answer."""
        self.breaks_after: int | None = None
        """After so many pieces the connection is lost."""
        self.asked: list[str] = []
        """Whose sound was asked for."""
        self.read_bytes = 0
        self.open = 0
        """How many are being read."""
        self.waits_for: asyncio.Event | None = None
        """Until it is set, no more comes than `waits_after` pieces."""
        self.waits_after = 0

    async def sound(self, recording_id: str) -> AsyncIterator[bytes]:
        """Yield it in pieces, as quickly as they are taken."""
        self.asked.append(recording_id)
        self._ask()
        if recording_id not in self.sounds:
            raise LookupError(recording_id)
        whole = self.sounds[recording_id]
        self.open += 1
        try:
            for count, begin in enumerate(range(0, len(whole), _PIECE_BYTES)):
                if count == self.breaks_after:
                    raise PbxUnavailableError("the connection broke")
                if self.waits_for is not None and count >= self.waits_after:
                    await self.waits_for.wait()
                piece = whole[begin : begin + _PIECE_BYTES]
                self.read_bytes += len(piece)
                yield piece
        finally:
            self.open -= 1

    async def erase(self, recording_id: str) -> None:
        """Forget it."""
        self._ask()
        self.sounds.pop(recording_id, None)

    async def pause(self, _: str) -> bool:
        """Nothing is being recorded here."""
        return False

    async def resume(self, _: str) -> bool:
        """Nothing is being recorded here."""
        return False

    async def is_going_on(self, _: str) -> bool:
        """Nothing is being recorded here."""
        return False

    def _ask(self) -> None:
        if self.is_away:
            raise PbxUnavailableError("there is no connection")


class Shelves:
    """The Asterisks of a controller, which has the one, and not the other of the same house."""

    def __init__(self) -> None:
        self.here = Shelf()

    def of(self, pbx: str) -> RecordingShelf | None:
        """Return the shelf of an Asterisk by its name."""
        return self.here if pbx == PBX else None


def wav(length_s: float, tone_hz: float = 440.0) -> bytes:
    """Return a WAV file with a tone, as Asterisk writes them: 8 kHz, 16 bits, one channel."""
    steps = (math.sin(2 * math.pi * tone_hz * n / RATE_HZ) for n in range(int(length_s * RATE_HZ)))
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE_HZ)
        written.writeframes(b"".join(struct.pack("<h", int(8000 * step)) for step in steps))
    return file.getvalue()


async def recorded(
    site: ConsoleSite, recording_id: str = "recording-1", *, length_s: float | None = 60, **more: Any
) -> Recording:
    """Let a talk have been recorded that began now; `length_s` None: it goes on. `more`: fields of `Recording`."""
    given: dict[str, Any] = {
        "waiter_id": f"call of {recording_id}",
        "kind": WaiterKind.LIVE,
        "pbx": PBX,
        "queue": "support",
        "agent": AGENT,
        "consent": Consent.TOLD,
        "began_at": site.house.now,
        "number": NUMBER,
        **more,
    }
    made = Recording(recording_id, **given)
    await site.store.recordings.begin(made)
    if made.paused_at is not None:
        await site.store.recordings.note_pause(recording_id, made.paused_at)
    if length_s is not None:
        await site.store.recordings.end(recording_id, made.began_at + timedelta(seconds=length_s))
    return made
