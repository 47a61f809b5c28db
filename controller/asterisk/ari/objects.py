"""Channels, bridges, playbacks: ari-py's vocabulary, typed. Thin: one method is one ARI request.

Every method raises what `AriClient.request` raises: AriRefused and its kinds (AriNotFound when the object is gone),
AriTimeout, AriDisconnected; ValueError, before anything is sent, for text with control characters.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import msgspec

from controller.asterisk.ari.errors import AriNotFound, AriRefused
from controller.asterisk.ari.models import (
    BridgeData,
    ChannelData,
    RecordingData,
)
from controller.asterisk.ari.wire import path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from controller.asterisk.ari.wire import Query

HangupReason: TypeAlias = Literal[
    "normal", "busy", "congestion", "no_answer", "timeout", "rejected", "unallocated", "answered_elsewhere"
]


class Requester(Protocol):
    """What these objects need of the client."""

    async def request(
        self, method: str, uri: str, *, query: Query | None = None, body: Any = None, timeout_s: float | None = None
    ) -> Any:
        """Send over the event WebSocket."""
        ...

    async def request_http(
        self, method: str, uri: str, *, query: Query | None = None, body: Any = None, timeout_s: float | None = None
    ) -> Any:
        """Send over HTTP."""
        ...


class Playback:
    """A sound that plays, or is about to."""

    def __init__(self, client: Requester, playback_id: str) -> None:
        self._client = client
        self.id = playback_id

    async def stop(self) -> None:
        """Stop it; PlaybackFinished follows."""
        await self._client.request("DELETE", path("playbacks", self.id))


class LiveRecording:
    """A recording that runs, or ran until just now. Every method raises AriNotFound once it is over."""

    def __init__(self, client: Requester, name: str) -> None:
        self._client = client
        self.name = name

    async def get(self) -> RecordingData:
        """Return its state now: queued, recording, or paused."""
        return msgspec.convert(await self._do("GET"), RecordingData)

    async def pause(self) -> None:
        """Keep nothing from now on: the time is left out of the file. Does nothing to one that is paused."""
        await self._do("POST", "pause")

    async def unpause(self) -> None:
        """Go on. Does nothing to one that is not paused."""
        await self._do("DELETE", "pause")

    async def _do(self, method: str, *parts: str) -> Any:
        return await self._client.request(method, path("recordings", "live", self.name, *parts))


class Channel:
    """One leg of a call."""

    def __init__(self, client: Requester, channel_id: str) -> None:
        self._client = client
        self.id = channel_id

    async def get(self) -> ChannelData:
        """Return its state now."""
        return msgspec.convert(await self._do("GET"), ChannelData)

    async def answer(self) -> None:
        """Answer it. Does nothing to one that is up."""
        await self._do("POST", "answer")

    async def ring(self) -> None:
        """Tell the caller that it rings."""
        await self._do("POST", "ring")

    async def hangup(self, reason: HangupReason = "normal") -> None:
        """Hang it up; ChannelDestroyed follows."""
        await self._do("DELETE", query={"reason": reason})

    async def play(self, media: Sequence[str], *, playback_id: str, lang: str | None = None) -> Playback:
        """Play media (`sound:hello`, `digits:42`, `tone:ring`, ...) one after the other.

        Register for `playback_id` before; PlaybackFinished comes once, at the end of the list.
        """
        await self._do("POST", "play", playback_id, query={"media": _media(media), "lang": lang})
        return Playback(self._client, playback_id)

    async def start_moh(self, moh_class: str | None = None) -> None:
        """Play hold music to this channel alone."""
        await self._do("POST", "moh", query={"mohClass": moh_class})

    async def stop_moh(self) -> None:
        """End the hold music."""
        await self._do("DELETE", "moh")

    async def start_silence(self) -> None:
        """Send silence, so that RTP flows."""
        await self._do("POST", "silence")

    async def stop_silence(self) -> None:
        """End the silence."""
        await self._do("DELETE", "silence")

    async def send_dtmf(self, digits: str, *, between_ms: int = 100, duration_ms: int = 100) -> None:
        """Press keys towards the party."""
        await self._do("POST", "dtmf", query={"dtmf": digits, "between": between_ms, "duration": duration_ms})

    async def set_channel_var(self, name: str, value: str) -> None:
        """Set a channel variable. Asterisk does not expand `${...}` in the value."""
        await self._do("POST", "variable", query={"variable": name, "value": value})

    async def set_channel_vars(self, variables: Mapping[str, str]) -> None:
        """Set several channel variables in one request."""
        await self._do("POST", "variables", body={"variables": dict(variables)})

    async def get_channel_var(self, name: str) -> str | None:
        """Return a channel variable or function, None when it is not set."""
        try:
            answer = await self._do("GET", "variable", query={"variable": name})
        except AriNotFound as error:
            if "variable" in error.reason.lower():
                return None
            raise
        return str(answer["value"])

    async def dial(self, *, caller_id: str | None = None, timeout_s: int = 30) -> None:
        """Dial a channel that was made with `create`, after its StasisStart came. `caller_id` is a channel's id."""
        await self._do("POST", "dial", query={"caller": caller_id, "timeout": timeout_s})

    async def snoop(self, snoop_id: str, *, app: str, app_args: str | None = None) -> None:
        """Make a channel that hears both directions of this one, and says nothing; it enters `app`.

        It ends with this one. AriConflict while a channel with `snoop_id` lives.
        """
        query: Query = {"spy": "both", "whisper": "none", "app": app, "appArgs": app_args}
        await self._do("POST", "snoop", snoop_id, query=query)

    async def continue_in_dialplan(
        self, *, context: str | None = None, extension: str | None = None, priority: int | None = None
    ) -> None:
        """Leave the application and go on in the dialplan: at the next step, or at the place that is given."""
        await self._do("POST", "continue", query={"context": context, "extension": extension, "priority": priority})

    async def _do(self, method: str, *parts: str, query: Query | None = None, body: Any = None) -> Any:
        return await self._client.request(method, path("channels", self.id, *parts), query=query, body=body)


