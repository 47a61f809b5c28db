"""Sends one event to one receiver, over HTTP: nothing that it answers, or fails to, hurts more than this one try."""

from __future__ import annotations

import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp

from controller.hooks.addresses import ForbiddenAddressError, objection
from controller.ports.hooks import NotTaken, Taken

if TYPE_CHECKING:
    from controller.hooks.signing import HookSecrets
    from controller.ports.clock import Clock

TIMEOUT_S = 10.0
"""For everything together: name, connection, request, answer."""
LONGEST_ANSWER = 64 * 1024
_CHUNK = 16 * 1024
_AWAY = frozenset({408, 425, 429})
"""Statuses of the 4xx that say nothing against this event: RFC 9110 section 15.5.9, RFC 8470, RFC 6585."""
_MOST_DIGITS = 9


class HookClient:
    """`HookPost` for one receiver. Each event has a connection of its own, to an address that is looked at anew.

    No redirect is followed, no cookie kept, no proxy of the environment used.
    """

    def __init__(
        self, url: str, secrets: HookSecrets, clock: Clock, *, allow_private: bool, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._url = url
        self._secrets = secrets
        self._clock = clock
        self._allow_private = allow_private
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, event_id: str, body: str) -> Taken | NotTaken:
        """Send one event, signed, once. Raises nothing."""
        content = body.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Orikaeshi",
            "Accept-Encoding": "identity",
            **self._secrets.headers(event_id, int(self._clock.now().timestamp()), content),
        }
        try:
            async with self._open().post(self._url, data=content, headers=headers, allow_redirects=False) as response:
                status, told = response.status, response.headers.get("Retry-After", "")
                await _read_out(response)
        except aiohttp.ClientConnectorError as error:
            return NotTaken(f"no connection: {_kind(error)}")
        except aiohttp.InvalidURL:
            return NotTaken("the address is none that requests can go to")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return NotTaken(f"no answer: {type(error).__name__}")
        return _verdict(status, told)

    async def close(self) -> None:
        """Close the session; the next event opens another."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                force_close=True, use_dns_cache=False, socket_factory=self._socket_to, limit=1
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _socket_to(self, found: Any) -> socket.socket:
        """Return a socket for an address that a name led to. Raises ForbiddenAddressError."""
        family, kind, protocol, _, address = found
        against = objection(str(address[0]), allow_private=self._allow_private)
        if against is not None:
            raise ForbiddenAddressError(against)
        return socket.socket(family=family, type=kind, proto=protocol)


async def _read_out(response: aiohttp.ClientResponse) -> None:
    """Read the answer so far as anybody may expect us to. What it says does not count, nor how it ends."""
    length = 0
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            length += len(chunk)
            if length >= LONGEST_ANSWER:
                break
    except (aiohttp.ClientError, TimeoutError, OSError):
        pass


def _verdict(status: int, told: str) -> Taken | NotTaken:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Taken(status)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return NotTaken(f"it answered {status}: redirects are not followed", status, is_away=False)
    is_away = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _AWAY
    return NotTaken(f"it answered {status}", status, is_away=is_away, told_s=_seconds(told))


def _seconds(told: str) -> float:
    """Return what the header Retry-After asks for in seconds (RFC 9110 section 10.2.3); a date there is passed over."""
    word = told.strip()
    return float(word) if word.isascii() and word.isdecimal() and len(word) <= _MOST_DIGITS else 0.0


def _kind(error: aiohttp.ClientConnectorError) -> str:
    """Return what went wrong, without the address."""
    cause = getattr(error, "os_error", None)  # an error of a certificate has none
    if isinstance(cause, ForbiddenAddressError):
        return str(cause.strerror)
    return (
        type(error).__name__ if cause is None else f"{type(error).__name__}, {cause.strerror or type(cause).__name__}"
    )
