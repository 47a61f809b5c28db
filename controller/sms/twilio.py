"""Twilio: its REST API (2010-04-01, Messages), and its webhooks for receipts and incoming SMS.

Wire format: https://www.twilio.com/docs/messaging/api/message-resource, .../messaging/guides/webhook-request,
.../usage/webhooks/webhooks-security. Twilio has no idempotency key: what it may have taken is never handed over again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from aiohttp import encode_basic_auth

from controller.domain.sms import Delivery
from controller.ports.sms import Accepted, ForgedWebhookError, IncomingSms, MalformedWebhookError, Receipt, Unclear
from controller.sms.http import Answered, HttpClient, json_object, presentable, reference
from controller.sms.webhook_fields import (
    FORM,
    JSON,
    address,
    content_type,
    form_fields,
    identifier,
    json_fields,
    number,
    said,
    word,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from controller.ports.clock import Clock
    from controller.ports.sms import SendResult, WebhookRequest

RECEIPT_PATH: Final = "/sms/twilio/receipt"
RETRIES: Final = "#rc=5&rp=all"
"""Has Twilio repeat a webhook that we could not take (connection overrides); by default it gives up at a 503."""

_MEANING: Final = {
    20003: "the account, API key or secret is wrong",
    20429: "too many requests at once",
    21211: "the number is invalid",
    21408: "the account may not send to that country",
    21606: "the sender cannot send SMS",
    21608: "a trial account sends to verified numbers only",
    21610: "they have opted out with STOP",
    21612: "there is no route from the sender to that number",
    21614: "the number cannot receive SMS",
    21617: "the text is too long",
    30001: "Twilio's queue is full",
    30002: "the account is suspended",
    30003: "the phone is unreachable: off, or out of reach",
    30004: "the network or its owner blocks us",
    30005: "the number is unknown or not in use any more",
    30006: "a landline, or a network that cannot be reached",
    30007: "the network took it for unwanted",
    30008: "the network gave no reason",
    30034: "the sender is not registered with the networks",
    30036: "it came to be too old in Twilio's queue",
}
"""What the codes mean that an operator is likely to meet (https://www.twilio.com/docs/api/errors)."""

_DELIVERY: Final = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), Delivery.ON_ITS_WAY),
    **dict.fromkeys(("delivered", "read"), Delivery.DELIVERED),
    **dict.fromkeys(("undelivered", "failed", "canceled"), Delivery.UNDELIVERED),
}
_INCOMING: Final = {"", "receiving", "received"}
_DIGESTS: Final = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_PORTS: Final = {"https": 443, "http": 80}
_LONGEST_KEY: Final = 400


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """Who we are to Twilio. `secret` is the auth token, or that of the API key."""

    account_sid: str
    secret: str = field(repr=False)
    api_key_sid: str | None = None
    """SK...; None: the account's own auth token signs in."""
    messaging_service_sid: str | None = None
    """MG...; it chooses the sender, whatever a queue's is."""
    base_url: str = "https://api.twilio.com"


class TwilioGateway:
    """Hands SMS to Twilio. With `public_url`, where the controller's web pages are reached, it asks for receipts."""

    name = "twilio"

    def __init__(
        self, account: TwilioAccount, *, public_url: str | None, clock: Clock, timeout_s: float = 20.0
    ) -> None:
        self._account = account
        self._public_url = public_url
        self._clock = clock
        self._http = HttpClient(timeout_s=timeout_s)

    async def run(self) -> None:
        """Keep the session until cancelled, then close it."""
        await self._http.run()

    async def send(self, *, key: str, sender: str, number: str, text: str) -> SendResult:
        """Hand over one text. A 500 is `Unclear`: a message may come of it, says Twilio's page on error 20500."""
        account = self._account
        form = {"To": number, "Body": text}
        if account.messaging_service_sid:
            form["MessagingServiceSid"] = account.messaging_service_sid
        else:
            form["From"] = sender
        if self._public_url is not None:
            form["StatusCallback"] = receipt_address(self._public_url, key)
        answer = await self._http.send(
            "POST",
            f"{account.base_url.rstrip('/')}/2010-04-01/Accounts/{quote(account.account_sid, safe='')}/Messages.json",
            headers={
                "Authorization": encode_basic_auth(account.api_key_sid or account.account_sid, account.secret),
                "Content-Type": FORM,
                "Accept": JSON,
            },
            body=urlencode(form).encode(),
        )
        return self._result(answer) if isinstance(answer, Answered) else answer

    def _result(self, answer: Answered) -> SendResult:
        told = json_object(answer.body)
        if answer.status in {200, 201}:
            sid = reference(told.get("sid"))
            return Accepted(sid) if sid else Unclear("Twilio took it without naming a sid")
        return self._http.verdict(answer, f"Twilio answered {answer.status}{_why(told)}", self._clock.now())


def receipt_address(public_url: str, key: str) -> str:
    """Return where receipts for one SMS are to be sent; the key stands there so that no proxy writes it otherwise."""
    wrapped = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    return f"{public_url.rstrip('/')}{RECEIPT_PATH}?key={wrapped}{RETRIES}"


