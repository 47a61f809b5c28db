"""Receipts and replies of a provider that is described in the settings: where it puts what, and how it proves itself.

Each request has to prove that it is the provider's, by a signature over what it says, or by a secret in a header. A
provider that can do neither is not listened to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
import phonenumbers

from controller.domain.sms import Delivery
from controller.ports.sms import ForgedWebhookError, IncomingSms, MalformedWebhookError, Receipt
from controller.sms.http import presentable
from controller.sms.json_http import at, decoded, short_id, text_at
from controller.sms.webhook_fields import FORM, content_type, form_fields, said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.ports.sms import WebhookRequest

Signed = Literal["url", "timestamp", "body"]

_LONGEST_ADDRESS: Final = 20
_MOST_ITEMS: Final = 500
_MILLISECONDS: Final = 10**11
"""A timestamp above this counts milliseconds: as seconds it would lie beyond the year 5000."""


@dataclass(frozen=True, slots=True)
class Verification:
    """How a request is known to be the provider's."""

    method: Literal["hmac", "header"]
    header: str
    """Carries the signature, or with `header` the secret itself."""
    secret: str = field(repr=False)
    prefix: str = ""
    """What stands before it: `sha256=`, `Bearer `."""
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    signs: tuple[Signed, ...] = ("body",)
    """The parts that are signed, in their order."""
    joined_by: str = ""
    timestamp_header: str = ""
    """With `timestamp`: seconds or milliseconds since 1970."""
    max_age_s: float = 300


@dataclass(frozen=True, slots=True)
class ReceiptFields:
    """Where a receipt has what; paths are dotted. One of `reference` and `key` at least."""

    status: str
    delivered: frozenset[str]
    undelivered: frozenset[str]
    on_its_way: frozenset[str] = frozenset()
    reference: str = ""
    key: str = ""
    id: str = ""
    """Names one receipt; "": the SMS and its status do."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class ReplyFields:
    """Where a reply has what; paths are dotted."""

    number: str
    text: str
    to: str = ""
    id: str = ""
    """Names one reply; "": all that it says does, so that a repeat is told by its being the same throughout."""


@dataclass(frozen=True, slots=True)
class JsonWebhook:
    """Reads what such a provider sends: JSON, or a form. Pure."""

    verification: Verification
    receipts: ReceiptFields | None = None
    replies: ReplyFields | None = None
    items: str = ""
    """Where several come in one request: the path of their list."""
    home: str = "JP"
    """ISO 3166 code of the country that a number without `+` belongs to."""
    name: str = "json_http"

    def read(self, request: WebhookRequest) -> Sequence[Receipt | IncomingSms]:
        """Return what a request tells. Raises ForgedWebhookError, MalformedWebhookError."""
        _verify(self.verification, request)
        told = [self._one(item, _kind(request.url)) for item in _items(request, self.items)]
        return [one for one in told if one is not None]

    def _one(self, item: Any, kind: str) -> Receipt | IncomingSms | None:
        if not isinstance(item, dict):
            raise MalformedWebhookError("what it tells is no object with fields")
        looks_like_reply = self.replies is not None and at(self.replies.text, item) is not None
        is_reply = kind == "reply" or (kind != "receipt" and looks_like_reply)
        if is_reply and self.replies is not None:
            return _reply(item, self.replies, name=self.name, home=self.home)
        if not is_reply and self.receipts is not None:
            return _receipt(item, self.receipts, name=self.name)
        raise MalformedWebhookError(f"the settings describe no {'replies' if is_reply else 'receipts'}")


def _receipt(item: dict[str, Any], fields: ReceiptFields, *, name: str) -> Receipt | None:
    """Return a receipt; None for a status that the settings do not name, which says nothing of the delivery."""
    status = text_at(fields.status, item)
    reference, key = text_at(fields.reference, item), text_at(fields.key, item)
    if status is None:
        raise MalformedWebhookError(f"a receipt has no {fields.status}")
    if reference is None and key is None:
        raise MalformedWebhookError(f"a receipt names no SMS: no {fields.reference or fields.key}")
    delivery = _delivery(status, fields)
    if delivery is None:
        return None
    own_id = text_at(fields.id, item) or f"{reference or key}:{status}"
    return Receipt(
        provider=name,
        event_id=short_id(own_id),
        reference=short_id(reference or ""),
        delivery=delivery,
        key=None if key is None else short_id(key),
        error=presentable(text_at(fields.error, item) or ""),
    )


def _delivery(status: str, fields: ReceiptFields) -> Delivery | None:
    known = (
        (Delivery.DELIVERED, fields.delivered),
        (Delivery.UNDELIVERED, fields.undelivered),
        (Delivery.ON_ITS_WAY, fields.on_its_way),
    )
    return next((delivery for delivery, words in known if status in words), None)


def _reply(item: dict[str, Any], fields: ReplyFields, *, name: str, home: str) -> IncomingSms:
    number = e164_of(text_at(fields.number, item) or "", home)
    if number is None:
        raise MalformedWebhookError(f"a reply has no telephone number in {fields.number}")
    text = at(fields.text, item)
    if not isinstance(text, str):
        raise MalformedWebhookError(f"a reply has no text in {fields.text}")
    whole = hashlib.sha256(msgspec.json.encode(item, order="deterministic")).hexdigest()
    return IncomingSms(
        provider=name,
        event_id=short_id(text_at(fields.id, item) or whole),
        number=number,
        to=_address(text_at(fields.to, item) or "", home),
        text=said(text),
    )


def e164_of(text: str, home: str) -> str | None:
    """Return a number as E.164, however a provider writes it: `09012345678`, `819012345678`, `+81 90-1234-5678`.

    None for what is no number. One without `+` is one of `home` if it can be, else one with its country's code.
    """
    if len(text) > _LONGEST_ADDRESS:
        return None
    for written in (text, f"+{text}"):
        try:
            number = phonenumbers.parse(written, home)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number) and not number.extension:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def _address(text: str, home: str) -> str:
    """Return where an SMS went: E.164, else a short code or name as it stands."""
    return e164_of(text, home) or "".join(sign for sign in text[:_LONGEST_ADDRESS] if sign.isprintable())


def _verify(how: Verification, request: WebhookRequest) -> None:
    """Raise ForgedWebhookError unless the request proves that it is the provider's. In constant time."""
    given = request.headers.get(how.header.lower(), "")
    wanted = how.prefix + (how.secret if how.method == "header" else _signature(how, request))
    if how.method == "hmac" and how.encoding == "hex":
        given, wanted = given.lower(), wanted.lower()
    if not hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()) or not how.secret:
        raise ForgedWebhookError(f"{how.header} is missing or wrong")
    if how.method == "hmac" and "timestamp" in how.signs:
        _check_age(how, request)


