"""What the API can do, as a table: an operation is a row, and its route and its page of OpenAPI are made from it.

A module of this room has a tuple `OPERATIONS`, which `table.py` puts together with the others:

    class OfSms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        limit: Annotated[int, Meta(ge=1, le=200, description="How many at most")] = 50

    async def list_sms(ask: Ask[OfSms, Nothing]) -> SmsPage: ...

    OPERATIONS = (
        Operation("GET", "/sms", list_sms, tag=Tag.SMS, summary="List SMS", answer=SmsPage, scope=Scope.SMS_READ,
                  query=OfSms),
    )
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

import msgspec

from controller.domain.access import Scope
from controller.domain.phone_number import mask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web

    from controller.console.api.cursors import Cursors
    from controller.console.api.problems import Kind
    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal

ROOT = "/api/v1"
_PLACE = re.compile(r"\{([a-z_]+)\}")


class Tag(StrEnum):
    """Under which heading an operation stands in the description."""

    FLOOR = "Floor"
    QUEUES = "Queues"
    LINE = "Line"
    AGENTS = "Agents"
    PROMISES = "Promises"
    RECORDINGS = "Recordings"
    FIGURES = "Figures"
    SMS = "SMS"
    DO_NOT_CALL = "Do not call"
    PRIVACY = "Privacy"
    WEBHOOKS = "Webhooks"
    STAFF = "People and keys"
    ABOUT = "About"


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters in the address; or no body."""


def shown_to(who: Principal, number: str | None) -> str | None:
    """Return a phone number as it may be shown to somebody: whole, or masked; None where there is none."""
    return number if number is None or who.may(Scope.NUMBERS_READ) else mask(number)


Q = TypeVar("Q", bound=msgspec.Struct)
B = TypeVar("B", bound=msgspec.Struct)
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Ask(Generic[Q, B]):
    """One request that may be answered: checked, and by somebody who may ask it."""

    house: ConsoleHouse
    who: Principal
    path: Mapping[str, str]
    """What stands in the places of the path."""
    query: Q
    body: B
    request: web.Request
    cursors: Cursors
    key: str = ""
    """The same for the same request sent again (64 hexadecimal digits), where one has an Idempotency-Key.

    Also for one that is asked again after a crash, so that what it made can be found by it; a day later it is another.
    """

    def shown(self, number: str | None) -> str | None:
        """Return a phone number as it may be shown to whoever asks: whole, or masked; None where there is none."""
        return shown_to(self.who, number)


@dataclass(frozen=True, slots=True)
class Answered(Generic[A]):
    """An answer that does not have the usual status."""

    answer: A
    status: int


Answer: TypeAlias = "A | Answered[A] | web.StreamResponse"
"""What a handler returns: what is sent as JSON; None for no content; or a whole response of its own."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[Q, B, A]):
    """One thing that can be asked of the API."""

    method: str
    path: str
    """Below `ROOT`: `/promises/{promise}`."""
    handler: Callable[[Ask[Q, B]], Awaitable[Answer[A]]]
    """Raises Refusal, StoreUnavailableError."""
    tag: Tag
    summary: str
    """One line."""
    answer: type[A]
    """The type of what is sent; NoneType: no content."""
    scope: Scope | None
    """What whoever asks must be allowed; None: it is enough to be signed in (or not even that, with `is_public`)."""
    or_scope: Scope | None = None
    """Another that is enough, too. Then the handler has to look whose business it is."""
    query: type[Q] = cast("type[Q]", Nothing)  # noqa: RUF009 - no call is made
    """A Struct with `forbid_unknown_fields`: its fields are the parameters of the address."""
    body: type[B] = cast("type[B]", Nothing)  # noqa: RUF009 - likewise
    """Likewise the object that is sent, as JSON."""
    description: str = ""
    """More, as Markdown."""
    problems: tuple[Kind, ...] = ()
    """What it may be answered with, beside what holds for all."""
    status: int = 200
    other_status: int | None = None
    """With an `Answered` of another status: which."""
    wants_key: bool = False
    """The header Idempotency-Key has to be sent."""
    is_public: bool = False
    media: str = "application/json"
    """Of a handler that returns a whole response: what is in it."""

    @property
    def name(self) -> str:
        """The name of the operation, `operationId`: as its handler is called."""
        return str(getattr(self.handler, "__name__", self.path))

    @property
    def places(self) -> tuple[str, ...]:
        """The names of the places in its path."""
        return tuple(_PLACE.findall(self.path))

    @property
    def has_body(self) -> bool:
        """An object is sent with it."""
        return self.body is not cast("Any", Nothing)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes of which one is enough."""
        return tuple(each for each in (self.scope, self.or_scope) if each is not None)

    @property
    def usual_status(self) -> int:
        """The status of an answer that says none."""
        is_empty = cast("Any", self.answer) is type(None)
        return int(HTTPStatus.NO_CONTENT) if is_empty and self.status == HTTPStatus.OK else self.status
