"""What comes in: parameters, bodies, and the places of a path; typed at the door, with every mistake named."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import msgspec
from aiohttp import web
from msgspec.structs import fields

from controller.console.api.operation import Nothing
from controller.console.api.problems import Kind, Mistake, Refusal
from controller.web.forms import read_body

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec.structs import FieldInfo

S = TypeVar("S", bound=msgspec.Struct)

BODY_BYTES = 64 * 1024
BODY_TIMEOUT_S = 10.0
JSON_TYPE = "application/json"
LONGEST_NAME = 150
"""Of what stands in a path: the longest is a call's id."""
_MOST_MISTAKES = 20
_LONGEST_KEY = 255
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_WHERE = re.compile(r" - at `\$[^`]*`\Z")
_VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)


def read_query(request: web.Request, kind: type[S]) -> S:
    """Return the parameters of the address. Raises Refusal."""
    given = {name: request.query.getall(name) for name in request.query}
    mistakes = [Mistake(f"query.{name[:LONGEST_NAME]}", "is there twice") for name in given if len(given[name]) > 1]
    return _read({name: values[0] for name, values in given.items()}, kind, "query", mistakes, is_text=True)


async def read_object(request: web.Request, kind: type[S]) -> S:
    """Return the object that was sent. Raises Refusal; HTTPRequestTimeout when it takes too long."""
    if kind is cast("Any", Nothing):
        return kind()
    if request.content_type != JSON_TYPE:
        raise Refusal(Kind.NOT_JSON)
    try:
        body = await read_body(request, BODY_BYTES, BODY_TIMEOUT_S)
        given = msgspec.json.decode(body)
    except web.HTTPRequestEntityTooLarge:
        raise Refusal(Kind.TOO_LARGE, f"at most {BODY_BYTES} bytes") from None
    except (web.HTTPBadRequest, msgspec.MsgspecError, RecursionError, UnicodeError):
        raise Refusal(Kind.MALFORMED) from None
    if not isinstance(given, dict):
        raise Refusal(Kind.MALFORMED)
    return _read(given, kind, "body", [], is_text=False)


def read_places(request: web.Request) -> dict[str, str]:
    """Return what stands in the places of the path. Raises Refusal."""
    given = dict(request.match_info)
    mistakes = [
        Mistake(f"path.{name}", f"has to be 1 to {LONGEST_NAME} printable characters")
        for name, value in given.items()
        if not (0 < len(value) <= LONGEST_NAME and value.isprintable() and _is_clean(value))
    ]
    if mistakes:
        raise Refusal(Kind.INVALID, "", mistakes)
    return given


def read_key(request: web.Request) -> str:
    """Return the Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), with or without its quotes.

    Raises Refusal where there is none, or several, or none that can be one.
    """
    given = request.headers.getall("Idempotency-Key", [])
    key = given[0].strip().removeprefix('"').removesuffix('"') if len(given) == 1 else ""
    if len(key) > _LONGEST_KEY or not _VISIBLE.fullmatch(key):
        wants = f"send one of 1 to {_LONGEST_KEY} visible ASCII characters: a UUID, say, new for each new request"
        raise Refusal(Kind.NO_IDEMPOTENCY_KEY, wants)
    return key


def _read(given: Mapping[str, object], kind: type[S], place: str, mistakes: list[Mistake], *, is_text: bool) -> S:
    """Return a Struct of what was given, field by field, so that every mistake is found. Raises Refusal."""
    known = {one.encode_name: one for one in fields(kind)}
    mistakes += [Mistake(f"{place}.{name[:LONGEST_NAME]}", "is not known here") for name in given if name not in known]
    found: dict[str, object] = {}
    for name, one in known.items():
        try:
            if name in given:
                found[one.name] = _value(given[name], one, is_text=is_text)
            elif one.required:
                mistakes.append(Mistake(f"{place}.{name}", "is missing"))
        except (msgspec.ValidationError, ValueError, OverflowError) as error:
            mistakes.append(Mistake(f"{place}.{name}", _WHERE.sub("", str(error))))
    if mistakes:
        raise Refusal(Kind.INVALID, "", mistakes[:_MOST_MISTAKES])
    return kind(**found)


def _value(given: object, one: FieldInfo, *, is_text: bool) -> object:
    """Return the value of a field. Raises ValidationError, ValueError, OverflowError."""
    if not _is_clean(given):
        raise ValueError("has a character in it that is none")
    if is_text and not _takes(one.type, (date, str)):
        given = _in_json(str(given))
    value = msgspec.convert(given, one.type)
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
        if not _FIRST <= value < _LAST:
            raise ValueError(f"has to be from the year {_FIRST.year} on and before {_LAST.year}")
    return value


def _in_json(text: str) -> object:
    """Return the number or truth value that a text is in JSON; any other text as it is, and it will not fit."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    # Nothing is said by leaving it out.
    return value if isinstance(value, bool | int | float) else text


def _takes(annotation: Any, kinds: Sequence[type]) -> bool:
    """Tell whether a type is one of these, or has one of them in it."""
    if isinstance(annotation, type):
        return any(issubclass(annotation, kind) for kind in kinds)
    return any(_takes(each, kinds) for each in get_args(annotation))


def _is_clean(given: object) -> bool:
    """Tell whether all text in a value can be kept: no zeros, and nothing that is no character."""
    if isinstance(given, str):
        return "\0" not in given and all(not 0xD800 <= ord(sign) < 0xE000 for sign in given)  # noqa: PLR2004 - surrogates
    if isinstance(given, dict):
        return all(_is_clean(key) and _is_clean(value) for key, value in given.items())
    return all(map(_is_clean, given)) if isinstance(given, list) else True
