"""A provider that takes and tells all by HTTP and JSON: what it calls its fields (docs/sms-json.md)."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from controller.settings.mistakes import nearest
from controller.settings.secret_values import SECRET_WORD
from controller.settings.values import ProviderUrl, Section
from controller.sms.http import NOT_NOW
from controller.sms.json_http import PLACEHOLDERS, JsonProvider
from controller.sms.json_webhook import JsonWebhook, ReceiptFields, ReplyFields, Verification

_IN_HEADERS = (SECRET_WORD, "{key}")
_NUMBERS = ("{number}", "{number_digits}", "{national_number}")
_OURS = frozenset({"content-type", "content-length", "host", "connection", "transfer-encoding"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", re.ASCII)
_DEEPEST = 10


def _header_name(text: str) -> str:
    if not _HEADER_NAME.fullmatch(text):
        raise ValueError('must be the name of an HTTP header, as "X-Signature"')
    return text


def _own_header_name(text: str) -> str:
    if _header_name(text).lower() in _OURS:
        raise ValueError("is a header that HTTP itself sets")
    return text


def _header_value(text: str) -> str:
    if text in _IN_HEADERS:
        return text
    if not (text.isascii() and text.isprintable()) or "{" in text:
        raise ValueError(f"must be plain ASCII, or one of {', '.join(_IN_HEADERS)} as a whole")
    return text


def _path(text: str) -> str:
    if not text or not text.isprintable() or not all(text.split(".")):
        raise ValueError('must be a field, with dots where it lies in another, as "data.0.id"')
    return text


def _leaves(place: Any, depth: int = 0) -> Iterator[Any]:
    if depth > _DEEPEST:
        raise ValueError(f"must not be nested deeper than {_DEEPEST}")
    if isinstance(place, dict):
        for inner in place.values():
            yield from _leaves(inner, depth + 1)
    elif isinstance(place, tuple | list):
        for inner in place:
            yield from _leaves(inner, depth + 1)
    else:
        yield place


def _body(body: dict[str, Any]) -> dict[str, Any]:
    leaves = list(_leaves(body))
    for leaf in leaves:
        if not isinstance(leaf, str | int | float):
            raise ValueError("must hold text, numbers, true or false")  # noqa: TRY004 - pydantic's way
        if isinstance(leaf, str) and ("{" in leaf or "}" in leaf) and leaf not in PLACEHOLDERS:
            hint = nearest(leaf, PLACEHOLDERS) or f"; known are {', '.join(PLACEHOLDERS)}"
            raise ValueError(f'"{leaf[:40]}" must be one placeholder as a whole{hint}')
    if "{text}" not in leaves:
        raise ValueError("must hold {text}")
    if not any(number in leaves for number in _NUMBERS):
        raise ValueError(f"must hold one of {', '.join(_NUMBERS)}")
    return body


Header = Annotated[str, AfterValidator(_header_name)]
FieldPath = Annotated[str, AfterValidator(_path)]
Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
Status = Annotated[int, Field(ge=100, le=599)]


class JsonReceipts(Section):
    """Where a receipt has what."""

    status: FieldPath
    delivered: Words
    undelivered: Words
    on_its_way: tuple[str, ...] = ()
    reference: FieldPath | None = None
    key: FieldPath | None = None
    id: FieldPath | None = None
    error: FieldPath | None = None

    @model_validator(mode="after")
    def _names_an_sms(self) -> Self:
        if self.reference is None and self.key is None:
            raise ValueError("needs reference or key: which SMS is it about?")
        words = (*self.delivered, *self.undelivered, *self.on_its_way)
        if len(set(words)) < len(words):
            raise ValueError("has a status that stands for two things")
        return self


class JsonReplies(Section):
    """Where a reply has what."""

    number: FieldPath
    text: FieldPath
    to: FieldPath | None = None
    id: FieldPath | None = None


class JsonVerification(Section):
    """How a request is known to be the provider's. The secret is ORIKAESHI_SMS_WEBHOOK_SECRET."""

    method: Literal["hmac", "header"]
    header: Header
    prefix: Annotated[str, AfterValidator(_header_value)] = ""
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    signs: Annotated[tuple[Literal["url", "timestamp", "body"], ...], Field(min_length=1)] = ("body",)
    joined_by: Annotated[str, Field(max_length=8)] = ""
    timestamp_header: Header | None = None
    max_age_s: Annotated[float, Field(ge=10, le=24 * 3600, allow_inf_nan=False)] = 300

    @model_validator(mode="after")
    def _signs_what_counts(self) -> Self:
        if "body" not in self.signs:
            raise ValueError('must sign the body: signs = ["body"]')
        if ("timestamp" in self.signs) != (self.timestamp_header is not None):
            raise ValueError('needs both timestamp_header and "timestamp" in signs, or neither')
        if self.timestamp_header is not None and self.method == "header":
            raise ValueError('has no signature with method = "header": leave timestamp_header out')
        return self


