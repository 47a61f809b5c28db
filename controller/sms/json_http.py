"""Any provider that takes an SMS as one HTTP request with fields and answers in JSON: described, not programmed.

What a provider calls its fields stands in the settings (docs/sms-json.md). A field's value is a constant or one whole
placeholder, and takes its place as a value: no text is ever pasted into another, so that nothing which a stranger
wrote can end a string, a field or a header.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode

import msgspec
import phonenumbers
from aiohttp import encode_basic_auth

from controller.ports.sms import Accepted, Refused, Unclear
from controller.sms.http import NOT_NOW, Answered, HttpClient, presentable, retry_after_s
from controller.sms.webhook_fields import FORM, JSON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.ports.clock import Clock
    from controller.ports.sms import SendResult

PLACEHOLDERS: Final = (
    "{number}",
    "{number_digits}",
    "{national_number}",
    "{text}",
    "{sender}",
    "{key}",
    "{secret}",
    "{webhook_url}",
)
"""What a field can stand for: `+819012345678`, `819012345678`, `09012345678`, ..., where receipts go."""

_GROWING_S: Final = (5.0, 15.0, 60.0, 180.0, 600.0)
"""After how long to try again when the provider does not say."""
_LONGEST_INDEX: Final = 4
_LONGEST_ID: Final = 128
"""As long as our own keys can be."""


@dataclass(frozen=True, slots=True)
class JsonProvider:
    """How one provider is asked to send, and how its answer is read. Paths are dotted: `data.0.id`."""

    url: str
    body: Mapping[str, Any]
    """Field names to constants, placeholders, lists or tables of them. With `form` no lists or tables."""
    method: Literal["POST", "PUT"] = "POST"
    encoding: Literal["json", "form"] = "json"
    auth: Literal["none", "bearer", "basic", "header"] = "none"
    user: str = ""
    """With `basic`."""
    header: str = ""
    """With `header`: the one that carries the secret."""
    secret: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted_statuses: frozenset[int] = frozenset({200, 201, 202})
    retry_statuses: frozenset[int] = NOT_NOW
    """It was not taken, and may be later. Of the others 3xx and 4xx are for good; 5xx leave open whether it was."""
    code: str = ""
    """The field of the answer that says whether it was accepted; "": the status alone says it."""
    accepted_codes: frozenset[str] = frozenset()
    retry_codes: frozenset[str] = frozenset()
    """It was not taken, and may be later. Any other code is for good."""
    reference: str = ""
    """The field with the provider's id; "": it knows the SMS by our key alone."""
    error: str = ""
    """The field with the reason, in words."""


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """Return `template` with each placeholder replaced by its value. Whatever else stands there is a constant."""
    if isinstance(template, str):
        return values.get(template, template)
    if isinstance(template, dict):
        return {name: filled(inner, values) for name, inner in template.items()}
    return [filled(inner, values) for inner in template] if isinstance(template, list | tuple) else template


def at(path: str, place: Any) -> Any:
    """Return what stands at a dotted path of a decoded JSON value; None where nothing does."""
    for part in path.split("."):
        if isinstance(place, dict):
            place = place.get(part)
        elif isinstance(place, list) and part.isascii() and part.isdecimal() and len(part) <= _LONGEST_INDEX:
            index = int(part)
            place = place[index] if index < len(place) else None
        else:
            return None
    return place


def text_at(path: str, place: Any) -> str | None:
    """Return the text or whole number at a path as text; None for all else, and for an empty path."""
    found = at(path, place) if path else None
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) and found else None


