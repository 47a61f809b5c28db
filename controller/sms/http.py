"""What all providers that are reached over HTTP have in common: one session, and what an answer, or none, means.

An SMS is never sent twice because of doubt. Only what shows that the provider did not take it is `Refused`: no
connection came about, or the answer says so. Whatever else happens once a request may have left is `Unclear`.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from controller.ports.sms import Refused, Unclear

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

NOT_NOW = frozenset({408, 425, 429, 503})
"""Statuses by which a server says that it has not handled the request and may do so later: RFC 9110 sections 15.5.9
and 15.6.4, RFC 8470, RFC 6585. Not 500, 502 or 504: these say that something broke, not when."""
_GROWING_S = (5.0, 15.0, 60.0, 180.0, 600.0)
"""After how long to try again when the provider does not say."""
_LEAST_S, _MOST_S = 1.0, 24 * 3600.0
_CONNECT_TIMEOUT_S = 5.0
_LONGEST_BODY = 64 * 1024
_LONGEST_REASON = 200
_LONGEST_REFERENCE = 128
_CLIENT_FAULT = range(300, 500)
"""Redirects count among these: a request with a password in it follows nobody."""
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_DIGITS = re.compile(r"\+?[0-9](?:[ ().-]?[0-9]){5,}", re.ASCII)
"""Telephone numbers, and the codes that we send; not the codes of errors, which have up to five digits."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a provider answered. `headers` by name in lower case; `body` is cut off at 64 KiB, or where it broke."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class HttpClient:
    """One session, opened when it is first needed. `timeout_s` is for everything together."""

    def __init__(self, *, timeout_s: float = 20.0) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(_CONNECT_TIMEOUT_S, timeout_s / 2))
        self._session: aiohttp.ClientSession | None = None
        self._refusals = 0

    async def run(self) -> None:
        """Keep the session until cancelled, then close it."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the session; the next request opens another."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> Answered | Refused | Unclear:
        """Send one request, once, following no redirect.

        `Refused` when it certainly did not leave, `Unclear` when it may have and no answer came.
        """
        try:
            async with self._open().request(
                method, url, data=body, headers={"Accept-Encoding": "identity", **headers}, allow_redirects=False
            ) as response:
                told = {name.lower(): value for name, value in response.headers.items()}
                answered = Answered(response.status, told, await _beginning_of(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return self.not_now(f"no connection: {_kind(error)}")
        except aiohttp.InvalidURL:
            return Refused("the provider's address is none", None)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unclear(f"no answer: {_kind(error)}")
        if answered.status not in NOT_NOW:
            self._refusals = 0
        return answered

    def not_now(self, reason: str, told_s: float | None = None) -> Refused:
        """Return a refusal that may pass: after `told_s`, the provider's own word, else after a growing time."""
        growing_s = _GROWING_S[min(self._refusals, len(_GROWING_S) - 1)]
        self._refusals += 1
        return Refused(reason, growing_s if told_s is None else min(max(told_s, _LEAST_S), _MOST_S))

    def verdict(
        self, answer: Answered, reason: str, now: datetime, *, not_now: Collection[int] = NOT_NOW
    ) -> Refused | Unclear:
        """Return what an answer means that is no acceptance.

        Statuses in `not_now` may pass; of the others 3xx and 4xx are for good, and 5xx leave open whether it was taken.
        """
        if answer.status in not_now:
            return self.not_now(reason, retry_after_s(answer, now))
        return Refused(reason, None) if answer.status in _CLIENT_FAULT else Unclear(reason)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A connection that is used again may be closed by the far end just as the request leaves, and then nobody
            # knows whether it arrived. An SMS is worth a handshake of its own.
            connector = aiohttp.TCPConnector(force_close=True)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session


def retry_after_s(answer: Answered, now: datetime) -> float | None:
    """Return what the header Retry-After asks for, given in seconds or as a date (RFC 9110 section 10.2.3)."""
    told = answer.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdecimal():
        return float(told)
    try:
        at = parsedate_to_datetime(told)
    except (ValueError, IndexError, OverflowError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def json_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return {}
    return value if isinstance(value, dict) else {}


def reference(value: object) -> str | None:
    """Return a provider's id of an SMS as text; None for what can be none."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= _LONGEST_REFERENCE and text.isascii() and text.isprintable() else None


def presentable(text: object) -> str:
    """Return what a provider says in words, fit for a log: short, on one line, without numbers and links."""
    one_line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split())
    masked = _DIGITS.sub("****", _URL.sub("(link)", one_line))
    return masked if len(masked) <= _LONGEST_REASON else masked[: _LONGEST_REASON - 1] + "…"


async def _beginning_of(response: aiohttp.ClientResponse) -> bytes:
    """Return as much of the body as is wanted and comes: the status is known and counts, whatever happens to it."""
    body = bytearray()
    try:
        async for chunk in response.content.iter_chunked(_LONGEST_BODY):
            body += chunk
            if len(body) >= _LONGEST_BODY:
                break
    except (aiohttp.ClientError, TimeoutError, OSError):
        pass
    return bytes(body[:_LONGEST_BODY])


def _kind(error: BaseException) -> str:
    """Return what went wrong without the address, which may have a password in it."""
    cause = getattr(error, "os_error", None)
    return type(error).__name__ if cause is None else f"{type(error).__name__}, {cause.strerror or cause}"
