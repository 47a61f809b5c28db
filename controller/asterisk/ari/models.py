"""The things in ARI's events and answers (Asterisk 22, rest-api/api-docs), as far as they are used.

Unknown fields are ignored; a field that Asterisk may leave out has a default. Times are ARI's own text, such as
`2026-11-22T05:40:01.877+0000`; `instant` reads one.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


class _Model(msgspec.Struct, frozen=True, gc=False):
    """A part of an event. Holds no cycles, so the garbage collector need not track it."""


class Party(_Model, frozen=True, gc=False):
    """A name and a number, both as the network gave them: text from outside."""

    name: str = ""
    number: str = ""


class DialplanPlace(_Model, frozen=True, gc=False):
    """Where in the dialplan a channel is."""

    context: str = ""
    exten: str = ""
    priority: int = 0
    app_name: str = ""
    app_data: str = ""


class ChannelBrief(_Model, frozen=True, gc=False):
    """A channel at one moment, as far as most events are read: the whole of it takes twice as long to decode.

    `state` is Down, Ring, Ringing, Up, Busy...; `name` is such as PJSIP/trunk-0000001a.
    """

    id: str
    name: str = ""
    state: str = ""


class ChannelData(ChannelBrief, frozen=True, gc=False):
    """A channel at one moment.

    `channelvars` holds the variables that `channelvars=` in ari.conf names; one that is not set is "".
    """

    caller: Party = Party()
    connected: Party = Party()
    dialplan: DialplanPlace = DialplanPlace()
    channelvars: dict[str, str] = {}
    creationtime: str = ""
    language: str = ""


class BridgeData(_Model, frozen=True, gc=False):
    """A bridge at one moment. `channels` are channel ids; `bridge_type` is mixing or holding."""

    id: str
    name: str = ""
    technology: str = ""
    bridge_type: str = ""
    bridge_class: str = ""
    creator: str = ""
    channels: tuple[str, ...] = ()
    creationtime: str = ""


class PlaybackData(_Model, frozen=True, gc=False):
    """A playback. `target_uri` is `channel:ID` or `bridge:ID`; `state` is queued, playing, continuing, done, failed."""

    id: str
    target_uri: str = ""
    media_uri: str = ""
    state: str = ""


class RecordingData(_Model, frozen=True, gc=False):
    """A recording that runs or ran. `target_uri` is `channel:ID` or `bridge:ID`; durations are in seconds."""

    name: str
    target_uri: str = ""
    format: str = ""
    state: str = ""
    duration: int = 0
    cause: str = ""


class EndpointData(_Model, frozen=True, gc=False):
    """A phone or trunk. `state` is online, offline or unknown."""

    technology: str
    resource: str
    state: str = ""
    channel_ids: tuple[str, ...] = ()


class SoundFormat(_Model, frozen=True, gc=False):
    """One file of a sound: `format` is the codec in it, as slin (an 8 kHz .wav) or slin16 (a .wav16)."""

    language: str = ""
    format: str = ""


class SoundData(_Model, frozen=True, gc=False):
    """A sound, such as orikaeshi/welcome, with the files that there are of it."""

    id: str
    formats: tuple[SoundFormat, ...] = ()


class ContactData(_Model, frozen=True, gc=False):
    """Where a phone is registered. `contact_status` is Reachable, Unreachable, NonQualified, Removed..."""

    uri: str = ""
    contact_status: str = ""
    aor: str = ""


class PeerData(_Model, frozen=True, gc=False):
    """The state of a trunk or phone. `peer_status` is Reachable, Unreachable, Registered..."""

    peer_status: str = ""
    cause: str = ""


class SystemData(_Model, frozen=True, gc=False):
    """`version` is such as 22.10.1, with what a distribution appended."""

    version: str = ""
    entity_id: str = ""


class StatusData(_Model, frozen=True, gc=False):
    """When Asterisk started and last reloaded, as ARI's time text."""

    startup_time: str = ""
    last_reload_time: str = ""


class AsteriskInfo(_Model, frozen=True, gc=False):
    """The answer to GET asterisk/info, as far as it is used."""

    system: SystemData = SystemData()
    status: StatusData = StatusData()


class ApplicationData(_Model, frozen=True, gc=False):
    """A Stasis application and what it is subscribed to. `endpoint_ids` are such as PJSIP/trunk."""

    name: str
    channel_ids: tuple[str, ...] = ()
    bridge_ids: tuple[str, ...] = ()
    endpoint_ids: tuple[str, ...] = ()
    device_names: tuple[str, ...] = ()


def instant(text: str) -> datetime:
    """Read ARI's time text as aware UTC. Raise ValueError when it is none."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"ARI time without a zone: {text!r}")
    return at.astimezone(UTC)