def decoded(body: bytes) -> Any:
    """Return a JSON value. Raises ValueError for what is none, or is nested deeper than anybody would."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise ValueError("not JSON") from error


def short_id(text: str) -> str:
    """Return an id as it is if it is short and plain, else a digest of it: ids are stored, compared and logged."""
    plain = text.isascii() and text.isprintable() and len(text) <= _LONGEST_ID
    return text if plain else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class JsonGateway:
    """Hands SMS to a provider that is described in the settings. `webhook_url`: where it may send receipts to."""

    name = "json_http"

    def __init__(self, provider: JsonProvider, *, clock: Clock, webhook_url: str = "", timeout_s: float = 20.0) -> None:
        self._provider = provider
        self._clock = clock
        self._webhook_url = webhook_url
        self._http = HttpClient(timeout_s=timeout_s)
        self._refusals = 0

    async def run(self) -> None:
        """Keep the session until cancelled, then close it."""
        await self._http.run()

    async def close(self) -> None:
        """Close the session; the next SMS opens another."""
        await self._http.close()

    async def send(self, *, key: str, sender: str, number: str, text: str) -> SendResult:
        """Hand over one text. `number` is E.164."""
        provider = self._provider
        values = {
            "{number}": number,
            "{number_digits}": number.removeprefix("+"),
            "{national_number}": _national(number),
            "{text}": text,
            "{sender}": sender,
            "{key}": key,
            "{secret}": provider.secret,
            "{webhook_url}": self._webhook_url,
        }
        fields = filled(provider.body, values)
        is_form = provider.encoding == "form"
        answer = await self._http.send(
            provider.method,
            provider.url,
            headers={
                "Accept": JSON,
                **filled(dict(provider.headers), values),
                **_signed_in(provider),
                "Content-Type": FORM if is_form else JSON,
            },
            body=urlencode(_flat(fields)).encode() if is_form else msgspec.json.encode(fields),
        )
        return self._result(answer, key) if isinstance(answer, Answered) else answer

    def _result(self, answer: Answered, key: str) -> SendResult:
        """Return what an answer means. Where it cannot be read the SMS may be on its way: that is not refused."""
        provider, told = self._provider, _decoded_or_none(answer.body)
        code = text_at(provider.code, told)
        reason = f"the provider answered {answer.status}{_why(code, text_at(provider.error, told))}"
        if answer.status not in provider.accepted_statuses:
            if answer.status in provider.retry_statuses:
                return self._not_now(reason, answer)
            return self._http.verdict(answer, reason, self._clock.now(), not_now=())
        if provider.code:
            if code is None:
                return Unclear(f"{reason}, without {provider.code}")
            if code in provider.retry_codes:
                return self._not_now(reason, answer)
            if code not in provider.accepted_codes:
                return Refused(reason, None)
        self._refusals = 0
        if not provider.reference:
            return Accepted(short_id(key))
        reference = text_at(provider.reference, told)
        if reference is None:
            return Unclear(f"{reason}, without {provider.reference}")
        return Accepted(short_id(reference))

    def _not_now(self, reason: str, answer: Answered) -> Refused:
        """Refuse for as long as the provider says, else for a time that grows until it accepts something."""
        told_s = retry_after_s(answer, self._clock.now())
        self._refusals += 1
        growing_s = _GROWING_S[min(self._refusals, len(_GROWING_S)) - 1]
        return self._http.not_now(reason, growing_s if told_s is None else told_s)


def _national(number: str) -> str:
    """Return a number as it is dialled in its own country, digits alone: `09012345678`."""
    parsed = phonenumbers.parse(number)
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(sign for sign in written if sign.isdecimal())


def _signed_in(provider: JsonProvider) -> dict[str, str]:
    match provider.auth:
        case "bearer":
            return {"Authorization": f"Bearer {provider.secret}"}
        case "basic":
            return {"Authorization": encode_basic_auth(provider.user, provider.secret)}
        case "header":
            return {provider.header: provider.secret}
        case "none":
            return {}


def _flat(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a form as text, with JSON's words for true and false."""
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode() for name, value in fields.items()
    }


def _decoded_or_none(body: bytes) -> Any:
    try:
        return decoded(body)
    except ValueError:
        return None


def _why(code: str | None, error: str | None) -> str:
    return "".join(f", {presentable(told)}" for told in (code, error) if told)