class TwilioWebhook:
    """Reads what Twilio sends. `secret` signs it: the primary auth token, or a webhook key shared with Twilio.

    `public_url` is where the controller's web pages are reached; signatures for another installation are refused.
    Without a secret nothing is believed.
    """

    name = "twilio"

    def __init__(self, secret: str, *, account_sid: str, public_url: str) -> None:
        self._secret = secret.encode()
        self._account_sid = account_sid
        self._public_url = public_url.rstrip("/") + "/"

    def read(self, request: WebhookRequest) -> Sequence[Receipt | IncomingSms]:
        """Return what a request tells. Raises ForgedWebhookError, MalformedWebhookError."""
        fields = self._verified(request)
        sid = identifier(fields, "MessageSid")
        status = word(fields, "MessageStatus", "").lower()
        if status in _INCOMING:
            sender, to, text = number(fields, "From"), address(fields, "To"), said(word(fields, "Body"))
            return [IncomingSms(self.name, event_id=sid, number=sender, to=to, text=text)]
        delivery = _DELIVERY.get(status)
        if delivery is None:
            raise MalformedWebhookError("MessageStatus is none that Twilio documents")
        return [Receipt(self.name, f"{sid}:{status}", sid, delivery, _key(request.url), _error(fields))]

    def _verified(self, request: WebhookRequest) -> dict[str, Any]:
        """Return the fields of a request that is Twilio's. Raises ForgedWebhookError for any other."""
        kind = content_type(request.headers)
        if request.method != "POST" or kind not in {FORM, JSON}:
            raise ForgedWebhookError("Twilio sends forms and JSON, by POST")
        try:
            fields = form_fields(request.body) if kind == FORM else json_fields(request.body)
        except MalformedWebhookError:
            # What cannot be read as they write it cannot have been signed by them either.
            raise ForgedWebhookError("the body is not written as Twilio does") from None
        self._check_signature(request, "".join(name + fields[name] for name in sorted(fields)) if kind == FORM else "")
        if kind == JSON and not _covers_body(request):
            raise ForgedWebhookError("the signature does not cover the body")
        if not _same(str(fields.get("AccountSid", "")), self._account_sid):
            raise ForgedWebhookError("it is about another account")
        return fields

    def _check_signature(self, request: WebhookRequest, signed_fields: str) -> None:
        given = request.headers.get("x-twilio-signature", "")
        digest = _digest(request.headers.get("x-twilio-webhooks-signature-settings", ""))
        if not self._secret or not given or digest is None or not request.url.startswith(self._public_url):
            raise ForgedWebhookError("no signature, one of no known kind, or for another address")
        # All are compared, so that time tells nothing of which came near.
        matches = [
            _same(given, _signature(self._secret, url + signed_fields, digest)) for url in _as_signed(request.url)
        ]
        if not any(matches):
            raise ForgedWebhookError("the signature is wrong")


def _signature(secret: bytes, text: str, digest: str) -> str:
    return base64.b64encode(hmac.digest(secret, text.encode("utf-8", "replace"), digest)).decode()


def _same(given: str, wanted: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _digest(settings: str) -> str | None:
    """Return the hash that signs; Twilio names it where a shared key signs, and it is SHA-1 where it does not."""
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return _DIGESTS.get(value.strip().upper())
    return "sha1"


def _as_signed(url: str) -> Iterator[str]:
    """Yield the ways in which Twilio may have written the address when it signed.

    Its own validators take it with and without the port, since Twilio is not of one mind. A fragment, which never
    travels, may have been part of it.
    """
    parts = urlsplit(url)
    bare = parts.netloc.removesuffix(f":{parts.port}")
    for netloc in (bare, f"{bare}:{parts.port or _PORTS.get(parts.scheme, 443)}"):
        for end in ("", RETRIES):
            yield url.replace(parts.netloc, netloc, 1) + end


def _covers_body(request: WebhookRequest) -> bool:
    given = dict(parse_qsl(urlsplit(request.url).query)).get("bodySHA256", "")
    return _same(given, hashlib.sha256(request.body).hexdigest())


def _key(url: str) -> str | None:
    """Return our own key as `receipt_address` wrote it; None where there is none that can be read."""
    wrapped = dict(parse_qsl(urlsplit(url).query)).get("key", "")[:_LONGEST_KEY]
    try:
        key = base64.b64decode(wrapped + "=" * (-len(wrapped) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return said(key) or None


def _why(told: dict[str, object]) -> str:
    code = told.get("code")
    if not isinstance(code, int):
        return ""
    return f", error {code}: {_MEANING.get(code) or presentable(told.get('message', ''))}"


def _error(fields: dict[str, str]) -> str:
    code = fields.get("ErrorCode", "")
    if not (code.isascii() and code.isdecimal() and len(code) <= 6):  # noqa: PLR2004 - they have five digits
        return ""
    meaning = _MEANING.get(int(code)) or presentable(fields.get("ErrorMessage", ""))
    return f"{code}: {meaning}".removesuffix(": ")
