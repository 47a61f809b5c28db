"""Vonage: its Messages API (version 1, channel `sms`), and its webhooks for message status and inbound messages.

Wire format: https://developer.vonage.com/en/api/messages, .../messages/concepts/signed-webhooks. Numbers are written
without `+`. There is no idempotency key: what Vonage may have taken is never handed over again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import encode_basic_auth

from controller.domain.sms import Delivery
from controller.ports.sms import Accepted, ForgedWebhookError, IncomingSms, MalformedWebhookError, Receipt, Unclear
from controller.sms.http import Answered, HttpClient, json_object, presentable, reference
from controller.sms.webhook_fields import JSON, address, content_type, identifier, json_fields, number, said, word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.ports.clock import Clock
    from controller.ports.sms import SendResult, WebhookRequest

RECEIPT_PATH: Final = "/sms/vonage/receipt"
MAX_AGE_S: Final = 300.0
MAX_AHEAD_S: Final = 60.0
"""How far their clock and ours may differ. Within it a repeated webhook is known by its id."""

_LONGEST_REF: Final = 100
_CUT_REF_AT: Final = 59
_DIGEST_LENGTH: Final = 40
_DELIVERY: Final = {
    "submitted": Delivery.ON_ITS_WAY,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.DELIVERED,
    "rejected": Delivery.UNDELIVERED,
    "undeliverable": Delivery.UNDELIVERED,
}
_CLAIMS: Final = ("api_key", "iat", "jti", "payload_hash")
_BEARER: Final = "bearer "
_LONGEST_TOKEN: Final = 8192


@dataclass(frozen=True, slots=True)
class VonageAccount:
    """Who we are to Vonage."""

    api_key: str
    secret: str = field(repr=False)
    """The API secret; webhooks are signed with another, the signature secret."""
    base_url: str = "https://api.nexmo.com"


class VonageGateway:
    """Hands SMS to Vonage. With `public_url`, where the controller's web pages are reached, it asks for receipts there.

    Without it they go where the account's settings send them.
    """

    name = "vonage"

    def __init__(
        self, account: VonageAccount, *, public_url: str | None, clock: Clock, timeout_s: float = 20.0
    ) -> None:
        self._account = account
        self._webhooks = (
            {"webhook_url": public_url.rstrip("/") + RECEIPT_PATH, "webhook_version": "v1"} if public_url else {}
        )
        self._clock = clock
        self._http = HttpClient(timeout_s=timeout_s)

    async def run(self) -> None:
        """Keep the session until cancelled, then close it."""
        await self._http.run()

    async def send(self, *, key: str, sender: str, number: str, text: str) -> SendResult:
        """Hand over one text. A 500 is `Unclear`: as documented, an error while processing it, and no refusal."""
        account = self._account
        message = {
            "channel": "sms",
            "message_type": "text",
            "to": number.removeprefix("+"),
            "from": sender.removeprefix("+"),
            "text": text,
            "client_ref": client_ref(key),
            **self._webhooks,
        }
        answer = await self._http.send(
            "POST",
            f"{account.base_url.rstrip('/')}/v1/messages",
            headers={
                "Authorization": encode_basic_auth(account.api_key, account.secret),
                "Content-Type": JSON,
                "Accept": JSON,
            },
            body=msgspec.json.encode(message),
        )
        return self._result(answer) if isinstance(answer, Answered) else answer

    def _result(self, answer: Answered) -> SendResult:
        told = json_object(answer.body)
        if answer.status in {200, 202}:
            message_uuid = reference(told.get("message_uuid"))
            return Accepted(message_uuid) if message_uuid else Unclear("Vonage took it without naming a message_uuid")
        problem = ": ".join(presentable(told[name]) for name in ("title", "detail") if told.get(name))
        return self._http.verdict(answer, f"Vonage answered {answer.status} {problem}".rstrip(), self._clock.now())


def client_ref(key: str) -> str:
    """Return what stands for our key with Vonage, which keeps 100 characters: a longer one ends in its digest."""
    if len(key) <= _LONGEST_REF:
        return key
    return f"{key[:_CUT_REF_AT]}~{hashlib.sha256(key.encode()).hexdigest()[:_DIGEST_LENGTH]}"


class VonageWebhook:
    """Reads what Vonage sends. `signature_secret` signs it: the account's own, beside its API secret.

    Without a secret nothing is believed.
    """

    name = "vonage"

    def __init__(self, signature_secret: str, *, api_key: str) -> None:
        self._secret = signature_secret
        self._api_key = api_key

    def read(self, request: WebhookRequest) -> Sequence[Receipt | IncomingSms]:
        """Return what a request tells. Raises ForgedWebhookError, MalformedWebhookError."""
        self._check(request)
        if content_type(request.headers) != JSON:
            raise MalformedWebhookError("it is no JSON")
        fields = json_fields(request.body)
        if word(fields, "channel") != "sms":
            raise MalformedWebhookError("the channel is not SMS")
        message_uuid = identifier(fields, "message_uuid")
        if "status" not in fields:
            sender, to, text = number(fields, "from"), address(fields, "to"), said(word(fields, "text"))
            return [IncomingSms(self.name, event_id=message_uuid, number=sender, to=to, text=text)]
        status = word(fields, "status")
        delivery = _DELIVERY.get(status)
        if delivery is None:
            raise MalformedWebhookError("the status is none that Vonage documents")
        return [
            Receipt(
                self.name, f"{message_uuid}:{status}", message_uuid, delivery, _key(fields), _error(fields.get("error"))
            )
        ]

    def _check(self, request: WebhookRequest) -> None:
        """Raise ForgedWebhookError unless Vonage signed this body a short while ago."""
        import jwt  # noqa: PLC0415 - it brings a library of cryptography, and most sites have another provider

        header = request.headers.get("authorization", "")
        token = header[len(_BEARER) :]
        if (
            not self._secret
            or request.method != "POST"
            or header[: len(_BEARER)].lower() != _BEARER
            or not _is_canonical(token)
        ):
            raise ForgedWebhookError("there is no token in it, or one that is not written as they are")
        try:
            # Times are compared with the clock that came with the request, below.
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                options={"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise ForgedWebhookError("the token is not signed with our secret, or says too little") from None
        if not _same(claims["api_key"], self._api_key):
            raise ForgedWebhookError("the token is another account's")
        if not _same(claims["payload_hash"], hashlib.sha256(request.body).hexdigest()):
            raise ForgedWebhookError("the token was made for another body")
        _check_age(claims, request.now.timestamp())


def _is_canonical(token: str) -> bool:
    """Tell whether the signature is the one way of writing it: the decoder overlooks spare bits and foreign letters."""
    signature = token.rpartition(".")[2]
    if not token.isascii() or len(token) > _LONGEST_TOKEN:
        return False
    try:
        decoded = base64.b64decode(signature + "=" * (-len(signature) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return False
    return base64.urlsafe_b64encode(decoded).decode().rstrip("=") == signature


def _same(given: object, wanted: str) -> bool:
    """Compare in constant time."""
    text = given if isinstance(given, str) else ""
    return hmac.compare_digest(text.encode("utf-8", "replace"), wanted.encode())


def _check_age(claims: dict[str, Any], now_s: float) -> None:
    issued_s, expires_s = claims["iat"], claims.get("exp")
    if isinstance(issued_s, bool) or not isinstance(issued_s, int | float):
        raise ForgedWebhookError("the token does not say when it was made")
    if not now_s - MAX_AGE_S <= issued_s <= now_s + MAX_AHEAD_S:
        raise ForgedWebhookError("the token is too old, or of the future")
    if expires_s is not None and not (isinstance(expires_s, int | float) and expires_s > now_s - MAX_AHEAD_S):
        raise ForgedWebhookError("the token has expired")


def _key(fields: dict[str, Any]) -> str | None:
    """Return our own key as `client_ref` wrote it; None where it was cut: the reference has to do then."""
    ref = fields.get("client_ref")
    if not isinstance(ref, str) or not 0 < len(ref) <= _LONGEST_REF:
        return None
    was_cut = len(ref) == _LONGEST_REF and ref[_CUT_REF_AT] == "~"
    return None if was_cut else said(ref)


def _error(error: object) -> str:
    """Return why it was not delivered: `1050: Number barred - ...`."""
    if not isinstance(error, dict):
        return ""
    title, detail = presentable(error.get("title", "")), presentable(error.get("detail", ""))
    return ": ".join(part for part in (title, detail) if part)
