"""All channels, all bridges, and the rest that ARI offers as wholes: ari-py's vocabulary, typed.

Errors as in `objects`. Lists go over HTTP, see `wire.LISTS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from controller.asterisk.ari.errors import AriNotFound
from controller.asterisk.ari.models import (
    ApplicationData,
    AsteriskInfo,
    BridgeData,
    ChannelData,
    EndpointData,
    PlaybackData,
    SoundData,
)
from controller.asterisk.ari.objects import Bridge, Channel, LiveRecording, Playback, Requester
from controller.asterisk.ari.wire import path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager

    from controller.asterisk.ari.wire import Query


class Channels:
    """All channels."""

    def __init__(self, client: Requester) -> None:
        self._client = client

    def named(self, channel_id: str) -> Channel:
        """Return the channel with this id, without asking whether it lives."""
        return Channel(self._client, channel_id)

    async def list(self) -> list[ChannelData]:
        """Return every channel of the PBX, those of other applications included."""
        return msgspec.convert(await self._client.request_http("GET", "channels"), list[ChannelData])

    async def get(self, channel_id: str) -> ChannelData:
        """Return one channel's state now."""
        return await self.named(channel_id).get()

    async def originate(
        self,
        endpoint: str,
        *,
        channel_id: str,
        timeout_s: int,
        app: str | None = None,
        app_args: str | None = None,
        context: str | None = None,
        extension: str | None = None,
        priority: int | None = None,
        caller_id: str | None = None,
        variables: Mapping[str, str] | None = None,
        originator: str | None = None,
    ) -> ChannelData:
        """Place a call to `endpoint` (PJSIP/number@trunk). Once answered it goes to `app` or to the dialplan.

        `channel_id` is ours, at most 149 characters, and free: AriConflict while a channel with it lives.
        `caller_id` is `"name" <number>` or a number; `originator` is the id of the channel that it is for.
        AriUnanswered.maybe_executed: look for `channel_id` before anything else; never just repeat.
        Raises ValueError when not exactly one of `app` and `extension` is given.
        """
        if (app is None) == (extension is None):
            raise ValueError("originate needs either app, or context and extension")
        query: Query = {
            "endpoint": endpoint,
            "app": app,
            "appArgs": app_args,
            "context": context,
            "extension": extension,
            "priority": priority,
            "callerId": caller_id,
            "timeout": timeout_s,
            "originator": originator,
        }
        return await self._make(path("channels", channel_id), query, variables)

    async def create(
        self,
        endpoint: str,
        *,
        channel_id: str,
        app: str,
        app_args: str | None = None,
        variables: Mapping[str, str] | None = None,
        originator: str | None = None,
    ) -> ChannelData:
        """Make a channel without dialling it. Wait for its StasisStart, then `Channel.dial`."""
        query: Query = {
            "endpoint": endpoint,
            "channelId": channel_id,
            "app": app,
            "appArgs": app_args,
            "originator": originator,
        }
        return await self._make("channels/create", query, variables)

    async def _make(self, uri: str, query: Query, variables: Mapping[str, str] | None) -> ChannelData:
        body = {"variables": dict(variables)} if variables else None
        return msgspec.convert(await self._client.request("POST", uri, query=query, body=body), ChannelData)


class Bridges:
    """All bridges."""

    def __init__(self, client: Requester) -> None:
        self._client = client

    def named(self, bridge_id: str) -> Bridge:
        """Return the bridge with this id, without asking whether it exists."""
        return Bridge(self._client, bridge_id)

    async def list(self) -> list[BridgeData]:
        """Return every bridge of the PBX, those of other applications included."""
        return msgspec.convert(await self._client.request_http("GET", "bridges"), list[BridgeData])

    async def create_with_id(self, bridge_id: str, *, kind: str = "mixing", name: str | None = None) -> Bridge:
        """Make a bridge. `kind` is `mixing` or `holding`, or several of ARI's words joined by commas.

        AriConflict when a bridge with this id exists.
        """
        await self._client.request("POST", path("bridges", bridge_id), query={"type": kind, "name": name})
        return self.named(bridge_id)