class JsonHttp(Section):
    """One provider, described."""

    url: ProviderUrl
    body: Annotated[dict[str, Any], AfterValidator(_body)]
    method: Literal["POST", "PUT"] = "POST"
    encoding: Literal["json", "form"] = "json"
    auth: Literal["none", "bearer", "basic", "header"] = "none"
    user: Annotated[str, AfterValidator(_header_value)] | None = None
    header: Annotated[str, AfterValidator(_own_header_name)] | None = None
    headers: dict[Annotated[str, AfterValidator(_own_header_name)], Annotated[str, AfterValidator(_header_value)]] = (
        Field(default_factory=dict)
    )
    accepted_statuses: Annotated[tuple[Status, ...], Field(min_length=1)] = (200, 201, 202)
    retry_statuses: tuple[Status, ...] = tuple(sorted(NOT_NOW))
    code: FieldPath | None = None
    accepted_codes: tuple[str, ...] = ()
    retry_codes: tuple[str, ...] = ()
    reference: FieldPath | None = None
    error: FieldPath | None = None
    items: FieldPath | None = None
    receipts: JsonReceipts | None = None
    replies: JsonReplies | None = None
    verification: JsonVerification | None = None

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        for wrong, message in _at_odds(self):
            if wrong:
                raise ValueError(message)
        return self

    @property
    def needs_secret(self) -> bool:
        """Whether the provider is to be shown a secret."""
        return self.auth != "none" or SECRET_WORD in (*_leaves(self.body), *self.headers.values())

    def provider(self, secret: str) -> JsonProvider:
        """Return the provider as its gateway knows it."""
        return JsonProvider(
            url=self.url,
            body=self.body,
            method=self.method,
            encoding=self.encoding,
            auth=self.auth,
            user=self.user or "",
            header=self.header or "",
            secret=secret,
            headers=dict(self.headers),
            accepted_statuses=frozenset(self.accepted_statuses),
            retry_statuses=frozenset(self.retry_statuses),
            code=self.code or "",
            accepted_codes=frozenset(self.accepted_codes),
            retry_codes=frozenset(self.retry_codes),
            reference=self.reference or "",
            error=self.error or "",
        )

    def webhook(self, secret: str, *, home: str) -> JsonWebhook | None:
        """Return what reads its receipts and replies; None when neither is described. `home` as [dialer] has it."""
        if self.verification is None:
            return None
        return JsonWebhook(
            Verification(**_given(self.verification), secret=secret),
            receipts=ReceiptFields(**_given(self.receipts)) if self.receipts else None,
            replies=ReplyFields(**_given(self.replies)) if self.replies else None,
            items=self.items or "",
            home=home,
        )


def _given(section: Section) -> dict[str, Any]:
    """Return what stands in a section; the status words as sets."""
    words = {"delivered", "undelivered", "on_its_way"}
    found = section.model_dump(exclude_none=True)
    return {name: frozenset(value) if name in words else value for name, value in found.items()}


def _at_odds(one: JsonHttp) -> Iterator[tuple[bool, str]]:
    """Yield whether something is at odds, and what."""
    yield (one.auth == "basic") != (one.user is not None), 'needs both auth = "basic" and user, or neither'
    yield (one.auth == "header") != (one.header is not None), 'needs both auth = "header" and header, or neither'
    nested = any(isinstance(value, dict | tuple) for value in one.body.values())
    yield one.encoding == "form" and nested, "is sent as a form: its body can hold no tables and no lists"
    yield (one.code is None) == bool(one.accepted_codes), "needs both code and accepted_codes, or neither"
    yield bool(one.retry_codes) and one.code is None, "needs code: where do retry_codes stand?"
    yield bool(set(one.accepted_codes) & set(one.retry_codes)), "has a code that is both accepted and tried again"
    yield (
        bool(set(one.accepted_statuses) & set(one.retry_statuses)),
        "has a status that is both accepted and tried again",
    )
    hears = one.receipts is not None or one.replies is not None
    yield hears and one.verification is None, "needs [sms.json_http.verification]: anybody could send receipts"
    yield one.verification is not None and not hears, "needs [sms.json_http.receipts] or [sms.json_http.replies]"
    by_key_alone = one.reference is None and one.receipts is not None and one.receipts.key is None
    yield by_key_alone, "needs receipts.key, or reference: its receipts could not be told apart"
    keyless = one.reference is None and "{key}" not in (*_leaves(one.body), *one.headers.values())
    yield keyless and one.receipts is not None, "needs {key} in body: receipts name the SMS by it"
