"""Vonage from its own side: version 1 of its Messages API, message status and inbound messages with signed tokens."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import uuid
from typing import TYPE_CHECKING, Any

import jwt
from aiohttp import encode_basic_auth

from lab.sms_providers.provider import Asked, Fault, SignedWebhook, TakenSms, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

REPLY_PATH = "/sms/vonage/reply"
_ERRORS = "https://developer.vonage.com/api-errors"
_NUMBER = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)
_LONGEST_TEXT, _LONGEST_REF = 1000, 100
_BEARER = "Bearer "


class VonageProvider:
    """One account. `public_url` is what the customer has set as the address for inbound messages, but for its path."""

    name = "vonage"
    delivered: tuple[str, ...] = ("submitted", "delivered")
    undelivered: tuple[str, ...] = ("submitted", "rejected")

    def __init__(self, *, api_key: str, secret: str, signature_secret: str, public_url: str) -> None:
        self.api_key = api_key
        self._login = encode_basic_auth(api_key, secret)
        self._signature_secret = signature_secret
        self._public_url = public_url.rstrip("/")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, account: str, public_url: str) -> VonageProvider:
        """Return the account of a controller that has these secrets in its environment."""
        return cls(
            api_key=account,
            secret=environment["ORIKAESHI_SMS_SECRET"],
            signature_secret=environment["ORIKAESHI_SMS_WEBHOOK_SECRET"],
            public_url=public_url,
        )

    def take(self, asked: Asked) -> TakenSms | Told:
        """Return the SMS, or the problem that Vonage answers."""
        if asked.headers.get("authorization") != self._login:
            return _problem(401, "unauthorized", "Unauthorized", "You did not provide correct credentials.")
        if (asked.method, asked.path) != ("POST", "/v1/messages"):
            return _problem(404, "not-found", "Not Found", "The requested resource does not exist.")
        message = json.loads(asked.body)
        wrong = [name for name, rule in _RULES.items() if not rule(message.get(name))]
        if wrong:
            return _problem(
                422,
                "messages#1150",
                "Invalid params",
                "The value of one or more parameters is invalid.",
                invalid_parameters=[{"name": name, "reason": "Is not valid."} for name in wrong],
            )
        return TakenSms(
            reference=str(uuid.uuid4()),
            key=message.get("client_ref", ""),
            sender=message["from"],
            number=f"+{message['to']}",
            text=message["text"],
            receipts_to=message.get("webhook_url"),
        )

    def accepted(self, sms: TakenSms) -> Told:
        """Return the 202."""
        return Told(202, json.dumps({"message_uuid": sms.reference}).encode(), {"Content-Type": "application/json"})

    def failed(self, fault: Fault, retry_after_s: int) -> Told:
        """Return Vonage's answer to a fault."""
        told_when = {"Retry-After": str(retry_after_s)}
        match fault:
            case Fault.THROTTLED:
                return _problem(429, "messages#1000", "Throttled", "Please wait, then retry your request", told_when)
            case Fault.UNAVAILABLE:
                return Told(503, b"<html>503 Service Temporarily Unavailable</html>", told_when)
            case Fault.REFUSED:
                return _problem(422, "messages#1050", "1050", "Number barred - The number is blacklisted.")
        return _problem(500, "messages#1030", "Internal error", "There was an error processing your request.")

    def receipt(self, sms: TakenSms, status: str, now: datetime) -> SignedWebhook | None:
        """Return a message status."""
        if sms.receipts_to is None:
            return None
        fields: dict[str, Any] = {
            "message_uuid": sms.reference,
            "to": sms.number.removeprefix("+"),
            "from": sms.sender,
            "timestamp": now.isoformat(timespec="milliseconds"),
            "status": status,
            "client_ref": sms.key,
            "channel": "sms",
        }
        if status == "submitted":
            fields |= {"usage": {"currency": "EUR", "price": "0.0700"}, "sms": {"count_total": "1"}}
        if status in {"rejected", "undeliverable"}:
            fields["error"] = {
                "type": f"{_ERRORS}/messages#1240",
                "title": "1240",
                "detail": "Illegal Number - The number is unknown or not in use.",
                "instance": str(uuid.uuid4()),
            }
        return self.signed(sms.receipts_to, fields, now)

    def reply(self, number: str, to: str, text: str, now: datetime) -> SignedWebhook:
        """Return an inbound message."""
        fields = {
            "channel": "sms",
            "message_uuid": str(uuid.uuid4()),
            "to": to.removeprefix("+"),
            "from": number.removeprefix("+"),
            "timestamp": now.isoformat(timespec="milliseconds"),
            "message_type": "text",
            "text": text,
            "sms": {"num_messages": "1", "keyword": text.partition(" ")[0].upper()},
            "origin": {"network_code": "44010"},
            "usage": {"currency": "EUR", "price": "0.0000"},
        }
        return self.signed(self._public_url + REPLY_PATH, fields, now)

    def signed(self, url: str, fields: dict[str, Any], now: datetime) -> SignedWebhook:
        """Return JSON with a token for it."""
        body = json.dumps(fields, ensure_ascii=False).encode()
        return SignedWebhook(url, _headers(self.token(self.claims(body, now))), body)

    def token(self, claims: dict[str, Any], algorithm: str = "HS256") -> str:
        """Return a token signed with the signature secret."""
        return jwt.encode(claims, self._signature_secret, algorithm=algorithm)

    def claims(self, body: bytes, now: datetime) -> dict[str, Any]:
        """Return what a token says of a body."""
        return {
            "iat": int(now.timestamp()),
            "jti": str(uuid.uuid4()),
            "iss": "Vonage",
            "payload_hash": hashlib.sha256(body).hexdigest(),
            "api_key": self.api_key,
        }

    def forged(self, genuine: SignedWebhook) -> SignedWebhook:
        """Return the same, signed with a guessed secret."""
        known = genuine.headers["Authorization"].removeprefix(_BEARER)
        claims = jwt.decode(known, options={"verify_signature": False})
        token = jwt.encode(claims, secrets.token_hex(32), algorithm="HS256")
        return SignedWebhook(genuine.url, _headers(token), genuine.body)


_RULES: dict[str, Callable[[Any], bool]] = {
    "channel": lambda value: value == "sms",
    "message_type": lambda value: value == "text",
    "to": lambda value: isinstance(value, str) and bool(_NUMBER.fullmatch(value)),
    "from": lambda value: isinstance(value, str) and bool(re.fullmatch(r"[A-Za-z0-9 ]{1,15}", value)),
    "text": lambda value: isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT,
    "client_ref": lambda value: value is None or (isinstance(value, str) and len(value) <= _LONGEST_REF),
}


def _headers(token: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "Authorization": _BEARER + token}


def _problem(
    status: int, kind: str, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> Told:
    body = {"type": f"{_ERRORS}/{kind}", "title": title, "detail": detail, "instance": str(uuid.uuid4()), **more}
    return Told(status, json.dumps(body).encode(), {"Content-Type": "application/problem+json", **(headers or {})})