class Playbacks:
    """All playbacks."""

    def __init__(self, client: Requester) -> None:
        self._client = client

    def named(self, playback_id: str) -> Playback:
        """Return the playback with this id, without asking whether it runs."""
        return Playback(self._client, playback_id)

    async def get(self, playback_id: str) -> PlaybackData:
        """Return its state now."""
        return msgspec.convert(await self._client.request("GET", path("playbacks", playback_id)), PlaybackData)


class Streamer(Requester, Protocol):
    """What recordings need of the client beside that."""

    def stream_http(self, uri: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a long answer in pieces."""
        ...


class Recordings:
    """All recordings: those that run, by their names, and the files of those that ran."""

    def __init__(self, client: Streamer) -> None:
        self._client = client

    def live(self, name: str) -> LiveRecording:
        """Return the one with this name that runs, without asking whether it does."""
        return LiveRecording(self._client, name)

    def file(self, name: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open the file of one that ran, and read it in pieces; AriNotFound, on entry, where there is none."""
        return self._client.stream_http(path("recordings", "stored", name, "file"))

    async def delete(self, name: str) -> None:
        """Delete the file of one that ran."""
        await self._client.request_http("DELETE", path("recordings", "stored", name))


class Sounds:
    """The sound files of the PBX, as its index knew them at its start or last reload."""

    def __init__(self, client: Requester) -> None:
        self._client = client

    async def list(self, language: str) -> list[SoundData]:
        """Return all sounds that have a file in a language, with those files alone; none at all is no error."""
        try:
            answer = await self._client.request_http("GET", "sounds", query={"lang": language})
        except AriNotFound:
            return []
        return msgspec.convert(answer, list[SoundData])


class Endpoints:
    """Phones and trunks."""

    def __init__(self, client: Requester) -> None:
        self._client = client

    async def list(self) -> list[EndpointData]:
        """Return all of them, with state and channels."""
        return msgspec.convert(await self._client.request_http("GET", "endpoints"), list[EndpointData])

    async def get(self, technology: str, resource: str) -> EndpointData:
        """Return one, such as ("PJSIP", "trunk")."""
        return msgspec.convert(await self._client.request("GET", path("endpoints", technology, resource)), EndpointData)


class Applications:
    """Stasis applications and what they are told about."""

    def __init__(self, client: Requester) -> None:
        self._client = client

    async def get(self, app: str) -> ApplicationData:
        """Return an application's subscriptions."""
        return msgspec.convert(await self._client.request("GET", path("applications", app)), ApplicationData)

    async def subscribe(self, app: str, event_source: str) -> ApplicationData:
        """Subscribe to `endpoint:PJSIP/NAME`, `channel:ID` or `bridge:ID`. AriUnprocessable when it does not exist."""
        answer = await self._client.request(
            "POST", path("applications", app, "subscription"), query={"eventSource": event_source}
        )
        return msgspec.convert(answer, ApplicationData)

    async def unsubscribe(self, app: str, event_source: str) -> None:
        """End one subscription."""
        await self._client.request(
            "DELETE", path("applications", app, "subscription"), query={"eventSource": event_source}
        )


class Asterisk:
    """The PBX itself."""

    def __init__(self, client: Requester) -> None:
        self._client = client

    async def get_info(self) -> AsteriskInfo:
        """Return version and start time."""
        answer = await self._client.request_http("GET", "asterisk/info", query={"only": "system,status"})
        return msgspec.convert(answer, AsteriskInfo)

    async def ping(self) -> None:
        """Return when Asterisk answers over the event WebSocket."""
        await self._client.request("GET", "asterisk/ping")

    async def get_global_var(self, name: str) -> str:
        """Return a global variable, "" when it is not set."""
        answer = await self._client.request("GET", "asterisk/variable", query={"variable": name})
        return str(answer["value"])
