"""What the providers' webhooks have in common: their fields come from strangers, and are stored and answered."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from controller.ports.sms import MalformedWebhookError
from controller.sms.http import presentable

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_LONGEST_TEXT = 2000
_LONGEST_BODY = 64 * 1024
_MOST_FIELDS = 200
_NUMBER = re.compile(r"\+?[1-9][0-9]{6,14}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Databases refuse NUL, and UTF-8 has no lone surrogates."""


def content_type(headers: dict[str, str] | Any) -> str:
    """Return the content type without its parameters, in lower case; "" if there is none."""
    return str(headers.get("content-type", "")).partition(";")[0].strip().lower()


def form_fields(body: bytes) -> dict[str, str]:
    """Return the fields of a form in UTF-8. Raises MalformedWebhookError, also for a field that stands there twice."""
    try:
        pairs = parse_qsl(
            body[: _LONGEST_BODY + 1].decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise MalformedWebhookError("the body is no form in UTF-8") from None
    return _each_once(pairs, body)


def json_fields(body: bytes) -> dict[str, Any]:
    """Return the fields of a JSON object. Raises MalformedWebhookError."""
    try:
        value = msgspec.json.decode(body[: _LONGEST_BODY + 1])
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise MalformedWebhookError("the body is no JSON") from None
    if not isinstance(value, dict) or len(body) > _LONGEST_BODY:
        raise MalformedWebhookError("the body is no JSON object, or longer than any of theirs")
    return value


def word(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    """Return a field that is text. Raises MalformedWebhookError where it is none, or missing without `default`."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise MalformedWebhookError(f"{name} is missing, or no text")
    return value


def identifier(fields: dict[str, Any], name: str) -> str:
    """Return a provider's id: letters, digits, `-` and `_`, up to 100 of them. Raises MalformedWebhookError."""
    value = word(fields, name)
    if not _ID.fullmatch(value):
        raise MalformedWebhookError(f"{name} is no id")
    return value


def number(fields: dict[str, Any], name: str) -> str:
    """Return a telephone number as E.164, written with or without `+`. Raises MalformedWebhookError."""
    value = word(fields, name)
    if not _NUMBER.fullmatch(value):
        raise MalformedWebhookError(f"{name} is no telephone number")
    return f"+{value.removeprefix('+')}"


def address(fields: dict[str, Any], name: str) -> str:
    """Return where an SMS went: a number as E.164, else a short code or name as it stands."""
    value = word(fields, name)
    return number(fields, name) if _NUMBER.fullmatch(value) else presentable(value)[:20]


def said(text: str) -> str:
    """Return a stranger's text as far as it can be stored; anything longer than an SMS can be is cut off."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[:_LONGEST_TEXT])


def _each_once(pairs: list[tuple[str, str]], body: bytes) -> dict[str, str]:
    fields = dict(pairs)
    if len(fields) < len(pairs) or len(body) > _LONGEST_BODY:
        raise MalformedWebhookError("a field stands there twice, or the body is longer than any of theirs")
    return fields
