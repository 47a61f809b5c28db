"""Two providers of the kinds that docs/sms-json.md describes, from their own side.

Both are called `json_http`, as the gateway that reaches them. Signatures and fields are made here anew, so that a
mistake in the controller's own code is not repeated.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from lab.sms_providers.provider import Asked, Fault, SignedWebhook, TakenSms, Told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_HOME_NUMBER = re.compile(r"0[0-9]{9,10}", re.ASCII)
MAC_HEADER, TIME_HEADER, _FIXED_HEADER = "X-Signature", "X-Timestamp", "X-Callback-Key"


class BearerJsonProvider:
    """JSON with the secret in a header; webhooks signed over time and body."""

    name = "json_http"
    delivered: tuple[str, ...] = ("ACCEPTED", "SENT", "DELIVERED")
    undelivered: tuple[str, ...] = ("ACCEPTED", "FAILED")
    path = "/v1/messages"

    def __init__(self, *, secret: str, signature_secret: str, public_url: str) -> None:
        self._secret = secret
        self.signature_secret = signature_secret
        self._public_url = public_url.rstrip("/")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, account: str, public_url: str) -> BearerJsonProvider:
        """Return the provider of a controller that has these secrets in its environment."""
        del account  # the secret alone says whose it is
        return cls(
            secret=environment["ORIKAESHI_SMS_SECRET"],
            signature_secret=environment["ORIKAESHI_SMS_WEBHOOK_SECRET"],
            public_url=public_url,
        )

    def take(self, asked: Asked) -> TakenSms | Told:
        """Return the SMS, or what is wrong with the request."""
        if asked.headers.get("authorization") != f"Bearer {self._secret}":
            return _error(401, "unknown token")
        if (asked.method, asked.path) != ("POST", self.path):
            return _error(404, "no such resource")
        fields = json.loads(asked.body)
        text = fields.get("content", {}).get("text")
        if not isinstance(text, str) or not text or not _HOME_NUMBER.fullmatch(str(fields.get("to"))):
            return _error(400, f"{fields.get('to')} is no number, or there is no text")
        return TakenSms(
            reference=str(uuid.uuid4()),
            key=fields["clientReference"],
            sender=fields["from"],
            number=f"+81{fields['to'][1:]}",
            text=text,
            receipts_to=fields.get("callbackUrl") or None,
        )

    def accepted(self, sms: TakenSms) -> Told:
        """Return the 202."""
        return Told(202, json.dumps({"message": {"id": sms.reference}}).encode(), _JSON)

    def failed(self, fault: Fault, retry_after_s: int) -> Told:
        """Return the answer to a fault."""
        told_when = {"Retry-After": str(retry_after_s)}
        match fault:
            case Fault.THROTTLED:
                return _error(429, "too many requests", told_when)
            case Fault.UNAVAILABLE:
                return _error(503, "maintenance", told_when)
            case Fault.REFUSED:
                return _error(422, "the number has opted out")
        return _error(500, "system error")

    def receipt(self, sms: TakenSms, status: str, now: datetime) -> SignedWebhook | None:
        """Return a receipt, for the address that was named with the SMS."""
        if sms.receipts_to is None:
            return None
        fields = {
            "eventId": str(uuid.uuid4()),
            "messageId": sms.reference,
            "clientReference": sms.key,
            "status": status,
            "reason": "unreachable" if status == "FAILED" else None,
        }
        return self.signed(f"{sms.receipts_to}/receipt", fields, now)

    def reply(self, number: str, to: str, text: str, now: datetime) -> SignedWebhook:
        """Return an SMS that came in; numbers as they are dialled at home."""
        fields = {"eventId": str(uuid.uuid4()), "from": f"0{number[3:]}", "to": to, "content": {"text": text}}
        return self.signed(f"{self._public_url}/sms/json_http/reply", fields, now)

    def signed(self, url: str, fields: dict[str, Any], now: datetime) -> SignedWebhook:
        """Return JSON with its signature."""
        return self.signed_bytes(url, json.dumps(fields, ensure_ascii=False).encode(), now)

    def signed_bytes(self, url: str, body: bytes, now: datetime) -> SignedWebhook:
        """Return a body with its signature."""
        return SignedWebhook(url, _mac_headers(str(int(now.timestamp())), body, self.signature_secret), body)

    def forged(self, genuine: SignedWebhook) -> SignedWebhook:
        """Return the same, signed with a guessed secret."""
        at = genuine.headers[TIME_HEADER]
        return SignedWebhook(genuine.url, _mac_headers(at, genuine.body, secrets.token_hex(32)), genuine.body)


class FormProvider:
    """A form with the secret in a field; always 200, with a code; a fixed secret in a header of its webhooks."""

    name = "json_http"
    delivered: tuple[str, ...] = ("0", "1")
    undelivered: tuple[str, ...] = ("0", "2")
    path = "/api/send.json"

    def __init__(self, *, secret: str, callback_secret: str, public_url: str) -> None:
        self._secret = secret
        self._callback_secret = callback_secret
        self._public_url = public_url.rstrip("/")
        self._tags: set[str] = set()

    def take(self, asked: Asked) -> TakenSms | Told:
        """Return the SMS, or the code that says what is wrong."""
        fields = {name: values[0] for name, values in parse_qs(asked.body.decode(), keep_blank_values=True).items()}
        if (asked.method, asked.path) != ("POST", self.path):
            return Told(404, b"<html>404</html>")
        if fields.get("token") != self._secret:
            return _coded(110, "Invalid token")
        if not _HOME_NUMBER.fullmatch(fields.get("phoneNumber", "")) or not fields.get("message"):
            return _coded(110, f"Invalid phoneNumber {fields.get('phoneNumber')}")
        tag = fields["clientTag"]
        if tag in self._tags:
            return _coded(400, "Duplicate client tag.")
        self._tags.add(tag)
        number = f"+81{fields['phoneNumber'][1:]}"
        here = f"{self._public_url}/sms/json_http/receipt"
        return TakenSms(tag, tag, fields["smsCode"], number, fields["message"], here)

    def accepted(self, sms: TakenSms) -> Told:
        """Return code 0; no id of its own."""
        del sms  # its tag is known
        return _coded(0, "Success")

    def failed(self, fault: Fault, retry_after_s: int) -> Told:
        """Return the answer to a fault."""
        match fault:
            case Fault.THROTTLED:
                return _coded(300, "Exceed sending count.", {"Retry-After": str(retry_after_s)})
            case Fault.UNAVAILABLE:
                return Told(503, b"<html>503</html>", {"Retry-After": str(retry_after_s)})
            case Fault.REFUSED:
                return _coded(120, "message too long.")
        return Told(500, b"<html>500</html>")

    def receipt(self, sms: TakenSms, status: str, now: datetime) -> SignedWebhook | None:
        """Return a receipt, as a form."""
        del now  # nothing in it tells the time
        body = urlencode({"clientTag": sms.key, "statusCode": status}).encode()
        return SignedWebhook(f"{sms.receipts_to}", {**_FORM, _FIXED_HEADER: self._callback_secret}, body)

    def reply(self, number: str, to: str, text: str, now: datetime) -> SignedWebhook:
        """Return an SMS that came in, of which the settings for this kind say nothing."""
        del now
        body = urlencode({"phoneNumber": f"0{number[3:]}", "smsCode": to, "message": text}).encode()
        headers = {**_FORM, _FIXED_HEADER: self._callback_secret}
        return SignedWebhook(f"{self._public_url}/sms/json_http/reply", headers, body)

    def forged(self, genuine: SignedWebhook) -> SignedWebhook:
        """Return the same with a guessed secret."""
        return SignedWebhook(genuine.url, {**_FORM, _FIXED_HEADER: secrets.token_hex(16)}, genuine.body)


def _mac_headers(at: str, body: bytes, secret: str) -> dict[str, str]:
    mac = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256)
    return {**_JSON, TIME_HEADER: at, MAC_HEADER: f"sha256={base64.b16encode(mac.digest()).decode().lower()}"}


def _error(status: int, description: str, headers: dict[str, str] | None = None) -> Told:
    return Told(status, json.dumps({"error": {"description": description}}).encode(), {**_JSON, **(headers or {})})


def _coded(code: int, message: str, headers: dict[str, str] | None = None) -> Told:
    body = {"responseCode": code, "responseMessage": message}
    return Told(200, json.dumps(body).encode(), {**_JSON, **(headers or {})})
