"""Which call an event belongs to."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from controller.asterisk.ari.events import (
    BridgeDestroyed,
    ChannelEnteredBridge,
    ContactStatusChange,
    Dial,
    PeerStatusChange,
    PlaybackFinished,
    PlaybackStarted,
    RecordingFailed,
    RecordingFinished,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from controller.asterisk.ari.events import Event
    from controller.asterisk.mailbox import Mailbox

_CHANNEL = "channel:"


class Switchboard:
    """Posts each event to the mailbox of its channel, and hands what belongs to nobody to `on_stray`.

    Register a mailbox before the request that makes the channel is sent: its first events may come before the
    answer to that request. One mailbox may stand for several channels. `on_stray` must be as quick as `deliver`.
    """

    def __init__(self, on_stray: Callable[[Event], None]) -> None:
        self._on_stray = on_stray
        self._mailboxes: dict[str, Mailbox] = {}

    def __len__(self) -> int:
        return len(self._mailboxes)

    def __contains__(self, channel_id: str) -> bool:
        return channel_id in self._mailboxes

    def register(self, channel_id: str, mailbox: Mailbox) -> None:
        """From now on the events of this channel go into `mailbox`. Raise ValueError when it has one already."""
        if channel_id in self._mailboxes:
            raise ValueError(f"channel {channel_id} has a mailbox already")
        self._mailboxes[channel_id] = mailbox

    def unregister(self, channel_id: str) -> None:
        """From now on the events of this channel are strays. Does nothing when it has no mailbox."""
        self._mailboxes.pop(channel_id, None)

    @contextmanager
    def registered(self, channel_id: str, mailbox: Mailbox) -> Iterator[Mailbox]:
        """Register for the length of a with-block."""
        self.register(channel_id, mailbox)
        try:
            yield mailbox
        finally:
            self.unregister(channel_id)

    def deliver(self, event: Event) -> None:
        """Post an event once to every mailbox that it concerns; to `on_stray` when there is none."""
        ids = channels_of(event)
        if len(ids) == 1:  # nearly always
            mailbox = self._mailboxes.get(ids[0])
            if mailbox is None:
                self._on_stray(event)
            else:
                mailbox.post(event)
            return
        concerned = {id(found): found for name in ids if (found := self._mailboxes.get(name)) is not None}
        for mailbox in concerned.values():
            mailbox.post(event)
        if not concerned:
            self._on_stray(event)


def channels_of(event: Event) -> tuple[str, ...]:
    """Return the ids of the channels that an event concerns; empty for phones, and for sounds on a bridge."""
    match event:
        case PlaybackStarted() | PlaybackFinished():
            return _target(event.playback.target_uri)
        case RecordingFinished() | RecordingFailed():
            return _target(event.recording.target_uri)
        case Dial():
            return (event.peer.id,) if event.caller is None else (event.peer.id, event.caller.id)
        case ChannelEnteredBridge():
            return () if event.channel is None else (event.channel.id,)
        case BridgeDestroyed():
            return event.bridge.channels
        case ContactStatusChange() | PeerStatusChange():
            return ()
        case _:
            return (event.channel.id,)


def _target(uri: str) -> tuple[str, ...]:
    return (uri.removeprefix(_CHANNEL),) if uri.startswith(_CHANNEL) else ()
