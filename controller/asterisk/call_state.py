"""What is known of one channel, kept up to date by its events in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.asterisk import names
from controller.asterisk.ari.events import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelStateChange,
    Dial,
    PlaybackFinished,
    StasisEnd,
    StasisStart,
)
from controller.domain.evidence import AnsweredBy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from controller.asterisk.ari.events import Event

RINGING_STATES = frozenset({"Ring", "Ringing"})


@dataclass(frozen=True, slots=True)
class Gone:
    """Why a channel is gone: a Q.850 cause and a SIP status, 0 where there was none."""

    cause: int = 0
    tech_cause: int = 0


class CallState:
    """One channel as of the last event. Verbs wait on it for what they need."""

    def __init__(self, *, up: bool, in_stasis: bool) -> None:
        self.up = up
        self.in_stasis = in_stasis
        self.rang = False
        """180: the far end said that it rings."""
        self.progress = False
        """183: it plays something, be it ringing or an announcement."""
        self.answered_by: AnsweredBy | None = None
        """What the dialplan found out; None: it was not asked, or has not said yet."""
        self.gone: Gone | None = None
        self.keys: deque[str] = deque()
        """Pressed and not yet used: type-ahead."""
        self.playing: set[str] = set()
        """Playbacks that were started and have not finished."""
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def is_gone(self) -> bool:
        """Whether the channel is gone."""
        return self.gone is not None

    @property
    def heard(self) -> bool:
        """Whether anything came from the far end: it rang, played something, or answered."""
        return self.rang or self.progress or self.up

    def apply(self, event: Event) -> None:
        """Take note of one event and let those who wait look again."""
        match event:
            case StasisStart():
                self.in_stasis = True
                self.read_marks(event.channel.channelvars)
                self.up = self.up or event.channel.state == "Up"
            case StasisEnd():
                # We never send a channel back into the dialplan: one that leaves us has hung up. For a channel
                # that no endpoint subscription covers this is also its last event.
                self.in_stasis = False
                self.gone = self.gone or Gone()
                self.read_marks(event.channel.channelvars)
            case ChannelStateChange():
                self.up = self.up or event.channel.state == "Up"
                self.rang = self.rang or event.channel.state in RINGING_STATES
            case ChannelDtmfReceived():
                self.keys.append(event.digit)
            case PlaybackFinished():
                self.playing.discard(event.playback.id)
            case Dial():
                self.rang = self.rang or event.dialstatus == "RINGING"
                self.progress = self.progress or event.dialstatus == "PROGRESS"
            case ChannelDestroyed():
                self.gone = Gone(event.cause, event.tech_cause)
                self.read_marks(event.channel.channelvars)
            case _:
                return
        self.changed()

    def read_marks(self, marks: Mapping[str, str]) -> None:
        """Take note of what the dialplan wrote on the channel. A word that nobody knows is no answer: UNSURE."""
        if word := marks.get(names.ANSWERED_BY):
            self.answered_by = AnsweredBy(word) if word in set(AnsweredBy) else AnsweredBy.UNSURE

    def catch_up(self, *, up: bool, in_stasis: bool) -> None:
        """Take note of what was read from the PBX, where events were missed."""
        self.up = self.up or up
        self.in_stasis = in_stasis
        self.changed()

    def finished(self, playback_id: str) -> None:
        """Take note that a playback is over, though nobody saw it end."""
        self.playing.discard(playback_id)
        self.changed()

    def vanished(self) -> None:
        """Take note that the channel is no longer there, though nobody saw it go."""
        if self.gone is None:
            self.gone = Gone()
            self.changed()

    def changed(self) -> None:
        """Let those who wait look again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once `condition()` holds or the channel is gone, whichever is first."""
        while not condition() and self.gone is None:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future
