"""What a PBX in memory records: which talks, and since when not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.ports.calls import CallerHungUp, PbxUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.journeys.scripted_channel import Channel


@dataclass(eq=False)
class Tape:
    """One recording."""

    channel: Channel
    peer: Channel
    paused: bool = False

    @property
    def runs(self) -> bool:
        """Whether both are still in the talk that is recorded."""
        return self.channel.peer is self.peer and not self.channel.gone and not self.peer.gone


class ScriptedShelf:
    """`RecordingShelf` of a scripted PBX. It outlives the controller, as the PBX does."""

    def __init__(self) -> None:
        self.tapes: dict[str, Tape] = {}
        """By the recordings' ids; what was erased is not there any more."""
        self.refuses = False
        """The PBX records nothing: its folder is missing."""
        self.is_away = False
        """The PBX cannot be asked."""

    def record(self, recording_id: str, channel: Channel) -> None:
        """Record the talk that a channel is in. Raises CallerHungUp when it is in none, PbxUnavailableError."""
        if self.refuses:
            raise PbxUnavailableError("500 Internal Server Error")
        if channel.peer is None or channel.peer.gone:
            raise CallerHungUp(channel.id)
        self.tapes.setdefault(recording_id, Tape(channel, channel.peer))

    async def sound(self, recording_id: str) -> AsyncIterator[bytes]:
        """Yield a file with nothing in it."""
        self._ask()
        if recording_id not in self.tapes:
            raise LookupError(recording_id)
        yield b"RIFF"

    async def erase(self, recording_id: str) -> None:
        """Forget it."""
        self._ask()
        self.tapes.pop(recording_id, None)

    async def pause(self, recording_id: str) -> bool:
        """Pause it."""
        return self._set(recording_id, paused=True)

    async def resume(self, recording_id: str) -> bool:
        """Go on."""
        return self._set(recording_id, paused=False)

    async def is_going_on(self, recording_id: str) -> bool:
        """Tell whether it runs."""
        self._ask()
        return recording_id in self.tapes and self.tapes[recording_id].runs

    def _set(self, recording_id: str, *, paused: bool) -> bool:
        self._ask()
        tape = self.tapes.get(recording_id)
        if tape is None or not tape.runs:
            return False
        tape.paused = paused
        return True

    def _ask(self) -> None:
        if self.is_away:
            raise PbxUnavailableError("there is no connection")
