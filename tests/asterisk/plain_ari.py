"""A bare Stasis application: just enough ARI to see what the dialplan does when somebody listens, and when not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.provision import Site


class PlainAri:
    """ARI over HTTP, without an event socket: Asterisk sees no application."""

    def __init__(self, site: Site, session: aiohttp.ClientSession) -> None:
        self._url = site.ari_url
        self._session = session

    async def post(self, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        """POST, return the JSON or None; any refusal raises aiohttp.ClientResponseError."""
        async with self._session.post(f"{self._url}/{path}", params=query, json=body) as response:
            response.raise_for_status()
            return await response.json() if response.status == 200 else None

    async def get(self, path: str) -> Any:
        """GET, return the JSON."""
        async with self._session.get(f"{self._url}/{path}") as response:
            response.raise_for_status()
            return await response.json()

    async def hang_up(self, channel_id: str) -> None:
        """End a channel, whether or not it is still there."""
        async with self._session.delete(f"{self._url}/channels/{channel_id}"):
            pass

    async def leg(self, endpoint: str, context: str, **variables: str) -> str:
        """Dial a leg into a context of the dialplan, as the controller does; return the channel's id."""
        channel = await self.post(
            "channels",
            {"variables": variables},
            endpoint=endpoint,
            context=context,
            extension="s",
            priority="1",
            callerId="0312345678",
        )
        return str(channel["id"])

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Events]:
        """Be the application `orikaeshi` for the length of the block."""
        async with self._session.ws_connect(f"{self._url}/events?app=orikaeshi") as socket:
            yield Events(socket)


class Events:
    """The events of the application."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def next(self, kind: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """Return the next event of a type; others on the way are dropped. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                event: dict[str, Any] = await self._socket.receive_json()
                if event["type"] == kind:
                    return event


@asynccontextmanager
async def plain_ari(site: Site) -> AsyncIterator[PlainAri]:
    """Open an ARI session for a site."""
    login = aiohttp.encode_basic_auth(site.ari_user, site.ari_password)
    async with aiohttp.ClientSession(headers={"Authorization": login}) as session:
        yield PlainAri(site, session)
