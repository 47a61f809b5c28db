"""What the API says when something cannot be done: problem details (RFC 9457), each kind with one status and title."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from controller.ports.floor import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

PROBLEM_TYPE = "application/problem+json"
STORE_RETRY_S = 5
"""After how long it is worth to ask again when the database is away."""


@dataclass(frozen=True, slots=True)
class _About:
    status: HTTPStatus
    title: str


class Kind(Enum):
    """Every kind of problem. Its name, with hyphens, is the end of `type`."""

    MALFORMED = _About(HTTPStatus.BAD_REQUEST, "The body is no JSON object")
    NO_IDEMPOTENCY_KEY = _About(HTTPStatus.BAD_REQUEST, "The header Idempotency-Key is missing, or is none")
    NOT_SIGNED_IN = _About(HTTPStatus.UNAUTHORIZED, "You have not said who you are")
    NOT_ALLOWED = _About(HTTPStatus.FORBIDDEN, "You are not allowed to do this")
    NOT_FOUND = _About(HTTPStatus.NOT_FOUND, "There is nothing of that name")
    NOT_NOW = _About(HTTPStatus.CONFLICT, "It cannot be done in the state that this is in")
    NUMBER_HELD = _About(HTTPStatus.CONFLICT, "The number already has a promise with that queue")
    NUMBER_BLOCKED = _About(HTTPStatus.CONFLICT, "The number is on the do-not-call list")
    SLOT_FULL = _About(HTTPStatus.CONFLICT, "There is no place left in that window")
    EXISTS = _About(HTTPStatus.CONFLICT, "There already is one of that name")
    STILL_ANSWERING = _About(HTTPStatus.CONFLICT, "A request with this Idempotency-Key is still being answered")
    CHANGED = _About(HTTPStatus.PRECONDITION_FAILED, "Somebody else has changed it since you looked")
    TOO_LARGE = _About(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large")
    NOT_JSON = _About(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body has to be application/json")
    ELSEWHERE = _About(HTTPStatus.MISDIRECTED_REQUEST, "Another controller has this Asterisk; ask there")
    INVALID = _About(HTTPStatus.UNPROCESSABLE_ENTITY, "What was asked for cannot be understood")
    BAD_CURSOR = _About(HTTPStatus.UNPROCESSABLE_ENTITY, "This cursor is none of ours; begin with the first page")
    OTHER_REQUEST = _About(HTTPStatus.UNPROCESSABLE_ENTITY, "This Idempotency-Key was used for another request")
    UNAVAILABLE = _About(HTTPStatus.SERVICE_UNAVAILABLE, "The database or the PBX is away; try again")
    BROKEN = _About(HTTPStatus.INTERNAL_SERVER_ERROR, "Our fault; the log of the controller says more")

    @property
    def word(self) -> str:
        """How it is called on the wire."""
        return self.name.lower().replace("_", "-")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.value.status)

    @property
    def title(self) -> str:
        """The same for every problem of the kind."""
        return self.value.title


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request."""

    where: str
    """`query.limit`, `path.queue`, `body.number`, `header.Idempotency-Key`."""
    what: str
    """What is wrong with it, in English."""


class Problem(msgspec.Struct, frozen=True):
    """Problem details (RFC 9457)."""

    type: str
    """`urn:orikaeshi:problem:` and the kind: what a program looks at."""
    title: str
    status: int
    detail: str = ""
    mistakes: tuple[Mistake, ...] = ()
    """Every mistake in what was asked, where there are any."""


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is answered with problem details; nothing was changed."""

    def __init__(self, kind: Kind, detail: str = "", mistakes: Iterable[Mistake] = ()) -> None:
        super().__init__(kind.title)
        self.kind = kind
        self.problem = Problem(f"urn:orikaeshi:problem:{kind.word}", kind.title, kind.status, detail, tuple(mistakes))

    @classmethod
    def at(cls, where: str, what: str) -> Refusal:
        """Return the refusal of a request with one mistake in it."""
        return cls(Kind.INVALID, "", [Mistake(where, what)])

    def response(self) -> web.Response:
        """Return it as it is sent."""
        answer = web.Response(
            status=self.kind.status, body=msgspec.json.encode(self.problem), content_type=PROBLEM_TYPE
        )
        if self.kind is Kind.UNAVAILABLE:
            answer.headers["Retry-After"] = str(STORE_RETRY_S)
        return answer


_OF_FLOOR = {
    Refused.UNKNOWN: Kind.NOT_FOUND,
    Refused.NOT_NOW: Kind.NOT_NOW,
    Refused.ELSEWHERE: Kind.ELSEWHERE,
    Refused.NUMBER_HELD: Kind.NUMBER_HELD,
    Refused.UNAVAILABLE: Kind.UNAVAILABLE,
}
FLOOR_KINDS = (Kind.NOT_FOUND, Kind.NOT_NOW, Kind.ELSEWHERE)
"""What a command on the floor may be answered with, beside what holds for all."""


def raise_if(refused: Refused | None) -> None:
    """Raise the Refusal that says why the floor did not do something; nothing where it did."""
    if refused is not None:
        raise Refusal(_OF_FLOOR[refused])