class Bridge:
    """A place where channels hear each other (mixing), or wait with music (holding)."""

    def __init__(self, client: Requester, bridge_id: str) -> None:
        self._client = client
        self.id = bridge_id

    async def get(self) -> BridgeData:
        """Return its state now."""
        return msgspec.convert(await self._do("GET"), BridgeData)

    async def add_channel(self, *channel_ids: str, role: str | None = None, absorb_dtmf: bool | None = None) -> None:
        """Add channels; one that is in another bridge is moved, one that is in this bridge leaves and enters again.

        AriNotFound for a channel or a bridge that is gone, AriUnprocessable for a channel outside the application.
        """
        query = {"channel": _comma(channel_ids), "role": role, "absorbDTMF": absorb_dtmf}
        await self._with_channels("addChannel", query)

    async def remove_channel(self, *channel_ids: str) -> None:
        """Take channels out; they stay in the application, silent. AriUnprocessable when one is not in here."""
        await self._with_channels("removeChannel", {"channel": _comma(channel_ids)})

    async def _with_channels(self, action: str, query: Query) -> None:
        """Asterisk says 400 for a channel that is gone, where every other request says 404: make it one."""
        try:
            await self._do("POST", action, query=query)
        except AriRefused as error:
            if error.status == HTTPStatus.BAD_REQUEST and error.reason == "Channel not found":
                raise AriNotFound("POST", path("bridges", self.id, action), error.status, error.reason) from error
            raise

    async def start_moh(self, moh_class: str | None = None) -> None:
        """Play hold music to all in it. While it plays, `play` on the bridge fails; play on the channels."""
        await self._do("POST", "moh", query={"mohClass": moh_class})

    async def stop_moh(self) -> None:
        """End the hold music."""
        await self._do("DELETE", "moh")

    async def play(self, media: Sequence[str], *, playback_id: str, lang: str | None = None) -> Playback:
        """Play media to all in it; see `Channel.play`."""
        await self._do("POST", "play", playback_id, query={"media": _media(media), "lang": lang})
        return Playback(self._client, playback_id)

    async def record(self, name: str) -> None:
        """Write what is said in it to `name`.wav, until the last party has left; nobody hears that it is recorded.

        RecordingFinished follows. AriConflict where there is such a file, or one is being written; AriFailed where
        none can be (the folder is missing).
        """
        await self._do("POST", "record", query={"name": name, "format": "wav", "ifExists": "fail", "beep": False})

    async def destroy(self) -> None:
        """Dissolve it; its channels stay in the application."""
        await self._do("DELETE")

    async def _do(self, method: str, *parts: str, query: Query | None = None) -> Any:
        return await self._client.request(method, path("bridges", self.id, *parts), query=query)


def _comma(names: Sequence[str]) -> str:
    if any("," in name for name in names):
        raise ValueError("a comma would make one name into two: refused before anything is sent")
    return ",".join(names)


def _media(media: Sequence[str]) -> str:
    if not media:
        raise ValueError("nothing to play: media is empty")
    return _comma(media)