def _signature(how: Verification, request: WebhookRequest) -> str:
    parts = {
        "url": request.url.encode("utf-8", "replace"),
        "timestamp": request.headers.get(how.timestamp_header.lower(), "").encode("utf-8", "replace"),
        "body": request.body,
    }
    signed = how.joined_by.encode().join(parts[part] for part in how.signs)
    digest = hmac.digest(how.secret.encode(), signed, how.algorithm)
    return digest.hex() if how.encoding == "hex" else base64.b64encode(digest).decode()


def _check_age(how: Verification, request: WebhookRequest) -> None:
    given = request.headers.get(how.timestamp_header.lower(), "")
    if not (given.isascii() and given.isdecimal() and len(given) <= _LONGEST_ADDRESS):
        raise ForgedWebhookError(f"{how.timestamp_header} is no time")
    seconds = int(given) / (1000 if int(given) >= _MILLISECONDS else 1)
    if abs(request.now.timestamp() - seconds) > how.max_age_s:
        raise ForgedWebhookError(f"{how.timestamp_header} is too old, or of the future")


def _kind(url: str) -> str:
    return urlsplit(url).path.rstrip("/").rpartition("/")[2]


def _items(request: WebhookRequest, path: str) -> list[Any]:
    if content_type(request.headers) == FORM:
        return [form_fields(request.body)]
    try:
        value = decoded(request.body)
    except ValueError:
        raise MalformedWebhookError("the body is no JSON") from None
    if not path:
        return [value]
    found = at(path, value)
    if not isinstance(found, list) or len(found) > _MOST_ITEMS:
        raise MalformedWebhookError(f"there is no list of up to {_MOST_ITEMS} in {path}")
    return found
