"""Every way into the console: method, path, and who may come in. There is no route that is not one of these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from controller.domain.access import Principal, Scope

    Handler = Callable[[web.Request, Principal], Awaitable[web.StreamResponse]]


class Way(StrEnum):
    """What kind of answer is given to who may not come in."""

    PAGE = "page"
    """A browser: who is not signed in is sent to the sign-in page."""
    API = "api"
    """A program: problem details (RFC 9457), 401 or 403."""


@dataclass(frozen=True, slots=True)
class Door:
    """One route. Who comes in is handed to the handler; what changes anything is guarded against forged requests."""

    method: str
    path: str
    """As aiohttp has it: `/api/v1/promises/{promise}`."""
    handler: Handler
    scope: Scope | None
    """What whoever comes in must be allowed; None: being signed in is enough, or nobody has to be (`is_public`)."""
    way: Way = Way.API
    is_public: bool = False
