"""ARI's events, as far as they are used (Asterisk 22, rest-api/api-docs/events.json).

Unknown fields are ignored; a field that Asterisk may leave out has a default.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from controller.asterisk.ari.models import (  # noqa: TC001 - msgspec reads the annotations when it runs
    BridgeData,
    ChannelBrief,
    ChannelData,
    ContactData,
    EndpointData,
    PeerData,
    PlaybackData,
    RecordingData,
)


class _Event(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """What every event has. The tag is the class's name in `type`."""

    timestamp: str = ""
    application: str = ""


class StasisStart(_Event, frozen=True, gc=False, kw_only=True):
    """A channel came into the application; `args` are those of Stasis() or appArgs."""

    channel: ChannelData
    args: tuple[str, ...] = ()
    replace_channel: ChannelData | None = None


class StasisEnd(_Event, frozen=True, gc=False, kw_only=True):
    """A channel left the application: hung up, or sent on into the dialplan."""

    channel: ChannelData


class ChannelCreated(_Event, frozen=True, gc=False, kw_only=True):
    """A channel was made."""

    channel: ChannelBrief


class ChannelStateChange(_Event, frozen=True, gc=False, kw_only=True):
    """A channel's `state` is another now, for example Ringing or Up."""

    channel: ChannelBrief


class ChannelDestroyed(_Event, frozen=True, gc=False, kw_only=True):
    """A channel is gone. `cause` is a Q.850 cause (ITU-T Q.850), `tech_cause` a SIP status; 0 when there was none."""

    channel: ChannelData
    cause: int = 0
    cause_txt: str = ""
    tech_cause: int = 0


class ChannelHangupRequest(_Event, frozen=True, gc=False, kw_only=True):
    """Somebody wants a channel hung up; ChannelDestroyed follows. `soft` is True when it was asked for politely."""

    channel: ChannelBrief
    cause: int = 0
    tech_cause: int = 0
    soft: bool = False


class ChannelDtmfReceived(_Event, frozen=True, gc=False, kw_only=True):
    """A key was pressed (and let go): 0-9, *, #, A-D."""

    channel: ChannelBrief
    digit: str
    duration_ms: int = 0


class ChannelEnteredBridge(_Event, frozen=True, gc=False, kw_only=True):
    """A channel came into a bridge; `bridge` is the state after that."""

    bridge: BridgeData
    channel: ChannelBrief | None = None


class ChannelLeftBridge(_Event, frozen=True, gc=False, kw_only=True):
    """A channel left a bridge; `bridge` is the state after that."""

    bridge: BridgeData
    channel: ChannelBrief


class BridgeDestroyed(_Event, frozen=True, gc=False, kw_only=True):
    """A bridge is gone."""

    bridge: BridgeData


class PlaybackStarted(_Event, frozen=True, gc=False, kw_only=True):
    """The first sound of a playback begins."""

    playback: PlaybackData


class PlaybackFinished(_Event, frozen=True, gc=False, kw_only=True):
    """A playback is over; `playback.state` is done (also when it was stopped) or failed."""

    playback: PlaybackData


class RecordingFinished(_Event, frozen=True, gc=False, kw_only=True):
    """A recording is complete."""

    recording: RecordingData


class RecordingFailed(_Event, frozen=True, gc=False, kw_only=True):
    """A recording could not be made; `recording.cause` says why."""

    recording: RecordingData


class Dial(_Event, frozen=True, gc=False, kw_only=True):
    """Dialling `peer` began (`dialstatus` "") or went on: RINGING, PROGRESS, ANSWER, BUSY, ..."""

    peer: ChannelBrief
    caller: ChannelBrief | None = None
    dialstatus: str = ""
    dialstring: str = ""


class ContactStatusChange(_Event, frozen=True, gc=False, kw_only=True):
    """A phone registered, became unreachable, or left."""

    endpoint: EndpointData
    contact_info: ContactData


class PeerStatusChange(_Event, frozen=True, gc=False, kw_only=True):
    """A trunk or phone became reachable or unreachable."""

    endpoint: EndpointData
    peer: PeerData


class ApplicationReplaced(_Event, frozen=True, gc=False, kw_only=True):
    """Another client connected under our application name."""


class RESTResponse(_Event, frozen=True, gc=False, kw_only=True):
    """The answer to a request that went over the event WebSocket; `message_body` is JSON text."""

    request_id: str = ""
    status_code: int
    reason_phrase: str = ""
    message_body: str = ""


Event: TypeAlias = (
    StasisStart
    | StasisEnd
    | ChannelCreated
    | ChannelStateChange
    | ChannelDestroyed
    | ChannelHangupRequest
    | ChannelDtmfReceived
    | ChannelEnteredBridge
    | ChannelLeftBridge
    | BridgeDestroyed
    | PlaybackStarted
    | PlaybackFinished
    | RecordingFinished
    | RecordingFailed
    | Dial
    | ContactStatusChange
    | PeerStatusChange
)
"""What `on_event` gets."""
