"""Problem details (RFC 9457) for programs that are not let in, in the words that the API has for all else."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from controller.console.api.problems import PROBLEM_TYPE, Kind

_TITLES = {each.word: each.title for each in Kind} | {
    "not-asked-of-us": "This address is not ours",
    "forged": "This did not come from one of our own pages",
    "password-must-change": "Choose a password of your own first",
    "too-often": "Too many requests; wait as long as Retry-After says",
    "no-such-method": "This cannot be done with this method",
}
_BY_STATUS = {
    400: "malformed",
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "no-such-method",
    413: "too-large",
    421: "not-asked-of-us",
    429: "too-often",
    500: "broken",
    503: "unavailable",
}


def problem(status: int, kind: str = "", detail: str = "", **more: Any) -> web.Response:
    """Return problem details. `kind` is the end of their `type`, with hyphens; "": what is usual for the status.

    `more` is added to the object: msgspec has to be able to write it.
    """
    kind = kind or _BY_STATUS.get(status, "refused")
    told = {
        "type": f"urn:orikaeshi:problem:{kind}",
        "title": _TITLES.get(kind) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return web.Response(status=status, body=msgspec.json.encode(told), content_type=PROBLEM_TYPE)
