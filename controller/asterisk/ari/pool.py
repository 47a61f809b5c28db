"""ARI over plain HTTP: for slow requests and long answers, which would hold up the event WebSocket."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from controller.asterisk.ari.errors import AriDisconnected, AriTimeout, AriUnauthorized, refusal
from controller.asterisk.ari.wire import Query, json_body, query_pairs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientWebSocketResponse

POOL_SIZE = 8
"""Connections at most; Asterisk serves 100 HTTP sessions by default, for everybody (http.conf `sessionlimit`)."""

IDLE_S = 10.0
"""Idle connections are closed by us before Asterisk does it after 15 s, so that none dies under a request."""

MAX_ANSWER_BYTES = 64 * 1024 * 1024
CLOSE_TIMEOUT_S = 1.0
STREAMS = 8
"""Long answers that are read at the same time, at most: on connections of their own, so that no other request waits for
whoever listens slowly."""
PIECE_BYTES = 64 * 1024
"""Of a long answer, at most."""


class HttpPool:
    """A few kept-alive HTTP connections to one Asterisk, and the way to its event WebSocket."""

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self._base_url = base_url.rstrip("/").removesuffix("/ari")
        self._username = username
        credentials = b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}"}  # RFC 7617
        self._session: aiohttp.ClientSession | None = None
        self._streams: aiohttp.ClientSession | None = None

    async def request(self, method: str, uri: str, query: Query | None, body: Any, timeout_s: float) -> Any:
        """Send one request and return its decoded JSON answer, None when it has no body.

        Raises AriRefused and its kinds, AriUnauthorized, AriTimeout, AriDisconnected; ValueError for text that
        must not be sent.
        """
        data = None if body is None else json_body(body)
        params = query_pairs(query)
        session = self._open_session()
        try:
            async with (
                asyncio.timeout(timeout_s),
                session.request(
                    method,
                    f"{self._base_url}/ari/{uri}",
                    params=params,
                    data=data,
                    headers={"Content-Type": "application/json"} if data is not None else None,
                    allow_redirects=False,
                ) as response,
            ):
                answer = await response.read()
                status, reason = response.status, response.reason or ""
        except TimeoutError:
            raise AriTimeout(method, uri, f"none within {timeout_s:g} s", maybe_executed=True) from None
        except aiohttp.ClientConnectorError as error:
            raise AriDisconnected(method, uri, str(error), maybe_executed=False) from error
        except (aiohttp.ClientError, OSError) as error:
            why = f"the connection broke ({type(error).__name__} {error})"
            raise AriDisconnected(method, uri, why, maybe_executed=True) from error
        if status == HTTPStatus.UNAUTHORIZED:
            raise AriUnauthorized(self._username, self._base_url)
        return decode_answer(method, uri, status, reason, answer)

    @asynccontextmanager
    async def stream(self, uri: str, timeout_s: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send a GET, and hand out its answer in pieces while the context is open; `timeout_s` is for each piece.

        Raises, on entry and while it is read, what `request` raises.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeout_s, sock_read=timeout_s)
        try:
            async with self._open_streams().get(
                f"{self._base_url}/ari/{uri}", allow_redirects=False, timeout=timeout
            ) as response:
                if response.status == HTTPStatus.UNAUTHORIZED:
                    raise AriUnauthorized(self._username, self._base_url)
                if response.status >= HTTPStatus.BAD_REQUEST:
                    decode_answer("GET", uri, response.status, response.reason or "", await response.read())
                yield response.content.iter_chunked(PIECE_BYTES)
        except TimeoutError:
            raise AriTimeout("GET", uri, f"none within {timeout_s:g} s", maybe_executed=True) from None
        except (aiohttp.ClientError, OSError) as error:
            why = f"the connection broke ({type(error).__name__} {error})"
            raise AriDisconnected("GET", uri, why, maybe_executed=True) from error

    async def open_event_socket(self, app: str) -> ClientWebSocketResponse[bool]:
        """Open the event WebSocket of an application.

        Raises AriUnauthorized, and AriDisconnected when it cannot be opened.
        """
        try:
            return await self._open_session().ws_connect(
                f"{self._base_url}/ari/events",
                params={"app": app},
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                autoping=False,
                autoclose=False,
                max_msg_size=MAX_ANSWER_BYTES,
                decode_text=False,
            )
        except aiohttp.WSServerHandshakeError as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                raise AriUnauthorized(self._username, self._base_url) from None
            why = f"the event WebSocket was refused with status {error.status}"
            raise AriDisconnected("GET", "events", why, maybe_executed=False) from error
        except (aiohttp.ClientError, OSError) as error:
            raise AriDisconnected("GET", "events", str(error), maybe_executed=False) from error

    async def close(self) -> None:
        """Close all connections. A later request opens new ones."""
        session, self._session = self._session, None
        streams, self._streams = self._streams, None
        for each in (session, streams):
            if each is not None:
                await each.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = self._new_session(POOL_SIZE)
        return self._session

    def _open_streams(self) -> aiohttp.ClientSession:
        if self._streams is None:
            self._streams = self._new_session(STREAMS)
        return self._streams

    def _new_session(self, connections: int) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=IDLE_S),
            timeout=aiohttp.ClientTimeout(total=None),
        )


def decode_answer(method: str, uri: str, status: int, reason: str, answer: bytes | str) -> Any:
    """Return the JSON of an answer, None for an empty one. Raise AriRefused or a kind of it for an error status."""
    try:
        decoded = msgspec.json.decode(answer) if answer else None
    except msgspec.DecodeError:
        decoded = None
        if status < HTTPStatus.BAD_REQUEST:
            raise refusal(method, uri, HTTPStatus.BAD_GATEWAY, "the answer is not JSON") from None
    if status >= HTTPStatus.BAD_REQUEST:
        if isinstance(decoded, dict):
            reason = str(decoded.get("message") or decoded.get("error") or reason)
        raise refusal(method, uri, status, reason)
    return decoded
