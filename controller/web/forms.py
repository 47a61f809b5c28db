"""What a browser sends: bounded, in time, from one of our own pages."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aiohttp import web

if TYPE_CHECKING:
    from controller.web.house import WebHouse

FORM_BYTES = 16 * 1024
FORM_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 20
_LONGEST_INSTANT = 40
_FROM_HERE = frozenset({"same-origin", "none"})


async def read_body(request: web.Request, limit: int, timeout_s: float) -> bytes:
    """Return a body.

    Raises HTTPRequestEntityTooLarge over `limit` bytes, HTTPRequestTimeout when it takes too long, HTTPBadRequest when
    it is cut up wrongly.
    """
    if (request.content_length or 0) > limit:
        raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=request.content_length or 0)
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > limit:
                    raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except web.RequestPayloadError as error:
        raise web.HTTPBadRequest from error
    return bytes(body)


async def read_form(request: web.Request, site: WebHouse) -> dict[str, str]:
    """Return the fields of a form of ours; of two with one name the last.

    Raises HTTPForbidden for a form of somebody else's page, HTTPUnsupportedMediaType, HTTPBadRequest, and as
    `read_body` does.
    """
    if not is_from_here(request, site):
        raise web.HTTPForbidden
    if request.content_type != FORM_TYPE:
        raise web.HTTPUnsupportedMediaType
    body = await read_body(request, FORM_BYTES, site.body_timeout_s)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError as error:
        raise web.HTTPBadRequest from error


def is_from_here(request: web.Request, site: WebHouse) -> bool:
    """Tell whether a form was sent from a page of ours, as far as the browser says.

    Sec-Fetch-Site decides where it is sent. Otherwise Origin does; it is `null` where a page asks for its address to
    be kept to itself (Referrer-Policy: no-referrer, as ours do). A sender that says neither is no browser, and has
    nobody's rights but its own: there are no cookies here.
    """
    fetched_from = request.headers.get("Sec-Fetch-Site")
    if fetched_from is not None:
        return fetched_from in _FROM_HERE
    return request.headers.get("Origin", "null") in {site.origin, "null"}


def instant(text: str) -> datetime | None:
    """Return the instant (aware UTC) that a form names in ISO 8601; None when it is none."""
    if len(text) > _LONGEST_INSTANT:
        return None
    try:
        at = datetime.fromisoformat(text)
        return None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
